// Which model is on the map, and what is drawn of it.

import { h, segmented } from "./dom.js";

const DATA = [["mnist", "Digits"], ["fashion", "Fashion"], ["emoji", "Emoji"]];
const LAYERS = [["points", "Codes", "the pictures' codes, coloured by class"],
  ["manifold", "Manifold", "what the decoder makes of every place"],
  ["density", "Density", "how thickly the codes lie, and the prior's 1, 2, 3 σ"]];

const betaText = (beta) => (beta === 0.25 ? "β ¼" : `β ${beta}`);
export const variant = (config) => (config.kind === "ae" ? "ae" : String(config.beta));

// Two words for a model, for headings and messages.
export function modelText(config) {
  if (config.trained) return "your own model";
  const kind = config.kind === "ae" ? "plain autoencoder" : `VAE, β = ${config.beta}`;
  return `${kind}, ${config.latent} dimensions`;
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
    app.store.set({ model: closest(app.catalog.filter((config) => !config.trained), wanted, first).name });
  }

  const current = () => app.catalog.find((config) => config.name === app.store.get("model")) || app.catalog[0];
  const labelled = (text, row) => [h("span", { class: "g-label" }, text), row];

  function render() {
    if (!app.catalog.length) return;
    const now = current();
    const mine = app.catalog.filter((config) => config.dataset === now.dataset && !config.trained);
    const sizes = [...new Set(mine.map((config) => config.latent))].sort((a, b) => a - b);
    data.replaceChildren(...labelled("Data", segmented("Data", DATA.map(([value, text]) => ({
      value, text, disabled: !app.catalog.some((config) => config.dataset === value),
    })), now.dataset, (value) => choose("dataset", value))));
    size.replaceChildren(...labelled("Dimensions", segmented("Dimensions", (sizes.length ? sizes : [now.latent]).map((value) => ({
      value, text: String(value),
    })), now.latent, (value) => choose("latent", value))));
    const variants = mine.filter((config) => config.latent === now.latent || sizes.length < 2)
      .sort((a, b) => (a.kind === "ae") - (b.kind === "ae") || a.beta - b.beta);
    const options = variants.map((config) => ({
      value: config.name, text: config.kind === "ae" ? "Plain AE" : `VAE ${betaText(config.beta)}`,
      title: config.kind === "ae" ? "a plain autoencoder: reconstruction only, no KL term" : `loss = reconstruction + ${config.beta} · KL`,
    }));
    for (const config of app.catalog.filter((each) => each.trained)) {
      options.push({ value: config.name, text: "Yours", title: "the model that you trained here" });
    }
    kind.replaceChildren(...labelled("Model", segmented("Model", options, now.name, (name) => app.store.set({ model: name }))));
    paintLayers();
  }

  function paintLayers() {
    const on = app.store.get("layers");
    layers.replaceChildren(...LAYERS.map(([name, text, title]) =>
      h("button", {
        type: "button", class: "g-btn", "aria-pressed": String(on.includes(name)), title,
        onclick: () => app.store.set({ layers: LAYERS.map(([each]) => each).filter((each) => (each === name) !== on.includes(each)) }),
      }, text)),
      h("button", {
        type: "button", class: "g-btn", "aria-pressed": String(Boolean(app.store.get("compare"))),
        title: "a second map beside this one: with and without the KL term", onclick: () => app.compare.toggle(),
      }, "Compare"));
  }

  app.store.on(["model"], render);
  app.store.on(["layers", "compare"], paintLayers);
  render();
  return { render };
}
