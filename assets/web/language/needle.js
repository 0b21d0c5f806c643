// The drawing of a token: the probabilities q laid end to end, from the likeliest down, and a needle that falls at u.
// Where it lands is the token that is written (inverse transform sampling; Devroye 1986, Non-Uniform Random Variate
// Generation, chapter II.2).

import { h } from "../common/dom.js";
import { token } from "../common/sheet.js";

const SVG = "http://www.w3.org/2000/svg";
const TOP = 17, BAR = 30, FOOT = 15; // pixels: the needle's head, the bar, the scale
export const HEIGHT = TOP + BAR + FOOT;
const LETTER = 7.3; // a letter's width at 12 px of the mono

/** The page's colours and type, as they are now: what is drawn can be saved. */
export const palette = () => ({
  ink: token("--ink"), ink2: token("--ink-2"), edge: token("--edge"), line: token("--line"), wall: token("--wall"), soft: token("--soft"),
  accent: token("--a") || token("--gpt2"), onAccent: token("--on-a"), mono: token("--mono"), text: token("--text"),
});

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value != null) element.setAttribute(name, value);
  element.append(...children.filter((child) => child != null));
  return element;
}

/** [{id, low, q}] of the tokens told of, and {id: null, low, q, count} for all others that may be drawn. */
export function segments(step) {
  const found = [];
  let low = 0;
  for (const [id, , q] of step.others) {
    if (q <= 0) continue;
    found.push({ id, low, q });
    low += q;
  }
  if (step.kept > found.length && low < 1) found.push({ id: null, low, q: 1 - low, count: step.kept - found.length });
  return found;
}

const landed = (step) => step.drawn ?? step.id;

/** In words. name(id): a token for the eye. */
export function told(step, name) {
  const u = step.u.toFixed(4);
  if (step.drawn !== undefined) return `u = ${u} fell on “${name(step.drawn)}”; “${name(step.id)}” was chosen by hand.`;
  return `u = ${u} falls on “${name(step.id)}”, which holds ${step.low.toFixed(4)} to ${Math.min(1, step.low + step.q).toFixed(4)}.`;
}

/** The bar with its needle, `width` pixels wide, as SVG nodes. */
export function bar(step, name, width, colours) {
  const hit = landed(step);
  const parts = segments(step);
  const drawn = parts.map((part) => segment(part, part.id === hit, step.u * width, name, width, colours));
  if (!parts.some(({ id }) => id === hit)) { // among the many: its own sliver
    const at = Math.min(step.u, step.low ?? step.u) * width;
    drawn.push(svg("rect", { x: at, y: TOP, width: Math.max(2, (step.q ?? 0) * width), height: BAR, fill: colours.accent }));
  }
  const x = step.u * width;
  const needle = svg("g", { class: "wr-pin" },
    svg("path", { d: `M${x - 6} 2h12l-6 11z`, fill: colours.ink }),
    svg("line", { x1: x, x2: x, y1: 8, y2: TOP + BAR + 2, stroke: colours.ink, "stroke-width": 2 }),
    svg("line", { x1: x, x2: x, y1: TOP, y2: TOP + BAR, stroke: colours.wall, "stroke-width": 2, "stroke-dasharray": "3 3" }));
  const scale = [0, 0.25, 0.5, 0.75, 1].map((at) => svg("text", { x: at * width, y: HEIGHT - 2, "text-anchor": at === 0 ? "start" : at === 1 ? "end" : "middle",
    fill: colours.ink2, "font-family": colours.mono, "font-size": 11 }, String(at)));
  return [svg("rect", { x: 0, y: TOP, width, height: BAR, rx: 4, fill: colours.soft }), ...drawn,
    svg("rect", { x: 0.5, y: TOP + 0.5, width: width - 1, height: BAR - 1, rx: 4, fill: "none", stroke: colours.edge }), ...scale, needle];
}

// pin: where the needle stands; the words make room for it where they can.
function segment({ id, low, q, count }, hit, pin, name, width, colours) {
  const x = low * width, w = q * width;
  const words = id === null ? `${count.toLocaleString("en")} more` : name(id);
  const room = Math.floor((w - 8) / LETTER);
  const short = words.length > room ? `${words.slice(0, Math.max(0, room - 1))}…` : words;
  const half = (short.length * LETTER) / 2;
  return svg("g", {},
    svg("rect", { x, y: TOP, width: Math.max(0, w), height: BAR, fill: hit ? colours.accent : id === null ? colours.soft : colours.wall, stroke: colours.edge, "stroke-width": w > 3 ? 1 : 0.4 }),
    room >= 2 ? svg("text", { x: beside(x + w / 2, half, pin, x + 4, x + w - 4), y: TOP + 20, "text-anchor": "middle", fill: hit ? colours.onAccent : id === null ? colours.ink2 : colours.ink,
      "font-family": colours.mono, "font-size": 12 }, short) : null,
    svg("title", {}, `${words}: ${low.toFixed(4)} to ${Math.min(1, low + q).toFixed(4)}`));
}

function beside(middle, half, pin, from, to) {
  if (Math.abs(pin - middle) > half + 4) return middle;
  if (pin - 6 - 2 * half >= from) return pin - 6 - half;
  return pin + 6 + 2 * half <= to ? pin + 6 + half : middle;
}

export class Needle {
  constructor() {
    this.svg = svg("svg", { role: "img", height: HEIGHT, "aria-label": "Nothing is drawn yet" });
    this.words = h("p", { class: "wr-fell" }, "Each token is drawn by a number u between 0 and 1: where it falls on the probabilities q laid end to end.");
    this.spread = h("span", { class: "wr-spread" });
    this.element = h("div", { class: "wr-needle" }, h("div", { class: "wr-said" }, this.words, this.spread), this.svg);
    this.step = null;
    this.sight = new ResizeObserver(() => { if (this.step) this.draw(); });
    this.sight.observe(this.element);
  }

  /** falls: whether the needle is seen to fall. */
  show(step, name, falls) {
    if (step === this.step) return;
    Object.assign(this, { step, name });
    if (!step) {
      this.svg.replaceChildren();
      this.spread.textContent = "";
      return;
    }
    this.words.textContent = told(step, name);
    this.spread.textContent = `${step.kept.toLocaleString("en")} ${step.kept === 1 ? "token" : "tokens"} could be drawn · entropy ${step.entropy.toFixed(2)} nats`;
    this.svg.setAttribute("aria-label", this.words.textContent);
    this.draw();
    if (falls) this.svg.querySelector(".wr-pin").animate([{ transform: "translateY(-22px)", opacity: 0 }, { transform: "none", opacity: 1 }], { duration: 140, easing: "ease-in" });
  }

  draw() {
    const width = this.svg.clientWidth || this.element.clientWidth;
    if (width) this.svg.replaceChildren(...bar(this.step, this.name, width, palette()));
  }

  destroy() { this.sight.disconnect(); }
}
