/* The search in the bar: names of countries and organisations from assets/search-index.js, found whatever their case and
   accents, chosen with the keyboard or the pointer. Names are text, never markup; nothing is fetched. */
(function () {
  "use strict";

  var SHOWN = 12;
  var box = document.getElementById("search");
  var input = document.getElementById("search-input");
  var list = document.getElementById("search-list");
  var status = document.getElementById("search-status");

  /* Letters without their accents, in small. */
  function plain(text) { return text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase(); }

  var entries = window.observatoryNames.map(function (entry, place) {
    var name = plain(entry[0]);
    return { name: entry[0], what: entry[1], page: entry[2], plain: name, words: plain(entry[3]), place: place };
  });
  var active = -1;

  /* A name that begins with what was typed comes first, then one with a word that does, then one that has it anywhere, then
     one that is found by its code or account; within these, the order of the index. 0: not found. */
  function fit(entry, wanted) {
    if (entry.plain.indexOf(wanted) === 0) { return 4; }
    if (entry.plain.split(/[^\p{L}\p{N}]+/u).some(function (word) { return word.indexOf(wanted) === 0; })) { return 3; }
    if ((" " + entry.words).indexOf(" " + wanted) >= 0) { return 2; }
    return entry.plain.indexOf(wanted) >= 0 || entry.words.indexOf(wanted) >= 0 ? 1 : 0;
  }

  function found(text) {
    var wanted = plain(text.trim());
    if (!wanted) { return []; }
    return entries.map(function (entry) { return { entry: entry, fit: fit(entry, wanted) }; })
      .filter(function (hit) { return hit.fit > 0; })
      .sort(function (one, other) { return other.fit - one.fit || one.entry.place - other.entry.place; })
      .map(function (hit) { return hit.entry; });
  }

  /* No link in it: an option is chosen as a whole, and the field keeps the focus. */
  function option(entry, number) {
    var item = document.createElement("li"), name = document.createElement("bdi"), what = document.createElement("span");
    item.id = "search-option-" + number;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    item.dataset.page = entry.page;
    name.textContent = entry.name;
    what.textContent = entry.what;
    item.appendChild(name);
    item.appendChild(what);
    item.addEventListener("click", function () { go(item); });
    return item;
  }

  function go(item) { window.location.assign(box.dataset.root + item.dataset.page); }

  function close() {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(number) {
    var items = list.querySelectorAll("[role=option]");
    items.forEach(function (item, place) { item.setAttribute("aria-selected", place === number ? "true" : "false"); });
    active = number;
    if (number < 0) { input.removeAttribute("aria-activedescendant"); return; }
    input.setAttribute("aria-activedescendant", items[number].id);
    items[number].scrollIntoView({ block: "nearest" });
  }

  function show() {
    var hits = found(input.value);
    list.textContent = "";
    hits.slice(0, SHOWN).forEach(function (entry, number) { list.appendChild(option(entry, number)); });
    if (!input.value.trim()) { status.textContent = ""; close(); return; }
    status.textContent = hits.length === 0 ? "Nothing found: those without a page of their own are not searched"
      : hits.length + (hits.length === 1 ? " found" : " found") + (hits.length > SHOWN ? ", " + SHOWN + " shown" : "");
    if (hits.length === 0) {
      var none = document.createElement("li");
      none.className = "none";
      none.setAttribute("role", "option");
      none.setAttribute("aria-disabled", "true");
      none.setAttribute("aria-selected", "false");
      none.textContent = "Nothing found among those that have a page";
      list.appendChild(none);
    }
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(-1);
  }

  input.addEventListener("input", show);
  input.addEventListener("focus", function () { if (input.value.trim()) { show(); } });
  input.addEventListener("keydown", function (event) {
    var items = list.hidden ? [] : list.querySelectorAll("[data-page]");
    if (event.key === "Escape") {
      if (list.hidden) { input.value = ""; }
      close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) { show(); items = list.querySelectorAll("[data-page]"); }
      if (items.length === 0) { return; }
      var step = event.key === "ArrowDown" ? 1 : -1;
      mark(active < 0 && step < 0 ? items.length - 1 : (active + step + items.length) % items.length);
    } else if (event.key === "Enter") {
      if (items.length === 0) { return; }
      go(items[Math.max(active, 0)]);
    } else {
      return;
    }
    event.preventDefault();
  });
  // Pressing on an option would take the focus away, and so close the list before the click comes.
  list.addEventListener("pointerdown", function (event) { event.preventDefault(); });
  list.addEventListener("mousedown", function (event) { event.preventDefault(); });
  document.addEventListener("pointerdown", function (event) { if (!box.contains(event.target)) { close(); } });
  box.addEventListener("focusout", function (event) { if (!box.contains(event.relatedTarget)) { close(); } });
  box.hidden = false;
})();
