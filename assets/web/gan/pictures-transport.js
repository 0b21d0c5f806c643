// Play, the range over the film of a training, and where it stops. The range counts looks, so that what was computed
// beforehand at a few steps has as much room as what is trained live.

import { h, put } from "../common/dom.js";

export class PictureTransport {
  /** on: {toggle(), seek(index), newest(), until(input), reset()}. */
  constructor(on) {
    this.range = h("input", {
      id: "primary", class: "gx-range", type: "range", min: 0, max: 1, step: 1, value: 0, "aria-label": "Moment of the training on screen",
      oninput: () => on.seek(Number(this.range.value)),
    });
    this.ticks = h("div", { class: "gp-ticks", "aria-hidden": "true" });
    this.button = h("button", { type: "button", class: "g-btn primary gx-play", "aria-label": "Play", title: "Train on, live (space)", onclick: on.toggle }, "▶ Play");
    const small = (text, title, act, extra) => h("button", { type: "button", class: `g-btn gx-one ${extra}`, title, "aria-label": title, onclick: act }, text);
    this.now = small("Newest", "Back to the newest moment", () => { on.newest(); this.range.focus(); }, "gx-now"); // it goes, and the focus must not
    this.now.hidden = true;
    this.again = small("↺", "Start over", on.reset, "gx-reset");
    this.until = h("input", { class: "g-input gx-until", type: "text", inputmode: "numeric", placeholder: "never", "aria-label": "Stop at step", onchange: () => on.until(this.until) });
    this.where = h("output", { class: "gx-where" }, "step 0");
    this.element = h("div", { class: "gx-transport gp-transport" }, this.button, this.where, h("div", { class: "gp-film" }, this.range, this.ticks), this.now, this.again,
      h("label", { class: "gx-stop" }, "stop at", this.until));
  }

  /** index of `count` looks is shown; kept: indices of those that can be gone on from. */
  show({ step, index, count, playing, behind, kept, precomputed }) {
    const last = Math.max(1, count - 1);
    this.range.max = String(last);
    this.range.disabled = count < 2;
    if (this.range.value !== String(index)) this.range.value = String(index);
    this.range.style.setProperty("--at", `${(100 * index) / last}%`);
    this.range.setAttribute("aria-valuetext", `step ${step.toLocaleString("en")}, ${precomputed ? "precomputed" : "trained live"}`);
    put(this.where, `step ${step.toLocaleString("en")}`);
    put(this.button, playing ? "❚❚ Pause" : behind ? "▶ Branch" : "▶ Play");
    this.button.setAttribute("aria-label", playing ? "Pause" : behind ? "Train on from here, as another future" : "Play");
    this.now.hidden = !behind;
    this.tick(kept, last);
  }

  tick(kept, last) {
    const said = `${kept.join()}/${last}`;
    if (said === this.ticked) return;
    this.ticked = said;
    this.ticks.replaceChildren(...kept.map((index) => h("i", { style: { left: `${(100 * index) / last}%` } })));
  }
}
