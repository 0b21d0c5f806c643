// The controls beside the pictures: the set, where to begin, the class, and the rules of the game.

import { h, segmented } from "../common/dom.js";
import { LOSSES, NAMES, valueText } from "./rules.js";
import { shortName } from "./pictures-views.js";
import { versusBox } from "./versus.js";

export const RULES = ["loss", "lr_g", "lr_d", "d_steps", "clip", "gp", "r1", "spectral", "batch_norm", "batch_norm_d", "augment", "noise", "smoothing", "beta1", "beta2", "batch", "z_dim", "z_kind"];
const WORDS = { ...NAMES, batch_norm: "batch norm in G", batch_norm_d: "batch norm in D", augment: "augmentation" };
const COMPARED = ["batch_norm", "batch_norm_d", "loss", "lr_g", "lr_d", "d_steps", "spectral", "augment", "r1", "noise", "smoothing", "beta1", "batch", "z_dim"];
const SETS = [["mnist", "Digits"], ["fashion", "Clothes"], ["emoji", "Emoji"]];
const STAGES = [0, 200, 1000, 5000, 20_000];

// rule: [lowest and highest on the slider, its step there, logarithmic, lowest and highest that may be typed]
const RANGES = {
  lr_g: [1e-5, 0.1, 0.05, true, 0, 10], lr_d: [1e-5, 0.1, 0.05, true, 0, 10], beta1: [0, 0.999, 0.01], clip: [0.001, 1, 0.05, true, 0.001, 10], gp: [0, 20, 0.1, false, 0, 100],
  r1: [0, 10, 0.1, false, 0, 100], noise: [0, 1, 0.01], smoothing: [0, 0.5, 0.01], d_steps: [1, 10, 1], batch: [8, 128, 8],
};
const TIPS = {
  lr_g: "the learning rate η of the generator: how far a step goes; 0 freezes it", lr_d: "the learning rate η of the discriminator: how far a step goes; 0 freezes it",
  d_steps: "updates of D before each one of G", beta1: "Adam’s memory of the gradient", batch: "pictures of each kind in a step",
  clip: "every weight of the critic stays within ± this", gp: "how strongly the critic’s slope is drawn towards 1", r1: "how strongly D is kept flat at real pictures",
  noise: "standard deviation of what is added to all pictures before D sees them; black is −1, white 1", smoothing: "real counts as 1 minus this",
  spectral: "every layer of D is divided by its largest singular value", batch_norm: "the layers of G are normalised over the batch",
  batch_norm_d: "the layers of D, too", augment: "D sees all pictures mirrored, moved, brightened and with holes: few pictures last longer",
};

export const inWords = (rules) => Object.entries(rules).map(([key, value]) => `${WORDS[key]} ${valueText(key, value)}`).join(", ");

export class PicturesPanel {
  /** on: {rule(name, value), recommended(), csv(), weights()}; rules(): those in force; about(): what is known of the set;
      stage(): where a game begins, or the stage on screen. */
  constructor(panel, app, on, { rules, about, stage }) {
    Object.assign(this, { app, on, rules, about, stage, rows: [] });
    this.kept = h("p", { class: "gx-about" });
    panel.append(h("div", { class: "gx-controls" }, this.sets(), this.stages(), this.classes(), this.kept, this.loss(), this.slider("lr_g", "Rate of G"), this.slider("lr_d", "Rate of D"),
      this.slider("d_steps", "D per G"), this.only(this.slider("clip", "Clipping"), ["wgan"]), this.only(this.slider("gp", "Penalty λ"), ["wgan-gp"]), this.slider("r1", "R1 γ"), this.more(),
      this.seed("pseed", "Seed", "the same seed is the same noise, and from scratch the same game"), h("div", { class: "gx-last" }, this.versus(), this.home())));
    app.store.on("*", () => this.render());
  }

  get(key) { return this.app.store.get(key); }

  add(element, render) {
    this.rows.push(render);
    return element;
  }

  render() { if (this.about()) for (const row of this.rows) row(); }

  row(name, title, ...inner) { return h("div", { class: "gx-row" }, h("span", { class: "gx-name", "data-tip": title || null }, name), ...inner); }

  // --- what is learned, and from where ---------------------------------------------------------------------------------

  sets() {
    const row = segmented("Set of pictures", SETS.map(([value, text]) => ({ value, text })), this.get("set"), (set) => this.app.store.set({ set, reel: "", pat: null, ask: null, play: false }));
    return this.add(row, () => [...row.children].forEach((button, i) => button.setAttribute("aria-pressed", String(SETS[i][0] === this.get("set")))));
  }

  stages() {
    const choose = (stage) => this.app.store.set({ stage, reel: "", pat: null, play: false });
    const options = [{ value: "scratch", text: "scratch", title: "Two new networks, trained live" },
      ...STAGES.map((step) => ({ value: String(step), text: step >= 1000 ? `${step / 1000}k` : String(step), title: `Networks trained beforehand, ${step.toLocaleString("en")} steps; press play to train on live` }))];
    const row = segmented("Where to begin", options, this.get("stage"), choose);
    row.classList.add("gp-stages");
    const note = h("p", { class: "gx-note" });
    return this.add(h("div", {}, h("p", { class: "gp-from" }, "Begin from ", h("span", {}, "scratch, or after so many steps")), row, note), () => {
      const { stages, why } = this.about();
      [...row.children].forEach((button, i) => {
        const { value } = options[i];
        button.disabled = value !== "scratch" && !stages.includes(Number(value));
        button.setAttribute("aria-pressed", String(value === this.stage()));
      });
      note.textContent = why;
      note.hidden = !why;
    });
  }

