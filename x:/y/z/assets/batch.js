// The index of a batch: filter, sort and compare the rows of the table, and draw one small chart a quantity.
// The table stands in the page; only numbers come from the JSON beside it. Text is never made into markup.
(function () {
  "use strict";

  var SVG = "http://www.w3.org/2000/svg";
  var WIDTH = 360, HEIGHT = 190, LEFT = 58, RIGHT = 12, TOP = 8, BOTTOM = 34, COLOURS = 7;

  var data = JSON.parse(document.getElementById("numbers").textContent);
  var table = document.getElementById("scenarios");
  var body = table.tBodies[0];
  var lines = Array.from(body.rows).map(function (row, number) {
    return {
      row: row, number: number, name: row.cells[1].textContent, status: row.cells[2].textContent.trim(),
      box: row.cells[0].firstElementChild, text: row.textContent.toLowerCase(),
      fields: data.rows[number][0], values: data.rows[number][1], shown: true
    };
  });
  var across = document.getElementById("across"), colour = document.getElementById("colour");

  function cellText(line, field) { return line.row.cells[3 + field].textContent; }

  // Filter: every word of the search, and each chosen value.
  function filter() {
    var words = document.getElementById("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    var chosen = Array.from(document.querySelectorAll("select[data-field]")).filter(function (list) { return list.value; });
    lines.forEach(function (line) {
      line.shown = words.every(function (word) { return line.text.indexOf(word) >= 0; }) && chosen.every(function (list) {
        var field = list.dataset.field;
        return (field === "status" ? line.status : cellText(line, Number(field))) === list.value;
      });
      line.row.hidden = !line.shown;
    });
    var count = lines.filter(function (line) { return line.shown; }).length;
    document.getElementById("count").textContent = count + " of " + lines.length;
    draw();
  }

  // Sort: numbers by value, texts by letters; rows without a value come last either way.
  function keyOf(line, sort) {
    var parts = sort.split(":");
    if (parts[0] === "field") return line.fields[Number(parts[1])];
    if (parts[0] === "value") return line.values[Number(parts[1])] && line.values[Number(parts[1])][0];
    return line[sort];
  }

  function order(sort, down) {
    function compare(one, other) {
      var a = keyOf(one, sort), b = keyOf(other, sort);
      var none = (a === null) - (b === null);
      if (none || a === null) return none || one.number - other.number;
      var by = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
      return (down ? -by : by) || one.number - other.number;
    }
    var sorted = document.createDocumentFragment();
    lines.slice().sort(compare).forEach(function (line) { sorted.append(line.row); });
    body.append(sorted);
  }

  function sortable(head) {
    var button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", function () {
      var down = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("th[aria-sort]").forEach(function (other) { other.setAttribute("aria-sort", "none"); });
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      order(head.dataset.sort, down);
    });
  }

  // Compare: the chosen rows side by side, a line for each column of the table.
  function compare() {
    var chosen = lines.filter(function (line) { return line.box.checked; });
    document.getElementById("compare").hidden = !chosen.length;
    var shown = document.getElementById("compared");
    shown.textContent = "";
    Array.from(table.tHead.rows[0].cells).slice(1).forEach(function (head, position) {
      var row = shown.insertRow();
      var first = document.createElement("th");
      first.scope = "row";
      first.textContent = head.textContent;
      row.append(first);
      chosen.forEach(function (line) { row.insertCell().textContent = line.row.cells[position + 1].textContent; });
    });
    draw();
  }

  // Small charts.
  function node(name, attributes, text) {
    var made = document.createElementNS(SVG, name);
    Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function scale(low, high, from, to, log) {
    if (log) { low = Math.log(low); high = Math.log(high); }
    var width = high - low || 1;
    return function (value) { return from + ((log ? Math.log(value) : value) - low) / width * (to - from); };
  }

  // Round values that lie within the range, about so many.
  function ticks(low, high, count) {
    var rough = (high - low || 1) / count, power = Math.pow(10, Math.floor(Math.log10(rough)));
    var step = [1, 2, 5, 10].map(function (part) { return part * power; }).find(function (size) { return size >= rough; });
    var found = [];
    for (var at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) found.push(Number(at.toPrecision(12)));
    return found;
  }

  function number(value) {
    var size = Math.abs(value);
    if (size >= 1e6 || (size > 0 && size < 1e-3)) return value.toExponential(1);
    return String(Number(value.toPrecision(4))).replace("-", "\u2212");
  }

  // Places of the rows across: by value if all are numbers, else one step a text.
  function places(shown) {
    var field = Number(across.value);
    var keys = Array.from(new Set(shown.map(function (line) { return line.fields[field]; })));
    var numeric = keys.every(function (key) { return typeof key === "number"; });
    keys.sort(numeric ? function (a, b) { return a - b; } : undefined);
    var even = function (key) { return LEFT + (keys.indexOf(key) + 0.5) / keys.length * (WIDTH - LEFT - RIGHT); };
    if (!numeric || keys.length < 2) return { at: even, marks: keys };
    var log = keys[0] > 0 && keys[keys.length - 1] / keys[0] > 20;
    var at = scale(keys[0], keys[keys.length - 1], LEFT + 8, WIDTH - RIGHT - 8, log);
    var marks = keys.length <= 8 ? keys : keys.filter(function (_, n) { return n % Math.ceil(keys.length / 6) === 0; });
    return { at: at, marks: marks };
  }

  // At first: across goes the number with the most values, colour the field with the fewest.
  function choose() {
    var sizes = data.fields.map(function (_, field) { return new Set(lines.map(function (line) { return line.fields[field]; })).size; });
    var order = sizes.map(function (_, field) { return field; }).sort(function (a, b) { return sizes[b] - sizes[a]; });
    var numeric = order.filter(function (field) { return typeof lines[0].fields[field] === "number"; });
    var first = numeric.length ? numeric[0] : order[0];
    if (first === undefined) return;
    across.value = String(first);
    var rest = order.filter(function (field) { return field !== first; });
    if (rest.length) colour.value = String(rest[rest.length - 1]);
  }

  function classes() {
    if (colour.value === "") return [];
    var field = Number(colour.value);
    return Array.from(new Set(lines.map(function (line) { return cellText(line, field); })));
  }

  function panel(quantity, position, shown, x, groups) {
    var drawn = shown.filter(function (line) { return line.values[position] && line.values[position][0] !== null; });
    if (!drawn.length) return null;
    var ends = [];
    drawn.forEach(function (line) { line.values[position].forEach(function (end) { if (end !== null) ends.push(end); }); });
    var low = Math.min.apply(null, ends), high = Math.max.apply(null, ends);
    var y = scale(low, high, HEIGHT - BOTTOM, TOP);
    var svg = node("svg", { viewBox: "0 0 " + WIDTH + " " + HEIGHT, role: "img" });
    svg.setAttribute("aria-label", quantity.name + " of " + drawn.length + " scenarios; the table below holds the numbers");
    ticks(low, high, 4).forEach(function (value) {
      svg.append(node("line", { class: value ? "axis" : "zero", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }));
      svg.append(node("text", { x: LEFT - 5, y: y(value) + 4, "text-anchor": "end" }, number(value)));
    });
    var last = -Infinity;
    x.marks.forEach(function (key) {
      var at = x.at(key), text = typeof key === "number" ? number(key) : String(key === null ? "\u2013" : key).slice(0, 18);
      if (at - last < 12 + 6 * text.length) return;
      last = at;
      svg.append(node("text", { x: at, y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, text));
    });
    svg.append(node("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 4, "text-anchor": "middle" },
      across.selectedOptions[0] ? across.selectedOptions[0].textContent : ""));
    drawn.forEach(function (line) { svg.append(mark(line, position, x, y, groups)); });
    var figure = document.createElement("figure");
    figure.className = "panel";
    var caption = document.createElement("figcaption");
    caption.textContent = quantity.name + (quantity.unit ? " (" + quantity.unit + ")" : "");
    figure.append(caption, svg);
    return figure;
  }

  function mark(line, position, x, y, groups) {
    var value = line.values[position], field = Number(across.value);
    var place = groups.length ? groups.indexOf(cellText(line, Number(colour.value))) : 0;
    // Classes stand beside each other, so that their intervals can be told apart.
    var at = x.at(line.fields[field]) + (groups.length > 1 ? (place / (groups.length - 1) - 0.5) * 8 : 0);
    var group = node("g", { class: "mark c" + (place % COLOURS) + (line.box.checked ? " chosen" : "") });
    if (value[1] !== null && value[2] !== null) group.append(node("line", { x1: at, x2: at, y1: y(value[1]), y2: y(value[2]) }));
    group.append(node("circle", { cx: at, cy: y(value[0]), r: line.box.checked ? 5 : 2.5 }));
    group.append(node("title", {}, line.name + ": " + line.row.cells[3 + data.fields.length + position].textContent));
    return group;
  }

  function draw() {
    var shown = lines.filter(function (line) { return line.shown; });
    var groups = classes(), box = document.getElementById("panels"), legend = document.getElementById("legend");
    box.textContent = legend.textContent = "";
    groups.slice(0, 24).forEach(function (name, place) {
      var entry = document.createElement("span"), swatch = document.createElement("i");
      swatch.className = "c" + (place % COLOURS);
      entry.append(swatch, document.createTextNode(name || "\u2013"));
      legend.append(entry);
    });
    if (!data.fields.length || !shown.length) return;
    var x = places(shown);
    data.quantities.forEach(function (quantity, position) {
      var made = panel(quantity, position, shown, x, groups);
      if (made) box.append(made);
    });
    document.documentElement.dataset.batch = "ready";
  }

  table.querySelectorAll("th[data-sort]").forEach(sortable);
  document.querySelectorAll("form").forEach(function (form) { form.addEventListener("submit", function (event) { event.preventDefault(); }); });
  document.getElementById("search").addEventListener("input", filter);
  document.querySelectorAll("select[data-field]").forEach(function (list) { list.addEventListener("change", filter); });
  document.querySelector("form[role=search]").addEventListener("reset", function () { setTimeout(filter); });
  lines.forEach(function (line) { line.box.addEventListener("change", compare); });
  [across, colour].forEach(function (list) { list.addEventListener("change", draw); });
  choose();
  filter();
}());
