// Before Streamlit starts: the gallery's light or dark becomes Streamlit's. It reads its theme once, so a change of mind
// loads the page again; what the visitor had set stands in the address.
(() => {
  const key = `stActiveTheme-${location.pathname}-v2`;
  const hand = (theme) => {
    try { localStorage.setItem(key, JSON.stringify(theme === "dark" ? "Dark" : "Light")); } catch { /* storage may be forbidden */ }
  };
  hand(document.documentElement.dataset.theme);
  addEventListener("gallery:theme", (event) => { hand(event.detail.theme); location.reload(); });

  // What a stylesheet might ask with :has() would have every change on the page weigh all of it anew.
  const drawn = new MutationObserver(() => {
    if (!document.querySelector(".st-key-status .g-status")) return;
    document.documentElement.dataset.drawn = "";
    drawn.disconnect();
  });
  drawn.observe(document.documentElement, { childList: true, subtree: true });

  // It fetches its font of icons, 375 kB, at every start; where an icon is drawn the browser does so by itself.
  const load = document.fonts?.load;
  if (load) document.fonts.load = (font, ...rest) => (font.includes("Material Symbols") ? Promise.resolve([]) : load.call(document.fonts, font, ...rest));

  // It fetches its widgets one by one, and one that could not be fetched while the gallery was away stays broken.
  addEventListener("gallery:back", () => {
    const broken = document.querySelector(".stApp")?.innerText.includes("dynamically imported module");
    if (broken) location.reload();
  });
})();
