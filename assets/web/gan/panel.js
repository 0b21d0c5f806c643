// The controls beside the plane: the data, the rules, the layers of the picture, and a second game to play against.

import { download, h } from "../common/dom.js";
import { KEYS, LOSSES, NAMES, valueText } from "./rules.js";
import { sketchOf } from "./shapes.js";
import { versusBox } from "./versus.js";

const DATA = [["ring", "Eight Gaussians on a ring"], ["grid", "Twenty-five on a grid"], ["line", "Line"], ["spiral", "Spiral"], ["rings", "Two rings"], ["own", "Your own"]];
const LAYERS = [["real", "real", "real points"], ["fake", "generated", "generated points"], ["surface", "D", "what D says of every place"], ["mesh", "G’s grid", "a square grid of noise, as G bends it"], ["arrows", "pull", "gradients: where each generated point would go"]];
const COMPARED = ["loss", "lr_g", "lr_d", "d_steps", "g_layers", "d_layers", "z_dim", "batch", "beta1", "spectral", "batch_norm", "noise", "smoothing", "r1", "gp", "optimiser"];

// key: [lowest, highest, step on the slider's own scale, logarithmic]
const RANGES = {
  lr_g: [1e-5, 1, 0.05, true], lr_d: [1e-5, 1, 0.05, true], beta1: [0, 0.999, 0.01], beta2: [0, 0.9999, 0.01], clip: [0.001, 10, 0.05, true],
  gp: [0, 100, 0.1], r1: [0, 10, 0.05], noise: [0, 1, 0.01], smoothing: [0, 0.5, 0.01],
};
const TIPS = {
  lr_g: "the learning rate η of the generator: how far a step goes; 0 freezes it", lr_d: "the learning rate η of the discriminator: how far a step goes; 0 freezes it",
  d_steps: "updates of D before each one of G", beta1: "Adam’s memory of the gradient, SGD’s momentum", beta2: "Adam’s and RMSprop’s memory of its square",
  decay: "from half that step on both learning rates fall, to a fiftieth at it; 0: never",
  clip: "every weight of the critic stays within ± this", gp: "how strongly the critic’s slope is drawn towards 1", r1: "how strongly D is kept flat at real points",
  noise: "standard deviation of what is added to all points before D sees them", smoothing: "real counts as 1 minus this",
  spectral: "every layer of D is divided by its largest singular value", batch_norm: "the hidden layers of G are normalised over the batch",
  z_dim: "how many numbers the noise has", batch: "points of each kind in a step",
};

export class Panel {
  /** on: {upload(file), draw(on), preset(rules)}; game: () => the games, for exports. */
  constructor(panel, app, on) {
    Object.assign(this, { app, on, rows: [] });
    this.about = h("p", { class: "gx-about" });
    panel.append(h("div", { class: "gx-controls" }, this.dataRow(), this.about, this.presets(), this.lossRow(), this.layersOf("g_layers", "G"), this.layersOf("d_layers", "D"),
      this.slider("lr_g", "Rate of G"), this.slider("lr_d", "Rate of D"), ...this.only(), this.pair(this.steps(), this.seedRow()), this.more(), this.showRow(), h("div", { class: "gx-last" }, this.versus(), this.home())));
    app.store.on("*", () => this.render());
    this.render();
  }

  get(key) { return this.app.store.get(key); }

  set(patch) { this.app.store.set(patch); }

  add(element, render) {
    this.rows.push(render);
    return element;
  }

  render() { for (const row of this.rows) row(); }

  row(name, title, ...inner) { return h("div", { class: "gx-row" }, h("span", { class: "gx-name", "data-tip": title }, name), ...inner); }

  pair(...rows) { return h("div", { class: "gx-pair" }, ...rows); }

  // --- data ------------------------------------------------------------------------------------------------------------

  dataRow() {
    const buttons = DATA.map(([kind, name]) => h("button", { type: "button", class: "gx-shape", title: name, "aria-label": name, "data-kind": kind,
      onclick: () => this.set({ data: kind, film: "", at: null, play: false }) }, sketchOf(kind)));
    const file = h("input", { type: "file", accept: ".csv,.txt,.tsv,text/csv,text/plain", hidden: true, onchange: () => { if (file.files[0]) this.on.upload(file.files[0]); file.value = ""; } });
    this.drawButton = h("button", { type: "button", class: "g-btn", "aria-pressed": "false", onclick: () => this.on.draw() }, "Draw");
    const own = h("div", { class: "gx-own" }, this.drawButton, h("button", { type: "button", class: "g-btn", onclick: () => file.click() }, "Upload CSV"), file);
    const box = h("div", {}, h("div", { class: "gx-shapes", role: "group", "aria-label": "Data" }, ...buttons), own);
    return this.add(box, () => {
      own.hidden = this.get("data") !== "own";
      for (const each of buttons) each.setAttribute("aria-pressed", String(each.dataset.kind === this.get("data")));
    });
  }

