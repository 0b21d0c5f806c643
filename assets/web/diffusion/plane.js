// In two dimensions: points of a shape dissolve, a small network learns to bring them back, and the field that it has
// learned can be seen at every level. Walks and fields are here whole; the hub is asked when there is a new one.

import { h } from "../common/dom.js";
import { stylesheet } from "../common/sheet.js";
import { Sketch, placesOf } from "../common/sketch.js";
import { unpacked, packed } from "../common/strokes.js";
import { readTheme } from "../common/theme.js";
import { sheet, write } from "./film.js";
import { Field, T, Walk, readShape, unpack } from "./plane-data.js";
import { buildPanel, buildStage } from "./plane-parts.js";
import { Learning } from "./plane-learn.js";
import { Pane } from "./plane-pane.js";
import { apart, sceneOf, views } from "./plane-scene.js";
import { inLatent, sheetOf, thumbsOf } from "./plane-thumbs.js";

const STEPS = 200; // strides of a walk, as the hub takes them
const PLAY_MS = 5000; // for the whole way
const FILMED = 151; // moments of it in a film
const LATE_MS = 100; // a longer gap between two frames was another tab, or a window that slept
const NARROW = 560; // pixels of a stage on which two planes are too small to see one learn
const FOLLOWED_FIRST = 2; // points whose paths are drawn from the beginning

class PlaneTool {
  constructor(panel, app) {
    this.app = app;
    Object.assign(this, { visible: false, t: 0, mode: "forward", shape: null, field: null, backs: null, live: null, fan: null,
      thumbs: {}, chosen: [], playing: 0, nets: new Map(), drawing: false, shows: { arrows: true, paths: true, data: true }, theme: null, loaded: "", turn: T });
    for (const [key, fallback] of [["shape", "moons"], ["by", "both"], ["level", 0], ["drawn", ""], ["net", ""], ["learn", false]]) app.store.define(key, { default: fallback });
    const on = { pick: (index) => this.toggle(index), place: (place) => this.drop(place) };
    this.panes = { first: new Pane("first", on), second: new Pane("second", on) };
    this.sketch = new Sketch((strokes, resting) => this.sketched(strokes, resting));
    this.stage = buildStage(this);
    buildPanel(this, panel);
    this.learning = new Learning(app, { frame: (frame) => this.look(frame), waiting: (text) => this.say(text, "busy"), done: (frame) => this.learned(frame), failed: (text) => this.failed(text) });
    app.store.on(["shape", "drawn", "seed", "net", "learn"], () => this.visible && this.refresh());
    app.store.on("by", () => { this.arrange(); this.decode(); });
    app.store.on("level", (state) => { if (Math.abs(state.level - this.t) >= 1) this.seek(state.level); });
    addEventListener("gallery:theme", () => { this.theme = null; this.curve.paint(); this.sketch.paint(); this.soon(); });
    new ResizeObserver(() => this.arrange()).observe(this.stage);
    addEventListener("pagehide", () => this.learning.stop());
  }

  get(key) { return this.app.store.get(key); }

  // A training goes on while another tool is open, and does not talk into it.
  say(text, kind) { if (this.visible) this.app.status(text, kind); }

  // --- what stands there, and what has to be fetched for it --------------------------------------------------------

  key() { return `${this.get("shape")} ${this.get("shape") === "drawn" ? this.get("drawn") : ""}`; }

  body() {
    const shape = this.get("shape");
    return { shape, seed: this.get("seed"), ...(shape === "drawn" ? { drawing: placesOf(this.strokes()) } : {}) };
  }

  strokes() {
    try { return unpacked(this.get("drawn")); } catch { return []; }
  }

