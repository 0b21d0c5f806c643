// Beside the large picture: the one that was picked, how it goes in numbers, and curves.

import { h, put } from "../common/dom.js";
import { term } from "../common/tip.js";
import { CHARTS, Curve } from "./curves.js";
import { Illness } from "./illness.js";
import { tokens } from "./ink.js";
import { verdict } from "./rules.js";

const PICTURE_CHARTS = {
  verdicts: CHARTS.verdicts, losses: CHARTS.losses, gradients: CHARTS.gradients,
  distance: { title: "Fréchet distance", lines: [["frechet", "distance", "ink"]], log: true, measured: true },
  crowd: { title: "", name: "Recognised, precision, recall", lines: [["recognised", "recognised", "ink"], ["precision", "precision", "fake"], ["recall", "recall", "real"]], low: 0, high: 1, measured: true },
};
const ABOUT = {
  d_real: "D’s verdict of the real pictures of the last batch, on average", d_fake: "D’s verdict of the generated pictures of the last batch, on average",
  frechet: "distance between the generated pictures and real ones as crowds, in the features of our own classifier: the smaller the better. In brackets: what as many other real pictures score, which is as good as it gets",
  precision: "share of the generated pictures that lie among the real ones", recall: "share of the real pictures that lie among the generated ones",
  recognised: "share of the generated pictures that our classifier takes for the class that was asked for",
  share: "how many of the generated pictures are taken for each class; alike is right",
};

export class Beside {
  /** seek(step): a press on a curve; change(rules): what a diagnosis advises is to be tried. */
  constructor(seek, change) {
    this.picture = h("canvas", { class: "gp-picked", role: "img", "aria-label": "The picture that was picked" });
    this.words = h("p", { class: "gp-words", "aria-live": "off" });
    this.illness = new Illness(change);
    this.values = {};
    const value = (name) => (this.values[name] = h("b", {}));
    const row = (words, ...names) => h("div", {}, h("span", {}, words), ...names.map(value));
    this.table = h("div", { class: "gp-numbers" },
      row(h("span", {}, term("D(real)", ABOUT.d_real), " · ", term("D(gen.)", ABOUT.d_fake)), "d"), row(term("Fréchet distance", ABOUT.frechet), "frechet"),
      row(h("span", {}, term("Precision", ABOUT.precision), " · ", term("recall", ABOUT.recall)), "crowd"), (this.recognised = row(term("Recognised", ABOUT.recognised), "recognised")),
      (this.when = h("p", { class: "gp-when" })));
    this.shares = h("canvas", { class: "gp-shares", role: "img", "aria-label": "Share of each class" });
    this.sharesBox = h("div", { class: "gp-sharesbox" }, h("span", {}, term("Share by class", ABOUT.share)), this.shares);
    this.curves = ["verdicts", "crowd", "losses"].map((kind) => new Curve(kind, seek, PICTURE_CHARTS)); // the last where there is room
    for (const curve of this.curves) this.chooser(curve);
    this.curvesBox = h("div", { class: "gp-curves" }, ...this.curves.slice(0, 2).map((curve) => curve.element));
    this.element = h("div", { class: "gp-beside" }, h("div", { class: "gp-pickedbox" }, this.picture, this.words), this.illness.element, this.table, this.sharesBox,
      h("div", { class: "gp-third" }, this.curves[2].element), this.curvesBox);
  }

  chooser(curve) {
    const select = h("select", { class: "gx-choose", "aria-label": "Curves", onchange: () => curve.choose(select.value) },
      ...Object.entries(PICTURE_CHARTS).map(([kind, { title, name }]) => h("option", { value: kind, selected: kind === curve.kind }, name ?? title)));
    curve.element.append(select);
  }

  /** item: of the easel; tiles in it. words: what to say of it. */
  pick(item, words) {
    put(this.words, words);
    const side = this.picture.clientWidth;
    if (!item || !side) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 3);
    if (this.picture.width !== Math.round(side * ratio)) this.picture.width = this.picture.height = Math.round(side * ratio);
    const g = this.picture.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.imageSmoothingQuality = "high";
    g.clearRect(0, 0, side, side);
    item.tiles.draw(g, item.i, 0, 0, side, ratio);
  }

  /** look: that is shown; measures: the newest that are not later, or null. */
  numbers(look, measures, names, space) {
    const [real, fake] = verdictsOf(look);
    put(this.values.d, `${verdict(real, look.loss)} · ${verdict(fake, look.loss)}`);
    put(this.values.frechet, measures?.frechet == null ? "–" : distance(measures.frechet) + (measures.floor == null ? "" : ` (${distance(measures.floor)})`));
    put(this.values.crowd, measures?.precision == null ? "–" : `${measures.precision.toFixed(2)} · ${measures.recall.toFixed(2)}`);
    put(this.values.recognised, measures?.recognised == null ? "–" : `${Math.round(100 * measures.recognised)} %`);
    this.recognised.hidden = space === "colours"; // no classifier knows them
    put(this.when, measures ? sourceOf(measures) : "");
    this.bars(measures?.share ?? [], names);
  }

  bars(share, names) {
    this.sharesBox.hidden = !share.length;
    const [w, tall] = [this.shares.clientWidth, this.shares.clientHeight];
    if (!share.length || !w) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 3);
    [this.shares.width, this.shares.height] = [w * ratio, tall * ratio];
    const g = this.shares.getContext("2d");
    g.scale(ratio, ratio);
    const { fake, ink2, line, text } = tokens();
    const most = Math.max(0.2, ...share);
    const foot = tall - 14;
    g.fillStyle = ink2;
    g.font = `12px ${text}`;
    g.textAlign = "center";
    names.forEach((name, i) => g.fillText(name.length > 2 ? name.slice(0, 1) : name, ((i + 0.5) * w) / share.length, tall - 2));
    g.fillStyle = line;
    g.fillRect(0, foot - 1, w, 1);
    g.fillStyle = fake;
    share.forEach((value, i) => g.fillRect((i * w) / share.length + 1, foot - 1 - ((foot - 2) * value) / most, w / share.length - 2, ((foot - 2) * value) / most));
    g.strokeStyle = ink2;
    g.setLineDash([2, 3]);
    g.beginPath();
    const even = foot - 1 - ((foot - 2) / share.length / most);
    g.moveTo(0, even);
    g.lineTo(w, even);
    g.stroke();
    const said = share.map((value, i) => `${names[i]} ${Math.round(100 * value)} %`).join(", ");
    this.shares.setAttribute("aria-label", `Share of each class: ${said}`);
    this.shares.title = said;
  }

  /** games: one or two. */
  curve(games, step) {
    const from = games[0].trained ? games[0].start : 0;
    for (const curve of this.curves) curve.set(games.map((game) => game.series(curve.chart.measured ? "measures" : "points", from)), step, 0, from);
  }

  theme() { for (const curve of this.curves) curve.theme(); }
}

/** D's mean verdicts of real pictures and of generated ones; before the first step there is no batch. */
export const verdictsOf = (look) => [look.d_real ?? mean(look.real), look.d_fake ?? mean(look.verdicts)];

const distance = (value) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

// How sure the numbers are.
function sourceOf({ step, samples, space }) {
  return `${samples ? `estimate, ${samples} pictures` : "by the recipe"} at step ${step.toLocaleString("en")}${space === "colours" ? ", in mean colours" : ""}`;
}
