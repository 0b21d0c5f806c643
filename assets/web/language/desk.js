// What the writer is driven with: play, step and speed above the text; temperature, seed and length beside it.

import { h } from "../common/dom.js";
import { temperature } from "./controls.js";
import { SETTINGS } from "./settings.js";

/** Tokens a second; 0 is as fast as they come. */
export const SPEEDS = [[2, "2 tokens a second"], [6, "6 a second"], [20, "20 a second"], [60, "60 a second"], [0, "as fast as it comes"]];
export const USUAL = 20;
const LIMITS = { seed: ["the seed", 0, 2 ** 31 - 1], n: ["the number of tokens", 1, 1024] };
const FIRST = ["k", "p", "minp", "typ", "rep"];

export class Transport {
  constructor({ toggle, step, speed }) {
    this.play = h("button", { type: "button", class: "g-btn primary wr-play", "data-tip": "Space plays and pauses", onclick: toggle });
    this.step = h("button", { type: "button", class: "g-btn wr-step", "aria-label": "One token", "data-tip": "One token more: →", onclick: step }, "Step ", h("kbd", {}, "→"));
    this.speed = h("select", { class: "g-input wr-speed", "aria-label": "Speed", onchange: () => speed(Number(this.speed.value)) },
      ...SPEEDS.map(([value, text]) => h("option", { value, selected: value === USUAL }, text)));
    this.count = h("output", { class: "wr-count", "aria-label": "Tokens shown" });
    this.element = h("div", { class: "wr-transport" }, this.play, this.step, h("span", { class: "lx-menu wr-pace" }, this.speed), this.count);
  }

  /** state: "new" | "stale" | "playing" | "paused" | "done". */
  show(state, shown, length) {
    const words = { new: "▶ Write", stale: "▶ Write again", playing: "❚❚ Pause", paused: "▶ Go on", done: "↺ Once more" }[state];
    if (this.play.firstChild?.data !== words) this.play.replaceChildren(words, h("kbd", { "aria-hidden": "true" }, "space"));
    this.play.setAttribute("aria-label", words.slice(words.indexOf(" ") + 1));
    this.play.dataset.state = state;
    this.count.textContent = `${shown} / ${length}`;
  }
}

/** The side's controls. another(): the seed was changed by its button. Returns {element, render}. */
export function createDesk({ store, say, another }) {
  const warmth = temperature({ store, say });
  const number = (key, name) => {
    const [what, low, high] = LIMITS[key];
    const input = h("input", { class: "g-input wr-number", type: "number", min: low, max: high, step: 1, "aria-label": name, onchange: () => {
      const value = Number(input.value);
      if (input.value.trim() !== "" && Number.isInteger(value) && value >= low && value <= high) store.set({ [key]: value });
      else say(`${what} is ${input.value.slice(0, 40) || "empty"}; it may be ${low} to ${high}: type a whole number in between.`, "error");
      input.value = String(store.get(key));
    } });
    return input;
  };
  const seed = number("seed", "Seed");
  const n = number("n", "Tokens to write");
  const rest = h("span", {});
  const element = h("div", { class: "wr-desk" },
    warmth.element,
    h("p", { class: "wr-note wr-rest" }, rest, " ", h("button", { type: "button", class: "wr-link", onclick: () => store.set({ tool: "distribution" }) }, "change")),
    h("div", { class: "wr-row" }, h("span", { class: "wr-what" }, "Seed"), seed, h("button", { type: "button", class: "g-btn wr-small", "data-tip": "Other luck: another text is written at once", onclick: another }, "Another seed")),
    h("div", { class: "wr-row" }, h("span", { class: "wr-what" }, "Tokens"), n));
  return {
    element,
    render() {
      const state = store.get();
      warmth.render();
      for (const [input, key] of [[seed, "seed"], [n, "n"]]) if (document.activeElement !== input) input.value = String(state[key]);
      const on = FIRST.filter((key) => state[key] !== SETTINGS[key].off);
      rest.textContent = on.length ? `${on.map((key) => `${SETTINGS[key].name} ${SETTINGS[key].show(state[key])}`).join(", ")}.` : "Nothing is cut off, no penalty.";
    },
  };
}
