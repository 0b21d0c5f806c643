// All of the probability as one bar, token beside token from the likeliest on, and the number u that falls on it.

import { h, put } from "../common/dom.js";
import { sharp } from "../common/sheet.js";
import { readTheme } from "../common/theme.js";

const FALL_MS = 260;
const NAMED = 34; // pixels that a part needs to be named
const CAPTION = "All tokens laid end to end: where a number u falls, that one is drawn";
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export function createCumulated() {
  const canvas = h("canvas", { class: "lx-cumulated", role: "img", "aria-label": "Probabilities after the settings, one beside the other" });
  const caption = h("span", {}, CAPTION);
  let theme = readTheme(), width = 0, height = 0, context = null, needle = null, held = null;

  function measure() {
    const box = canvas.getBoundingClientRect();
    if (!box.width || (Math.round(box.width) === width && Math.round(box.height) === height)) return;
    [width, height] = [Math.round(box.width), Math.round(box.height)];
    context = sharp(canvas, width, height, true);
  }

  function paint({ view, vocabulary }) {
    held = { view, vocabulary };
    if (!context) measure();
    if (!context) return;
    const top = 8, tall = height - top;
    context.clearRect(0, 0, width, height);
    context.font = `500 13px ${theme.mono}`;
    context.textBaseline = "middle";
    let low = 0, odd = false;
    for (let place = 0; place < view.q.length && low < 1; place++) {
      const q = view.q[place];
      if (view.cut[place] || q === 0) continue;
      const x = low * width, w = q * width;
      low += q;
      odd = !odd;
      if (w < 0.75) { // too many and too thin to tell apart: the rest is one shade
        context.globalAlpha = 0.4;
        context.fillStyle = theme.accent;
        context.fillRect(x, top, width - x, tall);
        break;
      }
      context.globalAlpha = odd ? 1 : 0.62;
      context.fillStyle = theme.accent;
      context.fillRect(x, top, Math.max(0.5, w - (w > 3 ? 1 : 0)), tall);
      if (w > NAMED) name(vocabulary.shown(view.order[place]), x, w, top + tall / 2, odd);
    }
    context.globalAlpha = 1;
    if (needle) drop(top, tall);
  }

  function name(text, x, w, y, solid) {
    context.globalAlpha = 1;
    context.fillStyle = solid ? theme.onAccent : theme.ink;
    if (!solid) { // on the paler shade the ink is read
      context.fillStyle = theme.wall;
      context.globalAlpha = 0.45;
      context.fillRect(x, 8, w - 1, height - 8);
      context.globalAlpha = 1;
      context.fillStyle = theme.ink;
    }
    let short = text;
    while (short.length > 1 && context.measureText(short).width > w - 10) short = short.slice(0, -1);
    if (context.measureText(short).width > w - 8) return;
    context.fillText(short === text ? short : `${short.slice(0, -1)}…`, x + 5, y);
  }

  function drop(top, tall) {
    const done = still() ? 1 : Math.min(1, (performance.now() - needle.began) / FALL_MS);
    const x = Math.min(width - 1, Math.max(1, needle.u * width)), y = (done * done - 1) * tall;
    context.fillStyle = context.strokeStyle = theme.ink;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x - 6, y);
    context.lineTo(x + 6, y);
    context.lineTo(x, y + 9);
    context.fill();
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x, y + tall + top);
    context.stroke();
    if (done < 1) requestAnimationFrame(() => held && paint(held));
  }

  return {
    element: h("div", { class: "lx-strip" }, caption, canvas), paint,
    /** u: where it falls, null for none. words: of it, above the bar. */
    needle(u, words = CAPTION) {
      needle = u === null ? null : { u, began: performance.now() };
      put(caption, words);
    },
    resize() { context = null; width = 0; if (held) paint(held); },
    theme() { theme = readTheme(); if (held) paint(held); },
  };
}
