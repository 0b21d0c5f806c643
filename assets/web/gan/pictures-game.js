// One game of pictures as the page holds it: what was computed beforehand, then what is trained live, in order of the steps.

import { records, told } from "../common/records.js";
import { readLook } from "./pictures-data.js";
import { Played } from "./played.js";

const LOOK_BYTES = 24 * 2 ** 20; // of pictures that are kept here: 500 looks at digits, 120 at emoji
const POINTS = 4000; // of the curves
const SERIES = ["loss_d", "loss_g", "d_real", "d_fake", "norm_d", "norm_g"];
const MEASURES = ["frechet", "precision", "recall", "recognised"];

export class PictureGame extends Played {
  /** on: look(look), state(state, body): "waiting", "status", "again", "playing", "stopped", "failed"; said(), kept(steps). */
  constructor(app, on) { super(app, "pictures", on, 2000); }

  clear() {
    super.clear();
    Object.assign(this, { points: [], measures: [], kept: [], start: 0 });
  }

  /** Begin with what was computed beforehand; the last of it is where a training goes on. */
  begin(stages) {
    this.clear();
    this.looks = [...stages];
    this.start = this.step;
    this.measures = stages.filter((look) => look.measures).map((look) => ({ ...look.measures, step: look.step, changed: [], loss: look.loss }));
  }

  /** Whether anything was trained here. */
  get trained() { return this.points.length > 0; }

  add(look) {
    if (look.changed.length) this.marks.push({ step: look.step, changed: look.changed });
    if (look.measures) this.measure(look);
    this.extend(look.points);
    look.points = null;
    const last = this.newest;
    if (last && look.step <= last.step) {
      if (last.precomputed && last.step === look.step) Object.assign(look, { precomputed: true, measures: look.measures ?? last.measures });
      this.looks[this.looks.length - 1] = look;
    } else this.looks.push(look);
    while (this.bytes > LOOK_BYTES && this.looks.length > 8) this.thin((one) => one.precomputed); // what was computed beforehand stays
  }

  measure(look) {
    if (!this.trained) this.measures = []; // those of the recipe belong to its own steps
    this.measures.push({ ...look.measures, step: look.step, changed: [], loss: look.loss });
  }

  extend(points) {
    const last = this.points.at(-1)?.step ?? -1;
    for (const point of points) if (point.step > last) this.points.push(point);
    if (this.points.length > POINTS) this.points = this.points.filter((_, i) => i % 2 || i > POINTS / 2);
  }

  get bytes() {
    const one = this.newest;
    return one ? this.looks.length * (one.images.byteLength + 8 * one.count + 400) : 0;
  }

  /** From another step than the newest it is another future; the old one stays on the curves as a shadow. */
  cut(step) {
    if (step >= this.step) return;
    this.ghost = { from: step, points: this.points.filter((point) => point.step >= step), measures: this.measures.filter((each) => each.step >= step) };
    for (const row of ["looks", "points", "measures", "marks", "sayings"]) this[row] = this[row].filter((each) => each.step <= step);
  }

  /** What Curve draws: the numbers of every step, or the measures; of what was computed beforehand there are only looks. */
  series(name, from) {
    const looks = name === "points" && !this.trained ? this.looks : this[name].filter((each) => each.step >= from);
    return { looks, marks: this.marks, ghost: this.ghost && { looks: this.ghost[name] } };
  }

  // --- played --------------------------------------------------------------------------------------------------------

  /** asked: {set, stage, seed, rules, until}, or with film and step a game to go on with; first: only its beginning. */
  play(asked) {
    this.rate = 0;
    return this.stream(asked, {
      run: (about) => {
        this.film = about.film;
        this.cut(about.start);
      },
      again: (body) => { if (this.state === "waiting") this.on.state("again", body); },
      kept: ({ steps }) => {
        this.kept = steps;
        this.on.kept();
      },
      status: (status) => { if (this.state === "waiting") this.on.state("status", status); },
    }, readLook);
  }

  // --- kept ----------------------------------------------------------------------------------------------------------

  /** A film that the hub still has, its looks after those of `stages`. Returns what it says of it, or null. */
  async reopen(film, stages) {
    const answer = await fetch(`${this.app.base}/pictures/film/${encodeURIComponent(film)}`).catch(() => null);
    if (!answer?.ok) return null;
    const [first, ...rest] = records(await answer.arrayBuffer());
    if (first.kind !== 0 || !rest.length) return null;
    const about = told(first.body);
    this.begin(about.stage == null ? [] : stages.filter((look) => look.step <= about.stage));
    Object.assign(this, { film, kept: about.kept, sayings: about.sayings, start: about.stage ?? 0, state: "stopped" });
    for (const { body } of rest) this.add(readLook(body));
    return about;
  }

  /** The curves as a table: a row for each step that was seen, with the measures where there are some. */
  table() {
    const measured = new Map(this.measures.map((each) => [each.step, each]));
    const changed = new Map(this.marks.map((each) => [each.step, each.changed.join(" ")]));
    const rows = this.points.map((point) => [point.step, ...SERIES.map((name) => point[name] ?? ""),
      ...MEASURES.map((name) => measured.get(point.step)?.[name] ?? ""), changed.get(point.step) ?? ""]);
    return [["step", ...SERIES, ...MEASURES, "changed"], ...rows];
  }
}
