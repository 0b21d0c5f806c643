// What both games are to their page: looks in order of their steps, what was said of them, and the hub's stream while one is
// played.

import { listen } from "../common/records.js";

const SAYINGS = 900; // about what the game suffers from, that are kept

export class Played {
  /** place: "plane" or "pictures". on: look(look), state(state, body), said(). clock: milliseconds that a rate is of. */
  constructor(app, place, on, clock) {
    Object.assign(this, { app, place, on, clockMs: clock });
    this.clear();
  }

  clear() {
    this.abort?.abort();
    Object.assign(this, { abort: null, looks: [], marks: [], sayings: [], ghost: null, film: "", state: "idle", rate: 0 });
  }

  get newest() { return this.looks.at(-1) ?? null; }

  get step() { return this.newest?.step ?? 0; }

  get playing() { return this.state === "waiting" || this.state === "playing"; }

  index(step) {
    let [low, high] = [0, this.looks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.looks[middle].step <= step) low = middle; else high = middle - 1;
    }
    return low;
  }

  /** The look at a step, or the last one before it. */
  at(step) { return this.looks[this.index(step)] ?? null; }

  // The look that is missed least goes: the one that leaves the smallest gap. Those that stay: where a rule changed, and stays(look).
  thin(stays = () => false) {
    const { looks } = this;
    let [at, least] = [1, Infinity];
    for (let i = 1; i < looks.length - 1; i++) {
      const gap = looks[i + 1].step - looks[i - 1].step + (looks[i].changed.length || stays(looks[i]) ? 1e9 : 0);
      if (gap < least) [at, least] = [i, gap];
    }
    looks.splice(at, 1);
  }

  // --- what it suffers from ------------------------------------------------------------------------------------------------

  /** At a step; null: nothing was said of it. */
  illness(step) {
    const found = this.sayings.findLast((saying) => saying.step <= step);
    return found?.kind ? found : null;
  }

  said(saying) {
    const last = this.sayings.at(-1);
    if (last && last.step === saying.step) this.sayings.pop();
    else if (last && !last.kind && !saying.kind) return;
    this.sayings.push(saying);
    if (this.sayings.length > SAYINGS) this.sayings.splice(1, 1);
    this.on.said?.();
  }

  // --- the stream ----------------------------------------------------------------------------------------------------------

  /** Play what is asked, until it is over. on: what else is told, by name; began(): once this is the game that is played. */
  async stream(asked, on, read, began = () => {}) {
    this.abort?.abort();
    const mine = (this.abort = new AbortController());
    const current = (fn) => (...data) => { if (this.abort === mine) fn(...data); };
    const turn = (state, data = {}) => {
      this.state = state;
      this.on.state(state, data);
    };
    turn("waiting");
    began();
    this.clock = null;
    try {
      await listen(`${this.app.base}/${this.place}/play`, { ...asked, session: this.app.session }, mine.signal, {
        frame: current((body) => {
          const look = read(body);
          this.pace(look);
          this.add(look);
          if (this.state !== "playing") turn("playing");
          this.on.look(look);
        }),
        tell: current((event, body) => ({ ...on, diagnosis: (said) => this.said(said), end: () => turn("stopped"), failed: (fault) => turn("failed", fault) })[event]?.(body)),
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
    if (gone < this.clockMs) return;
    this.rate = ((look.step - this.clock.step) * 1000) / gone;
    this.clock = { at: now, step: look.step };
  }

  steer(what) { return this.app.post(`${this.place}/steer`, { film: this.film, ...what }).catch(() => {}); }

  /** Stop where it is; the last look is one that can be gone on from. */
  stop() {
    if (!this.playing) return;
    if (this.state === "playing" && this.film) this.steer({ stop: true });
    else this.abort?.abort();
  }
}

/** The curves of one game or two as a table; of two, the first column says whose a row is. */
export function csvOf(games) {
  const [head, ...rows] = games[0].table();
  if (games.length > 1) return csv([["game", ...head], ...rows.map((row) => ["A", ...row]), ...games[1].table().slice(1).map((row) => ["B", ...row])]);
  return csv([head, ...rows]);
}

const csv = (rows) => rows.map((row) => row.join(",")).join("\n") + "\n";