  // Two sets of rules to begin with: the plain ones of the paper's time, and those that come to rest.
  presets() {
    const options = [["plain", "Plain", "two small networks and Adam, nothing else"], ["recommended", "Recommended", "room in both networks, R1, and rates that fall: rests on the ring for every seed tried"]];
    const row = h("div", { class: "g-seg", role: "group", "aria-label": "Rules" }, ...options.map(([name, text, title]) => h("button", { type: "button", title, "data-name": name, onclick: () => this.set(this.app.presets[name]) }, text)));
    const same = (name) => KEYS.every((key) => JSON.stringify(this.get(key)) === JSON.stringify(this.app.presets[name][key]));
    return this.add(this.row("Rules", "where to begin; every rule can be changed, also while they play", row), () => { for (const each of row.children) each.setAttribute("aria-pressed", String(same(each.dataset.name))); });
  }

  // --- rules -----------------------------------------------------------------------------------------------------------

  lossRow() {
    const select = h("select", { class: "g-input", "aria-label": "Loss", onchange: () => this.set({ loss: select.value }) },
      ...LOSSES.map(([value, text, title]) => h("option", { value, title }, text)));
    const note = h("p", { class: "gx-note" });
    return this.add(h("div", {}, this.row("Loss", "what each player goes down on", select), note), () => {
      select.value = this.get("loss");
      const said = LOSSES.find(([value]) => value === this.get("loss"))[2];
      note.textContent = `${said.charAt(0).toUpperCase()}${said.slice(1)}.`;
    });
  }

  layersOf(key, who) {
    const input = h("input", { class: "g-input gx-layers", type: "text", inputmode: "numeric", "aria-label": `Widths of the hidden layers of ${who}`, onchange: () => this.widths(key, input) });
    const button = (text, title, act) => h("button", { type: "button", class: "g-btn gx-small", title, "aria-label": title, onclick: act }, text);
    const change = (act) => () => this.set({ [key]: act(this.get(key)) });
    return this.add(this.row(`Layers of ${who}`, "widths of the hidden layers, up to 5 of up to 128", input,
      button("−", `One layer of ${who} less`, change((now) => (now.length > 1 ? now.slice(0, -1) : now))), button("+", `One layer of ${who} more`, change((now) => (now.length < 5 ? [...now, now.at(-1)] : now)))),
    () => { if (document.activeElement !== input) input.value = this.get(key).join(", "); });
  }

  widths(key, input) {
    const typed = input.value.split(/[\s,;·]+/).filter(Boolean);
    const found = typed.map(Number);
    const wrong = !found.length ? "nothing" : typed.find((_, i) => !Number.isInteger(found[i]) || found[i] < 1 || found[i] > 128);
    if (found.length > 5) this.app.status(`${found.length} layers were typed; it may be 1 to 5: take fewer.`, "error");
    else if (wrong !== undefined) this.app.status(`A layer's width is ${wrong.slice(0, 20)}; it may be a whole number from 1 to 128, with commas between them.`, "error");
    else return this.set({ [key]: found });
    input.value = this.get(key).join(", ");
  }

  slider(key, text) {
    const [low, high, step, log] = RANGES[key];
    const to = log ? Math.log10 : (value) => value;
    const from = log ? (at) => Number((10 ** at).toPrecision(2)) : (at) => Number(at.toFixed(4));
    const range = h("input", { class: "g-range", type: "range", min: to(low), max: to(high), step, "aria-label": NAMES[key], oninput: () => this.set({ [key]: from(Number(range.value)) }) });
    const input = h("input", { class: "g-input gx-number", type: "text", inputmode: "decimal", "aria-label": `${NAMES[key]}, typed`, onchange: () => this.typed(key, input) });
    const bound = { lr_g: 10, lr_d: 10, r1: 100 }[key] ?? high;
    this.bounds = { ...this.bounds, [key]: [log && key.startsWith("lr") ? 0 : low, bound] };
    return this.add(this.row(text, TIPS[key] ?? "", range, input), () => {
      const now = this.get(key);
      const at = log ? Math.log10(Math.max(now, low)) : now;
      if (Math.abs(Number(range.value) - at) > step / 2) range.value = String(at);
      range.setAttribute("aria-valuetext", valueText(key, now));
      if (document.activeElement !== input) input.value = String(now);
    });
  }

  typed(key, input, whole = false) {
    const [low, high] = this.bounds[key];
    const value = Number(input.value.replace(",", "."));
    if (input.value.trim() === "" || !Number.isFinite(value) || value < low || value > high || (whole && !Number.isInteger(value))) {
      this.app.status(`The ${NAMES[key] ?? key} is ${JSON.stringify(input.value.slice(0, 20))}; it may be ${whole ? "a whole number from " : ""}${low} to ${high}.`, "error");
      input.value = String(this.get(key));
    } else this.set({ [key]: value });
  }

