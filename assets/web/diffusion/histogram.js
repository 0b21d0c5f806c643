// How the pixels of x_t are distributed, against the standard normal distribution that all pictures end in.

import { h } from "../common/dom.js";
import { sharp, token } from "../common/sheet.js";

const LOW = -3.5;
const HIGH = 3.5;
const BINS = 49;
const CHANNELS = ["#d03030", "#1f9d3a", "#3a62d8"]; // red, green and blue of the picture
const TOP = 0.62; // density at the upper edge: the normal curve reaches 0.40

function outline(g, counts, colour, x, y) {
  g.strokeStyle = colour;
  g.lineWidth = 1.5;
  g.beginPath();
  counts.forEach((count, i) => { g.lineTo(x(i), y(count)); g.lineTo(x(i + 1), y(count)); });
  g.stroke();
}

export function createHistogram() {
  const canvas = h("canvas", { class: "dx-histogram", role: "img", "aria-label": "Histogram of the pixels against the standard normal distribution" });
  const words = h("p", { class: "g-cap" });
  let last = null;
  let coloured = false;
  const counts = new Float32Array(BINS);
  const channels = CHANNELS.map(() => new Float32Array(BINS)); // of a picture in colour

  function show({ x_t, shape }) {
    coloured = shape.c === 3;
    counts.fill(0);
    for (const each of channels) each.fill(0);
    let sum = 0, square = 0;
    x_t.forEach((value, i) => {
      const bin = Math.max(0, Math.min(BINS - 1, Math.floor(((value - LOW) / (HIGH - LOW)) * BINS)));
      counts[bin] += 1;
      if (coloured) channels[i % 3][bin] += 3;
      sum += value;
      square += value * value;
    });
    const mean = sum / x_t.length;
    const spread = Math.sqrt(square / x_t.length - mean * mean);
    words.textContent = `mean ${mean.toFixed(2).replace("-", "−")}, σ ${spread.toFixed(2)}; N(0, 1): 0, 1`;
    draw(x_t.length);
  }

  function draw(total) {
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width) return;
    const g = sharp(canvas, width, height);
    const floor = height - 14;
    const x = (value) => ((value - LOW) / (HIGH - LOW)) * width;
    const y = (density) => floor - Math.min(1, density / TOP) * (floor - 2);
    const step = (HIGH - LOW) / BINS;
    g.fillStyle = token("--a");
    g.globalAlpha = 0.55;
    counts.forEach((count, i) => {
      const top = y(count / total / step);
      g.fillRect(x(LOW + i * step) + 0.5, top, width / BINS - 1, floor - top);
    });
    g.globalAlpha = 1;
    if (coloured) channels.forEach((each, channel) => outline(g, each, CHANNELS[channel], (i) => x(LOW + i * step), (count) => y(count / total / step)));
    g.strokeStyle = token("--ink");
    g.lineWidth = 1.75;
    g.beginPath();
    for (let i = 0; i <= 100; i++) {
      const value = LOW + ((HIGH - LOW) * i) / 100;
      g.lineTo(x(value), y(Math.exp(-value * value / 2) / Math.sqrt(2 * Math.PI)));
    }
    g.stroke();
    g.fillStyle = token("--ink-2");
    g.font = `11px ${token("--mono")}`;
    g.textAlign = "center";
    for (const value of [-3, -2, -1, 0, 1, 2, 3]) g.fillText(String(value).replace("-", "−"), x(value), height - 2);
  }

  new ResizeObserver(() => last && show(last)).observe(canvas);
  return {
    element: h("div", { class: "dx-hist" }, h("div", { class: "dx-name" }, "The pixels of x, against pure noise"), canvas, words),
    show: (blend) => { last = blend; show(blend); },
  };
}
