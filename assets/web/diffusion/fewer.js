// The tool for fewer steps: the same noise, walked back in 1000, 50, 20 and 4 steps, with what it costs and what it loses.

import { h } from "../common/dom.js";
import { readTheme } from "../common/theme.js";
import { stylesheet } from "../common/sheet.js";
import { Contact } from "./contact.js";
import { createControls } from "./controls.js";
import { pictureFilm } from "./film.js";
import { paint } from "./mosaic.js";
import { Take, listen } from "./take.js";

const STEPS = [1000, 50, 20, 4];
const SETTINGS = ["model", "label", "guidance", "sampler", "eta", "schedule", "count", "seed"];
const SETTLE_MS = 250;
const PLACES = 50; // of a film, from the noise to the picture
const PLAY_S = 5;
const RATE_AFTER = 12; // steps: the first ones also wait for the model
const AGAIN = "Run all four again";

class Fewer {
  constructor(panel, app) {
    this.app = app;
    this.visible = false;
    this.share = 1;
    this.columns = STEPS.map((steps) => this.column(steps));
    this.range = h("input", { id: "primary", class: "dx-range", type: "range", min: 0, max: 1000, step: 10, value: 1000, "aria-label": "How far along, in all four runs at once",
      oninput: () => { this.share = Number(this.range.value) / 1000; this.showAll(); } });
    this.stage = h("div", { class: "dx-reverse dx-fewer" }, h("div", { class: "dx-four" }, ...this.columns.map(({ element }) => element)),
      h("div", { class: "dx-transport" }, h("span", { class: "dx-end" }, "noise"), this.range, h("span", { class: "dx-end" }, "picture")));
    this.button = h("button", { type: "button", class: "g-btn primary dx-wide", onclick: () => (this.working() ? this.stop() : this.start()) }, AGAIN);
    panel.append(createControls(app, ["model", "label", "guidance", "sampler", "eta", "schedule", "seed"]).element, this.button,
      h("p", { class: "dx-note dx-moral" }, "All four begin with the same noise. A step more costs a pass through the network more; what the last passes add, the eye can hardly tell, and the first ones decide everything. Try 4 steps with each sampler."));
    app.store.on(SETTINGS, () => this.visible && this.soon());
    addEventListener("gallery:theme", () => this.columns.forEach(({ sheet }) => sheet.soon()));
  }

