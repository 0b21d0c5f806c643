// Which model is on the map, and what is drawn of it.

import { h, segmented } from "../common/dom.js";
import { tip } from "../common/tip.js";

const DATA = [["mnist", "Digits"], ["fashion", "Fashion"], ["emoji", "Emoji"]];
const LAYERS = [["points", "Codes", "One dot for each test picture, where the encoder puts it; the colour is its class, which the model never saw."],
  ["manifold", "Manifold", "What the decoder makes of every place: a carpet of pictures under the dots."],
  ["density", "Density", "How thickly the codes lie and, dashed, 1, 2 and 3 σ of the prior N(0, I)."]];
const AE = "A plain autoencoder: it learned to copy pictures and nothing else; no KL term keeps its codes together.";
const leash = (beta) => `The model made reconstruction + ${beta} · KL small. β is how much the KL term counts: ${
  beta === 1 ? "1 is the usual VAE, whose loss is −ELBO." : beta > 1 ? "more than 1 gathers the codes and blurs the copies." : "less than 1 sharpens the copies and scatters the codes."}`;

const MOST_OWN = 3; // trained models that the row has room for, the newest
const betaText = (beta) => (beta === 0.25 ? "β ¼" : `β ${beta}`);
export const variant = (config) => (config.kind === "ae" ? "ae" : String(config.beta));

const isMine = (config) => Boolean(config.name?.startsWith("trained/"));

// A few words for a model, for headings and messages.
export function modelText(config) {
  const kind = config.kind === "ae" ? "plain autoencoder" : `${isMine(config) ? "" : "VAE, "}β = ${config.beta}`;
  return `${isMine(config) ? "yours, " : ""}${kind}, ${config.latent} dimensions`;
}

// Of the models that are here, the one most like what was asked for, the asked key first.
function closest(catalog, wanted, first) {
  const score = (config) =>
    (config.dataset === wanted.dataset) * (first === "dataset" ? 8 : 3)
    + (config.latent === wanted.latent) * (first === "latent" ? 8 : 1.5)
    + (variant(config) === wanted.variant) * (first === "variant" ? 8 : 1)
    + (config.kind === "vae" && config.beta === 1) * 0.5;
  return [...catalog].sort((a, b) => score(b) - score(a))[0];
}

export function createControls(host, app) {
  const data = h("div");
  const size = h("div");
  const kind = h("div");
  const layers = h("div", { class: "lx-layers", role: "group", "aria-label": "What the map shows" });
  host.append(h("div", { class: "lx-two" }, data, size), kind, layers);

  function choose(first, value) {
    const now = current();
    const wanted = { dataset: now.dataset, latent: now.latent, variant: variant(now), [first]: value };
    show(closest(app.catalog.filter((config) => !isMine(config)), wanted, first).name);
  }

  // While a training has the map, choosing a model turns to the model; the training goes on behind its tab.
  const show = (model) => app.store.set({ model, ...(app.training ? { tool: "explore" } : {}) });

  const current = () => app.training || app.catalog.find((config) => config.name === app.store.get("model")) || app.catalog[0];
  const labelled = (text, row) => [h("span", { class: "g-label" }, text), row];

  // What is made anew takes the focus with it: the button of the same words has it afterwards.
  function keepingFocus(paint) {
    const had = host.contains(document.activeElement) && document.activeElement.textContent;
    paint();
    if (had) [...host.querySelectorAll("button")].find((button) => button.textContent === had)?.focus();
  }

  function rendered() {
    if (!app.catalog.length) return;
    const now = current();
    const mine = app.catalog.filter((config) => config.dataset === now.dataset && !isMine(config));
    const sizes = [...new Set(mine.map((config) => config.latent))].sort((a, b) => a - b);
    data.replaceChildren(...labelled("Data", segmented("Data", DATA.map(([value, text]) => ({
      value, text, disabled: !app.catalog.some((config) => config.dataset === value),
    })), now.dataset, (value) => choose("dataset", value))));
    size.replaceChildren(...labelled("Dimensions", segmented("Dimensions", (sizes.length ? sizes : [now.latent]).map((value) => ({
      value, text: String(value),
    })), now.latent, (value) => choose("latent", value))));
    const near = sizes.includes(now.latent) ? now.latent : sizes[0]; // a training may have another number of dimensions
    const variants = mine.filter((config) => config.latent === near)
      .sort((a, b) => (a.kind === "ae") - (b.kind === "ae") || a.beta - b.beta);
    const options = variants.map((config) => ({
      value: config.name, text: config.kind === "ae" ? "Plain AE" : `VAE ${betaText(config.beta)}`,
      tip: config.kind === "ae" ? AE : leash(config.beta),
    }));
    for (const config of app.catalog.filter(isMine).slice(-MOST_OWN)) {
      options.push({ value: config.name, text: `Yours, ${config.kind === "ae" ? "AE" : betaText(config.beta)}`, title: `the model that you trained here: ${modelText(config)}` });
    }
    if (app.training && !isMine(now)) options.push({ value: now.name, text: "Training", title: "what the map shows just now" });
    kind.replaceChildren(...labelled("Model", segmented("Model", options, now.name, show)));
    paintedLayers();
  }

  function paintedLayers() {
    const on = app.store.get("layers");
    layers.replaceChildren(...LAYERS.map(([name, text, words]) =>
      h("button", {
        type: "button", class: "g-btn", "aria-pressed": String(on.includes(name)), ...tip(words),
        onclick: () => app.store.set({ layers: LAYERS.map(([each]) => each).filter((each) => (each === name) !== on.includes(each)) }),
      }, text)),
      h("button", {
        type: "button", class: "g-btn", "aria-pressed": String(Boolean(app.store.get("compare"))),
        ...tip("A second map beside this one: the same pictures with and without the KL term."), onclick: () => app.compare.toggle(),
      }, "Compare"));
  }

  const render = () => keepingFocus(rendered);
  app.store.on(["model"], render);
  app.store.on(["layers", "compare"], () => keepingFocus(paintedLayers));
  render();
  return { render };
}
