// One line of numbers: the noise level, how much of the picture is left in it, and the signal-to-noise ratio.

import { h } from "../common/dom.js";

const number = (value) => (value >= 0.1 ? value.toFixed(3) : value >= 0.001 ? value.toFixed(4) : value.toExponential(1).replace("e-", " · 10⁻").replace(/⁻(\d+)$/, (_, n) => `⁻${[...n].map((d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]).join("")}`));

export function createReadout() {
  const cell = (name, title, below) => {
    const value = h("b", {}, "–");
    return { value, element: h("span", { title }, h("i", {}, name, below ? h("sub", {}, below) : null), value) };
  };
  const t = cell("t", "noise level that the network is told, 999 is noise and 0 is clean");
  const left = cell("ᾱ", "share of the picture's variance that is left in x at t", "t");
  const snr = cell("SNR", "signal-to-noise ratio, ᾱ / (1 − ᾱ)");
  const step = cell("step", "steps taken, of all");
  return {
    element: h("div", { class: "dx-readout" }, t.element, left.element, snr.element, step.element),
    /** goal: the step that was asked for, which may not have arrived yet. */
    show(frame, steps, goal = frame.index) {
      const done = frame.index === steps;
      t.value.textContent = done ? "clean" : String(Math.round(frame.t));
      left.value.textContent = done ? "1" : number(frame.alpha_bar);
      const ratio = frame.alpha_bar / (1 - frame.alpha_bar);
      snr.value.textContent = done ? "∞" : `${(10 * Math.log10(ratio)).toFixed(1).replace("-", "−")} dB`;
      step.value.textContent = `${frame.index}${goal > frame.index ? ` → ${goal}` : ""} / ${steps}`;
    },
  };
}
