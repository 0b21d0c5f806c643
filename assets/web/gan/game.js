// One game as the page holds it: its looks in order of their steps, and the hub's stream while it is played.

import { listen, readLook, records, told } from "./data.js";

const MOST = 900; // looks that are kept, 13 kB each; a long game's grow sparser
const SERIES = ["loss_d", "loss_g", "d_real", "d_fake", "norm_d", "norm_g", "found", "good", "jsd", "w1"];

export class Game {
  /** on: look(look), state(state, body): "waiting", "playing", "stopped", "failed"; said(diagnosis). */
  constructor(app, on) {
    Object.assign(this, { app, on, state: "idle" });
    this.clear();
  }

  clear() {
    this.abort?.abort();
    Object.assign(this, { abort: null, looks: [], marks: [], sayings: [], ghost: null, film: "", state: "idle", rate: 0 });
  }

  get newest() { return this.looks.at(-1) ?? null; }

  get step() { return this.newest?.step ?? 0; }

  get playing() { return this.state === "waiting" || this.state === "playing"; }

  /** The look at a step, or the last one before it. */
  at(step) {
    let [low, high] = [0, this.looks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.looks[middle].step <= step) low = middle; else high = middle - 1;
    }
    return this.looks[low] ?? null;
  }

  add(look) {
    if (look.changed.length) this.marks.push({ step: look.step, changed: look.changed });
    if (this.newest && look.step <= this.newest.step) this.looks[this.looks.length - 1] = look;
    else this.looks.push(look);
    if (this.looks.length > MOST) this.thin();
  }

  /** What the game suffered from at a step; null: nothing was said of it. */
  illness(step) {
    const found = this.sayings.findLast((saying) => saying.step <= step);
    return found?.kind ? found : null;
  }

  said(saying) {
    const last = this.sayings.at(-1);
    if (last && last.step === saying.step) this.sayings.pop();
    else if (last && !last.kind && !saying.kind) return;
    this.sayings.push(saying);
    if (this.sayings.length > MOST) this.sayings.splice(1, 1);
    this.on.said?.();
  }

  // The look that is missed least goes: the one that leaves the smallest gap. Where a rule changed it stays.
  thin() {
    const { looks } = this;
    let [at, least] = [1, Infinity];
    for (let i = 1; i < looks.length - 1; i++) {
      const gap = looks[i + 1].step - looks[i - 1].step + (looks[i].changed.length ? 1e9 : 0);
      if (gap < least) [at, least] = [i, gap];
    }
    looks.splice(at, 1);
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
  async play(asked, from = this.step) {
    this.abort?.abort();
    const mine = (this.abort = new AbortController());
    const body = this.film ? { ...asked, film: this.film, step: from } : asked;
    const fresh = !this.film || !this.looks.length;
    const current = (fn) => (data) => { if (this.abort === mine) fn(data); };
    const turn = (state, data) => {
      this.state = state;
      this.on.state(state, data ?? {});
    };
    turn("waiting");
    if (!fresh) this.cut(from);
    this.clock = null;
    try {
      await listen(`${this.app.base}/plane/play`, { ...body, session: this.app.session }, mine.signal, {
        run: current((about) => { this.film = about.film; }),
        look: current((look) => {
          this.pace(look);
          this.add(look);
          if (this.state !== "playing") turn("playing");
          this.on.look(look);
          if (look.broken) this.broken = look.broken;
        }),
        diagnosis: current((said) => this.said(said)),
        status: current((status) => this.on.state("status", status)),
        end: current(() => turn("stopped")),
        failed: current((fault) => turn("failed", fault)),
      });
    } catch (fault) {
      if (this.abort !== mine) return;
      if (fault.name === "AbortError") turn("stopped");
      else turn("failed", { error: "The connection to the game was lost.", lost: true });
    }
  }

  // Steps a second, over the last second or so of this stream.
  pace(look) {
    const now = performance.now();
    this.clock ??= { at: now, step: look.step };
    const gone = now - this.clock.at;
    if (gone < 500) return;
    this.rate = ((look.step - this.clock.step) * 1000) / gone;
    this.clock = { at: now, step: look.step };
  }

  steer(what) {
    return this.app.post("plane/steer", { film: this.film, ...what }).catch(() => {});
  }

  /** Stop where it is; the last look is one that can be gone on from. */
  stop() {
    if (!this.playing) return;
    if (this.state === "playing" && this.film) this.steer({ stop: true });
    else this.abort?.abort();
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
    return told(first.body);
  }

  /** The curves as a table. */
  csv() {
    const rows = this.looks.map((look) => [look.step, look.seconds, ...SERIES.map((name) => look[name] ?? ""), look.changed.join(" ")]);
    return [["step", "seconds", ...SERIES, "changed"], ...rows].map((row) => row.join(",")).join("\n") + "\n";
  }

  get bytes() {
    const one = this.newest;
    return one ? this.looks.length * (one.samples.byteLength + one.arrows.byteLength + one.mesh.byteLength + one.surface.byteLength + 400) : 0;
  }
}
