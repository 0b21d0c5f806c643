// The Forward tool: a picture dissolves into noise at any level, mixed here (eq. 4) from the picture and one draw of noise;
// the model brings it back from there, or paints what a mask gives it leave to.

import { h } from "../common/dom.js";
import { stylesheet, token } from "../common/sheet.js";
import { readTheme } from "../common/theme.js";
import { createControls } from "./controls.js";
import { Blend } from "./blend.js";
import { pictureFilm, placeIn, strip } from "./film.js";
import { createHistogram } from "./histogram.js";
import { Mask } from "./mask.js";
import { paint } from "./mosaic.js";
import { createOutcomes } from "./outcomes.js";
import { seconds } from "./player.js";
import { createReadout } from "./readout.js";
import { Source } from "./source.js";
import { Strip } from "./strip.js";
import { Take, listen } from "./take.js";

const SETTLE_MS = 300;
const OUT = 60; // pictures of a film, for the whole way into the noise
const LEVELS = [100, 200, 300, 400, 500, 600, 700, 800, 900]; // that the picture is brought back from, side by side
const SETTINGS = ["model", "guidance", "sampler", "eta", "steps", "schedule", "seed"];

class Forward {
  constructor(panel, app) {
    this.app = app;
    this.visible = false;
    this.known = null; // the picture as the model knows it: {picture, eps, verdict, …}
    for (const [key, fallback] of [["pic", "t.17"], ["t", 500], ["way", "back"], ["mask", ""], ["go", false]]) app.store.define(key, { default: fallback });
    app.store.define("as", { default: -1, format: (label) => (label === -1 ? "" : String(label)) });
    this.build(panel);
    app.store.on(["t", "schedule"], () => this.visible && this.dissolve());
    app.store.on(["way", "mask"], () => this.visible && this.turned());
    app.store.on(["t", "as", "mask", "way", "go", ...SETTINGS], (_, changed) => {
      if (!this.visible) return;
      if (changed.has("model")) return this.source.renew();
      if (changed.has("seed")) return this.source.again();
      this.soon();
    });
    addEventListener("gallery:theme", () => { this.dissolve(); this.mask.paint(); this.strip.soon(); });
  }

  // --- what stands on the stage ------------------------------------------------------------------------------------

  build(panel) {
    const { app } = this;
    this.source = new Source(app, (known) => this.take(known));
    this.mask = new Mask(app);
    this.panes = {};
    const pane = (key, sign, below, words, about) => {
      this.panes[key] = h("canvas", { class: "dx-picture", role: "img", "aria-label": about });
      const told = (this.panes[`${key}_words`] = h("span", {}, words));
      return h("div", { class: "dx-pane" }, h("div", { class: "dx-cap" }, h("b", { class: "dx-sign" }, sign, h("sub", {}, below)), told),
        h("div", { class: "dx-frame" }, this.panes[key], key === "x_0" ? this.mask.canvas : null, key === "back" ? (this.hint = h("p", { class: "dx-hint" }, "Bring it back, and it appears here")) : null));
    };
    const panes = h("div", { class: "dx-panes" }, pane("x_0", "x", "0", "the picture", "The picture before any noise"),
      pane("x_t", "x", "t", "dissolved", "The picture dissolved up to the noise level"), pane("back", "x̂", "0", "brought back", "What the model makes of it"));
    this.readout = createReadout();
    this.mix = h("span", { class: "dx-mix" });
    this.readout.element.lastChild.replaceWith(this.mix);
    this.range = h("input", { id: "primary", class: "dx-range", type: "range", min: 0, max: 999, step: 1, "aria-label": "Noise level t", oninput: () => this.moved(Number(this.range.value)),
      onkeydown: (event) => {
        const by = { ArrowRight: 10, ArrowUp: 10, ArrowLeft: -10, ArrowDown: -10 }[event.key];
        if (!by || event.shiftKey || app.store.get("way") === "paint") return; // ten levels a press, one with Shift: a thousand are many
        event.preventDefault();
        app.store.set({ t: Math.max(0, Math.min(999, app.store.get("t") + by)) });
      } });
    this.button = h("button", { type: "button", class: "g-btn primary dx-go", onclick: () => this.press() }, "Bring it back");
    this.histogram = createHistogram();
    this.film = h("canvas", { class: "dx-film", role: "img", "aria-label": "Film of the painting" });
    this.filmbox = h("div", { class: "dx-filmrow" }, this.film);
    this.strip = new Strip(this.film, ["x_t", "x_0"], (step) => this.look(step), () => {
      const { accent, wall } = readTheme();
      return { accent, wall, soft: token("--soft") };
    });
    this.outcomes = createOutcomes(app, { title: "Brought back from each level", nameOf: (t) => `t ${t}`, choose: (t) => app.store.set({ t }), empty: "Bring the picture back once, and it is brought back from every level: how far can one go before it becomes another picture?" });
    this.stage = h("div", { class: "dx-reverse dx-fork dx-forward" }, panes, this.readout.element,
      h("div", { class: "dx-transport" }, (this.low = h("span", { class: "dx-end" })), this.range, (this.high = h("span", { class: "dx-end" })), this.button),
      h("div", { class: "dx-lower" }, this.histogram.element, this.outcomes.element, this.mask.tools, this.filmbox));
    const way = (value, text) => h("button", { type: "button", "data-value": value, onclick: () => this.change(value) }, text);
    this.ways = h("div", { class: "g-seg dx-way", role: "group", "aria-label": "The way back" }, way("back", "Dissolve and bring back"), way("paint", "Paint a part anew"));
    const facade = { ...app, store: this.overlay() };
    this.controls = createControls(facade, ["model", "label", "guidance", "steps", "seed"]);
    panel.append(this.ways, this.source.element, this.controls.element);
  }

