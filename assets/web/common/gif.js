// A GIF writer (CompuServe 1990, GIF89a; Welch 1984 for its compression). Frames are bytes that are positions in a palette.

const CLEAR_AFTER = 4096; // codes: a GIF's dictionary may not grow further

function compressed(indices) {
  const out = [];
  let block = [];
  let held = 0, bits = 0;
  const put = (code, width) => {
    held |= code << bits;
    bits += width;
    while (bits >= 8) {
      block.push(held & 255);
      if (block.length === 255) { out.push(255, ...block); block = []; }
      held >>>= 8;
      bits -= 8;
    }
  };
  const clear = 256, end = 257;
  let width = 9, next = 258;
  let known = new Map();
  put(clear, width);
  let prefix = indices[0];
  for (let i = 1; i < indices.length; i++) {
    const key = (prefix << 8) | indices[i];
    const code = known.get(key);
    if (code !== undefined) { prefix = code; continue; }
    put(prefix, width);
    if (next < CLEAR_AFTER) {
      known.set(key, next);
      if (next === 1 << width && width < 12) width++;
      next++;
    } else {
      put(clear, width);
      known = new Map();
      width = 9;
      next = 258;
    }
    prefix = indices[i];
  }
  put(prefix, width);
  put(end, width);
  if (bits) block.push(held & 255);
  if (block.length) out.push(block.length, ...block);
  out.push(0);
  return out;
}

const two = (value) => [value & 255, value >> 8];

/** frames: [{indices: Uint8Array (width * height), ms}]; palette: at most 256 triples. Plays for ever. after(share) is awaited
    after each frame. */
export async function gif(frames, width, height, palette, after = () => {}) {
  const table = Array.from({ length: 256 }, (_, i) => palette[i] ?? [0, 0, 0]);
  const parts = [new TextEncoder().encode("GIF89a"), Uint8Array.from([...two(width), ...two(height), 0xf7, 0, 0]), Uint8Array.from(table.flat()),
    Uint8Array.from([0x21, 0xff, 11, ...new TextEncoder().encode("NETSCAPE2.0"), 3, 1, 0, 0, 0])];
  for (const [i, { indices, ms }] of frames.entries()) {
    parts.push(Uint8Array.from([0x21, 0xf9, 4, 4, ...two(Math.max(2, Math.round(ms / 10))), 0, 0, 0x2c, 0, 0, 0, 0, ...two(width), ...two(height), 0, 8]),
      Uint8Array.from(compressed(indices)));
    await after((i + 1) / frames.length);
  }
  parts.push(Uint8Array.from([0x3b]));
  return new Blob(parts, { type: "image/gif" });
}

// --- palettes ------------------------------------------------------------------------------------------------------

export const COLOURS_MOST = 256;
export const GREYS = Array.from({ length: 256 }, (_, i) => [i, i, i]);
const SAMPLE = 40_000; // pixels that a palette is made from
const key = (r, g, b) => (r >> 2) << 12 | (g >> 2) << 6 | b >> 2; // colours that look alike

/** At most `most` colours for the RGBA pixels of some pictures: boxes of colours, the widest cut at its middle (Heckbert 1982). */
export function paletteOf(pictures, most) {
  const stride = 4 * Math.max(1, Math.floor(pictures.reduce((sum, each) => sum + each.length / 4, 0) / SAMPLE));
  const pixels = pictures.flatMap((rgba) => Array.from({ length: Math.ceil(rgba.length / stride) }, (_, i) => [rgba[i * stride], rgba[i * stride + 1], rgba[i * stride + 2]]));
  const boxes = [boxOf(pixels)];
  while (boxes.length < most) {
    const widest = boxes.reduce((best, each) => (each.worth > best.worth ? each : best));
    if (!widest.worth) break; // fewer colours than there is room for
    const { pixels: inside, axis } = widest;
    inside.sort((a, b) => a[axis] - b[axis]);
    let cut = inside.length >> 1;
    const value = inside[cut][axis];
    cut = inside.findIndex((each) => each[axis] >= value) || inside.findIndex((each) => each[axis] > value); // equal colours stay together
    boxes.splice(boxes.indexOf(widest), 1, boxOf(inside.slice(0, cut)), boxOf(inside.slice(cut)));
  }
  return boxes.map(({ pixels: inside }) => [0, 1, 2].map((axis) => Math.round(inside.reduce((sum, each) => sum + each[axis], 0) / inside.length)));
}

function boxOf(pixels) {
  const spans = [0, 1, 2].map((axis) => {
    let low = 255, high = 0;
    for (const each of pixels) { low = Math.min(low, each[axis]); high = Math.max(high, each[axis]); }
    return high - low;
  });
  const axis = spans.indexOf(Math.max(...spans));
  return { pixels, axis, worth: spans[axis] * Math.sqrt(pixels.length) };
}

/** Positions in the palette for RGBA pixels. known: a map that is kept from picture to picture; null where the palette is GREYS. */
export function indexed(rgba, palette, known) {
  const out = new Uint8Array(rgba.length / 4);
  for (let i = 0, j = 0; i < out.length; i++, j += 4) {
    if (!known) { out[i] = rgba[j]; continue; }
    const colour = key(rgba[j], rgba[j + 1], rgba[j + 2]);
    let at = known.get(colour);
    if (at === undefined) known.set(colour, (at = nearest(palette, rgba[j], rgba[j + 1], rgba[j + 2])));
    out[i] = at;
  }
  return out;
}

function nearest(palette, r, g, b) {
  let best = 0, least = Infinity;
  for (let i = 0; i < palette.length; i++) {
    const gap = (palette[i][0] - r) ** 2 + (palette[i][1] - g) ** 2 + (palette[i][2] - b) ** 2;
    if (gap < least) [best, least] = [i, gap];
  }
  return best;
}