  column(steps) {
    const canvas = h("canvas", { class: "dx-picture", role: "img", "aria-label": `What ${steps} steps make of the noise` });
    const film = h("canvas", { class: "dx-film", role: "img", "aria-label": `Film of the run of ${steps} steps` });
    const time = h("b", {}, "–");
    const pace = h("span", {}, " ");
    const verdict = h("p", { class: "dx-verdict" }, " ");
    const bar = h("i", {});
    const column = { steps, canvas, time, pace, verdict, bar, take: null };
    column.sheet = new Contact(film, (step) => column.take?.frames[step]?.x_0, (index) => { this.share = index / steps; this.showAll(); }, () => {
      const { accent, wall } = readTheme();
      return { accent, wall, soft: getComputedStyle(document.body).getPropertyValue("--soft").trim() };
    });
    column.element = h("section", { class: "dx-column", "aria-label": `${steps} steps` },
      h("h3", {}, String(steps), h("small", {}, " steps")), h("div", { class: "dx-frame" }, canvas), h("div", { class: "dx-bar" }, bar),
      h("p", { class: "dx-time" }, time, pace), verdict, h("div", { class: "dx-filmbox" }, film));
    return column;
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.visible && this.start(), SETTLE_MS);
  }

  settings() { return Object.fromEntries(SETTINGS.map((key) => [key, this.app.store.get(key)])); }

  // The short runs first, one after the other: each has the machine for itself, and its time is its own.
  async start() {
    this.abort?.abort();
    const mine = (this.abort = new AbortController());
    const settings = this.settings();
    this.asked = JSON.stringify(settings);
    this.work(true);
    this.tell(null);
    for (const column of [...this.columns].reverse()) {
      const went = await this.run(column, settings, mine);
      if (this.abort !== mine) return;
      if (!went) return this.work(false);
    }
    this.work(false);
    this.tell(settings);
  }

  working() { return this.stage.classList.contains("dx-working"); }

  work(on) {
    this.stage.classList.toggle("dx-working", on);
    this.button.textContent = on ? "Stop" : AGAIN;
    this.button.classList.toggle("primary", !on);
  }

  /** What has come so far stays. */
  stop() {
    this.abort?.abort();
    this.abort = null;
    this.work(false);
    for (const { take, verdict } of this.columns) if (take && take.newest < take.steps) verdict.textContent = `stopped at step ${take.newest}`;
    this.app.status("Stopped; what has come so far stays.");
  }

  async run(column, settings, mine) {
    const { app } = this;
    const take = new Take();
    let ended = false;
    column.verdict.textContent = " ";
    try {
      await listen(`${app.base}/run`, { ...settings, steps: column.steps, session: app.session }, mine.signal, take, {
        step: () => { if (this.abort === mine) this.grown(column, take); },
        status: (status) => { if (this.abort === mine && status.state !== "running") app.status(status.sentence, "busy"); },
        failed: ({ error }) => { if (this.abort === mine) { app.status(`${error} Press “Run all four again”.`, "error"); app.ready(); } },
        end: () => { ended = true; },
      });
    } catch (fault) {
      if (fault.name !== "AbortError" && this.abort === mine) app.status("The connection to the run was lost. Press “Run all four again”.", "error");
    }
    if (ended && this.abort === mine) await this.judge(column, take);
    return ended;
  }

  grown(column, take) {
    if (column.take !== take) {
      column.take = take;
      column.sheet.load(take);
      column.began = { newest: take.newest, clock: performance.now() };
      this.app.ready();
    }
    column.sheet.soon();
    column.due ??= requestAnimationFrame(() => {
      column.due = null;
      column.bar.style.width = `${(100 * take.newest) / take.steps}%`;
      column.time.textContent = seconds(take.frames[take.newest].seconds);
      if (take.newest < take.steps) column.verdict.textContent = this.left(column);
      this.showOne(column);
    });
  }

  // How long the rest will take, at the pace so far.
  left({ take, began }) {
    const done = take.newest - began.newest;
    if (done < RATE_AFTER) return " ";
    const rest = ((performance.now() - began.clock) / done) * (take.steps - take.newest) / 1000;
    return `step ${take.newest}, about ${rest < 90 ? `${Math.ceil(rest)} s` : `${Math.ceil(rest / 60)} minutes`} to go`;
  }

  async judge(column, take) {
    const { count, h: height, w, c, model, labels } = take.about;
    const last = take.frames[take.steps];
    column.verdict.textContent = " ";
    column.time.textContent = seconds(last.seconds);
    column.pace.textContent = ` · ${(take.steps / last.seconds).toFixed(0)} a second`;
    const size = height * w * c;
    const pictures = Array.from({ length: count }, (_, i) => ({ w, h: height, c, data: btoa(String.fromCharCode(...last.x_0.subarray(i * size, (i + 1) * size))) }));
    const { verdicts } = await this.app.post("judge", { model, pictures }).catch(() => ({ verdicts: [] }));
    if (!verdicts.length) return;
    const wanted = (i) => labels[labels.length > 1 ? i : 0];
    const right = verdicts.filter(({ label }, i) => label === wanted(i)).length;
    column.verdict.textContent = count === 1 ? `the classifier sees “${verdicts[0].name}”, ${Math.round(100 * verdicts[0].sure)} %`
      : wanted(0) < 0 ? `the classifier sees ${verdicts.map(({ name }) => name).join(" ")}` : `${right} of ${count} recognised`;
  }

  tell(settings) {
    const { app } = this;
    if (!settings) return app.status("Four runs from the same noise, the shortest first …", "busy");
    const [long, , , short] = this.columns;
    const factor = long.take.frames[1000].seconds / Math.max(1e-3, short.take.frames[4].seconds);
    app.status(`1000 steps took ${seconds(long.take.frames[1000].seconds)}, 4 steps ${seconds(short.take.frames[4].seconds)}: ${factor.toFixed(0)} times less.`);
  }

  showAll() {
    this.range.value = String(Math.round(this.share * 1000));
    this.range.style.setProperty("--at", `${100 * this.share}%`);
    this.range.setAttribute("aria-valuetext", `${Math.round(100 * this.share)} percent of the way`);
    this.columns.forEach((column) => this.showOne(column));
  }

  showOne({ take, canvas, sheet, steps }) {
    if (!take || take.newest < 0) return;
    const index = Math.min(Math.round(this.share * steps), take.newest);
    paint(canvas, take.frames[index].x_0, take.about);
    sheet.show(index);
  }

  /** All four runs side by side, as far as they have come. */
  keep() {
    const columns = [...this.columns];
    if (columns.some(({ take }) => !take || take.newest < 0)) return null;
    const { about } = columns[0].take;
    const last = ({ take, steps }, share) => Math.min(Math.round(share * steps), take.newest);
    return pictureFilm({
      name: `${about.model.split("/").pop()}-fewer-steps-seed-${about.seed}`, shape: about, count: PLACES + 1, seconds: PLAY_S,
      panes: columns.map((column) => ({ words: () => `${column.steps} steps, ${column.time.textContent}`, bytes: (index) => column.take.frames[last(column, index / PLACES)].x_0 })),
      line: (index) => `what each believes after ${Math.round((100 * index) / PLACES)} % of its steps`,
    });
  }

  async show() {
    this.visible = true;
    await (this.dressed ??= stylesheet(new URL("./fewer.css", import.meta.url)));
    if (!this.visible) return; // left while it was dressing
    this.showAll();
    if (this.asked !== JSON.stringify(this.settings())) this.start();
  }

  hide() {
    this.visible = false;
    clearTimeout(this.timer);
    if (this.working()) this.asked = "";
    this.abort?.abort();
    this.abort = null;
    this.work(false);
  }
}

const seconds = (value) => (value < 10 ? `${value.toFixed(2)} s` : `${value.toFixed(1)} s`);

export default function mount(panel, app) {
  const tool = new Fewer(panel, app);
  window.__diffusion.fewer = tool;
  return { stage: tool.stage, show: () => tool.show(), hide: () => tool.hide(), keep: () => tool.keep() };
}