  async refresh() {
    this.marks();
    if (this.get("shape") === "drawn" && !this.get("drawn")) return this.blank();
    const wanted = `${this.key()} ${this.get("seed")}`;
    if (wanted !== this.loaded) {
      if (this.loaded && !this.loaded.startsWith(this.key())) this.forget();
      this.loaded = wanted;
      const mine = (this.asking = Symbol(wanted));
      this.learning.stop();
      this.live = null;
      const shape = await this.app.post("plane/shape", this.body()).then(readShape, () => null);
      if (this.asking !== mine || !shape) return;
      Object.assign(this, { shape, fan: null, backs: null, thumbs: {}, mode: "forward", turn: T, chosen: apart(shape.forward, FOLLOWED_FIRST) });
      if (this.get("shape") !== "drawn") this.setDrawing(false);
      this.sketch.set(this.strokes());
      this.app.ready();
      this.greet();
      this.arrange();
      this.decode();
    }
    if (!this.get("net") && this.field && !this.learning.running) Object.assign(this, { field: null, backs: null, fan: null, mode: "forward", turn: T });
    if (this.get("net") && this.field?.net !== this.get("net")) await this.open(this.get("net"));
    else if (this.get("net") && !this.backs) await this.walk();
    else if (!this.get("net") && this.get("learn") && !this.learning.running && !this.field) this.train();
    this.marks();
  }

  // Nothing drawn yet: an empty plane to draw on.
  blank() {
    this.forget();
    this.loaded = "";
    this.asking = null;
    this.shape = null;
    this.setDrawing(true);
    this.sketch.set([]);
    this.app.ready();
    this.say("Draw any shape on the plane; then train a network on it.");
    this.arrange();
  }

  /** Another shape: what the network of the last one said is not true of it. */
  forget() {
    this.learning.stop();
    this.pause();
    Object.assign(this, { field: null, backs: null, live: null, fan: null, thumbs: {}, mode: "forward", turn: T });
    this.curve.clear(2000);
    this.meter.hidden = true;
  }

  choose(shape) {
    this.app.store.set({ shape, net: this.nets.get(`${shape} ${shape === "drawn" ? this.get("drawn") : ""}`) || "", learn: false });
  }

  async open(net) {
    const mine = this.asking;
    try {
      const answer = await this.app.post("plane/field", { net });
      if (this.asking !== mine) return;
      this.field = Object.assign(new Field(answer.levels, answer.eps), { net });
      this.nets.set(this.key(), net);
      const fresh = this.live !== null;
      if (!(await this.walk())) return;
      this.live = null;
      this.arrange();
      this.curve.before = !fresh;
      this.curve.paint();
      if (!fresh) this.say("A network that was trained before. Bring points back, or click any place on the plane.");
      if (fresh && !matchMedia("(prefers-reduced-motion: reduce)").matches) { this.t = T; this.bringBack(); }
    } catch {
      if (this.asking === mine && this.get("net") === net) this.train(); // the same seed on the same shape is the same network
    }
  }

  /** Points from the turn back to the data, by both ways. */
  async walk(turn = T) {
    const mine = this.asking;
    const k = Math.max(1, Math.round((turn / T) * STEPS));
    const answer = await this.app.post("plane/walk", { net: this.get("net"), seed: this.get("seed"), turn: k }).catch(() => null);
    if (!answer || this.asking !== mine) return false;
    this.turn = (k / STEPS) * T;
    this.backs = { ddpm: new Walk(answer.ddpm, this.turn / T), ddim: new Walk(answer.ddim, this.turn / T) };
    this.thumbs = { forward: this.thumbs.forward };
    this.arrange();
    this.decode();
    return true;
  }

  /** In the latent plane, points are drawn as what they decode to. */
  async decode() {
    if (this.get("shape") !== "latent" || !this.shape) return;
    const walks = { forward: this.shape.forward, ...(this.backs || {}) };
    for (const [name, walk] of Object.entries(walks)) {
      if (this.thumbs[name]) continue;
      const thumbs = await thumbsOf(this.app, this.shape, walk).catch(() => null);
      if (!thumbs || !Object.values({ forward: this.shape?.forward, ...(this.backs || {}) }).includes(walk)) return;
      this.thumbs[name] = thumbs;
      this.soon();
    }
  }

