// The row of scenes is wider than the page: a button at either end says how many more there are, and rolls them into sight.

import { h } from "./dom.js";

const HIDDEN = 0.4; // a card of which so much is out of sight is one of those to come

export function more(section) {
  const row = section?.querySelector(".g-row");
  if (!row) return;
  const roll = (by) => row.scrollBy({ left: by * 0.8 * row.clientWidth, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  const button = (side, by) => h("button", { type: "button", class: `g-more g-more-${side}`, hidden: true, onclick: () => roll(by) });
  const back = button("back", -1), on = button("on", 1);
  section.append(back, on);

  function count() {
    row.toggleAttribute("data-more", row.scrollWidth - row.clientWidth - row.scrollLeft > 24); // it fades where it goes on
    const { left, right } = row.getBoundingClientRect();
    const out = (beyond) => [...row.children].filter((card) => {
      const box = card.getBoundingClientRect();
      return beyond(box) > HIDDEN * box.width;
    }).length;
    show(back, out((box) => left - box.left), () => "←", "before");
    show(on, out((box) => box.right - right), (n) => `+${n} →`, "after");
  }
  function show(button, n, words, where) {
    button.hidden = n === 0;
    button.textContent = words(n);
    button.setAttribute("aria-label", `${n} more ${n === 1 ? "scene" : "scenes"} ${where} these`);
  }
  row.addEventListener("scroll", count, { passive: true });
  new ResizeObserver(count).observe(row);
}
