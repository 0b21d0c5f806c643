// The game as a graph: noise -> G -> samples; data and samples -> D -> verdicts -> two losses -> gradients back. Every part
// shows what it holds at this moment, and lights up in its phase of a round.

import { h, put } from "../common/dom.js";
import { tip } from "../common/tip.js";
import { shades } from "./board.js";
import { drawn, lay, waysOf } from "./graph-lay.js";
import { cellsOf, judged, judgedBySurface, paintData, paintMesh, paintNoise, paintSamples, paintSpark, paintSurface, paintVerdicts } from "./graph-paint.js";
import { tokens } from "./ink.js";
import { PROBABILITY } from "./rules.js";

export const PARTS = ["noise", "generator", "samples", "data", "discriminator", "verdicts", "loss_d", "loss_g"];

const REMEMBERED = 60; // values of a loss in its small curve
const JUDGED = 700; // real points whose verdicts are counted
const STRONGER = 1.7;

// names: [word, sign], the longest that the card has room for is shown. says: for those who hear the page.
const TOLD = {
  noise: { names: [["noise", "z"]], says: "Noise z: drawn at random", tip: "Noise z: random numbers, drawn anew in every round. They are all that G is given." },
  generator: { names: [["Generator", "G"], ["", "G"]], says: "Generator G: bends noise into points", tip: "Generator G: a small network that makes a point of every z. The grid is a square grid of noise, as G has bent it." },
  samples: { names: [["samples", "G(z)"], ["samples", ""], ["", "G(z)"]], says: "Samples G(z): what the generator makes", tip: "Samples G(z): what G makes of the noise. G never sees a real point: it learns only from what D says of these." },
  data: { names: [["real data", "x"], ["data", "x"], ["", "x"]], says: "Real data x: what the generator is to imitate", tip: "Real data x: what G is to imitate. Only D is shown these points." },
  discriminator: { names: [["Discriminator", "D"], ["Discriminator", ""], ["", "D"]], says: "Discriminator D: tells real from generated", tip: "Discriminator D: a small network that says of any place how real a point there looks. Blue: real; red: generated; along the line it cannot tell." },
  verdicts: { names: [["verdicts", ""]], says: "Verdicts D(x) and D(G(z)): what the discriminator says of real and of generated points", tip: "What D says of the real points (blue, upward) and of the generated ones (red, downward), from “generated” on the left to “real” on the right. Where both look alike, D cannot tell them apart." },
  loss_d: { names: [["loss of", "D"], ["loss", "D"]], says: "Loss of D:", tip: "Loss of D: small when D tells real from generated. Its gradient goes back along the lower arrow and changes D; the thicker the arrow, the larger it is." },
  loss_g: { names: [["loss of", "G"], ["loss", "G"]], says: "Loss of G:", tip: "Loss of G: small when D takes the samples for real. Its gradient comes back through D and changes G, the upper arrow; the thicker the arrow, the larger it is." },
};

// What is at work in each phase: parts, and the ways between them.
const PHASES = {
  noise: [["noise"], []],
  generate: [["generator", "samples"], ["z", "made"]],
  judge: [["data", "samples", "discriminator", "verdicts"], ["real", "fake", "judged"]],
  d_loss: [["verdicts", "loss_d"], ["to_d"]],
  d_learn: [["loss_d", "discriminator"], ["back_d"]],
  g_judge: [["samples", "discriminator", "verdicts"], ["fake", "judged"]],
  g_loss: [["verdicts", "loss_g"], ["to_g"]],
  g_learn: [["loss_g", "generator", "samples"], ["back_g", "made"]],
};
const LEARNED = ["d_learn", "g_judge", "g_loss", "g_learn"]; // phases in which D is the one after its update
const KNOWN_D = ["d_loss", ...LEARNED], KNOWN_G = ["g_loss", "g_learn"]; // in which a player's gradient has been found
const ONLY_FAKE = ["g_judge", "g_loss", "g_learn"]; // in which D is asked about generated points alone

const svg = (name, attributes) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