  // --- training ------------------------------------------------------------------------------------------------------

  train() {
    if (this.get("shape") === "drawn" && !this.get("drawn")) return this.say("Draw a shape first; the plane is empty.", "error");
    this.setDrawing(false);
    this.pause();
    Object.assign(this, { field: null, backs: null, fan: null, live: null, mode: "forward", turn: T });
    this.thumbs = { forward: this.thumbs.forward };
    this.curve.clear(2000);
    this.meter.hidden = false;
    this.meter.firstChild.style.width = "0";
    this.say("Waking the engine …", "busy");
    this.learning.start(this.body()); // before the address says so, which would start it
    this.app.store.set({ net: "", learn: true });
    this.arrange();
    this.marks();
  }

  look(frame) {
    this.live = { field: new Field(frame.levels, frame.eps), back: new Walk(frame.back) };
    this.curve.steps = frame.steps;
    this.curve.put(frame);
    this.meter.firstChild.style.width = `${(100 * frame.step) / frame.steps}%`;
    this.meter.setAttribute("aria-valuenow", String(Math.round((100 * frame.step) / frame.steps)));
    this.say(frame.step ? `Learning: step ${frame.step.toLocaleString("en")} of ${frame.steps.toLocaleString("en")}, loss ${(frame.loss ?? 1).toFixed(3)}.` : "A new network: it believes in no noise yet, and moves nothing.", "busy");
    this.soon();
  }

  async learned(frame) {
    this.nets.set(this.key(), frame.net);
    this.say(`Learned in ${frame.seconds.toFixed(0)} s: ${frame.steps.toLocaleString("en")} steps. Now bring points back.`);
    this.app.store.set({ net: frame.net, learn: false }); // refresh opens it
    this.marks();
  }

  failed(sentence, kind = "error") {
    this.live = null;
    this.app.store.set({ learn: false });
    this.say(sentence, kind);
    this.arrange();
    this.marks();
  }

  // --- moving through t ----------------------------------------------------------------------------------------------

  seek(t) {
    this.pause();
    this.go(t);
    this.rest();
  }

  go(t) {
    this.t = Math.max(0, Math.min(T, t));
    this.soon();
  }

  rest() { this.app.store.set({ level: Math.round(this.t) }); }

  pause() {
    cancelAnimationFrame(this.playing);
    this.playing = 0;
    this.marks();
  }

  play(direction) {
    if (this.playing && this.direction === direction) { this.pause(); return this.rest(); }
    this.pause();
    this.direction = direction;
    let clock = performance.now();
    const end = direction > 0 ? T : 0;
    if (direction < 0 && this.mode === "back") this.say("On the way back, each point along the arrows that it meets …");
    const tick = (now) => {
      const late = Math.min(LATE_MS, Math.max(0, now - clock));
      clock = now;
      this.go(this.t + (direction * late * T) / PLAY_MS);
      if (this.t === end) { this.pause(); this.rest(); this.arrived(); } else this.playing = requestAnimationFrame(tick);
    };
    this.playing = requestAnimationFrame(tick);
    this.marks();
  }

  arrived() {
    if (this.mode === "back" && this.t === 0) this.say(this.turn < T ? `Turned round at t = ${Math.round(this.turn)}: what was left of the data then is still in it.` : "Back on the shape, and hardly a point where it came from: what returns is new.");
  }

  dissolve() {
    if (!this.shape) return;
    if (this.playing && this.direction > 0) return this.play(1);
    if (this.t >= T) this.t = 0;
    if (this.t === 0) { this.mode = "forward"; this.arrange(); }
    this.play(1);
  }

