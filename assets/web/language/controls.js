// The settings as sliders: the temperature large, the others beneath it. Each has its number, an "off" and a way back.

import { h, put } from "../common/dom.js";
import { tip } from "../common/tip.js";
import { whole as counted } from "./bars.js";
import { SETTINGS, scaleOf, typed } from "./settings.js";

const FINE = 1000; // places of a slider that is not linear in its setting
const OTHERS = ["k", "p", "minp", "typ", "rep"];
const KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };

/** size(): tokens in the vocabulary, 0 while it is not known. Returns {element, render(view), destroy()}. */
export function createControls({ store, say, size }) {
  const all = [temperature({ store, say }), ...OTHERS.map((key) => row(key, { store, say, size }))];
  const reset = h("button", { type: "button", class: "lx-reset-all", onclick: () => store.turn(() => store.set(Object.fromEntries(Object.keys(SETTINGS).map((key) => [key, SETTINGS[key].off])))) }, "Reset all");
  const element = h("div", { class: "lx-controls" }, all[0].element,
    h("div", { class: "lx-order" }, h("span", {}, "Applied in transformers’ order: penalty, temperature, then the cuts"), reset), ...all.slice(1).map((each) => each.element));
  const render = (view = null) => {
    reset.disabled = Object.keys(SETTINGS).every((key) => store.get(key) === SETTINGS[key].off);
    all.forEach((each) => each.render(view));
  };
  const end = store.on(Object.keys(SETTINGS), () => render());
  render();
  return { element, render, destroy: end };
}

// The number beside a slider: what it may not be is said and put back.
function number(key, { store, say }) {
  const { name, off, show } = SETTINGS[key];
  const input = h("input", { class: "lx-number", type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", maxlength: 12, "aria-label": `${name}, as a number`,
    onfocus: () => input.select(), onkeydown: (event) => { if (event.key === "Enter") take(); }, onchange: () => take() });
  function take() {
    try {
      store.set({ [key]: typed(key, input.value) });
    } catch (fault) {
      say(fault.message, "error");
    }
    input.value = text();
  }
  const text = () => (key !== "t" && store.get(key) === off ? "off" : show(store.get(key)));
  return { input, render: () => { if (document.activeElement !== input) input.value = text(); } };
}

/** The temperature: its name, its number to type, the slider, and what it does to the likely. */
export function temperature({ store, say }) {
  const { name, about, step, low, high } = SETTINGS.t;
  const range = h("input", { id: "primary", class: "lx-big", type: "range", min: low, max: high, step: 0.01, "aria-label": name, oninput: () => store.set({ t: Number(range.value) }) });
  range.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS)) return;
    event.preventDefault();
    const by = KEYS[event.key] * (event.shiftKey ? 0.01 : step);
    store.set({ t: Math.min(high, Math.max(low, Math.round((store.get("t") + by) * 100) / 100)) });
  });
  const value = number("t", { store, say });
  value.input.classList.add("lx-t");
  const mark = (t, text) => h("button", { type: "button", style: { left: `calc(11px + (100% - 22px) * ${t / high})` }, title: `Temperature ${t}`, onclick: () => store.set({ t }) }, text);
  const marks = h("div", { class: "lx-marks" }, mark(0, "0"), mark(1, "1"), mark(2, "2"), mark(3, "3"), mark(4, "4"), mark(5, "5"));
  const meaning = h("small", {});
  return {
    element: h("div", { class: "lx-temperature" }, h("div", { class: "lx-thead" }, h("span", {}, h("span", { class: "g-tipped", tabindex: "0", ...tip(about) }, name), meaning), value.input), range, marks),
    render: () => {
      const t = store.get("t");
      range.value = String(t);
      range.style.setProperty("--at", `${(100 * t) / high}%`);
      range.setAttribute("aria-valuetext", t === 0 ? "0, greedy" : String(t));
      put(meaning, t === 0 ? "greedy: the likeliest, always" : t < 1 ? "colder: the likely grow" : t === 1 ? "as the network said it" : "hotter: the unlikely catch up");
      value.render();
    },
  };
}

function row(key, { store, say, size }) {
  const { name, off, engine, about } = SETTINGS[key];
  const scale = () => scaleOf(key, size());
  const range = h("input", { class: "lx-range", type: "range", min: 0, max: FINE, step: 1, "aria-label": name, oninput: () => store.set({ [key]: scale().value(range.value / FINE) }) });
  range.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS)) return;
    event.preventDefault();
    store.set({ [key]: stepped(key, store.get(key), KEYS[event.key], size()) });
  });
  const value = number(key, { store, say });
  const left = h("small", {});
  const reset = h("button", { type: "button", class: "lx-reset", title: `${name}: off`, "aria-label": `${name}: off`, onclick: () => store.set({ [key]: off }) }, "×");
  const element = h("div", { class: "lx-setting" }, h("span", { class: "lx-name" }, h("span", { class: "g-tipped", tabindex: "0", ...tip(about) }, name), left), range, value.input, reset);
  return {
    element,
    render: (view) => {
      const now = store.get(key), on = now !== off;
      const place = scale().slide(now);
      range.value = String(Math.round(FINE * place));
      range.style.setProperty("--at", `${100 * Math.min(1, place)}%`);
      range.setAttribute("aria-valuetext", on ? String(now) : "off");
      element.dataset.on = String(on);
      reset.style.visibility = on ? "" : "hidden";
      if (view) put(left, on && view.left[engine] != null ? `leaves ${counted(view.left[engine])}` : "");
      value.render();
    },
  };
}

// The arrow keys move a setting by its own step; top-k by one, or a twentieth where it is large.
function stepped(key, now, by, size) {
  const { low, high, off, step, whole } = SETTINGS[key];
  if (!whole) return Math.min(high, Math.max(key === "rep" ? 1 : low, Math.round((now + by * step) * 1000) / 1000));
  const most = Math.max(2, size || 2);
  const from = now === off ? most : Math.min(now, most);
  const next = Math.max(1, from + Math.sign(by) * Math.max(Math.abs(by), Math.round((Math.abs(by) * from) / 20)));
  return next >= most ? off : next;
}
