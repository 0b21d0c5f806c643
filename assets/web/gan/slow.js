// One step of the game in slow motion: the phases of Goodfellow's algorithm 1, one after the other, on the plane and in
// the graph. The numbers are those of a real step, which the hub took apart.

import { verdict } from "./rules.js";

const MS = { noise: 1000, generate: 1300, judge: 1800, d_loss: 1500, d_learn: 1800, g_judge: 1500, g_loss: 1700, g_learn: 1700 };
const BOTH = ["noise", "generate", "judge", "d_loss", "d_learn", "g_judge", "g_loss", "g_learn"];
const ONLY = { d: ["noise", "generate", "judge", "d_loss", "d_learn"], g: ["noise", "generate", "g_judge", "g_loss", "g_learn"], both: BOTH };

export class Slow {
  /** on: {scene(scene|null, phase, round), done(round)}. */
  constructor(on) {
    this.on = on;
    this.round = null;
    this.frame = 0;
  }

  get running() { return Boolean(this.round); }

  play(round, who, held = false) {
    this.stop();
    Object.assign(this, { round, phases: ONLY[who], index: 0, share: held ? 1 : 0, held });
    if (held) this.paint();
    this.clock = performance.now();
    this.tick();
  }

  hold(on = !this.held) { this.held = on; this.clock = performance.now(); if (!on) this.tick(); }

  /** To the next phase at once; where it is held, that phase is seen as it ends. */
  next() {
    if (!this.round) return;
    if (this.advance()) return;
    if (this.held) this.share = 1;
    this.paint();
  }

  // True where the round is over.
  advance() {
    this.share = 0;
    if (++this.index < this.phases.length) return false;
    const { round } = this;
    this.stop();
    this.on.done(round);
    return true;
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.round = null;
  }

  tick() {
    cancelAnimationFrame(this.frame);
    if (!this.round || this.held) return;
    this.frame = requestAnimationFrame((now) => {
      const phase = this.phases[this.index];
      this.share += Math.min(100, now - this.clock) / MS[phase];
      this.clock = now;
      if (this.share >= 1 && this.advance()) return;
      this.paint();
      this.tick();
    });
  }

  paint() {
    const { round } = this;
    const phase = this.phases[this.index];
    const eased = this.share * this.share * (3 - 2 * this.share);
    this.on.scene(sceneOf(round, phase, eased), phase, round);
  }
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** What the plane shows in a phase; eased from 0 to 1 within it. */
export function sceneOf(round, phase, eased) {
  const scene = { surface: phase === "d_learn" ? mixed(round.before, round.learned, eased) : before(phase) ? round.before : round.learned, pull: null, fake: null, real: null };
  const real = verdict(mean(before(phase) ? round.real_before : round.real_after), round.loss);
  const fake = verdict(mean(before(phase) ? round.fake_before : round.fake_after), round.loss);
  if (phase === "noise") return { ...scene, fake: round.z, bent: 0, note: `Draw ${round.batch} points of noise z` };
  if (phase === "generate") return { ...scene, fake: between(round.z, round.fake, eased), bent: eased, note: "G bends the noise into points G(z)" };
  if (phase === "judge") return { ...scene, fake: round.fake, real: round.real, note: `D judges: real ${real}, generated ${fake}` };
  if (phase === "d_loss") return { ...scene, fake: round.fake, real: round.real, note: `Loss of D: ${round.loss_d.toFixed(3)}` };
  if (phase === "d_learn") return { ...scene, fake: round.fake, real: round.real, note: "D learns: its surface moves" };
  if (phase === "g_judge") return { ...scene, fake: round.fake, note: `D judges the same points again: ${fake}` };
  if (phase === "g_loss") return { ...scene, fake: round.fake, pull: round.pull, note: `Loss of G: ${round.loss_g.toFixed(3)}, and where it would fall` };
  return { ...scene, fake: between(round.fake, round.moved, eased), pull: null, note: "G learns: its points move" };
}

const before = (phase) => ["noise", "generate", "judge", "d_loss"].includes(phase);
const between = (a, b, share) => a.map((value, i) => value + (b[i] - value) * share);
const mixed = (a, b, share) => a.map((value, i) => value + (b[i] - value) * share);
