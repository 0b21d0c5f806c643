// The training of the small network as the page follows it: one stream, and the curve of its loss.

import { h } from "../common/dom.js";
import { readTheme } from "../common/theme.js";
import { listen } from "../common/stream.js";

/** One training at a time. on: frame(body), waiting(sentence), done(body), failed(sentence). */
export class Learning {
  constructor(app, on) {
    this.app = app;
    this.on = on;
    this.abort = null;
  }

  get running() { return this.abort !== null; }

  async start(body) {
    this.stop();
    const mine = (this.abort = new AbortController());
    const current = (fn) => (data) => { if (this.abort === mine) fn(data); };
    const end = (fn) => current((data) => { this.abort = null; fn(data); });
    let last = null;
    try {
      await listen(`${this.app.base}/plane/train`, { ...body, session: this.app.session }, mine.signal, {
        status: current(({ state, ahead }) => {
          if (state === "queued" || state === "loading") this.on.waiting(ahead > 0 ? `${ahead} ${ahead === 1 ? "run is" : "runs are"} ahead of yours; it starts by itself.` : "Waking the engine …");
        }),
        frame: current((frame) => { last = frame; this.on.frame(frame); }),
        failed: end(({ error }) => this.on.failed(error)),
        end: end(() => (last?.net ? this.on.done(last) : this.on.failed("The training ended before it was finished. Train again."))),
      });
      current(() => { this.abort = null; this.on.failed("The connection to the training was lost. Train again."); })();
    } catch (fault) {
      if (this.abort !== mine) return;
      this.abort = null;
      if (fault.name !== "AbortError") this.on.failed(fault.name === "TypeError" ? "The gallery cannot be reached just now. Train again in a moment." : fault.message);
    }
  }

  stop() {
    this.abort?.abort();
    this.abort = null;
  }
}

/** The loss by step, from all looks so far. */
export class LossCurve {
  constructor() {
    this.canvas = h("canvas", { class: "dx-loss", role: "img", "aria-label": "Loss by training step" });
    this.clear(2000);
    new ResizeObserver(() => this.paint()).observe(this.canvas);
  }

  clear(steps) {
    this.steps = steps;
    this.before = false; // whether the network was there already when the page came
    this.looks = [];
    this.paint();
  }

  put({ step, loss }) {
    if (loss === null) return;
    this.looks.push([step, loss]);
    this.canvas.setAttribute("aria-label", `Loss by training step: ${this.looks[0][1].toFixed(2)} at first, ${loss.toFixed(3)} after ${step} steps`);
    this.paint();
  }

  paint() {
    const { canvas } = this;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const [w, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!w) return;
    canvas.width = w * ratio;
    canvas.height = height * ratio;
    const g = canvas.getContext("2d");
    g.scale(ratio, ratio);
    const theme = readTheme();
    const box = { left: 30, right: w - 6, top: 8, bottom: height - 18 };
    const x = (step) => box.left + (step / this.steps) * (box.right - box.left);
    const y = (loss) => box.bottom - Math.min(1, loss) * (box.bottom - box.top); // 1 is a network that believes in no noise
    g.font = `11px ${theme.text}`;
    g.fillStyle = theme.ink2;
    g.strokeStyle = theme.line;
    g.textBaseline = "middle";
    for (const mark of [0, 0.5, 1]) {
      g.beginPath(); g.moveTo(box.left, y(mark)); g.lineTo(box.right, y(mark)); g.stroke();
      g.textAlign = "right"; g.fillText(String(mark), box.left - 6, y(mark));
    }
    g.textBaseline = "alphabetic";
    g.textAlign = "left"; g.fillText("loss |ε − ε̂|² by step", box.left, height - 3);
    g.textAlign = "right"; g.fillText(this.steps.toLocaleString("en"), box.right, height - 3);
    g.beginPath();
    this.looks.forEach(([step, loss], i) => (i ? g.lineTo(x(step), y(loss)) : g.moveTo(x(step), y(loss))));
    g.strokeStyle = theme.accent;
    g.lineWidth = 2;
    g.lineJoin = "round";
    g.stroke();
    const last = this.looks.at(-1);
    if (!last && this.before) {
      g.textAlign = "center"; g.fillText("trained before: no curve is kept", (box.left + box.right) / 2, y(0.5) - 6);
    }
    if (!last) return;
    g.fillStyle = theme.ink;
    g.textAlign = last[0] > this.steps * 0.8 ? "right" : "left";
    g.font = `600 12px ${theme.mono}`;
    g.fillText(last[1].toFixed(3), x(last[0]), y(last[1]) - 7);
  }
}
