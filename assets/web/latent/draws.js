/* Sixteen draws of z = mu + sigma * eps: their pictures on the shelf, their places on the map. */
import { h } from "./dom.js";
import { cell, newest, picture as decoded } from "./sheet.js";

export class Draws {
  /** found(): what the model said of the picture last. more(): draw with another seed. */
  constructor(app, found, more) {
    this.app = app;
    this.found = found;
    this.request = newest((seed) => this.drawn(seed), (draws) => this.show(draws));
    this.wanted = false;
    this.title = h("span");
    this.row = h("div", { class: "own-draws", role: "group", "aria-label": "Sixteen draws from q(z|x), decoded" });
    this.element = h("div", { class: "own-shelf" },
      h("div", { class: "own-shelfline" }, this.title,
        h("button", { type: "button", class: "g-btn own-small", onclick: more }, "Again"),
        h("button", { type: "button", class: "g-btn own-small", "aria-label": "Put the draws away", onclick: () => app.store.set({ again: false }) }, "×")),
      this.row);
  }

  ask(seed) {
    this.wanted = true;
    this.request(seed);
  }

  async drawn(seed) {
    const { app } = this;
    const picture = this.found();
    const draws = await app.server.own_again({ model: picture.model, picture: picture.picture, seed });
    return { ...draws, of: picture, image: await decoded(draws.sheet.src) };
  }

  show(draws) {
    const { app } = this;
    if (!this.wanted || draws.of !== this.found()) return;
    const nats = draws.recon_nats;
    const ae = app.space?.config.kind === "ae";
    this.title.replaceChildren(ae ? "A plain autoencoder has no σ: every draw is the same point."
      : h("span", {}, `z = μ + σ·ε, drawn ${draws.sheet.n} times (seed ${draws.seed}): the reconstruction costs ${Math.min(...nats).toFixed(0)} to ${Math.max(...nats).toFixed(0)} nats`));
    const { columns, w } = draws.sheet;
    this.row.replaceChildren(...draws.z.map((z, i) => {
      const canvas = h("canvas", { "aria-hidden": "true" });
      canvas.width = canvas.height = w;
      cell(canvas.getContext("2d"), draws.image, w, Math.floor(i / columns), i % columns, 0, 0, w);
      const look = () => {
        app.here.show(canvas, z, `draw ${i + 1} of ${draws.sheet.n}`);
        this.mark(draws, z);
      };
      const name = app.space?.names?.[draws.labels[i]] ?? "";
      return h("button", { type: "button", "aria-label": `Draw ${i + 1}, near “${name}”, ${nats[i].toFixed(1)} nats: go there`,
        title: `near “${name}” · reconstruction ${nats[i].toFixed(1)} nats`, onpointerenter: look, onfocus: look,
        onpointerleave: () => this.mark(draws), onblur: () => this.mark(draws), onclick: () => app.store.set({ z }) }, canvas);
    }));
    this.mark(draws);
    app.shelf.show(this.element);
    this.shown = true;
  }

  mark(draws, marker) {
    this.app.map.setLayer("draws", { points: draws.z.map((z) => ({ z, r: 4 })), ...(marker ? { marker } : {}) });
  }

  hide() {
    this.wanted = false;
    this.app.map.removeLayer("draws");
    if (this.shown) this.app.shelf.hide(this.element);
    this.shown = false;
  }
}
