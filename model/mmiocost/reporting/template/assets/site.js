// Charts of a page, drawn by Vega from the JSON beside each, in the colours of the page.
// Vega runs with its expression interpreter (ast: true), so that no page needs 'unsafe-eval'.
(function () {
  "use strict";

  var MARGIN = 110; // room for axis labels and titles beside each of several stacked charts

  // Text and lines take the colour of the element that holds the chart, so both colour schemes and print work
  // without drawing again.
  function theme(width) {
    var quiet = { domainColor: "currentColor", domainOpacity: 0.45, tickColor: "currentColor", tickOpacity: 0.45 };
    var axis = Object.assign({
      labelColor: "currentColor", titleColor: "currentColor", gridColor: "currentColor", gridOpacity: 0.12,
      labelFontSize: 12, titleFontSize: 12, titleFontWeight: 500, titlePadding: 8, labelOverlap: true
    }, quiet);
    return {
      background: "transparent",
      font: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
      axis: axis,
      axisX: { tickCount: Math.max(3, Math.round(width / 110)) },
      header: { labelColor: "currentColor", titleColor: "currentColor" },
      legend: {
        labelColor: "currentColor", titleColor: "currentColor", orient: "top", labelFontSize: 12,
        titleFontSize: 12, titleFontWeight: 500, columns: Math.max(1, Math.floor(width / 190)), labelLimit: 260
      },
      title: {
        color: "currentColor", subtitleColor: "currentColor", anchor: "start", fontSize: 14, fontWeight: 600,
        offset: 10, limit: width
      },
      text: { color: "currentColor" },
      rule: { color: "currentColor" },
      view: { stroke: "transparent" }
    };
  }

  function sized(spec, width) {
    if (!spec.vconcat) return spec;
    return Object.assign({}, spec, {
      vconcat: spec.vconcat.map(function (part) {
        return Object.assign({}, part, { width: Math.max(180, width - MARGIN) });
      })
    });
  }

  // Buttons that hide and show classes; they stand for the legend and work by keyboard too.
  function filterButtons(box, view, filter) {
    if (box.querySelector(".filter") || filter.values.length < 2) return;
    var hidden = [];
    var row = document.createElement("div");
    row.className = "filter";
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", "Show or hide");
    filter.values.forEach(function (value, position) {
      var button = document.createElement("button");
      var swatch = document.createElement("span");
      button.type = "button";
      swatch.className = "swatch";
      swatch.style.background = filter.colors[position];
      button.append(swatch, document.createTextNode(value));
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", function () {
        var at = hidden.indexOf(value);
        if (at < 0) hidden.push(value); else hidden.splice(at, 1);
        button.setAttribute("aria-pressed", String(at >= 0));
        box.view.signal(filter.param, hidden.slice()).runAsync();
      });
      row.append(button);
    });
    box.prepend(row);
  }

  function draw(box) {
    var spec = JSON.parse(box.querySelector("script").textContent);
    var target = box.querySelector(".plot") || box.appendChild(document.createElement("div"));
    // A chart with a width of its own keeps it, and its box scrolls.
    var wide = typeof spec.width === "number";
    target.className = wide ? "plot wide" : "plot";
    if (wide) box.tabIndex = 0;
    var width = box.clientWidth;
    var filter = spec.usermeta && spec.usermeta.filter;
    var config = theme(width);
    if (filter) config.legend.disable = true;
    return window.vegaEmbed(target, sized(spec, width), {
      mode: "vega-lite", ast: true, renderer: "svg", actions: false, defaultStyle: false, config: config,
      tooltip: { disableDefaultStyle: true },
      formatLocale: { decimal: ".", thousands: "\u202f", grouping: [3], currency: ["", ""] }
    }).then(function (result) {
      if (box.view) box.view.finalize();
      box.view = result.view;
      box.drawnWidth = width;
      if (filter) filterButtons(box, result.view, filter);
    }).catch(function (error) {
      target.textContent = "This chart cannot be drawn: " + error.message;
      target.className = "plot note";
    });
  }

  function start() {
    var boxes = Array.from(document.querySelectorAll(".chart"));
    Promise.all(boxes.map(draw)).then(function () { document.documentElement.dataset.charts = "ready"; });
    var waiting;
    window.addEventListener("resize", function () {
      clearTimeout(waiting);
      waiting = setTimeout(function () {
        boxes.forEach(function (box) { if (box.clientWidth !== box.drawnWidth) draw(box); });
      }, 150);
    });
    // A link to a failed cell opens its code.
    function opened() {
      var named = /^#(?:[\w.-]+--)?cell-\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
      var cell = named && named.querySelector("details.code");
      if (cell) cell.open = true;
    }
    window.addEventListener("hashchange", opened);
    opened();
  }

  start();
}());
