// What a tool shows, as a film that can be taken home: its panes side by side, large, with words above and below.
//
//   {name, count, seconds, grey, sides: {film, gif}, painter(side) -> {canvas, g, draw(index)}, still() -> canvas}

import { h } from "../common/dom.js";
import { readTheme } from "../common/theme.js";
import { mosaic } from "./mosaic.js";

const TILE = 128; // pixels of a strip's tile, about
const TILES = 12;
const sidesOf = (panes) => (panes > 2 ? { film: 384, gif: 224 } : { film: 512, gif: 288 }); // pixels of a pane, about

const even = (value) => 2 * Math.ceil(value / 2); // as video encoders want it

export function sheet(width, height) {
  const canvas = h("canvas", {});
  [canvas.width, canvas.height] = [even(width), even(height)];
  const g = canvas.getContext("2d", { willReadFrequently: true, alpha: false });
  g.fillStyle = readTheme().wall;
  g.fillRect(0, 0, canvas.width, canvas.height);
  return { canvas, g };
}

/** Words within `width` pixels: a heading of a pane, or the line below them all. */
export function write(g, words, x, y, width, size, { weight = 500, colour = readTheme().ink, mono = false, align = "left" } = {}) {
  const theme = readTheme();
  g.fillStyle = colour;
  g.textAlign = align;
  g.textBaseline = "middle";
  do g.font = `${weight} ${size}px ${mono ? theme.mono : theme.text}`; while (g.measureText(words).width > width && --size > 7);
  g.fillText(words, align === "center" ? x + width / 2 : x, y);
}

/** Pictures of the model, enlarged to whole squares. panes: [{words(index), bytes(index)}]; line(index): below them. */
export function pictureFilm({ name, shape, count, seconds, panes, line, still }) {
  const painter = (side) => {
    const one = mosaic(panes[0].bytes(0), shape);
    const scale = Math.max(1, Math.ceil(side / Math.max(one.width, one.height)));
    const [w, tall] = [one.width * scale, one.height * scale];
    const edge = Math.round(side / 24);
    const [gap, head, foot] = [edge, Math.round(side / 10), Math.round(side / 8)];
    const { canvas, g } = sheet(panes.length * (w + gap) - gap + 2 * edge, head + tall + foot);
    const wall = readTheme().wall;
    return { canvas, g, draw(index) {
      g.fillStyle = wall;
      g.fillRect(0, 0, canvas.width, canvas.height);
      g.imageSmoothingEnabled = false;
      panes.forEach(({ words, bytes }, i) => {
        const x = edge + i * (w + gap);
        write(g, words(index), x, head / 2, w, Math.round(side / 19));
        const shown = bytes(index);
        if (shown) g.drawImage(mosaic(shown, shape), x, head, w, tall);
      });
      write(g, line(index), edge, head + tall + foot / 2, canvas.width - 2 * edge, Math.round(side / 17), { weight: 600, mono: true });
    } };
  };
  return { name, count, seconds, grey: shape.c === 1, sides: sidesOf(panes.length), painter, still: still ?? (() => {
    const { canvas, draw } = painter(512);
    draw(count - 1);
    return canvas;
  }) };
}

/** A run as a strip: evenly chosen steps, each row of pictures with its sign before it and the noise level below. */
export function strip(take, rows) {
  const have = take.newest - take.first + 1;
  const n = Math.min(have, TILES);
  const steps = Array.from({ length: n }, (_, i) => take.first + Math.round((i * (have - 1)) / Math.max(1, n - 1)));
  const one = mosaic(rows[0].bytes(take.first), take.about);
  const scale = Math.max(1, Math.round(TILE / Math.max(one.width, one.height)));
  const [w, tall, gap] = [one.width * scale, one.height * scale, 8];
  const [left, foot] = [44, 34];
  const { canvas, g } = sheet(left + n * (w + gap), gap + rows.length * (tall + gap) + foot);
  g.imageSmoothingEnabled = false;
  rows.forEach(({ sign, bytes }, row) => {
    const y = gap + row * (tall + gap);
    write(g, sign, 0, y + tall / 2, left, 22, { weight: 600, colour: readTheme().accent, align: "center" });
    steps.forEach((step, i) => { const shown = bytes(step); if (shown) g.drawImage(mosaic(shown, take.about), left + i * (w + gap), y, w, tall); });
  });
  steps.forEach((step, i) => write(g, step === take.steps ? "clean" : `t ${Math.round(take.frames[step].t)}`, left + i * (w + gap), canvas.height - foot / 2 - 2, w, 17, { mono: true, align: "center" }));
  return canvas;
}

/** The place in a run, for the line below: as the readout has it. */
export const placeIn = (take, step) => `${step === take.steps ? "clean" : `t ${Math.round(take.frames[step].t)}`} · step ${step} of ${take.steps}`;

export const nameOf = ({ about, steps }) => `${about.model.split("/").pop()}-${about.sampler.replace("++", "pp")}-${steps}-steps-seed-${about.seed}`;
