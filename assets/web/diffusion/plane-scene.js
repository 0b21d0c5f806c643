// What the plane tool shows as things stand: which views are on the stage, and what is in each.

import { T, blend } from "./plane-data.js";
import { momentAt } from "./plane-thumbs.js";

const PARTS = [0, 1, 2, 3, 4, 5, 6, 9]; // of the class colours: those that the arrows do not have
const COLOURS = { moons: [5, 1], spiral: PARTS, gaussians: PARTS, drawn: PARTS };
const WANDERS = "fresh noise at every step: it wanders";
const GLIDES = "no noise but the first: it glides";

/** The views on the stage, one or two: {what, sign, below, words, way}. way: the sampler a view stands for. */
export function views(tool, narrow) {
  const x_t = (what, words) => ({ what, sign: "x", below: "t", words });
  if (tool.drawing) return [{ what: "forward", sign: "x", below: "0", words: "your shape" }];
  if (tool.learning.running || tool.live) {
    const both = [x_t("forward", "what the network is shown"), x_t("live", "what it makes of noise so far")];
    return narrow ? both.slice(1) : both;
  }
  if (!tool.backs) return [x_t("forward", "data on its way to noise")];
  const by = tool.get("by");
  const back = tool.mode === "back";
  return [["ddpm", WANDERS], ["ddim", GLIDES]].filter(([way]) => by === "both" || by === way)
    .map(([way, words]) => ({ what: back ? way : "forward", sign: way.toUpperCase(), below: "", words: back ? words : "on its way to noise", way }));
}

/** What a pane paints of a view. */
export function sceneOf(tool, { what, way }) {
  const { shape, theme, t } = tool;
  const colours = COLOURS[tool.get("shape")]?.map((k) => theme.classes[k]) ?? theme.classes;
  const empty = { theme, colours, data: new Float32Array(0), labels: [], points: null, paths: [], chosen: [], show: tool.shows, t };
  if (tool.drawing || !shape) return empty;
  const share = t / T;
  const live = what === "live";
  const walk = live ? tool.live?.back : what === "forward" || share > tool.turn / T ? shape.forward : tool.backs?.[what];
  const thumbs = tool.thumbs[walk === shape.forward ? "forward" : what];
  const fan = tool.fan && way ? { place: tool.fan.place, paths: tool.fan[way], sheet: tool.fan.sheet, first: way === "ddim" ? 0 : 1 } : null;
  return {
    ...empty, ...fieldAt(tool, live), data: shape.data, labels: shape.labels, points: walk?.at(share) ?? null, chosen: live ? [] : tool.chosen,
    paths: tool.shows.paths && !live && walk ? tool.chosen.map((index) => pathOf(tool, index, walk, share, colours)) : [],
    thumbs: thumbs && !fan && { ...thumbs, moment: momentAt(thumbs, share) }, fan,
  };
}

// The network's field at t, and how much of the data lies about each of its places.
function fieldAt({ shape, t, live, field }, hidden) {
  const size = shape.mass.length / shape.levels.length;
  shape.massNow ??= new Float32Array(size);
  const now = hidden ? null : (live?.field ?? field)?.at(t);
  return { field: now, mass: blend(shape.levels, t, size, shape.mass, shape.massNow), side: Math.sqrt(size), reach: shape.reach };
}

// A path is drawn as far as it has been walked: upwards from the data, or down from the turn.
function pathOf({ shape }, index, walk, share, colours) {
  walk.paths ??= new Map();
  if (!walk.paths.has(index)) walk.paths.set(index, walk.path(index));
  const places = walk.paths.get(index);
  const { row } = walk.where(share);
  const back = walk !== shape.forward;
  const colour = colours[shape.labels[index] % colours.length];
  return { places, colour, from: back ? row : 0, to: back ? places.length - 1 : row, whole: back };
}

/** The `count` of a walk's first points that begin furthest from each other. */
export function apart(walk, count) {
  const place = (i) => [walk.values[2 * i], walk.values[2 * i + 1]];
  const gap = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
  const found = [0];
  while (found.length < Math.min(count, walk.n)) {
    let [best, most] = [0, -1];
    for (let i = 0; i < Math.min(24, walk.n); i++) {
      const least = Math.min(...found.map((each) => gap(place(each), place(i))));
      if (least > most) [best, most] = [i, least];
    }
    found.push(best);
  }
  return found;
}