  count(key, text, low, high) {
    this.bounds = { ...this.bounds, [key]: [low, high] };
    const input = h("input", { class: "g-input gx-number", type: "number", min: low, max: high, step: 1, "aria-label": NAMES[key] ?? text, onchange: () => this.typed(key, input, true) });
    return this.add(this.row(text, TIPS[key] ?? "", h("i"), input), () => { if (document.activeElement !== input) input.value = String(this.get(key)); });
  }

  steps() { return this.count("d_steps", "D per G", 1, 10); }

  // Rules that belong to one loss, or to some.
  only() {
    const when = (key, element, losses) => {
      this.rows.push(() => { element.hidden = !losses.includes(this.get("loss")); });
      return element;
    };
    return [when("clip", this.slider("clip", "Clipping"), ["wgan"]), when("gp", this.slider("gp", "Penalty λ"), ["wgan-gp"])];
  }

  more() {
    const toggle = (key) => {
      const box = h("input", { type: "checkbox", onchange: () => this.set({ [key]: box.checked }) });
      return this.add(h("label", { class: "g-toggle", "data-tip": TIPS[key] }, box, NAMES[key]), () => { box.checked = this.get(key); });
    };
    const choice = (key, text, options) => {
      const select = h("select", { class: "g-input", "aria-label": NAMES[key], onchange: () => this.set({ [key]: select.value }) }, ...options.map(([value, words]) => h("option", { value }, words)));
      return this.add(this.row(text, "", select), () => { select.value = this.get(key); });
    };
    const smoothing = this.slider("smoothing", "Smoothing");
    this.rows.push(() => smoothing.classList.toggle("gx-off", !["minimax", "non-saturating", "least-squares"].includes(this.get("loss"))));
    return h("details", { class: "gx-more" }, h("summary", {}, "More rules"),
      h("div", { class: "gx-toggles" }, toggle("spectral"), toggle("batch_norm")), this.slider("r1", "R1 γ"), this.slider("noise", "Noise"), smoothing,
      choice("optimiser", "Optimiser", [["adam", "Adam"], ["rmsprop", "RMSprop"], ["sgd", "SGD"]]), this.slider("beta1", "β1"), this.slider("beta2", "β2"), this.count("decay", "Rates fall by", 0, 1_000_000),
      this.count("z_dim", "Size of z", 1, 32), choice("z_kind", "Noise z", [["normal", "normal"], ["uniform", "uniform"]]), this.count("batch", "Batch", 2, 512));
  }

  seedRow() {
    this.bounds = { ...this.bounds, seed: [0, 2 ** 31 - 1] };
    const input = h("input", { class: "g-input gx-number", type: "number", min: 0, max: 2 ** 31 - 1, step: 1, "aria-label": "Seed", onchange: () => this.typed("seed", input, true) });
    const element = this.row("Seed", "the same seed and rules are the same game", input,
      h("button", { type: "button", class: "g-btn gx-small", title: "Another seed", "aria-label": "Another seed", onclick: () => this.set({ seed: Math.floor(Math.random() * 1e6), film: "", at: null }) }, "↻"));
    return this.add(element, () => { if (document.activeElement !== input) input.value = String(this.get("seed")); });
  }

  showRow() {
    const boxes = LAYERS.map(([name, text, title]) => h("button", { type: "button", "data-layer": name, class: "gx-chip", "data-tip": title, onclick: () => {
      const now = this.get("show");
      this.set({ show: now.includes(name) ? now.filter((each) => each !== name) : LAYERS.map(([each]) => each).filter((each) => each === name || now.includes(each)) });
    } }, text));
    return this.add(h("div", { class: "gx-layersrow", role: "group", "aria-label": "Layers of the picture" }, ...boxes),
      () => { for (const each of boxes) each.setAttribute("aria-pressed", String(this.get("show").includes(each.dataset.layer))); });
  }

  // --- A against B -----------------------------------------------------------------------------------------------------

  versus() {
    const { element, render } = versusBox({ names: NAMES, compared: COMPARED, now: () => this.get("versus"), rule: (name) => this.get(name),
      set: (versus) => this.set({ versus }), complain: (sentence) => this.app.status(sentence, "error") });
    return this.add(element, render);
  }

  home() {
    return h("div", { class: "gx-home" }, h("button", { type: "button", class: "g-btn", "aria-label": "Curves, CSV", "data-tip": "the curves as a table", onclick: () => this.on.csv() }, "CSV"),
      h("button", { type: "button", class: "g-btn", "aria-label": "Networks, safetensors", "data-tip": "both networks at the step on screen, with their rules", onclick: () => this.on.weights() }, "safetensors"));
  }
}

export const saveText = (text, name, kind) => download(new Blob([text], { type: kind }), name);
