// How it goes, as curves over the steps: what D says, the losses, the gradients, and how good the points are. Rules that
// changed are marked; a game that was left behind stays as a shadow; a second game is dashed.

import { h, put } from "../common/dom.js";
import { tokens } from "./ink.js";
import { PROBABILITY, verdict } from "./rules.js";

export const CHARTS = {
  verdicts: { title: "D", name: "D says", lines: [["d_real", "real", "real", "real"], ["d_fake", "generated", "fake", "gen."]], unit: true },
  quality: { title: "", name: "Quality", lines: [["share", "modes", "ink"], ["good", "good", "fake"], ["jsd", "JSD", "ink2"]], low: 0, high: 1 },
  losses: { title: "Losses", lines: [["loss_d", "D", "real"], ["loss_g", "G", "fake"]] },
  gradients: { title: "Gradients", lines: [["norm_d", "D", "real"], ["norm_g", "G", "fake"]], log: true },
  distance: { title: "Wasserstein-1", lines: [["w1", "estimate", "ink"]], low: 0 },
};
const ROOMY = 250; // pixels of width for whole words beside their numbers
const PAD = { left: 42, right: 8, top: 24, bottom: 18 };

export class Curve {
  /** seek(step): a press on the chart. */
  constructor(kind, seek, charts = CHARTS) {
    Object.assign(this, { seek, charts, from: 0 });
    this.canvas = h("canvas", { class: "gx-curve-canvas", role: "img" });
    this.legend = h("div", { class: "gx-legend" });
    this.element = h("div", { class: "gx-curve" }, this.legend, this.canvas);
    this.choose(kind);
    this.games = [];
    const press = (event) => { if (event.buttons) this.seek(this.stepAt(event.offsetX)); };
    this.canvas.addEventListener("pointerdown", (event) => { this.canvas.setPointerCapture(event.pointerId); press(event); });
    this.canvas.addEventListener("pointermove", press);
    new ResizeObserver(() => this.measure()).observe(this.element);
  }

  choose(kind) {
    this.kind = kind;
    this.chart = this.charts[kind];
    this.named = "";
    this.soon();
  }

  measure() {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [w, tall] = [this.element.clientWidth, this.element.clientHeight];
    if (!w || !tall) return;
    Object.assign(this, { w, tall, ratio });
    this.canvas.width = w * ratio;
    this.canvas.height = tall * ratio;
    this.soon();
  }

  theme() { this.ink = null; this.named = ""; this.soon(); }

  /** games: one or two; step: that is shown; modes: how many the data has; from: the step at the left edge. */
  set(games, step, modes, from = 0) {
    Object.assign(this, { games, step, modes, from });
    this.soon();
  }

  soon() { this.due ||= requestAnimationFrame(() => { this.due = 0; this.paint(); }); }

  stepAt(x) { return Math.round(this.from + ((x - PAD.left) / Math.max(1, this.w - PAD.left - (this.right ?? PAD.right))) * ((this.last ?? 1) - this.from)); }

  value(look, key) {
    if (key !== "share") return look[key];
    return this.modes ? look.found / this.modes : null;
  }

  lines() { return this.chart.lines.filter(([key]) => (key !== "share" || this.modes) && !(this.chart.measured && this.unknown(key))); }

  // Where there is no classifier nobody is recognised.
  unknown(key) { const { looks = [] } = this.games?.[0] ?? {}; return looks.length > 0 && looks.every((look) => look[key] == null); }

  name() {
    const said = `${this.kind} ${this.modes} ${this.games.length} ${this.lines().length}`;
    if (said === this.named) return;
    this.named = said;
    this.keys = this.lines().map(([key, words, colour, brief]) => ({ key, words, brief, element: h("span", { style: `--c: ${this.ink[colour]}` }, words) }));
    this.legend.replaceChildren(...(this.chart.title ? [h("b", {}, this.chart.title)] : []), ...this.keys.map(({ element }) => element));
    this.canvas.setAttribute("aria-label", `${this.chart.name ?? this.chart.title} over the steps: ${this.lines().map(([, words]) => words).join(", ")}`);
  }

  paint() {
    if (!this.w) return;
    this.ink ??= tokens();
    this.name();
    const g = this.canvas.getContext("2d");
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.clearRect(0, 0, this.w, this.tall);
    const all = this.games.flatMap((game) => [game.looks, game.ghost?.looks ?? []]);
    this.last = Math.max(this.from + 1, ...all.map((looks) => looks.at(-1)?.step ?? 0));
    const range = this.range(all);
    const ranged = (look) => (this.probable(look) ? [0, 1] : range);
    const probable = all.flat().find((look) => this.probable(look));
    const mixed = probable && all.flat().some((look) => !this.probable(look));
    this.right = mixed ? PAD.left : PAD.right; // scores have an axis of their own beside probabilities
    const [left, right, top, bottom] = [PAD.left, this.w - this.right, PAD.top, this.tall - PAD.bottom];
    const x = (step) => left + ((right - left) * (step - this.from)) / (this.last - this.from);
    const scale = this.chart.log ? (value) => Math.log10(Math.max(value, 1e-8)) : (value) => value;
    const y = (value, look) => {
      const [low, high] = ranged(look);
      return bottom - ((bottom - top) * (scale(value) - low)) / Math.max(high - low, 1e-9);
    };
    const looks = this.games[0]?.looks ?? [];
    const here = looks.findLast((look) => look.step <= (this.step ?? 0)) ?? looks[0];
    if (this.chart.unit && here) for (const { key, words, brief, element } of this.keys) put(element, `${this.w < ROOMY ? brief : words} ${verdict(here[key], here.loss)}`);
    const [low, high] = ranged(probable ?? here);
    this.axes(g, { left, right, top, bottom, low, high });
    if (mixed) this.scores(g, right, top, bottom, range);
    if (probable) this.half(g, left, right, y(0.5, probable));
    if (!all.some((looks) => looks.some((look) => this.lines().some(([key]) => this.value(look, key) != null)))) this.empty(g, (left + right) / 2, (top + bottom) / 2);
    this.games.forEach((game, which) => {
      for (const mark of game.marks) this.mark(g, x(mark.step), top, bottom);
      if (game.ghost) this.draw(g, game.ghost.looks, x, y, [3, 3], 0.35);
      this.draw(g, game.looks, x, y, which ? [6, 4] : [], 1);
    });
    if (this.step != null && this.games[0]?.looks.length) {
      g.fillStyle = this.ink.accent;
      g.fillRect(x(Math.min(this.step, this.last)) - 1, top - 3, 2, bottom - top + 3);
    }
  }

