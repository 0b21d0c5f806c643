// Play, single updates, speed, and the range over the film of a game.

import { h, put } from "../common/dom.js";

const HELD_MS = 450; // before a button that is held down does its work again and again
const SPEEDS = [["slow", "Slow motion", "each phase of a step, one after the other"], ["10", "10 a second"], ["60", "60 a second"], ["200", "200 a second"], ["600", "600 a second"], ["max", "Full speed"]];

export class Transport {
  /** on: {toggle(), one(who), seek(step), speed(value), until(step), reset(), live(), phase()}. */
  constructor(on) {
    this.range = h("input", {
      id: "primary", class: "gx-range", type: "range", min: 0, max: 1, step: 1, value: 0, "aria-label": "Step of the game on screen",
      oninput: () => on.seek(Number(this.range.value)),
    });
    const small = (text, title, act, extra = "") => h("button", { type: "button", class: `g-btn gx-one ${extra}`, title, "aria-label": title, onclick: act }, text);
    this.button = h("button", { type: "button", class: "g-btn primary gx-play", "aria-label": "Play", title: "Play (space)", onclick: on.toggle }, "▶ Play");
    this.speed = h("select", { class: "g-input gx-speed", "aria-label": "Speed", title: "Steps a second", onchange: () => on.speed(this.speed.value) },
      ...SPEEDS.map(([value, text, title]) => h("option", { value, title }, text)));
    this.until = h("input", { class: "g-input gx-until", type: "number", min: 1, max: 1_000_000, step: 1, "aria-label": "Stop at step", onchange: () => on.until(this.until) });
    this.where = h("output", { class: "gx-where" }, "step 0");
    this.now = small("Newest", "Back to the newest moment", on.live, "gx-now");
    this.now.hidden = true;
    this.phase = small("Next phase", "To the next phase of this step", on.phase, "gx-phase");
    this.phase.hidden = true;
    this.element = h("div", { class: "gx-transport" }, this.button, this.phase, this.where, this.range, this.now, this.speed, h("label", { class: "gx-stop" }, "stop at", this.until));
    const learn = [["d", "D learns", "One update of the discriminator"], ["g", "G learns", "One update of the generator"], ["both", "Both", "One step: both learn"]];
    this.steps = h("div", { class: "gx-steps" }, h("span", {}, "One step"),
      h("div", { class: "g-seg gx-ones", role: "group", "aria-label": "One step" }, ...learn.map(([who, text, title]) => held(h("button", { type: "button", title: `${title}; held down, one after the other`, "aria-label": title, onclick: () => on.one(who) }, text), () => on.one(who)))),
      small("↺ Start over", "Back to the start of the game", on.reset, "gx-reset"));
  }

  show({ step, newest, playing, branching, over = false, slow = false }) {
    this.range.max = String(Math.max(1, newest));
    if (this.range.value !== String(step)) this.range.value = String(step);
    this.range.style.setProperty("--at", `${(100 * step) / Math.max(1, newest)}%`);
    this.range.setAttribute("aria-valuetext", `step ${step.toLocaleString("en")} of ${newest.toLocaleString("en")}`);
    put(this.where, `step ${step.toLocaleString("en")}`);
    put(this.button, playing ? "❚❚ Pause" : branching ? "▶ Branch" : over ? "↻ Replay" : "▶ Play");
    this.button.setAttribute("aria-label", playing ? "Pause" : branching ? "Play on from here, as another future" : over ? "Replay the film" : "Play");
    this.now.hidden = !branching;
    this.phase.hidden = !slow;
  }
}

/** A button that, held down, does its work again and again. act(): resolves when it is done. */
function held(button, act) {
  let down = null;
  button.addEventListener("pointerdown", () => {
    const mine = (down = Symbol("held"));
    setTimeout(async () => { while (down === mine && button.isConnected) await act(); }, HELD_MS);
  });
  for (const end of ["pointerup", "pointerleave", "pointercancel"]) button.addEventListener(end, () => { down = null; });
  return button;
}