  async bringBack() {
    if (!this.shape) return;
    if (this.playing && this.direction < 0) return this.play(-1);
    if (!this.backs && !this.live) return this.say("Nothing has been learned yet: train a network first.", "error");
    if (this.mode === "forward") {
      if (this.t <= 0) this.t = T;
      if (this.backs && Math.round(this.t) !== Math.round(this.turn) && !(await this.walk(this.t))) return;
      this.mode = "back";
      this.arrange();
    } else if (this.t <= 0) this.t = this.turn;
    this.play(-1);
  }

  // --- points that are followed ----------------------------------------------------------------------------------------

  toggle(index) {
    this.chosen = this.chosen.includes(index) ? this.chosen.filter((each) => each !== index) : [...this.chosen.slice(-7), index];
    this.soon();
  }

  another() {
    const free = Array.from({ length: this.shape?.forward.n ?? 0 }, (_, i) => i).filter((i) => !this.chosen.includes(i));
    if (free.length) this.toggle(free[Math.floor(Math.random() * free.length)]);
  }

  clear() {
    this.chosen = [];
    this.fan = null;
    this.soon();
  }

  /** Start from any place, at the level on screen. */
  async drop(place) {
    const k = Math.round((this.t / T) * STEPS);
    if (!this.field) return this.say("Train a network first; then every place has futures.");
    if (k < 1) return this.say("At t = 0 there is no noise to take away: go up in t, then click.");
    const answer = await this.app.post("plane/follow", { net: this.get("net"), x: place, k, seed: this.get("seed") }).catch(() => null);
    if (!answer) return;
    const one = unpack(answer.ddim);
    const many = unpack(answer.ddpm);
    const path = ({ values }, first, rows) => Array.from({ length: rows }, (_, row) => [values[2 * (first + row)], values[2 * (first + row) + 1]]);
    const rows = one.shape[0];
    this.fan = { place, ddim: [path(one, 0, rows)], ddpm: Array.from({ length: many.shape[0] }, (_, j) => path(many, j * rows, rows)) };
    this.say(`From here at t = ${Math.round(this.t)}: DDIM has one future, DDPM another each time.`);
    this.soon();
    if (this.get("shape") !== "latent") return;
    const fan = this.fan;
    const ends = [...fan.ddim, ...fan.ddpm].map(([end]) => inLatent(this.shape, ...end));
    fan.sheet = await sheetOf(this.app, ends).catch(() => null);
    this.soon();
  }

  // --- drawing ---------------------------------------------------------------------------------------------------------

  setDrawing(on) {
    this.drawing = on;
    this.sketch.canvas.hidden = !on;
    if (on) this.panes.first.element.querySelector(".dx-plane-box").append(this.sketch.canvas);
    this.arrange();
    this.marks();
  }

  sketched(strokes, resting) {
    if (!resting) return;
    const text = packed(strokes);
    if (strokes.length && !text) return this.say("That is more than an address can hold: draw with fewer strokes.", "error");
    this.app.store.set({ drawn: text, net: "", learn: false });
  }

  // --- painting ----------------------------------------------------------------------------------------------------------

  soon() {
    if (this.due || !this.visible) return;
    this.due = requestAnimationFrame(() => { this.due = 0; this.paint(); });
  }

  /** Which panes stand on the stage, and what each shows. */
  arrange() {
    this.shown = views(this, this.stage.clientWidth < NARROW);
    const panes = [this.panes.first, this.panes.second];
    panes.forEach((pane, i) => {
      pane.element.hidden = !this.shown[i];
      if (this.shown[i]) pane.name(this.shown[i]);
    });
    this.planes.dataset.panes = String(this.shown.length);
    for (const pane of panes) pane.measure();
    this.soon();
  }

  paint() {
    this.theme ??= readTheme();
    this.readout();
    (this.shown || []).forEach((view, i) => [this.panes.first, this.panes.second][i].show(sceneOf(this, view)));
  }

