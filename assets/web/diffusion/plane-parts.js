// The plane tool's elements: what stands on the stage, and the controls beside it.

import { h } from "../common/dom.js";
import { LossCurve } from "./plane-learn.js";

const SHAPES = [["moons", "Moons"], ["spiral", "Spiral"], ["gaussians", "Eight"], ["latent", "Digits"], ["drawn", "Draw"]];
const WAYS = [["ddpm", "DDPM"], ["both", "Both"], ["ddim", "DDIM"]];
const NOTE = "A point is a picture with two numbers. Click any place on the plane: from there DDIM has one future and DDPM many. Turn round half-way: how far can a point go before it forgets where it came from?";
const LATENT = "Every point is the code of a digit, and the framed ones are drawn by the first room's decoder wherever they stand: noise in the plane of codes becomes a digit. That is latent diffusion in the small.";
const STRIDE = 5; // of t, for a press of an arrow key: one stride of the walk

export function buildStage(tool) {
  const { panes } = tool;
  tool.planes = h("div", { class: "dx-planes" }, panes.first.element, panes.second.element);
  tool.range = h("input", { id: "primary", class: "dx-range", type: "range", min: 0, max: 1000, step: 1, value: 0, "aria-label": "Noise level t, from the data to noise",
    oninput: () => tool.seek(Number(tool.range.value)),
    onkeydown: (event) => {
      const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (event.key === " ") tool.mode === "back" ? tool.bringBack() : tool.dissolve();
      else if (by && !event.shiftKey) tool.seek(STRIDE * Math.round((tool.t + STRIDE * by) / STRIDE));
      else return;
      event.preventDefault();
    } });
  const button = (text, act) => h("button", { type: "button", class: "g-btn dx-plane-go", onclick: act }, text);
  tool.back = button("◀ Bring back", () => tool.bringBack());
  tool.forth = button("Dissolve ▶", () => tool.dissolve());
  tool.numbers = numbers();
  return h("div", { class: "dx-reverse dx-plane" }, tool.planes, tool.numbers.element,
    h("div", { class: "dx-transport" }, tool.back, h("span", { class: "dx-end" }, "data"), tool.range, h("span", { class: "dx-end" }, "noise"), tool.forth));
}

// One line: t, alpha_bar, and what the arrows are.
function numbers() {
  const t = h("b");
  const alpha = h("b");
  const arrows = h("span", { class: "dx-plane-key" }, h("i", {}, "√(1 − ᾱ", h("sub", {}, "t"), ")"), h("i", {}, "∇ log q(x", h("sub", {}, "t"), ")"), "the arrows");
  const element = h("div", { class: "dx-readout" }, h("span", { title: "noise level: 0 is the data, 1,000 is noise" }, h("i", {}, "t"), t),
    h("span", { title: "share of the data's variance that is left at t" }, h("i", {}, "ᾱ", h("sub", {}, "t")), alpha), arrows);
  return {
    element,
    show(level, value) {
      t.textContent = String(level);
      alpha.textContent = value >= 0.1 ? value.toFixed(3) : value >= 0.001 ? value.toFixed(4) : value.toFixed(5);
    },
  };
}

export function buildPanel(tool, panel) {
  const { app } = tool;
  const small = (text, act, title) => h("button", { type: "button", class: "g-btn dx-small", onclick: act, title }, text);
  const segment = (label, options, act) => h("div", { class: "g-seg", role: "group", "aria-label": label }, ...options.map(([value, text]) => h("button", { type: "button", "data-value": value, onclick: () => act(value) }, text)));
  const shapes = segment("Shape", SHAPES, (value) => tool.choose(value));
  const ways = segment("The way back", WAYS, (value) => app.store.set({ by: value }));
  const train = h("button", { type: "button", class: "g-btn primary", onclick: () => (tool.learning.running ? halt() : tool.train()) }, "Train");
  const seed = h("input", { class: "g-input dx-seed", type: "number", min: 0, max: 2147483647, step: 1, "aria-label": "Seed", title: "Seed of the network, the noise and the walks",
    onchange: () => app.store.set({ seed: Math.max(0, Math.min(2147483647, Math.floor(Number(seed.value) || 0))) }) });
  const another = small("Another", () => app.store.set({ seed: Math.floor(Math.random() * 10000) }), "Another seed");
  const pen = h("div", { class: "dx-plane-row", hidden: true });
  const draw = small("Draw", () => tool.setDrawing(!tool.drawing));
  pen.append(draw, small("Undo", () => tool.sketch.undo()), small("Clear", () => { tool.sketch.clear(); tool.setDrawing(true); }));
  tool.curve = new LossCurve();
  tool.meter = h("div", { class: "dx-bar", role: "progressbar", "aria-label": "Training", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": 0, hidden: true }, h("i"));
  const show = Object.entries({ arrows: "Arrows", paths: "Paths", data: "Data" }).map(([key, text]) => h("button", { type: "button", class: "g-btn dx-small", "data-show": key, "aria-pressed": "true",
    onclick: (event) => { tool.shows[key] = !tool.shows[key]; event.currentTarget.setAttribute("aria-pressed", String(tool.shows[key])); tool.soon(); } }, text));
  const row = (text, content) => h("div", { class: "dx-row" }, h("span", { class: "dx-name" }, text), content);
  const note = h("p", { class: "dx-note dx-moral" });
  panel.append(h("div", { class: "dx-controls dx-plane-controls" }, shapes, pen,
    h("div", { class: "dx-plane-train" }, train, h("span", { class: "dx-name" }, "Seed"), seed, another), tool.meter, tool.curve.canvas,
    row("Way back", ways), row("Show", h("div", { class: "dx-plane-row" }, ...show)),
    row("Follow", h("div", { class: "dx-plane-row" }, small("One more point", () => tool.another(), "Draw the path of one more point; or click one on the plane"), small("Clear", () => tool.clear()))),
    note));

  function halt() {
    tool.learning.stop();
    tool.failed("Training stopped; nothing of it was kept.", "info");
  }

  const press = (row, value) => { for (const each of row.children) each.setAttribute("aria-pressed", String(each.dataset.value === value)); };
  const sync = () => {
    press(shapes, app.store.get("shape"));
    press(ways, app.store.get("by"));
    note.textContent = app.store.get("shape") === "latent" ? LATENT : NOTE;
    if (document.activeElement !== seed) seed.value = String(app.store.get("seed"));
  };
  app.store.on(["shape", "by", "seed"], sync);
  sync();

  /** Words of the buttons, as things stand. */
  tool.marks = () => {
    const running = tool.learning?.running;
    train.textContent = running ? "Stop" : tool.field ? "Train again" : "Train · 10 s";
    tool.back.textContent = tool.playing && tool.direction < 0 ? "❚❚ Pause" : "◀ Bring back";
    tool.forth.textContent = tool.playing && tool.direction > 0 ? "❚❚ Pause" : "Dissolve ▶";
    tool.back.classList.toggle("primary", Boolean(tool.backs));
    tool.forth.classList.toggle("primary", !tool.backs && !running);
    train.classList.toggle("primary", !running);
    pen.hidden = app.store.get("shape") !== "drawn";
    draw.setAttribute("aria-pressed", String(tool.drawing));
  };
}
