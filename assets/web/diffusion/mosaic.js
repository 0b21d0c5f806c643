// Several pictures on one canvas, side by side in a grid, at the model's own pixels; CSS enlarges them without smoothing.

const GAP = 2; // pixels of the model between two pictures
const HELD = new WeakMap(); // canvas -> the ImageData that is painted again and again

export const columnsOf = (count) => (count <= 3 ? count : Math.ceil(Math.sqrt(count)));

/** Paint `bytes`, uint8 (count, h, w, c), or the first `most` of them. shape: {count, h, w, c}. */
export function paint(canvas, bytes, { count, h, w, c }, most = count) {
  const shown = Math.min(count, most);
  const columns = columnsOf(shown);
  const rows = Math.ceil(shown / columns);
  const width = columns * (w + GAP) - GAP;
  const height = rows * (h + GAP) - GAP;
  if (canvas.width !== width || canvas.height !== height || !HELD.has(canvas)) {
    canvas.width = width;
    canvas.height = height;
    HELD.set(canvas, canvas.getContext("2d").createImageData(width, height));
  }
  const image = HELD.get(canvas);
  const out = image.data;
  for (let n = 0, from = 0; n < shown; n++) {
    const left = (n % columns) * (w + GAP);
    const top = Math.floor(n / columns) * (h + GAP);
    for (let y = 0; y < h; y++) {
      let to = ((top + y) * width + left) * 4;
      for (let x = 0; x < w; x++, from += c, to += 4) {
        out[to] = bytes[from];
        out[to + 1] = bytes[c === 3 ? from + 1 : from];
        out[to + 2] = bytes[c === 3 ? from + 2 : from];
        out[to + 3] = 255;
      }
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** A canvas of its own for pictures that stay. */
export function mosaic(bytes, shape, most) {
  const canvas = document.createElement("canvas");
  paint(canvas, bytes, shape, most);
  return canvas;
}

/** The bytes of picture `index` alone; of the first where there are not so many. */
export function one(bytes, { count, h, w, c }, index) {
  const at = index < count ? index : 0;
  return bytes.subarray(at * h * w * c, (at + 1) * h * w * c);
}

/** Where picture `index` of `count` lies on a square pane that shows them all: left, top and side, in shares of it. */
export function placeOf(index, count) {
  const columns = columnsOf(count);
  const rows = Math.ceil(count / columns);
  const side = 1 / Math.max(columns, rows);
  return { left: (1 - columns * side) / 2 + (index % columns) * side, top: (1 - rows * side) / 2 + Math.floor(index / columns) * side, side };
}

/** Which of `count` pictures lies at (x, y), in shares of such a pane; null where there is none. */
export function pictureAt(x, y, count) {
  for (let index = 0; index < count; index++) {
    const { left, top, side } = placeOf(index, count);
    if (x >= left && x < left + side && y >= top && y < top + side) return index;
  }
  return null;
}
