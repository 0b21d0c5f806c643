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

/** frames: [{indices: Uint8Array (width * height), ms}]; palette: 256 triples. Plays for ever. */
export function gif(frames, width, height, palette) {
  const parts = [new TextEncoder().encode("GIF89a"), Uint8Array.from([...two(width), ...two(height), 0xf7, 0, 0]), Uint8Array.from(palette.flat()),
    Uint8Array.from([0x21, 0xff, 11, ...new TextEncoder().encode("NETSCAPE2.0"), 3, 1, 0, 0, 0])];
  for (const { indices, ms } of frames) {
    parts.push(Uint8Array.from([0x21, 0xf9, 4, 4, ...two(Math.max(2, Math.round(ms / 10))), 0, 0, 0x2c, 0, 0, 0, 0, ...two(width), ...two(height), 0, 8]),
      Uint8Array.from(compressed(indices)));
  }
  parts.push(Uint8Array.from([0x3b]));
  return new Blob(parts, { type: "image/gif" });
}

/** A palette for RGBA pixels of a canvas, and their positions in it: greys as they are, colours in 6 x 7 x 6 levels. */
export const GREYS = Array.from({ length: 256 }, (_, i) => [i, i, i]);
export const COLOURS = Array.from({ length: 256 }, (_, i) => (i < 252 ? [Math.floor(i / 42) * 51, (Math.floor(i / 6) % 7) * 42.5 | 0, (i % 6) * 51] : [0, 0, 0]));

export function indexed(rgba, grey) {
  const out = new Uint8Array(rgba.length / 4);
  for (let i = 0, j = 0; i < out.length; i++, j += 4) {
    out[i] = grey ? rgba[j] : Math.round(rgba[j] / 51) * 42 + Math.round(rgba[j + 1] / 42.5) * 6 + Math.round(rgba[j + 2] / 51);
  }
  return out;
}
