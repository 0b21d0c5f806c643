// One game as the page holds it: its looks in order of their steps, and the hub's stream while it is played.

import { records, told } from "../common/records.js";
import { readLook } from "./data.js";
import { Played } from "./played.js";

const MOST = 900; // looks that are kept, 13 kB each; a long game's grow sparser
const SERIES = ["loss_d", "loss_g", "d_real", "d_fake", "norm_d", "norm_g", "found", "good", "jsd", "w1"];

export class Game extends Played {
  /** on: look(look), state(state, body): "waiting", "playing", "stopped", "failed"; said(). */
  constructor(app, on) { super(app, "plane", on, 500); }

  add(look) {
    look.carried = look.w1 ?? this.newest?.carried ?? null; // Wasserstein-1 is estimated once a second: until the next one the last stands
    if (look.changed.length) this.marks.push({ step: look.step, changed: look.changed });
    if (this.newest && look.step <= this.newest.step) this.looks[this.looks.length - 1] = look;
    else this.looks.push(look);
    if (this.looks.length > MOST) this.thin();
  }

  /** From another step than the newest it is another future; the old one stays on the curves as a shadow. */
  cut(step) {
    if (step >= this.step) return false;
    this.ghost = { from: step, looks: this.looks.filter((look) => look.step >= step) };
    this.looks = this.looks.filter((look) => look.step <= step);
    this.marks = this.marks.filter((mark) => mark.step <= step);
    this.sayings = this.sayings.filter((saying) => saying.step <= step);
    return true;
  }

  // --- played --------------------------------------------------------------------------------------------------------

  /** Play on from `from`. asked: {until, who, pace, rules, data, points, seed}. Resolves when it is over. */
  play(asked, from = this.step) {
    const fresh = !this.film || !this.looks.length;
    return this.stream(this.film ? { ...asked, film: this.film, step: from } : asked, {
      run: (about) => { this.film = about.film; },
      status: (status) => this.on.state("status", status),
    }, readLook, () => { if (!fresh) this.cut(from); });
  }

  // --- kept ----------------------------------------------------------------------------------------------------------

  /** A film that the hub still has. Returns what it says of it, or null. */
  async reopen(film) {
    const answer = await fetch(`${this.app.base}/plane/film/${encodeURIComponent(film)}`).catch(() => null);
    if (!answer?.ok) return null;
    const [first, ...rest] = records(await answer.arrayBuffer());
    if (first.kind !== 0 || !rest.length) return null;
    this.clear();
    this.film = film;
    for (const { body } of rest) this.add(readLook(body));
    this.state = "stopped";
    const about = told(first.body);
    this.sayings = about.sayings;
    return about;
  }

  /** The curves as a table. */
  table() {
    const rows = this.looks.map((look) => [look.step, look.seconds, ...SERIES.map((name) => look[name] ?? ""), look.changed.join(" ")]);
    return [["step", "seconds", ...SERIES, "changed"], ...rows];
  }

  get bytes() {
    const one = this.newest;
    return one ? this.looks.length * (one.samples.byteLength + one.arrows.byteLength + one.mesh.byteLength + one.surface.byteLength + 400) : 0;
  }
}
