// A few words about a thing, shown while the pointer rests on it, a finger has touched it or the keyboard has come to it:
//
//   h("button", { ...tip("what it does") }, "Codes")        h("p", {}, term("−ELBO", "what it is"), " 133.7")
//
// Escape puts the words away, and the pointer may go onto them.

import { h } from "./dom.js";

const GAP = 8; // pixels between the thing and the words
const REST_MS = 250; // the pointer has to rest; the keyboard is answered at once
const GO_MS = 150; // for the pointer's way from the thing to the words

export const tip = (text) => ({ "data-tip": text });
export const term = (name, text) => h("span", { class: "g-tipped", tabindex: "0", ...tip(text) }, name);

const words = h("div", { id: "g-tip", class: "g-tip", role: "tooltip", hidden: true });
let about = null;
let timer = 0;
let pressed = null; // its words are not wanted again until the pointer has left it

function show(thing) {
  clearTimeout(timer);
  if (about !== thing) hide();
  about = thing;
  if (!words.isConnected) document.body.append(words);
  words.textContent = thing.dataset.tip;
  words.hidden = false;
  thing.setAttribute("aria-describedby", words.id);
  const box = thing.getBoundingClientRect();
  const { width, height } = words.getBoundingClientRect();
  const above = box.top - GAP - height;
  words.style.left = `${Math.max(GAP, Math.min(innerWidth - width - GAP, box.left + box.width / 2 - width / 2))}px`;
  words.style.top = `${above >= GAP ? above : box.bottom + GAP}px`;
}

function hide() {
  clearTimeout(timer);
  about?.removeAttribute("aria-describedby");
  about = null;
  words.hidden = true;
}

const thingOf = (event) => event.target.closest?.("[data-tip]");

document.addEventListener("pointerover", (event) => {
  if (event.pointerType === "touch") return; // a finger comes by the focus
  if (event.target === words) return clearTimeout(timer);
  const thing = thingOf(event);
  if (thing !== pressed) pressed = null;
  if (thing === about || pressed) return clearTimeout(timer);
  clearTimeout(timer);
  timer = setTimeout(thing ? () => thing.isConnected && show(thing) : hide, thing ? REST_MS : GO_MS);
});
document.addEventListener("focusin", (event) => {
  const thing = thingOf(event);
  if (thing && (event.target.matches(":focus-visible") || thing.classList.contains("g-tipped"))) show(thing);
});
document.addEventListener("focusout", hide);
document.addEventListener("pointerdown", (event) => {
  const thing = thingOf(event);
  if (thing && !thing.classList.contains("g-tipped")) pressed = thing;
  if (about && !about.classList.contains("g-tipped") && event.target !== words) hide();
  if (pressed) clearTimeout(timer);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || words.hidden) return;
  hide();
  event.stopPropagation();
}, true);
addEventListener("scroll", hide, { passive: true, capture: true });
