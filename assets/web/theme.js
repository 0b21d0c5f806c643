// Before the first paint: light or dark, as the visitor chose here, else as the system says. One memory for every page.
(() => {
  const KEY = "gallery-theme", root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem(KEY); } catch { return null; } };   // storage may be forbidden
  const wanted = () => stored() || (system.matches ? "dark" : "light");

  function paint(theme) {
    if (document.body) document.body.classList.toggle("dark", theme === "dark");               // Gradio's own switch
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    dispatchEvent(new CustomEvent("gallery:theme", { detail: { theme } }));
  }
  paint(wanted());
  system.addEventListener("change", () => paint(wanted()));
  addEventListener("storage", (event) => { if (event.key === KEY) paint(wanted()); });
  addEventListener("DOMContentLoaded", () => {
    paint(wanted());
    // Gradio sets body.dark by the system's wish when it mounts: the visitor's choice comes first.
    new MutationObserver(() => {
      const dark = root.dataset.theme === "dark";
      if (document.body.classList.contains("dark") !== dark) document.body.classList.toggle("dark", dark);
    }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  });
  window.galleryTheme = {
    get: () => root.dataset.theme,
    set(theme) {
      try { localStorage.setItem(KEY, theme); } catch { /* the choice then lasts for this page only */ }
      paint(theme);
    },
    toggle() { this.set(root.dataset.theme === "dark" ? "light" : "dark"); },
  };
})();
