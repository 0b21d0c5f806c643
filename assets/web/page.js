// What every demo page can do, whichever framework draws it: theme, copy link, badge, scenes, focus by key.
import { more } from "./common/more.js";
import { pulse } from "./common/pulse.js";

const LATE_MS = 4000; // as long as an instrument may keep the framework waiting
const STOOD_MS = 300;
const base = document.documentElement.dataset.base || "";

// --- the framework: it begins once the instrument has stood for a moment, or is late; what the visitor does first goes first ---
const entry = document.querySelector('meta[name="framework"]');
if (entry) {
  const ready = () => document.querySelector('#instrument[data-ready="true"], #instrument [data-ready="true"]');
  const watch = new MutationObserver(() => ready() && begin());
  const late = setTimeout(() => begin(), LATE_MS);
  const idle = window.requestIdleCallback ?? ((fn) => setTimeout(fn));
  const load = () => import(new URL(entry.content, location.href));
  const begin = () => {
    watch.disconnect();
    clearTimeout(late);
    setTimeout(() => idle(load, { timeout: STOOD_MS }), STOOD_MS);
  };
  addEventListener("gallery:framework", load, { once: true }); // a room that needs it says so
  if (ready()) begin(); else watch.observe(document.body, { attributes: true, childList: true, subtree: true, attributeFilter: ["data-ready"] });
}

// --- theme -----------------------------------------------------------------------------------------------------------
for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.addEventListener("click", () => window.galleryTheme.toggle());
}

// --- copy link ---------------------------------------------------------------------------------------------------------
async function copy(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch { /* not allowed outside https: the old way */ }
  const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
  field.style.cssText = "position:fixed;opacity:0";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
const link = document.getElementById("copy-link");
link?.addEventListener("click", async () => {
  const label = link.querySelector("span"), before = label.textContent;
  const done = await copy(location.href);
  label.textContent = done ? "Copied" : "Copy the address bar";
  say(done ? "The link to exactly this view is in the clipboard." : "Copying is not allowed here: take the address bar.");
  setTimeout(() => { label.textContent = before; }, 1800);
});
function say(text) {
  const status = document.getElementById("status");
  if (status) { status.dataset.kind = "info"; status.textContent = text; }
}

// --- present: the instrument and its scenes alone, on the whole screen; where that is not allowed, in the whole window ----
const present = document.getElementById("present"), root = document.documentElement;
function presenting(on) {
  root.toggleAttribute("data-presenting", on);
  present.setAttribute("aria-pressed", String(on));
  present.querySelector("span").textContent = on ? "Leave" : "Present";
  scrollTo(0, 0);
}
if (present) { // the lab book has none
  present.addEventListener("click", async () => {
    const on = !root.hasAttribute("data-presenting");
    if (!on && document.fullscreenElement) return document.exitFullscreen();
    if (on) await root.requestFullscreen?.().catch(() => {});
    presenting(on);
  });
  document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement) presenting(false); });
  addEventListener("keydown", (event) => { if (event.key === "Escape" && !event.defaultPrevented && root.hasAttribute("data-presenting")) presenting(false); });
}

// --- one <main> a page: the frameworks bring one of their own, inside ours ------------------------------------------------
const app = document.getElementById("g-app");
function single() {
  for (const inner of app.querySelectorAll("main:not([role])")) inner.setAttribute("role", "presentation");
}
if (app) new MutationObserver(single).observe(app, { childList: true, subtree: true });

// --- badge: device and whether the engine is ready; and a sentence while nobody answers -------------------------------------
const badge = document.getElementById("badge");
pulse(base, (health) => {
  if (!badge) return;
  const label = badge.querySelector("span");
  if (!health) {
    badge.dataset.state = "lost";
    label.textContent = "no answer";
    badge.title = "The gallery's server does not answer";
    return;
  }
  const models = health.models || [], bytes = models.reduce((sum, m) => sum + (m.bytes || 0), 0);
  const device = (health.device || "no engine").toUpperCase();
  badge.dataset.state = health.ready ? "ready" : "busy";
  const word = document.createElement("span");           // left out where the bar is narrow
  word.textContent = health.ready ? "ready · " : "starting · ";
  label.replaceChildren(word, device);
  badge.title = health.ready ? `${health.device_name || device}: ${models.length} models loaded, ${(bytes / 2 ** 20).toFixed(1)} MB` : "The engine is starting";
});

// --- scenes: a page that applies them itself says so by preventDefault() ---------------------------------------------------
more(document.querySelector(".g-scenes"));
const scenes = [...document.querySelectorAll(".g-scene")];
function same(query) {
  const now = new URLSearchParams(location.search), entries = Object.entries(query);
  return entries.length > 0 && entries.length === [...now].length && entries.every(([key, value]) => now.get(key) === value);
}
function mark(current) {
  for (const card of scenes) {
    if (card === current) card.setAttribute("aria-current", "true"); else card.removeAttribute("aria-current");
  }
  if (!current) return;
  // The row alone moves: scrollIntoView would take the page along, away from the instrument.
  const row = current.parentElement, place = current.getBoundingClientRect(), seen = row.getBoundingClientRect();
  if (place.right > seen.right || place.left < seen.left) row.scrollLeft += place.left - seen.left - 80;
}
const queries = new Map(scenes.map((card) => [card, JSON.parse(card.dataset.scene)]));
const settled = new Map();          // card -> the state that its scene came to, with what tools add to what was asked for
let settling = null;                // the card whose scene has just been opened, until the visitor does something
for (const [card, query] of queries) {
  if (same(query)) mark(settling = card);
  card.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;      // a new tab is a new tab
    const detail = { query, title: card.querySelector("b").textContent, look: card.querySelector("small").textContent };
    const handled = !dispatchEvent(new CustomEvent("gallery:scene", { detail, cancelable: true }));
    if (!handled) return;                                                                    // the link does the rest
    event.preventDefault();
    mark(settling = card);
    say(`${detail.title}: ${detail.look}`);
    const instrument = document.getElementById("instrument");
    if (instrument && instrument.getBoundingClientRect().top < 0) instrument.scrollIntoView({ block: "nearest" });
  });
}
for (const act of ["pointerdown", "keydown", "wheel", "popstate"]) addEventListener(act, () => { settling = null; }, { capture: true, passive: true });
// A page that tells how it stands (store.js): a card is lit as long as the page shows just its scene.
addEventListener("gallery:state", ({ detail: { state, defaults, passing } }) => {
  const keys = Object.keys(state).filter((key) => !passing.includes(key));
  if (settling) settled.set(settling, state);
  const shown = (card) => [settled.get(card), { ...defaults, ...queries.get(card) }].some((scene) => scene && keys.every((key) => state[key] === scene[key]));
  const card = scenes.find(shown);
  if (card !== scenes.find((each) => each.hasAttribute("aria-current"))) mark(card);
});
