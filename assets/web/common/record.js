// A film into a file, in the page: an animated GIF; an MP4 by the browser's own encoder where it has one; and where it has
// none, whatever its recorder makes of the film as it plays.

import { COLOURS_MOST, GREYS, gif, indexed, paletteOf } from "./gif.js";
import { mp4 } from "./mp4.js";

const GIF_FRAMES = 60; // evenly chosen
const FPS = 30;
const REST_S = 1.6; // the last picture stays
const KEY_EVERY = 60; // frames
const BITS = 6e6; // a second: noise is what a video encoder can do least with
const WAITING = 4; // frames that the encoder may have before it
const CODEC = "avc1.42e028"; // H.264, constrained baseline, which keeps its frames in order; up to 2048 x 1024
const RECORDED = [["video/mp4;codecs=avc1.42E01E", "MP4"], ["video/mp4", "MP4"], ["video/webm;codecs=vp9", "WebM"], ["video/webm", "WebM"]];

/** Which of a film's moments become frames: at most `most`, evenly chosen, the first and the last among them. */
const evenly = (count, most) => {
  const n = Math.max(1, Math.min(count, most));
  return Array.from({ length: n }, (_, i) => Math.round((i * (count - 1)) / Math.max(1, n - 1)));
};
const breath = () => new Promise((resolve) => setTimeout(resolve)); // the page answers in between

/** film: {count, seconds, grey, painter(side), sides}. told(share) as it goes on; throws AbortError when the signal says so. */
export async function toGif(film, told, signal) {
  const { canvas, g, draw } = film.painter(film.sides.gif);
  const chosen = evenly(film.count, GIF_FRAMES);
  const pixels = (index) => { draw(index); return g.getImageData(0, 0, canvas.width, canvas.height).data; };
  const palette = film.grey ? GREYS : paletteOf(evenly(chosen.length, 8).map((i) => pixels(chosen[i])), COLOURS_MOST);
  const known = new Map();
  const frames = [];
  for (const [i, index] of chosen.entries()) {
    signal.throwIfAborted();
    const ms = i === chosen.length - 1 ? REST_S * 1000 : (film.seconds * 1000) / chosen.length;
    frames.push({ indices: indexed(pixels(index), palette, film.grey ? null : known), ms });
    told((i + 1) / chosen.length / 2);
    await breath();
  }
  return gif(frames, canvas.width, canvas.height, palette, async (share) => { signal.throwIfAborted(); told(0.5 + share / 2); await breath(); });
}

/** What a film can be saved as here: {name, save(film, told, signal) -> Blob}, or null. */
export async function filmKind() {
  const config = { codec: CODEC, width: 1056, height: 640, framerate: FPS, bitrate: BITS };
  if (window.VideoEncoder && (await VideoEncoder.isConfigSupported(config).catch(() => null))?.supported) return { name: "MP4", save: encoded };
  if (!window.MediaRecorder || !HTMLCanvasElement.prototype.captureStream) return null;
  const kind = RECORDED.find(([type]) => MediaRecorder.isTypeSupported(type));
  return kind ? { name: kind[1], save: (film, told, signal) => recorded(kind[0], film, told, signal) } : null;
}

async function encoded(film, told, signal) {
  const { canvas, draw } = film.painter(film.sides.film);
  const { width, height } = canvas;
  const chosen = evenly(film.count, Math.round(film.seconds * FPS));
  const each = film.seconds / chosen.length;
  const samples = [];
  let description = null, fault = null;
  const encoder = new VideoEncoder({
    output(chunk, about) {
      description ??= about?.decoderConfig?.description;
      const data = new Uint8Array(chunk.byteLength);
      chunk.copyTo(data);
      samples.push({ data, key: chunk.type === "key", seconds: each });
    },
    error: (error) => { fault = error; },
  });
  encoder.configure({ codec: CODEC, width, height, framerate: FPS, bitrate: BITS, avc: { format: "avc" } });
  try {
    for (const [i, index] of chosen.entries()) {
      draw(index);
      const frame = new VideoFrame(canvas, { timestamp: Math.round(i * each * 1e6) });
      encoder.encode(frame, { keyFrame: i % KEY_EVERY === 0 });
      frame.close();
      do {
        await breath();
        signal.throwIfAborted();
        if (fault) throw fault;
      } while (encoder.encodeQueueSize > WAITING);
      told((i + 1) / chosen.length);
    }
    await encoder.flush();
  } finally {
    if (encoder.state !== "closed") encoder.close();
  }
  samples.at(-1).seconds = REST_S;
  return mp4(samples, { width, height, description: new Uint8Array(ArrayBuffer.isView(description) ? description.buffer : description) });
}

// Played once, at its own pace.
async function recorded(type, film, told, signal) {
  const { canvas, draw } = film.painter(film.sides.film);
  draw(0);
  const recorder = new MediaRecorder(canvas.captureStream(FPS), { mimeType: type, videoBitsPerSecond: BITS });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  const began = performance.now();
  for (let share = 0; share < 1 + REST_S / film.seconds && !signal.aborted;) {
    share = (performance.now() - began) / 1000 / film.seconds;
    draw(Math.round(Math.min(1, share) * (film.count - 1)));
    told(share / (1 + REST_S / film.seconds));
    await new Promise((resolve) => setTimeout(resolve, 1000 / FPS));
  }
  recorder.stop();
  await stopped;
  signal.throwIfAborted();
  return new Blob(parts, { type: type.split(";")[0] });
}
