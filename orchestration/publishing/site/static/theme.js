/* Before anything is painted: the theme that the reader chose, else the one that the device prefers. */
(function () {
  "use strict";
  var chosen = null;
  try { chosen = window.localStorage.getItem("theme"); } catch (error) { /* a browser that keeps nothing for files */ }
  var prefers = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.documentElement.dataset.theme = chosen === "dark" || chosen === "light" ? chosen : prefers;
})();
