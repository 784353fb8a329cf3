/* What a page does in the browser: charts are drawn when they come into view, switches choose among readings that the page
   brought with it, and pictures are saved. Nothing is fetched, and no number is computed here. */
(function () {
  "use strict";

  var root = document.documentElement;

  function dark() { return root.dataset.theme === "dark"; }

  /* Rows arrive as columns, which are short where values are repeated; see `as_columns` in figures.py. */
  function rowsOf(columns) {
    var rows = [], whole = {};
    Object.keys(columns).forEach(function (name) {
      whole[name] = valuesOf(columns[name], columns, whole);
      whole[name].forEach(function (value, place) {
        rows[place] = rows[place] || {};
        rows[place][name] = value;
      });
    });
    return rows;
  }

  function valuesOf(column, columns, whole) {
    var values = [], time;
    if (Array.isArray(column)) { return column; }
    if (column.at) { return column.at.map(function (place) { return place === null ? null : column.of[place]; }); }
    if (column.as) { return whole[column.as]; }
    if (column.by) {
      var texts = columns[column.by].of;
      var of = new Map(texts.map(function (text, place) { return [text, column.of[place]]; }));
      return whole[column.by].map(function (text) { return of.get(text); });
    }
    if (column.each) {
      column.of.forEach(function (text) { for (time = 0; time < column.each; time += 1) { values.push(text); } });
      return values;
    }
    for (time = 0; time < column.again; time += 1) { values = values.concat(column.of); }
    return values;
  }

  /* Each placeholder, a text "@name", replaced by its value; a list of one by the value, if that is a list. */
  function placed(part, params) {
    if (typeof part === "string") { return part.charAt(0) === "@" ? params[part.slice(1)] : part; }
    if (part === null || typeof part !== "object") { return part; }
    if (Array.isArray(part)) {
      var values = part.map(function (value) { return placed(value, params); });
      var isList = values.length === 1 && typeof part[0] === "string" && part[0].charAt(0) === "@" && Array.isArray(values[0]);
      return isList ? values[0] : values;
    }
    var copy = {};
    Object.keys(part).forEach(function (name) { copy[name] = placed(part[name], params); });
    return copy;
  }

  /* A kind of chart with one reading's words, parameters and rows: `filled` in kinds/__init__.py does the same. */
  function specOf(kind, view) {
    var spec = placed(window.observatory.specs[kind], view.params);
    if (view.height) { spec.height = view.height; }
    spec.title = Object.assign({}, spec.title, { text: view.title, subtitle: view.subtitle });
    spec.datasets = {};
    Object.keys(view.data).forEach(function (name) { spec.datasets[name] = rowsOf(view.data[name]); });
    return spec;
  }

  function Figure(element) {
    this.element = element;
    this.place = element.querySelector(".chart");
    this.data = JSON.parse(element.querySelector(".figure-data").textContent);
    this.isDrawn = false;
    var figure = this;
    element.querySelectorAll(".switches").forEach(function (switches) {
      switches.hidden = false;
      switches.addEventListener("change", function () { figure.draw(); });
    });
    element.querySelectorAll("[data-save]").forEach(function (button) {
      button.addEventListener("click", function () { figure.save(button.dataset.save); });
    });
  }

  Figure.prototype.key = function () {
    var chosen = [];
    this.element.querySelectorAll(".switches input:checked").forEach(function (input) { chosen.push(input.value); });
    return chosen.join("/");
  };

  var options = { mode: "vega-lite", renderer: "svg", actions: false };

  function embed(place, spec, theme) {
    return window.vegaEmbed(place, spec, Object.assign({ config: window.observatory.themes[theme] }, options));
  }

  Figure.prototype.spec = function () { return specOf(this.data.kind, this.data.views[this.key()]); };

  Figure.prototype.draw = function () {
    var figure = this, key = this.key();
    this.isDrawn = true;
    this.place.setAttribute("aria-label", this.data.views[key].alt);
    // The library draws into an empty place of its own, so that the picture stays until the chart is there.
    var fresh = document.createElement("div");
    fresh.style.width = "100%";
    fresh.setAttribute("aria-hidden", "true");
    this.place.appendChild(fresh);
    return embed(fresh, this.spec(), "page").then(function () {
      Array.prototype.slice.call(figure.place.children).forEach(function (child) { if (child !== fresh) { child.remove(); } });
      figure.place.dataset.drawn = key;
      figure.element.querySelectorAll("[data-save]").forEach(function (button) { button.hidden = false; });
    }).catch(function (error) {
      fresh.textContent = "This chart could not be drawn (" + error.message + "); its numbers are in the CSV below.";
      console.error(error);
    });
  };

  /* A picture that leaves the page doesn't depend on the page's theme: it is drawn once more, out of sight. */
  Figure.prototype.save = function (format) {
    var name = this.element.id.replace("figure-", "") + "." + format;
    var aside = document.createElement("div");
    var spec = Object.assign(this.spec(), { width: this.place.clientWidth - 24 });
    embed(aside, spec, "light").then(function (result) {
      return result.view.toImageURL(format, format === "png" ? 2 : 1).then(function (address) {
        var link = document.createElement("a");
        link.href = address;
        link.download = name;
        link.click();
        result.finalize();
      });
    });
  };

  var figures = Array.prototype.map.call(document.querySelectorAll(".figure"), function (element) {
    return new Figure(element);
  });
  var watcher = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (entry.isIntersecting) {
        watcher.unobserve(entry.target);
        figures.filter(function (figure) { return figure.element === entry.target && !figure.isDrawn; })
          .forEach(function (figure) { figure.draw(); });
      }
    });
  }, { rootMargin: "300px" });
  figures.forEach(function (figure) { watcher.observe(figure.element); });

  /* What was never scrolled to is drawn when there is nothing else to do, so that paper has every chart. */
  var idle = window.requestIdleCallback || function (work) { window.setTimeout(work, 200); };
  function drawNext() {
    var waiting = figures.filter(function (figure) { return !figure.isDrawn; })[0];
    if (waiting) { waiting.draw().then(function () { idle(drawNext); }); }
  }
  window.addEventListener("load", function () { idle(drawNext); });

  /* How old the data is, by the reader's own clock. */
  var age = document.getElementById("age");
  if (age) {
    var days = Math.floor((Date.now() - Date.parse(age.dataset.day + "T00:00:00Z")) / 86400000);
    document.getElementById("age-days").textContent = days === 0 ? ", of today" : days === 1 ? ", 1 day old"
      : days > 1 ? ", " + days + " days old"
      : ", " + -days + (days === -1 ? " day" : " days") + " ahead of this device's clock";
    if (days > 2) { age.classList.add("old"); }
  }

  var button = document.getElementById("theme");
  function nameTheme() { button.textContent = dark() ? "Light" : "Dark"; }
  button.hidden = false;
  nameTheme();
  button.addEventListener("click", function () {
    root.dataset.theme = dark() ? "light" : "dark";
    try { window.localStorage.setItem("theme", root.dataset.theme); } catch (error) { /* kept for this page only */ }
    nameTheme();
  });
})();
