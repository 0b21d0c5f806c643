// What can be kept of a text: the text, the run with every probability, and the chart of one place as PNG or SVG.

import { download, h } from "../common/dom.js";
import { share } from "./ink.js";
import { HEIGHT, bar, palette, svg, told } from "./needle.js";

const WIDE = 860, EDGE = 28, ROW = 24, HEAD = 74; // pixels of the chart
const NAMES = 170, VALUES = 190;
const SCALE = 2; // of the PNG

export function createExport(writer) {
  const name = () => `${writer.texts.about.model.replaceAll(/[^\w.-]+/g, "-")}-seed-${writer.texts.about.seed}${writer.current.key ? `-${writer.current.key.replaceAll(":", ".").replaceAll("~", "-")}` : ""}`.slice(0, 100);
  const save = (text, type, make) => h("button", { type: "button", class: "g-btn wr-small", disabled: true, "aria-label": `Save as ${text}`, onclick: async () => {
    const file = `${name()}.${type}`;
    try {
      download(await make(), file);
      writer.say(`Saved as ${file}.`);
    } catch (fault) {
      console.warn(fault);
      writer.say(`The ${text} could not be made: ${fault.message || "the browser gave no reason"}`, "error");
    }
  } }, text);
  const buttons = [
    save("Text", "txt", () => new Blob([textOf(writer)], { type: "text/plain;charset=utf-8" })),
    save("JSON", "json", () => new Blob([JSON.stringify(record(writer), null, 1)], { type: "application/json" })),
    save("PNG", "png", () => png(chart(writer))),
    save("SVG", "svg", () => new Blob([source(chart(writer))], { type: "image/svg+xml" })),
  ];
  return {
    element: h("div", { class: "wr-row wr-save" }, h("span", { class: "wr-what" }, "Save"), ...buttons),
    render: (there) => { for (const each of buttons) each.disabled = !there; },
  };
}

const textOf = ({ texts, current, vocabulary, shown }) => texts.about.prompt + vocabulary.decode(current.steps.slice(0, shown).map(({ id }) => id));

/** The whole tree. Probabilities are natural, entropy is in nats, bytes are hexadecimal, places count from 0 after the prompt. */
export function record({ texts, current, vocabulary }) {
  const { model, prompt, settings, seed } = texts.about;
  const named = (id) => ({ id, text: vocabulary.shown(id) });
  const hex = (id) => [...(vocabulary.tokens[id] ?? [])].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const token = (step, place) => ({
    place, ...named(step.id), bytes: hex(step.id), p: step.p, q: step.q, u: step.u, low: step.low, entropy: step.entropy, kept: step.kept,
    ...(step.drawn === undefined ? {} : { chosen_by_hand: true, drawn: named(step.drawn) }),
    alternatives: step.others.map(([id, p, q]) => ({ ...named(id), p, q })),
  });
  return {
    model, prompt, settings, seed, branch: current.key,
    tokens: current.steps.map(token),
    branches: texts.rows().map(({ branch }) => {
      const from = branch.forced.at(-1)?.[0] ?? 0;
      return { branch: branch.key, parent: branch.parent?.key ?? null, from, ended: branch.ended, text: vocabulary.decode(branch.steps.map(({ id }) => id)),
        tokens: branch.steps.slice(from).map((step, i) => token(step, from + i)) };
    }),
  };
}

/** The needle and the alternatives of the place that is looked at, as one SVG element. */
export function chart(writer) {
  const { texts, current, vocabulary } = writer;
  const place = writer.place();
  const step = current.steps[place];
  const name = vocabulary.shown;
  const colours = palette();
  const { prompt, settings, seed, model } = texts.about;
  const said = prompt + vocabulary.decode(current.steps.slice(0, place).map(({ id }) => id));
  const line = (y, text, size, fill, weight = 400) => svg("text", { x: EDGE, y, fill, "font-size": size, "font-weight": weight, "font-family": colours.text }, text);
  const set = Object.entries(settings).map(([key, value]) => `${key.replaceAll("_", " ")} ${value}`).join(" · ");
  const top = HEAD + HEIGHT + 34;
  const height = top + step.others.length * ROW + EDGE;
  return svg("svg", { xmlns: "http://www.w3.org/2000/svg", width: WIDE, height, viewBox: `0 0 ${WIDE} ${height}` },
    svg("rect", { width: WIDE, height, fill: colours.wall }),
    line(28, shortened(said, 90), 16, colours.ink, 600),
    line(48, `${model} · seed ${seed} · token ${place + 1} · ${set}`, 11, colours.ink2),
    line(HEAD + 2, told(step, name), 13, colours.ink),
    svg("g", { transform: `translate(${EDGE} ${HEAD + 8})` }, ...bar(step, name, WIDE - 2 * EDGE, colours)),
    svg("text", { x: WIDE - EDGE, y: top - 6, "text-anchor": "end", fill: colours.ink2, "font-size": 11, "font-family": colours.text }, "p (pale) and q (full)"),
    ...step.others.map((other, i) => alternative(other, other[0] === step.id, name, top + i * ROW, colours)));
}

// The end of a text in one line, fit for XML.
function shortened(text, most) {
  const line = text.replace(/\s+/g, " ").replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, "");
  const letters = [...line];
  return letters.length > most ? `… ${letters.slice(-most).join("")}` : line;
}

function alternative([id, p, q], here, name, y, colours) {
  const room = WIDE - 2 * EDGE - NAMES - VALUES;
  const text = (x, words, fill, anchor = "start") => svg("text", { x, y: y + 16, fill, "text-anchor": anchor, "font-size": 12, "font-weight": here ? 700 : 400, "font-family": colours.mono }, words);
  const at = EDGE + NAMES;
  return svg("g", {}, text(EDGE, shortened(name(id), 20), colours.ink),
    svg("rect", { x: at, y: y + 4, width: room, height: 16, fill: colours.soft }),
    svg("rect", { x: at, y: y + 4, width: room * p, height: 7, fill: colours.edge }),
    svg("rect", { x: at, y: y + 12, width: room * q, height: 8, fill: colours.accent }),
    text(WIDE - EDGE - 95, share(p), colours.ink2, "end"), text(WIDE - EDGE, q === 0 ? "cut" : share(q), colours.ink, "end"));
}

const source = (drawing) => `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(drawing)}`;

async function png(drawing) {
  const url = URL.createObjectURL(new Blob([source(drawing)], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = h("canvas", { width: SCALE * image.naturalWidth, height: SCALE * image.naturalHeight });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the canvas is too large"))), "image/png"));
  } finally {
    URL.revokeObjectURL(url);
  }
}
