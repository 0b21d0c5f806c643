// Everything the page fetches about models, and what it computes from it: codes, planes, atlases, neighbours.

import { Tiles } from "./tiles.js";

export const unpack = ({ w, h, c, data }) => ({ w, h, c, data: Uint8Array.from(atob(data), (ch) => ch.charCodeAt(0)) });

const RGBA = new WeakMap();

// Paint {w, h, c, data}, an ImageData, a canvas, an image or a bitmap onto a canvas of its own size.
export function picture(canvas, image) {
  const width = image.w ?? image.naturalWidth ?? image.width;
  const height = image.h ?? image.naturalHeight ?? image.height;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    RGBA.delete(canvas);
  }
  const context = canvas.getContext("2d");
  if (image instanceof ImageData) return context.putImageData(image, 0, 0);
  if (!image.data) {
    context.clearRect(0, 0, width, height);
    return context.drawImage(image, 0, 0);
  }
  let out = RGBA.get(canvas);
  if (!out) RGBA.set(canvas, (out = context.createImageData(width, height)));
  const { data, c } = image;
  const rgba = out.data;
  for (let i = 0, j = 0; j < rgba.length; i += c, j += 4) {
    rgba[j] = data[i];
    rgba[j + 1] = data[c === 3 ? i + 1 : i];
    rgba[j + 2] = data[c === 3 ? i + 2 : i];
    rgba[j + 3] = 255;
  }
  context.putImageData(out, 0, 0);
}

async function fetched(url) {
  let sentence = "The gallery did not answer; try again in a moment.";
  let answer;
  try {
    answer = await fetch(url);
  } catch (fault) {
    console.debug(url, fault);
    dispatchEvent(new Event("gallery:unanswered"));
    throw new Error(sentence);
  }
  if (answer.ok) return answer;
  try {
    sentence = (await answer.json()).error || sentence;
  } catch (fault) {
    console.debug("an answer without a sentence", answer.status, fault);
  }
  throw new Error(sentence);
}

const floats = (buffer, scale) => {
  const whole = new Int16Array(buffer);
  const out = new Float32Array(whole.length);
  for (let i = 0; i < whole.length; i++) out[i] = whole[i] * scale;
  return out;
};

// A grid of decodings, read between its tiles.
class Atlas {
  constructor(image, { rows, columns, extent }, [h, w, c]) {
    Object.assign(this, { rows, columns, extent, w, h, c, image });
    const canvas = new OffscreenCanvas(columns * w, rows * h);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const rgba = context.getImageData(0, 0, canvas.width, canvas.height).data;
    this.width = canvas.width;
    this.values = new Uint8Array((rgba.length / 4) * c);
    for (let i = 0, j = 0; j < rgba.length; j += 4) for (let k = 0; k < c; k++) this.values[i++] = rgba[j + k];
    this.out = { w, h, c, data: new Uint8Array(w * h * c) };
  }

  // Bilinear between the four nearest tiles; null outside. The result is overwritten by the next call.
  sample(x, y) {
    const [x0, x1, y0, y1] = this.extent;
    const u = ((x - x0) / (x1 - x0)) * (this.columns - 1);
    const v = ((y1 - y) / (y1 - y0)) * (this.rows - 1);
    if (!(u >= 0 && v >= 0 && u <= this.columns - 1 && v <= this.rows - 1)) return null;
    const c0 = Math.min(Math.floor(u), this.columns - 2);
    const r0 = Math.min(Math.floor(v), this.rows - 2);
    const fx = u - c0;
    const fy = v - r0;
    const weights = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy];
    const { w, h, c, width, values } = this;
    const row = width * c;
    const start = r0 * h * row + c0 * w * c;
    const right = w * c;
    const below = h * row;
    const { data } = this.out;
    for (let i = 0, k = 0; i < h; i++) {
      for (let j = start + i * row, end = j + right; j < end; j++, k++) {
        data[k] = values[j] * weights[0] + values[j + right] * weights[1] + values[j + below] * weights[2] + values[j + below + right] * weights[3] + 0.5;
      }
    }
    return this.out;
  }
}

