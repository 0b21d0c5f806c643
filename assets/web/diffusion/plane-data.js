// What the plane tool holds: arrays as the hub packs them, and how a place between two of their rows is read.

export const T = 1000; // noise levels

/** {data: base64 of int16, unit, shape} -> {values: Float32Array, shape}. */
export function unpack({ data, unit, shape }) {
  const whole = new Int16Array(bytes(data).buffer);
  const values = new Float32Array(whole.length);
  for (let i = 0; i < whole.length; i++) values[i] = whole[i] * unit;
  return { values, shape };
}

// A loop: Uint8Array.from() walks the letters one iterator result at a time, and took 10 ms of every look at a training.
export function bytes(base64) {
  const letters = atob(base64);
  const out = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) out[i] = letters.charCodeAt(i);
  return out;
}

/** A walk of N points, rows from clean (0) to noise: read at any share of its length, between rows too. */
export class Walk {
  /** packed: (rows, N, 2). top: the share of the whole way, 0 to 1, at which its last row stands. */
  constructor(packed, top = 1) {
    const { values, shape } = unpack(packed);
    Object.assign(this, { values, rows: shape[0], n: shape[1], top });
  }

  /** Places of all points at `share` of the whole way, into `out` (2N). */
  at(share, out = new Float32Array(2 * this.n)) {
    const { row, rest } = this.where(share);
    const a = row * 2 * this.n;
    const b = Math.min(row + 1, this.rows - 1) * 2 * this.n;
    for (let i = 0; i < 2 * this.n; i++) out[i] = this.values[a + i] + rest * (this.values[b + i] - this.values[a + i]);
    return out;
  }

  where(share) {
    const place = Math.max(0, Math.min(1, share / this.top)) * (this.rows - 1);
    const row = Math.min(Math.floor(place), this.rows - 1);
    return { row, rest: place - row };
  }

  /** The way of one point, as [x, y] by row. */
  path(index) {
    return Array.from({ length: this.rows }, (_, row) => [this.values[2 * (row * this.n + index)], this.values[2 * (row * this.n + index) + 1]]);
  }
}

/** The field on its grid at any t: the network's eps at a few levels, and straight lines between them. */
export class Field {
  constructor(levels, packed) {
    const { values, shape } = unpack(packed);
    Object.assign(this, { levels, values, side: shape[1], size: shape[1] * shape[2] * 2 });
    this.now = new Float32Array(this.size);
  }

  at(t) {
    blend(this.levels, t, this.size, this.values, this.now);
    return this.now;
  }
}

/** Rows of `values`, one for each level, blended at t into `out`. */
export function blend(levels, t, size, values, out) {
  let high = levels.findIndex((level) => level >= t);
  if (high < 0) high = levels.length - 1;
  const low = Math.max(0, high - 1);
  const span = levels[high] - levels[low];
  const rest = span ? Math.max(0, Math.min(1, (t - levels[low]) / span)) : 0;
  for (let i = 0; i < size; i++) {
    const a = values[low * size + i];
    out[i] = a + rest * (values[high * size + i] - a);
  }
  return out;
}

/** A shape as the hub answered it. */
export function readShape(answer) {
  return {
    ...answer,
    data: unpack(answer.x_0).values,
    labels: bytes(answer.labels),
    forward: new Walk(answer.forward),
    mass: bytes(answer.mass),
  };
}
