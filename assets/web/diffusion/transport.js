// Play, one step back and forth, and the range over all steps, whose track shows how far the run has come.

import { h } from "../common/dom.js";

const SPEEDS = [1, 2, 4, 0.25, 0.5];
const names = new Map([[0.25, "¼×"], [0.5, "½×"], [1, "1×"], [2, "2×"], [4, "4×"]]);

export class Transport {
  constructor({ toggle, seek, step, speed }) {
    this.range = h("input", {
      id: "primary", class: "dx-range", type: "range", min: 0, max: 1, step: 1, value: 0, "aria-label": "Step of the run",
      oninput: () => seek(Number(this.range.value)),
      onkeydown: (event) => { if (event.key === " ") { event.preventDefault(); toggle(); } },
    });
    this.button = h("button", { type: "button", class: "g-btn primary dx-play", "aria-label": "Play", title: "Play (space)", onclick: toggle }, "▶");
    const small = (text, name, act) => h("button", { type: "button", class: "g-btn dx-step", "aria-label": name, title: name, onclick: act }, text);
    let at = 0;
    const pace = small("1×", "Speed of play", () => {
      at = (at + 1) % SPEEDS.length;
      pace.textContent = names.get(SPEEDS[at]);
      pace.setAttribute("aria-label", `Speed of play, ${SPEEDS[at]} times`);
      speed(SPEEDS[at]);
    });
    pace.classList.add("dx-pace");
    this.element = h("div", { class: "dx-transport" }, this.button, small("‹", "One step back", () => step(-1)), small("›", "One step on", () => step(1)), this.range, pace);
  }

  load(first, last) {
    [this.first, this.last] = [first, last];
    this.range.min = String(first);
    this.range.max = String(last);
  }

  arrived(newest) {
    this.range.style.setProperty("--have", `${(100 * (newest - this.first)) / Math.max(1, this.last - this.first)}%`);
  }

  show(index, frame) {
    if (this.range.value !== String(index)) this.range.value = String(index);
    this.range.style.setProperty("--at", `${(100 * (index - this.first)) / Math.max(1, this.last - this.first)}%`);
    const level = frame.index === this.last ? "the finished picture" : `noise level ${Math.round(frame.t)}`;
    this.range.setAttribute("aria-valuetext", `step ${frame.index} of ${this.last}, ${level}${index > frame.index ? `, on the way to step ${index}` : ""}`);
  }

  playing(on) {
    this.button.textContent = on ? "❚❚" : "▶";
    this.button.setAttribute("aria-label", on ? "Pause" : "Play");
  }
}
