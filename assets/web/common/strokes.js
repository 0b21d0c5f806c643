/* A drawing as strokes: kept as a few bytes, small enough for an address, and inked on any canvas.

   A pad is 256 x 256 units. In bytes, a stroke is: one byte (bit 7: filled, bits 4-6: size of the pen, bits 0-3:
   colour), its number of points less one (one byte), and two bytes for each point. */

export const UNITS = 256;
export const SIZES = [10, 16, 22, 32, 48, 72]; // widths of the pen in units; 22 is 2.4 pixels of 28, usual in MNIST
export const MOST_BYTES = 1480; // in base64 with its "d." below the 2,000 characters that the server takes
const MOST_POINTS = 256; // of one stroke: what its count of one byte can say
const TOLERANCE = 0.5; // units by which a stroke may be straightened

// Each colour in the shades of a grey data set, and in the colours of emoji. 0 is the pen, 15 is the paper.
export const PAPER = 15;
const GREYS = { 0: 255, 1: 200, 2: 150, 3: 100, 4: 55, [PAPER]: 0 };
export const COLOURS = {
  0: "#403733", 1: "#ffca28", 2: "#fb8c00", 3: "#e53935", 4: "#8d6e63", 5: "#7cb342", 6: "#29a3dd", 7: "#7e57c2", 8: "#ff80ab",
  9: "#ffe0b2", 10: "#b0bec5", [PAPER]: "#ffffff",
};
export const COLOUR_NAMES = {
  0: "dark", 1: "yellow", 2: "orange", 3: "red", 4: "brown", 5: "green", 6: "blue", 7: "violet", 8: "pink", 9: "skin",
  10: "grey", [PAPER]: "white",
};
export const GREY_NAMES = { 0: "white", 1: "light grey", 2: "grey", 3: "dark grey", 4: "nearly black", [PAPER]: "black" };

export function shade(colour, coloured) {
  if (coloured) return COLOURS[colour] ?? COLOURS[0];
  const level = GREYS[colour] ?? 150;
  return `rgb(${level} ${level} ${level})`;
}

const clamp = (value) => Math.max(0, Math.min(UNITS - 1, Math.round(value)));

/** Fewer points, on whole units: none of the left-out ones was further than TOLERANCE from the line (Douglas and Peucker, 1973). */
export function simplified(points) {
  let kept = thinned(points, TOLERANCE);
  for (let tolerance = 1; kept.length > MOST_POINTS; tolerance *= 1.6) kept = thinned(points, tolerance);
  const whole = kept.map(([x, y]) => [clamp(x), clamp(y)]);
  return whole.filter(([x, y], i) => !i || x !== whole[i - 1][0] || y !== whole[i - 1][1]);
}

function thinned(points, tolerance) {
  if (points.length < 3) return points;
  const keep = new Uint8Array(points.length);
  keep[0] = keep[points.length - 1] = 1;
  const spans = [[0, points.length - 1]];
  while (spans.length) {
    const [from, to] = spans.pop();
    let far = tolerance, at = -1;
    for (let i = from + 1; i < to; i++) {
      const distance = offLine(points[i], points[from], points[to]);
      if (distance > far) { far = distance; at = i; }
    }
    if (at > 0) { keep[at] = 1; spans.push([from, at], [at, to]); }
  }
  return points.filter((_, i) => keep[i]);
}

function offLine([x, y], [ax, ay], [bx, by]) {
  const dx = bx - ax, dy = by - ay, square = dx * dx + dy * dy;
  const t = square ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / square)) : 0;
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

/** Strokes -> base64url without padding, or "" where they are too many for an address. */
export function packed(strokes) {
  const bytes = [];
  for (const { fill, size, colour, points } of strokes) {
    bytes.push((fill ? 128 : 0) | (size << 4) | colour, points.length - 1);
    for (const [x, y] of points) bytes.push(x, y);
  }
  if (!bytes.length || bytes.length > MOST_BYTES) return "";
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** The other way round; throws where the text is no drawing. */
export function unpacked(text) {
  const bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const strokes = [];
  for (let at = 0; at < bytes.length;) {
    const head = bytes[at], count = bytes[at + 1] + 1, end = at + 2 + 2 * count;
    if (!(end <= bytes.length)) throw new RangeError("the drawing is cut short");
    const points = [];
    for (let i = at + 2; i < end; i += 2) points.push([bytes[i], bytes[i + 1]]);
    strokes.push({ fill: head > 127, size: Math.min((head >> 4) & 7, SIZES.length - 1), colour: head & 15, points });
    at = end;
  }
  return strokes;
}

/** Ink strokes on a context. place(x, y) -> position on the canvas; pen(width in units) -> width on the canvas. */
export function ink(context, strokes, coloured, place, pen) {
  context.lineCap = context.lineJoin = "round";
  for (const { fill, size, colour, points } of strokes) {
    context.strokeStyle = context.fillStyle = shade(colour, coloured);
    context.lineWidth = pen(fill ? 4 : SIZES[size]);
    context.beginPath();
    points.forEach(([x, y], i) => (i ? context.lineTo(...place(x, y)) : context.moveTo(...place(x, y))));
    if (points.length === 1) context.lineTo(...place(points[0][0] + 0.01, points[0][1]));
    if (fill) { context.closePath(); context.fill(); }
    context.stroke();
  }
}

/** The smallest box around the ink, half a pen's width included: [x0, y0, x1, y1] in units; null where there is none. */
export function extent(strokes) {
  let box = null;
  for (const { fill, size, colour, points } of strokes) {
    if (colour === PAPER) continue;
    const r = (fill ? 4 : SIZES[size]) / 2;
    for (const [x, y] of points) {
      box ??= [x - r, y - r, x + r, y + r];
      box = [Math.min(box[0], x - r), Math.min(box[1], y - r), Math.max(box[2], x + r), Math.max(box[3], y + r)];
    }
  }
  return box;
}

const SENT = 224; // pixels of the picture that is sent: eight for each of the 28
const BOX = 160; // the longest side of a digit in it: eight for each of MNIST's 20
const PEN = [1.7 * 8, 3.3 * 8]; // a digit's pen is kept between these widths, the 10th and 90th percentile of MNIST

/** A canvas with the drawing as it is sent to be fitted: digits are drawn anew at the size of MNIST's box, with a pen
    as wide as MNIST's, so that a small drawing does not become a blot; everything else is sent as it stands. */
export function sendable(strokes, dataset) {
  const coloured = dataset === "emoji";
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SENT;
  const context = canvas.getContext("2d");
  context.fillStyle = shade(PAPER, coloured);
  context.fillRect(0, 0, SENT, SENT);
  const box = dataset === "mnist" ? extent(strokes) : null;
  let scale = SENT / UNITS, dx = 0, dy = 0;
  if (box) {
    scale = BOX / Math.max(box[2] - box[0], box[3] - box[1]);
    dx = SENT / 2 - (scale * (box[0] + box[2])) / 2;
    dy = SENT / 2 - (scale * (box[1] + box[3])) / 2;
  }
  const pen = (width) => (box ? Math.max(PEN[0], Math.min(PEN[1], width * scale)) : width * scale);
  ink(context, strokes, coloured, (x, y) => [x * scale + dx, y * scale + dy], pen);
  return canvas;
}
