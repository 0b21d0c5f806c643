// A run as the page holds it: every step that has arrived, as bytes to look at; apps/diffusion_stepper/wire.py says what is in
// the records.

import { listen as stream } from "../common/records.js";

const FIELDS = 16; // bytes of a step before its pictures: index, t, alpha_bar, seconds

export class Take {
  constructor() {
    this.about = null; // {token, steps, count, h, w, c, begin, labels, …} as the hub told it
    this.frames = []; // by step; those before `begin` are missing
    this.newest = -1;
    this.state = "waiting"; // waiting, running, done, failed
  }

  get token() { return this.about?.token ?? ""; }
  get steps() { return this.about?.steps ?? 0; }
  get first() { return this.about?.begin0 ?? 0; }
  get guided() { return Boolean(this.frames[this.first]?.with_label); }

  at(index) { return this.frames[Math.max(this.first, Math.min(index, this.newest))] ?? null; }

  told(about) {
    const begin0 = this.about?.begin0 ?? about.begin;
    this.about = { ...about, begin0 };
  }

  add(body) {
    const { count, h, w, c } = this.about;
    const view = new DataView(body.buffer, body.byteOffset, FIELDS);
    const frame = { index: view.getUint32(0, true), t: view.getFloat32(4, true), alpha_bar: view.getFloat32(8, true), seconds: view.getFloat32(12, true) };
    const size = count * h * w * c;
    const names = ["x_t", "eps", "x_0", "with_label", "without_label"];
    for (let i = 0; FIELDS + (i + 1) * size <= body.length; i++) frame[names[i]] = body.subarray(FIELDS + i * size, FIELDS + (i + 1) * size);
    if (!this.frames.length) this.about.begin0 = frame.index; // a picture brought back begins where its noise level is
    this.frames[frame.index] = frame;
    this.newest = Math.max(this.newest, frame.index);
    this.state = "running";
    return frame;
  }
}

/** Read a run into a take. on: run(about), step(frame), status(body), end(), failed({error, lost, refused, gone}). Resolves when the
    stream ends; aborting the signal ends the run, too. */
export function listen(url, body, signal, take, on) {
  return stream(url, body, signal, {
    frame: (content) => { const frame = take.add(content); on.step?.(frame); },
    tell: (event, said) => {
      if (event === "run") take.told(said);
      if (event === "end") take.state = "done";
      if (event === "failed" && !said.refused && !said.cut) take.state = "failed";
      on[event]?.(said);
    },
  });
}
