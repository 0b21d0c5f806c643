// Where the visitor stands in a run: a place that is asked for, and the nearest step that has arrived. Playing keeps time
// by the clock, so that a slow screen leaves steps out and does not fall behind.

const LATE_MS = 250; // a longer gap between two frames was another tab, or a window that slept

/** How long a run of so many steps is shown for, in seconds: 4 in 2.4, 50 in 5, 1000 in 12. */
export const seconds = (steps) => 1.6 * steps ** 0.29;

export class Player {
  /** seen(index): the step to show has changed. rested(playing): playing began, or ended by itself or by hand. */
  constructor(seen, rested = () => {}) {
    Object.assign(this, { seen, rested, first: 0, last: 0, newest: -1, wanted: 0, shown: -1, speed: 1, playing: false, clock: 0, loaded: false });
  }

  /** A run of steps first to last, of which `newest` is the last that has arrived. */
  load(first, last, newest) {
    const share = (this.wanted - this.first) / Math.max(1, this.last - this.first);
    const moved = last !== this.last || first !== this.first;
    if (moved && this.loaded) this.wanted = first + Math.round(share * (last - first));
    Object.assign(this, { first, last, newest, shown: -1, loaded: true });
    this.show();
  }

  arrived(newest) {
    this.newest = Math.max(newest, this.newest);
    if (!this.playing && this.shown < Math.round(this.wanted)) this.soon();
  }

  // Steps arrive faster than a screen shows them: at most one painting for each of its frames.
  soon() {
    this.due ??= requestAnimationFrame(() => { this.due = null; this.show(); });
  }

  show() {
    const index = Math.max(this.first, Math.min(Math.floor(this.wanted + 1e-6), this.newest));
    if (index === this.shown || this.newest < this.first) return;
    this.shown = index;
    this.seen(index);
  }

  seek(index) {
    this.pause();
    this.wanted = Math.max(this.first, Math.min(this.last, index));
    this.shown = -1;
    this.show();
  }

  step(by) { this.seek(Math.max(this.shown, this.first) + by); }

  play() {
    if (this.playing) return;
    if (this.wanted >= this.last) this.wanted = this.first;
    this.playing = true;
    this.clock = performance.now();
    this.rested(true);
    this.show();
    requestAnimationFrame((now) => this.tick(now));
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.wanted = Math.max(this.shown, this.first);
    this.rested(false);
  }

  tick(now) {
    if (!this.playing) return;
    const late = Math.max(0, Math.min(now - this.clock, LATE_MS));
    this.clock = now;
    const rate = (Math.max(1, this.last - this.first) / seconds(this.last - this.first + 1)) * this.speed;
    // The run may be slower than the film: then it waits at the newest step.
    this.wanted = Math.min(this.wanted + (late / 1000) * rate, Math.max(this.newest, this.first) + 0.999, this.last);
    this.show();
    if (this.shown >= this.last) {
      this.playing = false;
      this.wanted = this.last;
      this.rested(false);
    } else requestAnimationFrame((next) => this.tick(next));
  }
}