export function createData(base, opening) {
  const models = new Map();
  const facts = new Map();
  const labels = new Map();
  const logvars = new Map();
  const atlases = new Map();
  const pictures = new Map();
  const sheets = new Map();
  if (opening.facts) facts.set(opening.facts.config.name, Promise.resolve(opening.facts));

  const once = (map, key, make) => {
    if (!map.has(key)) {
      const made = make();
      map.set(key, made);
      made.catch(() => map.delete(key)); // the next asking tries again
    }
    return map.get(key);
  };

  const about = (name) => once(facts, name, async () => (await fetched(`${base}/model/${name}`)).json());
  const labelsOf = (dataset) =>
    once(labels, dataset, async () => new Uint8Array(await (await fetched(`${base}/labels/${dataset}`)).arrayBuffer()));

  const model = (name) =>
    once(models, name, async () => {
      const known = await about(name);
      const [mu, classes] = await Promise.all([
        fetched(`${base}/codes/${name}?v=${known.version}`).then((answer) => answer.arrayBuffer()),
        labelsOf(known.config.dataset),
      ]);
      return new Space(name, known, floats(mu, known.scale), classes);
    });

  const logvar = (name) =>
    once(logvars, name, async () => {
      const known = await about(name);
      const answer = await fetched(`${base}/logvar/${name}?v=${known.version}`);
      return floats(await answer.arrayBuffer(), known.logvar_scale);
    });

  const atlas = (name) =>
    once(atlases, name, async () => {
      const known = await about(name);
      const answer = await fetched(`${base}/atlas/${name}?v=${known.version}`);
      return new Atlas(await createImageBitmap(await answer.blob()), known.atlas, known.config.image);
    });

  // The pictures that stand on the map themselves; null where dots do.
  const tiles = (name) =>
    once(sheets, name, async () => {
      const known = await about(name);
      if (!known.tiles) return null;
      const answer = await fetched(`${base}/tiles/${known.config.dataset}`);
      return new Tiles(await createImageBitmap(await answer.blob()), known.tiles);
    });

  // Test pictures by their numbers, in one strip for those not yet here.
  async function testPictures(dataset, indices) {
    const missing = [...new Set(indices)].filter((index) => !pictures.has(`${dataset}/${index}`));
    if (missing.length) {
      const strip = fetched(`${base}/pictures/${dataset}?i=${missing.join(",")}`)
        .then((answer) => answer.blob())
        .then(createImageBitmap)
        .then((image) => cut(image, missing.length));
      missing.forEach((index, at) => {
        const one = strip.then((all) => all[at]);
        pictures.set(`${dataset}/${index}`, one);
        one.catch(() => pictures.delete(`${dataset}/${index}`));
      });
    }
    return Promise.all(indices.map((index) => pictures.get(`${dataset}/${index}`)));
  }

  return { model, logvar, atlas, tiles, pictures: testPictures, about };
}

function cut(image, count) {
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const h = image.height / count;
  return Array.from({ length: count }, (_, at) => {
    const { data } = context.getImageData(0, at * h, image.width, h);
    return { w: image.width, h, c: 3, data: opaque(data) };
  });
}

// RGBA without its last channel, as every other picture here has it.
function opaque(rgba) {
  const out = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0, j = 0; j < rgba.length; i += 3, j += 4) {
    out[i] = rgba[j];
    out[i + 1] = rgba[j + 1];
    out[i + 2] = rgba[j + 2];
  }
  return out;
}

// A model's latent space as the test pictures fill it, and the plane that the map shows of it.
class Space {
  constructor(name, facts, mu, labels) {
    Object.assign(this, { name, mu, labels, ...facts });
    this.flat = this.d === 2; // two dimensions need no projection
    this.xy = this.flat ? mu : this.projectAll();
  }

  projectAll() {
    const out = new Float32Array(this.n * 2);
    for (let i = 0; i < this.n; i++) {
      const [x, y] = this.project(this.mu.subarray(i * this.d, (i + 1) * this.d));
      out[2 * i] = x;
      out[2 * i + 1] = y;
    }
    return out;
  }

  // What a picture is called: its own name where pictures have one, else its class.
  title(index) {
    return this.titles?.[index] ?? this.names[this.labels[index]];
  }

  code(index) {
    return Array.from(this.mu.subarray(index * this.d, (index + 1) * this.d));
  }

  middle() {
    return this.flat ? [0, 0] : [...this.plane.mean];
  }

  // Where a visitor stands first: at a picture that is worth it, or in the middle.
  start() {
    return this.first == null ? this.middle() : this.code(this.first);
  }

  // Code (d) -> place on the map (2).
  project(z) {
    if (this.flat) return [z[0], z[1]];
    const { mean, axes } = this.plane;
    let x = 0;
    let y = 0;
    for (let k = 0; k < this.d; k++) {
      x += (z[k] - mean[k]) * axes[0][k];
      y += (z[k] - mean[k]) * axes[1][k];
    }
    return [x, y];
  }

  // Place on the map (2) -> code (d), in the plane through z.
  lift([x, y], z) {
    if (this.flat) return [x, y];
    const [px, py] = this.project(z);
    const { axes } = this.plane;
    return Array.from(z, (value, k) => value + (x - px) * axes[0][k] + (y - py) * axes[1][k]);
  }

  // Whether z lies in the plane through the middle of the codes, which the atlas shows.
  inPlane(z) {
    if (this.flat) return true;
    const back = this.lift(this.project(z), this.plane.mean);
    return back.every((value, k) => Math.abs(value - z[k]) < 2e-3);
  }

  // The covariance of q(z|x) seen on the map: (xx, xy, yy).
  covariance(logvar) {
    const { axes } = this.plane;
    const out = [0, 0, 0];
    for (let k = 0; k < this.d; k++) {
      const variance = Math.exp(logvar[k]);
      out[0] += axes[0][k] * axes[0][k] * variance;
      out[1] += axes[0][k] * axes[1][k] * variance;
      out[2] += axes[1][k] * axes[1][k] * variance;
    }
    return out;
  }

  // The k codes nearest to z, by Euclidean distance in all d dimensions.
  nearest(z, k = 8) {
    const { mu, d, n } = this;
    const best = [];
    let worst = Infinity;
    for (let i = 0, at = 0; i < n; i++, at += d) {
      let sum = 0;
      for (let j = 0; j < d && sum < worst; j++) {
        const gap = mu[at + j] - z[j];
        sum += gap * gap;
      }
      if (sum >= worst) continue;
      let place = best.length;
      while (place > 0 && best[place - 1].sum > sum) place--;
      best.splice(place, 0, { index: i, sum });
      if (best.length > k) best.pop();
      if (best.length === k) worst = best[k - 1].sum;
    }
    return best.map(({ index, sum }) => ({ index, distance: Math.sqrt(sum), label: this.title(index) }));
  }
}
