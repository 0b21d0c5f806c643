// A run to take home, made in the page of the steps that are here: an animated GIF, a PNG strip, and a film where the
// browser can record one.

import { download, h } from "../common/dom.js";
import { COLOURS, GREYS, gif, indexed } from "./gif.js";
import { mosaic } from "./mosaic.js";
import { seconds } from "./player.js";

const GIF_FRAMES = 60; // of a run, evenly chosen; the last one rests
const REST_MS = 1600;
const SIDE = 192; // pixels of one pane, about; the model's pixels stay whole squares
const STRIP_TILES = 12;
const KINDS = ["video/mp4;codecs=avc1.42E01E", "video/mp4", "video/webm;codecs=vp9", "video/webm"];

const evenly = (take, most) => {
  const have = take.newest - take.first + 1;
  const n = Math.min(have, most);
  return Array.from({ length: n }, (_, i) => take.first + Math.round((i * (have - 1)) / Math.max(1, n - 1)));
};

function painter(take) {
  const first = mosaic(take.frames[take.first].x_t, take.about);
  const scale = Math.max(1, Math.round(SIDE / Math.max(first.width, first.height)));
  const [w, hh, gap] = [first.width * scale, first.height * scale, 2 * scale];
  const canvas = h("canvas", {});
  canvas.width = 2 * w + gap;
  canvas.height = hh;
  const g = canvas.getContext("2d", { willReadFrequently: true });
  g.imageSmoothingEnabled = false;
  return {
    canvas, g,
    draw(index) {
      const frame = take.frames[index];
      g.fillStyle = "#808080";
      g.fillRect(0, 0, canvas.width, canvas.height);
      g.drawImage(mosaic(frame.x_t, take.about), 0, 0, w, hh);
      g.drawImage(mosaic(frame.x_0, take.about), w + gap, 0, w, hh);
    },
  };
}

const nameOf = (take) => `${take.about.model}-${take.about.sampler.replace("++", "pp")}-${take.steps}-steps-seed-${take.about.seed}`;

export function saveGif(take) {
  const { canvas, g, draw } = painter(take);
  const grey = take.about.c === 1;
  const chosen = evenly(take, GIF_FRAMES);
  const frames = chosen.map((index, i) => {
    draw(index);
    return { indices: indexed(g.getImageData(0, 0, canvas.width, canvas.height).data, grey), ms: i === chosen.length - 1 ? REST_MS : (seconds(take.steps) * 1000) / chosen.length };
  });
  download(gif(frames, canvas.width, canvas.height, grey ? GREYS : COLOURS), `${nameOf(take)}.gif`);
}

export function saveStrip(take) {
  const tiles = evenly(take, STRIP_TILES);
  const one = mosaic(take.frames[take.first].x_t, take.about);
  const scale = Math.max(1, Math.round(128 / one.width));
  const gap = 2 * scale;
  const canvas = h("canvas", {});
  canvas.width = tiles.length * (one.width * scale + gap) - gap;
  canvas.height = 2 * one.height * scale + gap;
  const g = canvas.getContext("2d");
  g.imageSmoothingEnabled = false;
  tiles.forEach((index, i) => ["x_t", "x_0"].forEach((name, row) => {
    g.drawImage(mosaic(take.frames[index][name], take.about), i * (one.width * scale + gap), row * (one.height * scale + gap), one.width * scale, one.height * scale);
  }));
  canvas.toBlob((blob) => download(blob, `${nameOf(take)}.png`), "image/png");
}

export const canRecord = () => Boolean(window.MediaRecorder && HTMLCanvasElement.prototype.captureStream && KINDS.some((kind) => MediaRecorder.isTypeSupported(kind)));

/** Played once into a recorder; resolves with the name of the file. */
export async function saveFilm(take) {
  const kind = KINDS.find((each) => MediaRecorder.isTypeSupported(each));
  const { canvas, draw } = painter(take);
  draw(take.first);
  const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: kind, videoBitsPerSecond: 4e6 });
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const stopped = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  const length = seconds(take.steps) * 1000;
  const began = performance.now();
  await new Promise((resolve) => {
    const tick = () => {
      const share = (performance.now() - began) / length;
      draw(take.first + Math.round(Math.min(1, share) * (take.newest - take.first)));
      if (share < 1 + 800 / length) setTimeout(tick, 33); else resolve();
    };
    tick();
  });
  recorder.stop();
  await stopped;
  const name = `${nameOf(take)}.${kind.includes("mp4") ? "mp4" : "webm"}`;
  download(new Blob(parts, { type: kind.split(";")[0] }), name);
  return name;
}