export class Graph {
  /** over(part|null): the pointer or the keyboard is on a part, or it is held by a click. */
  constructor({ over }) {
    Object.assign(this, { over, look: null, real: null, round: null, now: null, hovered: null, focused: null, held: null, said: null });
    this.history = []; // [step, loss of D, loss of G]
    this.cards = Object.fromEntries(PARTS.map((part) => [part, this.card(part)]));
    this.edges = svg("svg", { class: "gg-edges", "aria-hidden": "true" });
    this.ways = {};
    this.sheet = document.createElement("canvas");
    this.element = h("div", { class: "gg", role: "group", "aria-label": "The game as a graph" }, this.edges, ...PARTS.map((part) => this.cards[part].element));
    new ResizeObserver(() => this.measure()).observe(this.element);
    document.fonts.addEventListener("loadingdone", () => this.measure()); // names are chosen by their width
  }

  card(part) {
    const canvas = h("canvas", { class: "gg-picture", "aria-hidden": "true" });
    const name = h("span", { class: "gg-name", "aria-hidden": "true" });
    const loss = part.startsWith("loss");
    const number = loss && h("b", { class: "gg-number" }, "–");
    const element = h("button", {
      type: "button", class: "gg-part g-tipped", "data-part": part, "aria-pressed": "false", ...tip(TOLD[part].tip),
      onpointerenter: (event) => event.pointerType !== "touch" && this.points({ hovered: part }),
      onpointerleave: () => this.points({ hovered: null }),
      onfocus: (event) => event.target.matches(":focus-visible") && this.points({ focused: part }),
      onblur: () => this.points({ focused: null }),
      onkeydown: (event) => event.key === "Escape" && this.points({ held: null }),
      onclick: () => this.points({ held: this.held === part ? null : part }),
    }, name, h("span", { class: "gg-says" }, TOLD[part].says), number, canvas);
    return { element, canvas, name, number };
  }

  // --- what is handed in ---------------------------------------------------------------------------------------------------

  data(real) {
    this.real = real;
    this.history = [];
    this.judgedCells = null;
    this.soon();
  }

  show(look) {
    this.look = look;
    if (!look) {
      this.history = [];
      return this.soon();
    }
    while (this.history.length && this.history.at(-1)[0] >= look.step) this.history.pop();
    this.history.push([look.step, look.loss_d ?? NaN, look.loss_g ?? NaN]);
    if (this.history.length > REMEMBERED) this.history.shift();
    this.soon();
  }

  phase(name, round = null) {
    if (name === this.now && round === this.round) return;
    Object.assign(this, { now: name, round });
    const [parts, ways] = PHASES[name] ?? [[], []];
    this.element.dataset.phase = name ?? "";
    for (const part of PARTS) this.cards[part].element.classList.toggle("lit", parts.includes(part));
    for (const [way, { group }] of Object.entries(this.ways)) group.classList.toggle("lit", ways.includes(way));
    this.soon();
  }

  theme() {
    this.ink = null;
    this.soon();
  }

  points(change) {
    Object.assign(this, change);
    if ("held" in change) for (const part of PARTS) this.cards[part].element.setAttribute("aria-pressed", String(part === this.held));
    const part = this.hovered ?? this.focused ?? this.held;
    if (part !== this.said) this.over((this.said = part));
  }

  // --- places --------------------------------------------------------------------------------------------------------------

  measure() {
    const [w, height] = [this.element.clientWidth, this.element.clientHeight];
    this.plan = null; // hidden: nothing is painted
    if (!w || !height) return;
    this.ink ??= this.colours();
    this.plan = lay(w, height);
    this.element.style.setProperty("--gg-font", `${this.plan.font}px`);
    this.element.style.setProperty("--gg-head", `${this.plan.head}px`);
    for (const part of PARTS) {
      const { x, y, w: wide, h: tall } = this.plan.cards[part];
      Object.assign(this.cards[part].element.style, { left: `${x}px`, top: `${y}px`, width: `${wide}px`, height: `${tall}px` });
      this.called(part);
    }
    this.route(w, height);
    this.resized = true;
    this.soon();
  }

  called(part) {
    const { name } = this.cards[part];
    for (const [word, sign] of TOLD[part].names) {
      name.replaceChildren(word && sign ? `${word} ` : word, ...(sign ? [h("i", {}, sign)] : []));
      if (name.scrollWidth <= name.clientWidth) return;
    }
  }

