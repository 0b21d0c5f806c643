/* Sixteen draws of z = mu + sigma * eps: their pictures on the shelf, their places on the map. */
import { h } from "./dom.js";
import { cell, newest, picture as decoded } from "./sheet.js";

const SEEN = 26; // pixels across below which two sigmas are too small to see, and the map moves closer
const SHARE = 14; // the map is then this many times as wide as sigma
const FLIGHT_MS = 450;

export class Draws {
  /** found(): what the model said of the picture last. more(): draw with another seed. */
  constructor(app, found, more) {
    this.app = app;
    this.found = found;
    this.request = newest((seed) => this.drawn(seed), (draws) => this.show(draws));
    this.wanted = false;
    this.title = h("span");
    this.closer = h("button", { type: "button", class: "g-btn own-small", onclick: () => this.approach(!this.near) }, "Closer");
    this.near = false;
    this.row = h("div", { class: "own-draws", role: "group", "aria-label": "Sixteen draws from q(z|x), decoded" });
    this.element = h("div", { class: "own-shelf" },
      h("div", { class: "own-shelfline" }, this.title, this.closer,
        h("button", { type: "button", class: "g-btn own-small", title: "Draw with the next seed", onclick: more }, "Again"),
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
    const range = `${Math.min(...nats).toFixed(0)} to ${Math.max(...nats).toFixed(0)} nats`;
    this.title.replaceChildren(ae ? "A plain autoencoder has no σ: every draw is the same point." : `z = μ + σ·ε, ${draws.sheet.n} draws · ${range}`);
    this.title.title = ae ? "" : `With seed ${draws.seed} the reconstruction costs ${range}`;
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
    if (!this.shown && !app.store.get("view") && this.size() < SEEN) requestAnimationFrame(() => this.approach(true));
    this.shown = true;
  }

  // Pixels from end to end of the longer axis of the ellipse of two sigmas.
  size() {
    const { map, space } = this.app;
    const [xx, xy, yy] = space.covariance(this.found().logvar);
    return 4 * Math.sqrt((xx + yy) / 2 + Math.hypot((xx - yy) / 2, xy)) * map.scale;
  }

  /** Fly to the draws, or back to the whole map. */
  approach(near) {
    const { map, space } = this.app;
    const found = this.found();
    if (!found || !space || (near && space.config.kind === "ae")) return;
    this.near = near;
    this.closer.textContent = near ? "Whole map" : "Closer";
    const from = { ...map.view };
    const [x, y] = map.project(found.mu);
    const home = map.home();
    const to = near ? { x, y, width: Math.max(home.width / 60, (from.width * SHARE * this.size()) / 4 / map.size.w) } : home;
    const began = performance.now();
    const length = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : FLIGHT_MS;
    const step = (now) => {
      const t = length ? Math.min(1, Math.max(0, (now - began) / length)) : 1;
      const ease = t * t * (3 - 2 * t);
      const width = from.width * (to.width / from.width) ** ease; // the same factor in the same time
      const share = from.width === to.width ? ease : (from.width - width) / (from.width - to.width);
      map.setView([from.x + share * (to.x - from.x), from.y + share * (to.y - from.y), width]);
      if (t < 1) requestAnimationFrame(step);
      else if (near) map.moved();
      else map.reset();
    };
    requestAnimationFrame(step);
  }

  mark(draws, marker) {
    this.app.map.setLayer("draws", { points: draws.z.map((z) => ({ z, r: 4 })), ...(marker ? { marker } : {}) });
  }

  hide() {
    this.wanted = false;
    if (this.near) this.approach(false);
    this.app.map.removeLayer("draws");
    if (this.shown) this.app.shelf.hide(this.element);
    this.shown = false;
  }
}