  classes() {
    const box = h("div", { class: "gp-classes", role: "group", "aria-label": "Class" });
    let named = "";
    return this.add(box, () => {
      const names = this.about().classes;
      if (named !== names.join()) {
        named = names.join();
        const chip = (text, value) => h("button", { type: "button", class: "gx-chip", "data-class": String(value), onclick: () => this.app.store.set({ ask: value }) }, text);
        box.replaceChildren(chip("all", null), ...names.map((name, i) => chip(shortName(name), i)));
        box.classList.toggle("gp-long", names.some((name) => name.length > 2));
      }
      const now = this.get("view") === "walk" ? this.get("ask") ?? 0 : this.get("ask");
      for (const each of box.children) each.setAttribute("aria-pressed", String(each.dataset.class === String(now)));
      box.firstChild.disabled = this.get("view") === "walk";
    });
  }

  // --- rules -----------------------------------------------------------------------------------------------------------

  loss() {
    const select = h("select", { class: "g-input", "aria-label": "Loss", onchange: () => this.on.rule("loss", select.value) }, ...LOSSES.map(([value, text, title]) => h("option", { value, title }, text)));
    return this.add(this.row("Loss", "what each player goes down on", select), () => { select.value = this.rules().loss; });
  }

  slider(key, text) {
    const [low, high, step, log, least = low, most = high] = RANGES[key];
    const to = log ? Math.log10 : (value) => value;
    const from = log ? (at) => Number((10 ** at).toPrecision(2)) : (at) => Number(at.toFixed(4));
    const range = h("input", { class: "g-range", type: "range", min: to(low), max: to(high), step, "aria-label": WORDS[key], oninput: () => this.on.rule(key, from(Number(range.value))) });
    const input = h("input", { class: "g-input gx-number", type: "text", inputmode: "decimal", "aria-label": `${WORDS[key]}, typed`, onchange: () => {
      const value = Number(input.value.replace(",", "."));
      const whole = step >= 1;
      if (input.value.trim() === "" || !(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
        this.app.status(`The ${WORDS[key]} is ${JSON.stringify(input.value.slice(0, 20))}; it may be ${whole ? "a whole number from " : ""}${least} to ${most}: choose one in between.`, "error");
        input.value = String(this.rules()[key]);
      } else this.on.rule(key, value);
    } });
    return this.add(this.row(text, TIPS[key], range, input), () => {
      const now = this.rules()[key];
      const at = log ? Math.log10(Math.max(now, low)) : now;
      if (Math.abs(Number(range.value) - at) > step / 2) range.value = String(at);
      range.setAttribute("aria-valuetext", valueText(key, now));
      if (document.activeElement !== input) input.value = String(now);
    });
  }

  only(element, losses) {
    this.rows.push(() => { element.hidden = !losses.includes(this.rules().loss); });
    return element;
  }

  more() {
    const toggle = (key) => {
      const box = h("input", { type: "checkbox", onchange: () => this.on.rule(key, box.checked) });
      return this.add(h("label", { class: "g-toggle", "data-tip": TIPS[key] }, box, WORDS[key]), () => { box.checked = this.rules()[key]; });
    };
    const smoothing = this.slider("smoothing", "Smoothing");
    this.rows.push(() => smoothing.classList.toggle("gx-off", !["minimax", "non-saturating", "least-squares"].includes(this.rules().loss)));
    const back = h("button", { type: "button", class: "g-btn", onclick: () => this.on.recommended() }, "Recommended rules");
    this.rows.push(() => { back.disabled = !RULES.some((name) => this.get(`p_${name}`) != null); });
    return h("div", { class: "gp-rules" }, back, h("details", { class: "gx-more" }, h("summary", {}, "More rules"),
      h("div", { class: "gx-toggles" }, toggle("spectral"), toggle("batch_norm"), toggle("batch_norm_d"), toggle("augment")),
      this.slider("noise", "Noise"), smoothing, this.slider("beta1", "β1"), this.slider("batch", "Batch")));
  }

  // --- the rest --------------------------------------------------------------------------------------------------------

  seed(key, text, title) {
    const input = h("input", { class: "g-input gx-number", type: "number", min: 0, max: 2 ** 31 - 1, step: 1, "aria-label": "Seed of the pictures", onchange: () => {
      const value = Number(input.value);
      if (Number.isInteger(value) && input.value.trim() !== "" && value >= 0 && value < 2 ** 31) this.another(key, value);
      else {
        this.app.status(`The seed is ${JSON.stringify(input.value.slice(0, 20))}; it may be a whole number from 0 to 2,147,483,647.`, "error");
        input.value = String(this.get(key));
      }
    } });
    const element = this.row(text, title, input, h("button", { type: "button", class: "g-btn", onclick: () => this.another(key, Math.floor(Math.random() * 1e6)) }, "Another"));
    return this.add(element, () => { if (document.activeElement !== input) input.value = String(this.get(key)); });
  }

  another(key, value) { this.app.store.set({ [key]: value, reel: "", pat: null, play: false }); }

  versus() {
    const { element, render } = versusBox({ names: WORDS, compared: COMPARED, now: () => this.get("pversus"), rule: (name) => this.rules()[name],
      set: (pversus) => this.app.store.set({ pversus, reel: "", reelb: "", pat: null, play: false }), complain: (sentence) => this.app.status(sentence, "error") });
    return this.add(element, render);
  }

  home() {
    return h("div", { class: "gx-home" }, h("button", { type: "button", class: "g-btn", "aria-label": "Curves, CSV", "data-tip": "the curves as a table", onclick: () => this.on.csv() }, "CSV"),
      h("button", { type: "button", class: "g-btn", "aria-label": "Networks, safetensors", "data-tip": "both networks at the step on screen, with their rules", onclick: () => this.on.weights() }, "safetensors"));
  }
}