  route(w, height) {
    const ways = waysOf(this.plan);
    const [, lit] = PHASES[this.now] ?? [[], []];
    this.edges.setAttribute("viewBox", `0 0 ${w} ${height}`);
    this.edges.replaceChildren();
    for (const [way, corners] of Object.entries(ways)) {
      const [line, flow, head] = [svg("path", { class: "gg-line" }), svg("path", { class: "gg-flow" }), svg("path", { class: "gg-head" })];
      const group = svg("g", { class: `gg-way${lit.includes(way) ? " lit" : ""}`, "data-way": way });
      group.append(line, flow, head);
      this.edges.append(group);
      this.ways[way] = { corners, group, line, flow, head, width: 0 };
      if (!way.startsWith("back")) this.widen(way, 1.75);
      else this.ways[way].label = this.label(corners, group);
    }
  }

  // On its lane, with room for the longest number, so that the words stand still.
  label([, [x0, y], [x1]], group) {
    const { font } = this.plan;
    const wide = 8.6 * font;
    const left = (x0 + x1 - wide) / 2;
    const text = svg("text", { x: left + 0.4 * font, y: y + 0.35 * font, class: "gg-gradient" });
    const number = svg("tspan", { class: "gg-norm", dx: 5 });
    text.append("gradient", number);
    group.append(svg("rect", { x: left, y: y - 0.6 * font, width: wide, height: 1.2 * font, class: "gg-gap" }), text);
    return number;
  }

  widen(way, width) {
    const edge = this.ways[way];
    if (Math.abs(edge.width - width) < 0.15) return;
    edge.width = width;
    const { line, head } = drawn(edge.corners, width);
    edge.line.setAttribute("d", line);
    edge.flow.setAttribute("d", line);
    edge.head.setAttribute("d", head);
    edge.group.style.setProperty("--wide", `${width.toFixed(2)}px`);
  }

  colours() {
    const ink = tokens();
    const style = getComputedStyle(document.body);
    // The board's colours, stronger: a surface as small as this has nothing drawn over it.
    const ramp = shades(ink).map((value, i) => (i % 4 === 3 ? value : ink.rgb.wall[i % 4] + STRONGER * (value - ink.rgb.wall[i % 4])));
    return { ...ink, maths: style.getPropertyValue("--maths").trim() || "serif", ramp };
  }

  // --- painting ------------------------------------------------------------------------------------------------------------

  soon() {
    this.due ||= requestAnimationFrame(() => { this.due = 0; this.paint(); });
  }

  /** What there is to see: of the look, or of the round that is taken apart. */
  view() {
    const { look, round, now } = this;
    if (!round) return { z: drawnNoise(look), samples: look?.samples, real: this.real?.points, surface: look?.surface, side: look?.side, scale: look, loss_d: look?.loss_d, loss_g: look?.loss_g };
    const learned = LEARNED.includes(now);
    return {
      z: round.z, samples: { noise: look?.samples, g_learn: round.moved }[now] ?? round.fake, real: round.real, scale: round, side: round.side, surface: learned ? round.learned : round.before,
      verdicts: learned ? [round.real_after, round.fake_after] : [round.real_before, round.fake_before],
      loss_d: KNOWN_D.includes(now) ? round.loss_d : null, loss_g: KNOWN_G.includes(now) ? round.loss_g : null,
    };
  }

  paint() {
    if (!this.plan) return;
    const fresh = !this.ink || this.resized;
    this.ink ??= this.colours();
    this.resized = false;
    const { ink, look } = this;
    const view = this.view();
    const draw = (part, sources, paint) => this.draw(part, sources, paint, fresh);
    draw("noise", [view.z], (g, box) => paintNoise(g, box, ink, view.z));
    draw("data", [view.real], (g, box) => paintData(g, box, ink, view.real));
    draw("samples", [view.samples], (g, box) => paintSamples(g, box, ink, view.samples));
    draw("generator", [look?.mesh], (g, box) => paintMesh(g, box, ink, look.mesh, look.meshShape));
    draw("discriminator", [view.surface], (g, box) => paintSurface(g, box, ink, view.surface, view.side, this.sheet));
    draw("verdicts", [view.surface, view.real, view.samples, view.verdicts?.[0], ONLY_FAKE.includes(this.now)], (g, box) => paintVerdicts(g, box, ink, this.histograms(view)));
    for (const [part, at, colour] of [["loss_d", 1, ink.ink], ["loss_g", 2, ink.fake]]) {
      put(this.cards[part].number, inShort(view[part]));
      draw(part, [look ?? undefined], (g, box) => paintSpark(g, box, colour, this.history.map((entry) => entry[at])));
    }
    this.gradients(look);
  }

