// The first tool: pins, the pictures nearest to a place, a draw from N(0, I), and the points as CSV.

import { download, fixed, h, vector } from "../common/dom.js";
import { picture } from "./data.js";
import { tip } from "../common/tip.js";

const NEIGHBOURS = 8;
const PRIOR = "Throws a code as the VAE's prior does: each number of z from a normal distribution around 0 with width 1. What the decoder paints there is a picture made from nothing. To a plain autoencoder the prior means nothing.";

// A standard normal number (Box and Muller, 1958).
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

export default function mount(host, app) {
  const near = h("div", { class: "lx-near" });
  const nearTitle = h("h3", { class: "g-h3" });
  const pins = h("ul", { class: "lx-pins" });
  const pinTitle = h("h3", { class: "g-h3" });
  const prior = h("button", { type: "button", class: "g-btn", ...tip(PRIOR), onclick: draw }, "Draw z from N(0, I)");
  const csv = h("button", { type: "button", class: "g-btn", onclick: points }, "Codes as CSV");
  const clear = h("button", { type: "button", class: "g-btn", onclick: () => app.store.set({ pins: [] }) }, "Remove all");
  host.append(
    h("div", { class: "lx-row" }, prior, csv), nearTitle, near,
    h("div", { class: "lx-row lx-pinhead" }, pinTitle, clear), pins,
    h("p", { class: "g-cap" }, "Click the map to pin a place or a code; arrow keys move the point, + and − zoom, Home goes back to the start."),
  );
  let showing = false;

  function draw() {
    const { space } = app;
    if (!space) return;
    const z = Array.from({ length: space.d }, normal);
    app.store.set({ z, pins: app.addPin({ kind: "point", z }) });
  }

  async function neighbours() {
    const { space } = app;
    if (!showing || !space) return;
    const z = app.z();
    const found = space.nearest(z, NEIGHBOURS);
    nearTitle.textContent = "Pictures nearest to z";
    let images;
    try {
      images = await app.data.pictures(space.config.dataset, found.map(({ index }) => index));
    } catch (fault) {
      return app.status(fault.message, "error");
    }
    if (app.space !== space) return;
    near.replaceChildren(...found.map(({ index, distance, label }, at) => {
      const canvas = h("canvas", { "aria-hidden": "true" });
      picture(canvas, images[at]);
      return h("button", {
        type: "button", title: `picture ${index}: ${label}`, "aria-label": `Pin picture ${index}, ${label}, ${fixed(distance)} away`,
        onclick: () => app.pinTest(index),
      }, canvas, h("span", {}, label), h("small", {}, fixed(distance, distance < 0.1 ? 3 : 2)));
    }));
  }

  function list() {
    const all = app.store.get("pins");
    pinTitle.textContent = all.length ? `Pins (${all.length})` : "Pins";
    clear.hidden = !all.length;
    pins.replaceChildren(...all.map((pin, at) => {
      const z = pin.z || (app.space && pin.index < app.space.n ? app.space.code(pin.index) : null);
      const name = pin.kind === "test" ? `picture ${pin.index}: ${app.labelOf(pin.index)}` : pin.kind === "own" ? "your picture" : "place";
      return h("li", {},
        h("button", { type: "button", class: "lx-pin", onclick: () => app.visit(pin) }, h("b", {}, String(at + 1)), ` ${name} `, h("small", {}, z ? vector(z) : "")),
        h("button", { type: "button", class: "lx-drop", "aria-label": `Remove pin ${at + 1}`, onclick: () => app.store.set({ pins: all.filter((_, i) => i !== at) }) }, "×"));
    }));
  }

  function points() {
    const { space } = app;
    if (!space) return;
    const head = ["index", "label", ...Array.from({ length: space.d }, (_, k) => `mu${k + 1}`), ...(space.flat ? [] : ["pc1", "pc2"])];
    const rows = [head.join(",")];
    for (let i = 0; i < space.n; i++) {
      const values = [...space.mu.subarray(i * space.d, (i + 1) * space.d)].map((value) => value.toFixed(4));
      if (!space.flat) values.push(space.xy[2 * i].toFixed(4), space.xy[2 * i + 1].toFixed(4));
      rows.push([i, `"${space.names[space.labels[i]].replaceAll('"', '""')}"`, ...values].join(","));
    }
    app.store.get("pins").forEach((pin, at) => {
      const z = pin.z || space.code(pin.index);
      rows.push([`pin${at + 1}`, pin.kind, ...z.map((value) => value.toFixed(4)), ...(space.flat ? [] : space.project(z).map((value) => value.toFixed(4)))].join(","));
    });
    download(new Blob([rows.join("\n") + "\n"], { type: "text/csv" }), `${space.name.replace("/", "-")}-codes.csv`);
  }

  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(neighbours, 120);
  };
  const offs = [app.store.on("z", later), app.store.on("pins", list), app.onSpace(() => (list(), later()))];
  return {
    show() {
      showing = true;
      list();
      neighbours();
    },
    hide: () => (showing = false),
    destroy: () => offs.forEach((off) => off()),
  };
}
