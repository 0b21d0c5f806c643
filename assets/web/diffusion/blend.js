// Equation 4, in the page: a picture and one draw of noise, mixed at any level.

import { bytes } from "./outcomes.js";

export class Blend {
  /** known: {picture: {w, h, c, data}, eps: base64 of float32 (h, w, c)}. */
  constructor({ picture, eps }) {
    this.bytes = bytes(picture.data);
    this.shape = { count: 1, h: picture.h, w: picture.w, c: picture.c };
    this.x_0 = Float32Array.from(this.bytes, (value) => value / 127.5 - 1);
    this.eps = new Float32Array(bytes(eps).buffer);
    this.x_t = new Float32Array(this.x_0.length);
    this.out = new Uint8ClampedArray(this.x_0.length); // rounds and clips, as the engine does
  }

  /** x_t = sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) eps, as bytes; the numbers themselves stay in `x_t`. */
  at(alpha_bar) {
    const a = Math.sqrt(alpha_bar);
    const b = Math.sqrt(1 - alpha_bar);
    const { x_0, eps, x_t, out } = this;
    for (let i = 0; i < x_t.length; i++) {
      x_t[i] = a * x_0[i] + b * eps[i];
      out[i] = (x_t[i] + 1) * 127.5;
    }
    return out;
  }
}