  readout() {
    const t = Math.round(this.t);
    this.range.value = String(t);
    this.range.style.setProperty("--at", `${t / 10}%`);
    this.range.style.setProperty("--have", "100%");
    const alpha = this.alpha(this.t);
    this.numbers.show(t, alpha);
    const where = t === 0 ? "the data" : t === T ? "nothing but noise" : `${Math.round(100 * alpha)} percent of the variance is data`;
    this.range.setAttribute("aria-valuetext", `t ${t} of 1000, ${where}`);
  }

  // The share of the data's variance that is left at t.
  alpha(t) {
    const alphas = this.shape?.alpha_bar;
    const place = (t / T) * STEPS;
    const low = Math.floor(place);
    return alphas ? alphas[low] + (place - low) * (alphas[Math.min(low + 1, STEPS)] - alphas[low]) : 1;
  }

  greet() {
    if (this.get("net") || this.get("learn")) return;
    const latent = this.get("shape") === "latent";
    this.say(latent ? "Codes of 10,000 handwritten digits on the plane of the first room. Dissolve them, or train a network to bring them back." : "Dissolve the points, or train a network that brings them back: about 10 seconds.");
  }

  // --- to take home ------------------------------------------------------------------------------------------------------

  /** The plane as it stands, and as it plays: away from the data, or back to it. */
  keep() {
    if (!this.shape || !this.shown?.length) return null;
    const shown = [...this.shown];
    const [from, to] = this.mode === "back" ? [this.turn, 0] : [0, T];
    const level = (index) => from + ((to - from) * index) / (FILMED - 1);
    return {
      name: `plane-${this.get("shape")}-${this.mode === "back" ? "back" : "out"}-seed-${this.get("seed")}`, grey: false,
      count: FILMED, seconds: (PLAY_MS * Math.abs(from - to)) / T / 1000, sides: { film: shown.length > 1 ? 528 : 640, gif: shown.length > 1 ? 320 : 440 },
      painter: (side) => this.filmed(shown, side, level), still: () => this.still(shown),
    };
  }

  still(shown) {
    const { canvas, draw } = this.filmed(shown, 800, () => this.t);
    draw(0);
    return canvas;
  }

  filmed(shown, side, level) {
    const [edge, head] = [Math.round(side / 32), Math.round(side / 12)];
    const panes = shown.map(() => {
      const pane = new Pane("film", {});
      pane.size(side, side, 1);
      return pane;
    });
    const { canvas, g } = sheet(edge + shown.length * (side + edge), side + 2 * head);
    return { canvas, g, draw: (index) => {
      const t = level(index);
      const then = Object.create(this, { t: { value: t } });
      g.fillStyle = then.theme.wall;
      g.fillRect(0, 0, canvas.width, canvas.height);
      shown.forEach((view, i) => {
        const x = edge + i * (side + edge);
        panes[i].show(sceneOf(then, view));
        g.drawImage(panes[i].canvas, x, head);
        g.strokeStyle = then.theme.line;
        g.strokeRect(x + 0.5, head + 0.5, side - 1, side - 1);
        write(g, `${view.sign}${{ t: "ₜ", 0: "₀" }[view.below] ?? ""}  ${view.words}`, x, head / 2, side, Math.round(side / 26));
      });
      write(g, `t ${Math.round(t)} · ᾱ ${this.alpha(t).toFixed(3)}`, edge, side + 1.5 * head, canvas.width, Math.round(side / 24), { weight: 600, mono: true });
    } };
  }

  // --- life --------------------------------------------------------------------------------------------------------------

  async show() {
    this.visible = true;
    await (this.dressed ??= stylesheet(new URL("./plane.css", import.meta.url)));
    if (!this.visible) return; // left while it was dressing
    this.t = this.get("level");
    await this.refresh();
    this.arrange();
  }

  hide() {
    this.visible = false;
    this.pause();
  }
}

export default function mount(panel, app) {
  const tool = new PlaneTool(panel, app);
  window.__diffusion.plane = tool;
  return tool;
}