  empty(g, x, y) {
    g.fillStyle = this.ink.ink2;
    g.font = `13px ${this.ink.text}`;
    g.textAlign = "center";
    g.textBaseline = "middle";
    g.fillText(this.games[0]?.looks.length ? "was not recorded" : "nothing yet", x, y);
  }

  // D says a probability by one loss and a score by another: each has its own scale, and its own stretch of the curve.
  probable(look) { return Boolean(this.chart.unit && look && PROBABILITY.has(look.loss)); }

  range(all) {
    const { low, high, log } = this.chart;
    const lines = this.lines();
    let [least, most] = [low ?? Infinity, high ?? -Infinity];
    for (const looks of all) {
      for (const look of looks) {
        if (this.probable(look)) continue;
        for (const [key] of lines) {
          const value = this.value(look, key);
          if (value == null) continue;
          const shown = log ? Math.log10(Math.max(value, 1e-8)) : value;
          if (low == null) least = Math.min(least, shown);
          if (high == null) most = Math.max(most, shown);
        }
      }
    }
    if (!(least < most)) return [Math.min(0, least === Infinity ? 0 : least), Math.max(1, most === -Infinity ? 1 : most)];
    const spare = (most - least) * 0.06;
    return [low ?? least - spare, high ?? most + spare];
  }

  axes(g, { left, right, top, bottom, low, high }) {
    g.strokeStyle = this.ink.line;
    g.lineWidth = 1;
    g.strokeRect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
    g.fillStyle = this.ink.ink2;
    g.font = `12px ${this.ink.mono}`;
    g.textBaseline = "middle";
    g.textAlign = "right";
    const text = (value) => (this.chart.log ? `1e${Math.round(value)}`.replace("-", "−") : short(value));
    g.fillText(text(high), left - 4, top + 6);
    g.fillText(text(low), left - 4, bottom - 6);
    g.textBaseline = "alphabetic";
    g.fillText(this.last.toLocaleString("en"), right, this.tall - 4);
    g.textAlign = "left";
    g.fillText(this.from.toLocaleString("en"), left, this.tall - 4);
  }

  scores(g, right, top, bottom, [low, high]) {
    g.fillStyle = this.ink.ink2;
    g.textAlign = "left";
    g.textBaseline = "middle";
    g.fillText(short(high), right + 4, top + 6);
    g.fillText(short(low), right + 4, bottom - 6);
    if (bottom - top > 44) g.fillText("score", right + 4, (top + bottom) / 2);
  }

  half(g, left, right, y) {
    g.strokeStyle = this.ink.ink2;
    g.setLineDash([2, 4]);
    g.beginPath();
    g.moveTo(left, y);
    g.lineTo(right, y);
    g.stroke();
    g.setLineDash([]);
    g.fillStyle = this.ink.ink2;
    g.font = `12px ${this.ink.mono}`;
    g.textAlign = "right";
    g.textBaseline = "middle";
    g.fillText("½", left - 4, y);
  }

  mark(g, x, top, bottom) {
    g.strokeStyle = this.ink.ink;
    g.lineWidth = 1.5;
    g.beginPath();
    g.moveTo(x, top);
    g.lineTo(x, bottom);
    g.stroke();
    g.fillStyle = this.ink.ink;
    g.beginPath();
    g.moveTo(x - 5, top);
    g.lineTo(x + 5, top);
    g.lineTo(x, top + 7);
    g.fill();
  }

  draw(g, looks, x, y, dash, alpha) {
    g.lineWidth = 1.8;
    g.lineJoin = "bevel";
    g.setLineDash(dash);
    g.globalAlpha = alpha;
    const every = Math.max(1, Math.floor(looks.length / Math.max(120, this.w)));
    for (const [key, , colour] of this.lines()) {
      g.strokeStyle = this.ink[colour];
      g.beginPath();
      let [pen, drawn, at] = [null, 0, null]; // of which kind the last one was, how many there were, and where the last one is
      looks.forEach((look, i) => {
        if (i % every && i !== looks.length - 1 && !look.changed.length) return;
        const value = this.value(look, key);
        if (value == null) return;
        const kind = this.probable(look);
        at = [x(look.step), y(value, look)];
        g[pen === kind ? "lineTo" : "moveTo"](...at);
        pen = kind;
        drawn++;
      });
      if (drawn === 1) g.arc(...at, 2, 0, 2 * Math.PI); // one alone makes no line
      g.stroke();
    }
    g.setLineDash([]);
    g.globalAlpha = 1;
  }
}

function short(value) {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size && size < 0.1 ? 3 : 2;
  return String(Number(value.toFixed(digits))).replace("-", "−");
}