  /** Paint a card again if anything of what it is painted from is another thing; nothing while a source is missing. */
  draw(part, sources, paint, fresh) {
    const card = this.cards[part];
    if (!fresh && card.sources && sources.every((source, i) => source === card.sources[i])) return;
    card.sources = sources;
    const { canvas } = card;
    if (fresh) {
      const ratio = Math.min(2, window.devicePixelRatio || 1);
      card.box = { w: canvas.clientWidth, h: canvas.clientHeight, font: this.plan.font };
      canvas.width = Math.round(card.box.w * ratio);
      canvas.height = Math.round(card.box.h * ratio);
      canvas.getContext("2d").scale(ratio, ratio);
    }
    const g = canvas.getContext("2d");
    g.clearRect(0, 0, card.box.w, card.box.h);
    if (sources[0] !== undefined) paint(g, card.box);
  }

  histograms({ surface, side, real, samples, verdicts, scale }) {
    const ends = PROBABILITY.has(scale.loss) ? ["0", "1"] : [short(scale.low), short(scale.high)];
    if (verdicts) return { real: judged(verdicts[0], scale.low, scale.high), fake: judged(verdicts[1], scale.low, scale.high), faint: ONLY_FAKE.includes(this.now), ends };
    if (real) this.judgedCells ??= cellsOf(real, side, JUDGED);
    return { real: judgedBySurface(real ? this.judgedCells : [], surface), fake: judgedBySurface(cellsOf(samples, side, samples.length), surface), ends };
  }

  /** How long each gradient is; of a step that is taken apart, from the phase on in which it is known. */
  gradients(look) {
    const after = this.round?.look;
    const known = (phases) => (after ? (phases.includes(this.now) ? after : null) : look?.step ? look : null);
    const [norm_d, norm_g] = [known(KNOWN_D)?.norm_d, known(KNOWN_G)?.norm_g];
    for (const [way, norm] of [["back_d", norm_d], ["back_g", norm_g]]) {
      this.widen(way, thickness(norm));
      const words = inShort(norm);
      if (this.ways[way].label.textContent !== words) this.ways[way].label.textContent = words;
    }
  }
}

// From a hair at 0.0003 to seven pixels at 30: every factor of ten is 1.25 pixels.
const thickness = (norm) => (norm == null ? 1.5 : Math.max(0.75, Math.min(7, 0.75 + 1.25 * (Math.log10(Math.max(norm, 1e-9)) + 3.5))));

function inShort(value) {
  if (value == null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = size >= 1e5 || (size > 0 && size < 5e-4) ? value.toExponential(0).replace("e+", "e") : value.toFixed(size < 10 ? 3 : size < 100 ? 2 : size < 1000 ? 1 : 0);
  return text.replaceAll("-", "−");
}

const short = (value) => (value == null ? "" : value.toFixed(Math.abs(value) < 10 ? 1 : 0).replace("-", "−"));

// Before a round is taken apart nobody has told the page which noise was drawn: draws of the same kind stand for it.
const standing = {};

function drawnNoise(look) {
  if (!look) return undefined;
  const [kind, line] = [look.z_kind ?? "normal", look.meshShape[1] === 1];
  return (standing[`${kind} ${line}`] ??= draws(kind, line));
}

function draws(kind, line) {
  let seed = 20140610;
  const uniform = () => { // mulberry32
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const one = () => (kind === "uniform" ? 2 * uniform() - 1 : Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
  return Float32Array.from({ length: 320 }, (_, i) => (line && i % 2 ? 0 : one()));
}
