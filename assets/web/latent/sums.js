/* A − B + C with pictures chosen from the data: what the model makes of it, and what is really there. */
import { h } from "../common/dom.js";
import { cell, named, newest, picture, sharp, token } from "../common/sheet.js";
import { choosePictures } from "./picker.js";

const TERMS = ["a", "b", "c"];
const SIGNS = { b: "−", c: "+" };
const MOSAIC = 9;                // pictures of a mean that its well shows

/** "1.2-3+4" -> {a: [1, 2], b: [3], c: [4]}, or null. */
export function parseSum(text) {
  const parts = /^([\d.]+)-([\d.]+)\+([\d.]+)$/.exec(text || "");
  if (!parts) return null;
  const terms = parts.slice(1).map((part) => part.split(".").filter(Boolean).map(Number));
  return terms.every((term) => term.length) ? { a: terms[0], b: terms[1], c: terms[2] } : null;
}

export const formatSum = ({ a, b, c }) => `${a.join(".")}-${b.join(".")}+${c.join(".")}`;

export default function sums(app) {
  let sum = null;
  let model = "";
  let overview = null;
  let answered = "";
  let result = null;
  const wells = Object.fromEntries(TERMS.map((term) => [term, well(term)]));
  const examples = h("div", { class: "dim-row-tools" });
  const made = h("canvas", { role: "img", "aria-label": "Decoded from A − B + C" });
  const real = h("canvas", { role: "img", "aria-label": "The nearest real picture" });
  const realSays = h("b", {});
  const verdict = h("span", {});
  const out = h("div", { class: "dim-out" }, real, h("p", { "aria-live": "polite" }, realSays, " ", verdict));
  const codes = h("canvas", { class: "dim-codes", role: "img", "aria-label": "The codes of A, B, C and their sum" });
  const element = h("div", { class: "dim-tool" }, examples,
    h("div", { class: "dim-sum" }, ...TERMS.flatMap((term) => (SIGNS[term] ? [h("span", { class: "dim-sign" }, SIGNS[term]), wells[term].box] : [wells[term].box])),
      h("span", { class: "dim-sign" }, "="), h("div", { class: "dim-made" }, made, h("p", { class: "dim-well-name" }, "decoded"))),
    out, codes,
    h("p", { class: "dim-say" }, "Means of the codes are added and subtracted, number by number; nothing in the training asked for this to work."));

  function well(term) {
    const canvas = h("canvas", { "aria-hidden": "true" });
    const badge = h("em", { hidden: true });
    const name = h("p", { class: "dim-well-name" }, "choose");
    const button = h("button", { type: "button", class: "dim-well", "data-term": term, "aria-label": `Choose ${term.toUpperCase()}`, onclick: () => choose(term) },
      canvas, h("span", {}, term.toUpperCase()), badge);
    return { box: h("div", {}, button, name), button, canvas, badge, name };
  }

  async function choose(term) {
    const chosen = await choosePictures(app, { title: `Pictures for ${term.toUpperCase()}` });
    wells[term].button.focus();
    if (chosen?.length) put({ ...(sum ?? { a: chosen, b: chosen, c: chosen }), [term]: chosen });
  }

  function put(next) {
    app.store.set({ sum: formatSum(next) });
  }

  // --- wells ---

  async function fill(term) {
    const { canvas, badge, name, button } = wells[term];
    const chosen = sum[term];
    const some = await app.data.pictures(overview.dataset, chosen.slice(0, MOSAIC));
    const across = some.length > 1 ? Math.ceil(Math.sqrt(some.length)) : 1;
    const context = sharp(canvas, 76, 76, some[0].w > 28);
    const size = 76 / across;
    const small = h("canvas");
    some.forEach((image, index) => {
      app.picture(small, image);
      context.drawImage(small, (index % across) * size, Math.floor(index / across) * size, size, size);
    });
    badge.hidden = chosen.length < 2;
    badge.textContent = `×${chosen.length}`;
    const called = result && answered === formatSum(sum) ? result.names[term] : "";
    name.textContent = called;
    button.setAttribute("aria-label", `${term.toUpperCase()}: ${called || `${chosen.length} pictures`}. Choose others`);
  }

  // --- the sum ---

  const request = newest(async (what) => {
    const answer = await app.server.arithmetic(what);
    return { ...answer, image: await picture(answer.sheet) };
  }, (answer, what) => {
    if (what.model !== app.store.get("model")) return;
    result = answer;
    answered = formatSum(what);
    paint();
    if (showing) {
      app.store.set({ z: answer.z });
      app.status(`Nearest real picture: ${answer.nearest.name}. ${answer.verdict}`);
    }
  });

  function paint() {
    const side = result.image.width / result.columns;
    const soft = side > 28;
    element.classList.toggle("soft", soft);
    for (const [canvas, column] of [[made, 3], [real, 4]]) cell(sharp(canvas, 76, 76, soft), result.image, side, 0, column, 0, 0, 76);
    realSays.textContent = `Nearest real picture: ${result.nearest.name}.`;
    verdict.textContent = result.verdict;
    TERMS.forEach(fill);
    drawCodes();
  }

  function drawCodes() {
    const order = overview.dimensions.map((dimension) => dimension.k).slice(0, 32);
    const lines = [["A", result.codes.a], ["B", result.codes.b], ["C", result.codes.c], ["=", result.z]];
    const width = codes.clientWidth || 300;
    const high = 15;
    const context = sharp(codes, width, high * lines.length + 14);
    codes.style.aspectRatio = `${width} / ${high * lines.length + 14}`;
    const left = 16;
    const step = (width - left) / order.length;
    context.font = `600 13px ${token("--mono")}`;
    lines.forEach(([name, code], row) => {
      context.fillStyle = token("--ink-2");
      context.fillText(name, 0, row * high + 11);
      order.forEach((k, index) => {
        const share = Math.min(1, Math.abs(code[k]) / 3);
        context.fillStyle = `color-mix(in oklab, ${token(code[k] < 0 ? "--gpt2" : "--a")} ${Math.round(share * 100)}%, ${token("--soft")})`;
        context.fillRect(left + index * step, row * high + 1, step - 1, high - 2);
      });
    });
    context.font = `13px ${token("--mono")}`;
    context.fillStyle = token("--ink-2");
    context.fillText(`${named(order[0])} … by KL · orange below 0, violet above`, left, high * lines.length + 11);
    codes.setAttribute("aria-label", `The sum in its three most telling dimensions: ${order.slice(0, 3).map((k) => `${named(k)} ${result.z[k].toFixed(2)}`).join(", ")}`);
  }

  // --- life ---

  async function load() {
    const name = app.store.get("model");
    if (model !== name) {
      const answer = await app.server.dimension_overview({ model: name }).catch(() => null);
      if (!answer || app.store.get("model") !== name) return;
      const before = overview?.dataset;
      [model, overview, answered, result] = [name, answer, "", null];
      if (before && before !== answer.dataset) app.store.set({ sum: "" });
      examples.replaceChildren(...answer.examples.map((example) => h("button", { type: "button", onclick: () => put(example) }, example.title)));
    }
    sum = parseSum(app.store.get("sum"));
    if (!sum) {
      if (overview.examples.length) put(overview.examples[0]);
      return;
    }
    if (answered !== formatSum(sum)) request({ model, ...sum });
  }

  let showing = false;
  const recolour = () => { if (result && showing) drawCodes(); };
  const offs = [app.onSpace(() => { if (showing) load(); }), app.store.on("sum", () => { if (showing) load(); })];
  addEventListener("gallery:theme", recolour);
  return {
    element,
    show() { showing = true; load(); },
    hide() { showing = false; },
    destroy() { this.hide(); offs.forEach((off) => off()); removeEventListener("gallery:theme", recolour); },
  };
}