  // "Class" is here the class of the way back, which is none unless one is chosen.
  overlay() {
    const { store } = this.app;
    const name = (key) => (key === "label" ? "as" : key);
    return {
      get: (key) => (key === undefined ? { ...store.get(), label: store.get("as") } : store.get(name(key))),
      set: (patch) => store.set(Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== "each").map(([key, value]) => [name(key), value]))),
      on: (keys, fn) => store.on(keys, fn),
    };
  }

  change(way) {
    this.empty();
    this.app.store.set({ way, go: false });
  }

  turned() {
    const painting = this.app.store.get("way") === "paint";
    for (const each of this.ways.children) each.setAttribute("aria-pressed", String(each.dataset.value === this.app.store.get("way")));
    this.stage.classList.toggle("dx-painting", painting);
    this.button.textContent = painting ? "Paint it anew" : "Bring it back";
    this.panes.x_0_words.textContent = painting ? "paint here what may change" : this.known?.title ? `the picture, ${this.known.title}` : "the picture";
    this.panes.x_t_words.textContent = painting ? "on the way" : "dissolved";
    this.panes.back_words.textContent = painting ? "painted anew" : "brought back";
    this.hint.textContent = painting ? "Mark a part of the picture, then paint it anew" : "Bring it back, and it appears here";
    [this.low.textContent, this.high.textContent] = painting ? ["noise", "painted"] : ["picture", "noise"];
    this.mask.show(painting, this.known?.picture);
    this.dissolve();
    this.scale();
  }

  // One range, two scales: the noise level, or the steps of a painting that are here.
  scale() {
    const painting = this.app.store.get("way") === "paint";
    this.range.max = String(painting ? this.painted?.steps ?? 1 : 999);
    this.range.disabled = painting && !this.painted;
    this.range.setAttribute("aria-label", painting ? "Step of the painting" : "Noise level t");
    this.filmbox.hidden = painting && !this.painted;
    if (painting) this.look(this.painted?.newest ?? 0);
  }

  moved(value) {
    if (this.app.store.get("way") === "back") this.app.store.set({ t: value });
    else this.look(value);
  }

  look(step) {
    const frame = this.painted?.at(step);
    this.range.value = String(step);
    this.range.style.setProperty("--at", `${(100 * step) / Math.max(1, this.painted?.steps ?? 1)}%`);
    if (!frame) return;
    this.range.setAttribute("aria-valuetext", `step ${frame.index} of ${this.painted.steps}`);
    paint(this.panes.x_t, frame.x_t, this.painted.about);
    paint(this.panes.back, frame.x_0, this.painted.about);
    this.strip.show(frame.index);
  }

  // --- the picture -------------------------------------------------------------------------------------------------

  async take(known) {
    await this.learnLevels();
    this.known = known;
    this.blend = new Blend(known);
    this.empty();
    this.outcomes.clear();
    this.turned();
    this.app.ready();
    if (!this.app.store.get("go")) this.app.status(this.describe(known));
    this.soon();
  }

  // alpha_bar by schedule; a model with a schedule of its own has a fourth.
  async learnLevels() {
    const { name, schedule } = this.app.config();
    const of = schedule === "trained" ? name : "";
    if (this.levelsOf === of) return;
    this.levels = await fetch(`${this.app.base}/levels?${new URLSearchParams(of ? { model: of } : {})}`).then((answer) => answer.json());
    this.levelsOf = of;
  }

  describe({ title, notes, verdict }) {
    const seen = verdict ? ` The classifier sees “${verdict.name}”, ${Math.round(100 * verdict.sure)} %.` : "";
    return `${title ? `A test picture, “${title}”, as it is.` : `Your picture: ${notes.join("; ")}.`}${seen}`;
  }

  dissolve() {
    const { app, blend, range } = this;
    const t = app.store.get("t");
    if (!blend) return;
    if (app.store.get("way") === "paint") return paint(this.panes.x_0, blend.bytes, blend.shape);
    range.max = "999";
    if (range.value !== String(t)) range.value = String(t);
    range.style.setProperty("--at", `${t / 9.99}%`);
    const alpha_bar = this.levels[app.store.get("schedule")][t];
    const x_t = blend.at(alpha_bar);
    paint(this.panes.x_0, blend.bytes, blend.shape);
    paint(this.panes.x_t, x_t, blend.shape);
    this.readout.show({ index: 0, t, alpha_bar }, 1);
    const two = (value) => value.toFixed(2);
    this.mix.replaceChildren(h("i", {}, "x", h("sub", {}, "t")), `= ${two(Math.sqrt(alpha_bar))} `, h("i", {}, "x", h("sub", {}, "0")), `+ ${two(Math.sqrt(1 - alpha_bar))} `, h("i", {}, "ε"));
    range.setAttribute("aria-valuetext", `noise level ${t}, ${(100 * alpha_bar).toFixed(1)} percent of the picture's variance left`);
    this.histogram.show(blend);
    this.outcomes.near(t);
  }

  // --- the way back ------------------------------------------------------------------------------------------------

  press() {
    if (this.app.store.get("go")) this.ask();
    else this.app.store.set({ go: true });
  }

  soon() {
    clearTimeout(this.timer);
    if (this.app.store.get("go") && this.known) this.timer = setTimeout(() => this.visible && this.ask(), SETTLE_MS);
  }

  empty() {
    this.abort?.abort();
    this.painted = this.returned = null;
    this.strip.load(null);
    this.hint.hidden = false;
    this.panes.back.classList.add("dx-empty");
  }

  body() {
    const { store } = this.app;
    return { ...Object.fromEntries(SETTINGS.map((key) => [key, store.get(key)])), label: store.get("as"), count: 1, picture: this.known.picture };
  }

  async ask() {
    const { app } = this;
    const painting = app.store.get("way") === "paint";
    if (painting && !this.mask.some()) return app.status("The mask is empty, so there is nothing to paint: mark the part of the picture that may change.", "error");
    this.abort?.abort();
    const mine = (this.abort = new AbortController());
    const take = Object.assign(new Take(), { from: app.store.get("t") });
    const body = painting ? { ...this.body(), mask: this.mask.sent() } : { ...this.body(), strength: (app.store.get("t") + 1) / 1000 };
    const current = (fn) => (data) => { if (this.abort === mine) fn(data); };
    const failed = current(({ error }) => app.status(error, "error"));
    app.status(painting ? "Painting …" : `Bringing it back from t = ${app.store.get("t")} …`, "busy");
    try {
      await listen(`${app.base}/run`, { ...body, session: app.session }, mine.signal, take, {
        step: current(() => this.soonShown(take, painting)),
        status: current((status) => { if (status.state !== "running") app.status(status.sentence, "busy"); }),
        end: current(() => this.done(take, painting)),
        failed,
      });
    } catch (fault) {
      if (fault.name !== "AbortError") failed({ error: "The connection was lost. Press the button again." });
    }
  }

  soonShown(take, painting) {
    this.due ??= requestAnimationFrame(() => {
      this.due = null;
      this.hint.hidden = true;
      this.panes.back.classList.remove("dx-empty");
      const newest = take.frames[take.newest];
      paint(this.panes.back, newest.x_0, take.about);
      if (!painting) { this.returned = take; return; }
      if (this.painted !== take) {
        this.painted = take;
        this.strip.load(take);
        this.scale();
      }
      this.look(take.newest);
    });
  }

  async done(take, painting) {
    const { app } = this;
    const { h: height, w, c } = take.about;
    const data = btoa(String.fromCharCode(...take.frames[take.steps].x_0));
    const steps = take.steps - take.first;
    const { verdicts } = await app.post("judge", { model: take.about.model, pictures: [{ w, h: height, c, data }] }).catch(() => ({ verdicts: [] }));
    const now = verdicts[0];
    const before = this.known.verdict;
    const seen = !now ? "" : now.label === before?.label ? `still “${now.name}”` : `now “${now.name}”`;
    this.panes.back_words.textContent = `${painting ? "painted anew" : "brought back"}${seen ? `: ${seen}` : ""}`;
    app.status(`${painting ? "Painted" : `Brought back from t = ${app.store.get("t")}`} in ${steps} ${steps === 1 ? "step" : "steps"}${now ? `; the classifier sees “${now.name}”, ${Math.round(100 * now.sure)} %, and saw “${before.name}”` : ""}.`);
    if (!painting) this.compare();
  }

  // From every level at once: how far can one go before it becomes another picture?
  async compare() {
    const body = this.body();
    const asked = JSON.stringify(body);
    if (asked === this.compared && this.outcomes.element.querySelector(".dx-tile")) return this.outcomes.near(this.app.store.get("t"));
    this.compared = asked;
    const asking = this.outcomes.ask("backs", body, LEVELS, this.known.verdict?.label);
    this.outcomes.near(this.app.store.get("t"));
    if (!(await asking)) this.compared = "";
  }

  /** The picture on its way into the noise and, once it has been, on its way back; or the painting. */
  keep() {
    const { blend, painted } = this;
    if (!blend) return null;
    const { model, t, schedule } = this.app.store.get();
    const returned = this.returned?.from === t ? this.returned : null;
    const name = `${model.split("/").pop()}-${this.app.store.get("way")}`;
    if (this.app.store.get("way") === "paint") {
      if (!painted) return null;
      return pictureFilm({
        name, shape: blend.shape, count: painted.newest - painted.first + 1, seconds: seconds(painted.steps),
        panes: [{ words: () => "on the way", bytes: (index) => painted.at(painted.first + index).x_t }, { words: () => "what the network believes", bytes: (index) => painted.at(painted.first + index).x_0 }],
        line: (index) => placeIn(painted, painted.first + index),
        still: () => strip(painted, [{ sign: "xₜ", bytes: (step) => painted.frames[step].x_t }, { sign: "x̂₀", bytes: (step) => painted.frames[step].x_0 }]),
      });
    }
    const out = Math.max(2, Math.round((t / 999) * OUT));
    const level = (index) => Math.round((t * index) / (out - 1));
    const back = (index) => returned.at(returned.first + index - out);
    return pictureFilm({
      name: `${name}-from-t-${t}`, shape: blend.shape, count: out + (returned ? returned.newest - returned.first + 1 : 0), seconds: (1 + out / OUT) * (returned ? 3 : 1.5),
      panes: [{ words: (index) => (index < out ? "dissolving" : "on its way back"), bytes: (index) => (index < out ? blend.at(this.levels[schedule][level(index)]) : back(index).x_t) },
        { words: (index) => (index < out ? "the picture" : "what the network believes"), bytes: (index) => (index < out ? blend.bytes : back(index).x_0) }],
      line: (index) => (index < out ? `t ${level(index)}` : placeIn(returned, returned.first + index - out)),
      still: () => this.still(name, returned),
    });
  }

  // The three panes as they stand.
  still(name, returned) {
    const { blend } = this;
    const { t, schedule } = this.app.store.get();
    const panes = [["the picture", () => blend.bytes], [`dissolved, t ${t}`, () => blend.at(this.levels[schedule][t])], ["brought back", () => returned.at(returned.steps).x_0]];
    return pictureFilm({ name, shape: blend.shape, count: 1, seconds: 1, line: () => "",
      panes: panes.slice(0, returned ? 3 : 2).map(([words, bytes]) => ({ words: () => words, bytes })) }).still();
  }

  async show() {
    this.visible = true;
    await (this.dressed ??= Promise.all([stylesheet(new URL("./branch.css", import.meta.url)), stylesheet(new URL("./forward.css", import.meta.url)), stylesheet(new URL("../common/own.css", import.meta.url))]));
    if (!this.visible) return; // left while it was dressing
    this.source.enter();
    if (this.known) this.turned();
  }

  hide() {
    this.visible = false;
    clearTimeout(this.timer);
    this.abort?.abort();
    this.outcomes.stop();
    this.compared = "";
    this.source.leave();
  }
}

export default function mount(panel, app) {
  const tool = new Forward(panel, app);
  window.__diffusion.forward = tool;
  return { stage: tool.stage, show: () => tool.show(), hide: () => tool.hide(), keep: () => tool.keep() };
}
