/* Sixteen draws of z = mu + sigma * eps: their pictures on the shelf, their places on the map. */
import { busy, fixed, h } from "../common/dom.js";
import { cell, newest, picture as decoded } from "../common/sheet.js";

const SEEN = 120; // pixels across below which two sigmas are too small to see, and the map moves closer
const SHARE = 14; // the map is then this many times as wide as sigma
const FLIGHT_MS = 450;

export class Draws {
  /** found(): what the model said of the picture last. more(): draw with another seed. */
  constructor(app, found, more) {
    this.app = app;
    this.found = found;
    this.request = newest((what) => this.drawn(what), (draws) => this.show(draws));
    this.wanted = false;
    this.view = null; // the map's view, as this tool set it: not the visitor's, and taken back in the end
    this.title = h("span");
    this.times = h("b");
    this.slider = h("input", { type: "range", class: "g-range", min: "1", max: "6", step: "0.5", "aria-label": "σ times: 1 is what the encoder says, more is an exaggeration",
      oninput: () => app.store.set({ wider: Number(this.slider.value) }) });
    this.other = h("button", { type: "button", class: "g-btn own-small", onclick: () => app.store.set({ model: this.sister().name, wider: 1 }) });
    this.row = h("div", { class: "own-draws", role: "group", "aria-label": "Sixteen draws from q(z|x), decoded" });
    this.element = h("div", { class: "own-shelf" },
      h("div", { class: "own-shelfline" }, this.title,
        h("button", { type: "button", class: "g-btn own-small", title: "Draw with the next seed", onclick: more }, "Again"),
        h("button", { type: "button", class: "g-btn own-small", "aria-label": "Put the draws away", onclick: () => app.store.set({ again: false }) }, "×")),
      this.row,
      h("div", { class: "own-shelfline" }, h("label", { class: "own-wider" }, this.times, this.slider), this.other));
  }

  ask(seed, wider) {
    this.wanted = true;
    this.factor(wider);
    busy(this.row);
    this.request({ seed, wider });
  }

  async drawn({ seed, wider }) {
    const { app } = this;
    const picture = this.found();
    try {
      const draws = await app.server.own_again({ model: picture.model, picture: picture.picture, seed, wider });
      return { ...draws, of: picture, image: await decoded(draws.sheet.src) };
    } finally {
      busy(this.row, false);
    }
  }

  // The model of the same pictures with another number of dimensions, where there is one.
  sister() {
    const now = this.app.space?.config;
    return now && this.app.catalog.find((config) => config.dataset === now.dataset && config.kind === "vae" && config.beta === 1
      && config.latent !== now.latent && !config.name.startsWith("trained/"));
  }

  show(draws) {
    const { app } = this;
    if (!this.wanted || draws.of !== this.found() || !app.space) return;
    this.say(draws);
    const ae = app.space.config.kind === "ae";
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
      const nats = draws.recon_nats ? `, reconstruction ${fixed(draws.recon_nats[i], 1)} nats` : "";
      const far = ae ? "" : `${fixed(draws.far[i], 1)} σ`;
      return h("button", { type: "button", "aria-label": `Draw ${i + 1}, near “${name}”, ${far || "at μ"}${far && " from μ"}${nats}: go there`,
        title: `near “${name}”${nats}`, onpointerenter: look, onfocus: look,
        onpointerleave: () => this.mark(draws), onblur: () => this.mark(draws), onclick: () => app.store.set({ z }) }, canvas, h("small", {}, far));
    }));
    this.mark(draws);
    if (!this.element.isConnected) app.shelf.show(this.element); // put anew, it would take the focus from its slider
    if (!this.shown && !app.store.get("view") && !ae && this.size() < SEEN) requestAnimationFrame(() => this.approach());
    this.shown = true;
  }

  // How wide the cloud is, in numbers, and what is done to it.
  say({ wider, recon_nats: nats }) {
    const { app } = this;
    const ae = app.space.config.kind === "ae";
    const sigma = this.found().logvar.map((value) => Math.exp(value / 2));
    const widths = sigma.length <= 3 ? `(${sigma.map((s) => fixed(s, 2)).join(", ")})`
      : `${fixed(Math.min(...sigma), 2)} to ${fixed(Math.max(...sigma), 2)} in ${sigma.length} dimensions`;
    const costs = nats ? ` · ${Math.min(...nats).toFixed(0)} to ${Math.max(...nats).toFixed(0)} nats` : "";
    this.title.textContent = ae ? "A plain autoencoder has no σ: every draw is the same point."
      : `z = μ + ${wider > 1 ? `${wider} · ` : ""}σ·ε, σ = ${widths}${costs}`;
    this.factor(app.store.get("wider"));
    this.slider.parentElement.hidden = ae;
    const sister = this.sister();
    this.other.hidden = !sister;
    if (sister) this.other.textContent = `In ${sister.latent} dimensions`;
  }

  // What the slider stands at; the draws may still be those of a moment ago.
  factor(wider) {
    if (Number(this.slider.value) !== wider) this.slider.value = String(wider);
    this.slider.setAttribute("aria-valuetext", `${wider} times σ${wider > 1 ? ", an exaggeration" : ""}`);
    this.times.textContent = wider > 1 ? `σ × ${wider}, exaggerated` : "σ × 1, as it is";
  }

  // Pixels from end to end of the longer axis of the ellipse of two sigmas.
  size() {
    const { map, space } = this.app;
    const [xx, xy, yy] = space.covariance(this.found().logvar);
    return 4 * Math.sqrt((xx + yy) / 2 + Math.hypot((xx - yy) / 2, xy)) * map.scale;
  }

  // Fly to the draws. A hand on the map ends the flight, and what it set then stays.
  approach() {
    const { map, space } = this.app;
    const found = this.found();
    if (!this.wanted || !found || !space) return;
    map.measure(); // the shelf has just taken its room
    const from = { ...map.view };
    const [x, y] = map.project(found.mu);
    const to = { x, y, width: Math.max(map.home().width / 60, (from.width * SHARE * this.size()) / 4 / map.size.w) };
    const began = performance.now();
    const length = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : FLIGHT_MS;
    let last = map.view;
    const step = (now) => {
      if (map.view !== last || this.app.space !== space) return;
      const t = length ? Math.min(1, Math.max(0, (now - began) / length)) : 1;
      const ease = t * t * (3 - 2 * t);
      const width = from.width * (to.width / from.width) ** ease; // the same factor in the same time
      const share = from.width === to.width ? ease : (from.width - width) / (from.width - to.width);
      map.setView([from.x + share * (to.x - from.x), from.y + share * (to.y - from.y), width]);
      last = this.view = map.view;
      if (t < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  mark(draws, marker) {
    this.app.map.setLayer("draws", { points: draws.z.map((z) => ({ z, r: 4.5 })), ...(marker ? { marker } : {}) });
  }

  hide() {
    const { map } = this.app;
    this.wanted = false;
    if (this.view && map.view === this.view) map.reset(false);
    this.view = null;
    map.removeLayer("draws");
    if (this.shown) this.app.shelf.hide(this.element);
    this.shown = false;
  }
}
