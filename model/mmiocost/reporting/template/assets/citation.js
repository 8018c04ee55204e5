// "Cite" beside whatever has an id and can be cited: an answer, a table's row, an equation, a row of evidence.
// The form of a citation comes with the page; here only what is cited and where it stands are put in.
(function () {
  "use strict";

  var LATEX = { "\\": "\\textbackslash{}", "^": "\\textasciicircum{}", "~": "\\textasciitilde{}" };
  var box = null;

  function latex(text) {
    return text.replace(/[\\^~]|[#$%&_{}]/g, function (letter) { return LATEX[letter] || "\\" + letter; });
  }

  function words(text) {
    return text.replace(/\s+/g, " ").trim();
  }

  // A row that says nothing else is cited as the question that it answers, its table, its head and its cells.
  function what(element) {
    if (element.dataset.cite) return words(element.dataset.cite);
    var caption = element.closest("table").caption;
    var cells = Array.from(element.cells).map(function (cell) {
      return words(Array.from(cell.childNodes).filter(function (node) {
        return !(node.classList && node.classList.contains("cite"));
      }).map(function (node) { return node.textContent; }).join(""));
    }).filter(Boolean);
    var card = element.closest("article.card");
    var asked = card ? words(card.querySelector("h2").firstChild.textContent) + " " : "";
    return asked + (caption ? words(caption.textContent) + ": " : "") + cells.join(", ");
  }

  function filled(form, said, where) {
    // By functions, since "$&" in a replacement that is text would be read as a pattern.
    return form.replace("@where@", function () { return where; }).replace("@what@", function () { return said; });
  }

  function copied(button, text) {
    function done() { button.textContent = "Copied"; }
    function byHand() {
      var range = document.createRange();
      range.selectNodeContents(button.parentNode.querySelector("pre"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = document.execCommand("copy") ? "Copied" : "Selected: copy it by key";
    }
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, byHand); else byHand();
  }

  function part(title, said, text) {
    var section = document.createElement("section");
    var head = document.createElement("h2");
    var shown = document.createElement("pre");
    var button = document.createElement("button");
    head.textContent = title;
    shown.textContent = text;
    shown.tabIndex = 0;
    button.type = "button";
    button.textContent = "Copy " + said;
    button.addEventListener("click", function () { copied(button, text); });
    section.append(head, shown, button);
    return section;
  }

  function show(element) {
    if (!box) {
      box = document.createElement("dialog");
      box.className = "citation";
      box.setAttribute("aria-label", "Citation");
      document.body.append(box);
    }
    var page = location.pathname.split("/").pop() || "index.html";
    var where = page + (element.id ? "#" + element.id : "");
    var said = element === document.body ? words(document.title) : what(element);
    var forms = document.body.dataset;
    var close = document.createElement("button");
    close.type = "button";
    close.textContent = "Close";
    close.addEventListener("click", function () { box.close(); });
    box.replaceChildren(
      part("Text", "text", filled(forms.citeText, said, where)),
      part("BibTeX", "BibTeX", filled(forms.citeBibtex, latex(said), latex(where))),
      close
    );
    box.showModal();
  }

  function button(element) {
    var made = document.createElement("button");
    made.type = "button";
    made.className = "cite";
    made.textContent = "Cite";
    made.setAttribute("aria-label", element === document.body ? "Cite this page" : "Cite " + words(what(element)).slice(0, 80));
    made.addEventListener("click", function () { show(element); });
    return made;
  }

  function place(element) {
    if (element.localName === "tr") return element.cells[0];
    return element.querySelector(":scope > h2, :scope > h3, :scope > p") || element;
  }

  function start() {
    document.querySelectorAll("[data-cite][id]").forEach(function (element) {
      place(element).append(" ", button(element));
    });
    var last = document.querySelector("footer p");
    if (last) last.append(" ", button(document.body));
  }

  start();
})();
