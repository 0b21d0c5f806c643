// A second map beside the first: the same pictures with and without the KL term. The pointer on one is shown at
// the same place of the other (as many standard deviations from the middle). Of both it is told how much of the middle of
// the map is empty, how often the encoder misreads what the decoder paints there, and what they paint in the emptiest places.

import { modelText, variant } from "./controls.js";
import { picture, unpack } from "./data.js";
import { busy, h } from "../common/dom.js";
import { EMPTY, emptiest, emptiness, middle, misread, spread } from "./empty.js";
import { LatentMap } from "./map.js";
import { term } from "../common/tip.js";

const PLACES = 6;
const percent = (share) => `${Math.round(100 * share)} %`;

export function createCompare(app) {
  const { store } = app;
  let second = null; // {map, plot, space, name, corner}
  let generation = 0;
  const corner = h("canvas", { class: "lx-corner", role: "img", "aria-label": "Decoding on the first map" });
  const name = h("span", { class: "lx-plot-name" });

  // What to hold a model against: an autoencoder for a VAE, the usual VAE for anything else.
  function counterpart() {
    const now = app.space.config;
    const same = app.catalog.filter((config) => config.dataset === now.dataset && config.name !== now.name && !config.name.startsWith("trained/"));
    const wanted = (config) => (config.latent === now.latent) * 4 + (now.kind === "ae" ? config.kind === "vae" && config.beta === 1 : config.kind === "ae") * 2 + (variant(config) === "1");
    return same.sort((a, b) => wanted(b) - wanted(a))[0]?.name;
  }

  function toggle() {
    if (!app.space) return;
    if (store.get("compare")) return store.set({ compare: "" });
    const other = counterpart();
    if (other) store.set({ compare: other });
    else app.status("There is no second model of these pictures to compare with.", "error");
  }

  function close() {
    generation++;
    if (!second) return;
    second.plot.remove();
    second = null;
    corner.remove();
    name.remove();
    app.map.removeLayer("empty");
    app.shelf.hide();
    app.stage.host.classList.remove("lx-comparing");
  }

  function open() {
    const primary = h("div", { class: "lx-primary", "aria-hidden": "true" });
    const plot = h("div", { class: "lx-plot" }, primary);
    const mine = h("canvas", { class: "lx-corner", role: "img", "aria-label": "Decoding on the second map" });
    const title = h("span", { class: "lx-plot-name" });
    app.stage.maps.append(plot);
    app.stage.plot.append(corner, name);
    app.stage.host.classList.add("lx-comparing");
    const map = new LatentMap(plot, { hover: (p) => hoverSecond(p), pick: () => {}, double: () => map.reset() }, primary);
    plot.append(mine, title);
    second = { map, plot, title, corner: mine, space: null };
    map.show(store.get("layers"));
    map.isolate(store.get("only"));
  }

  async function load() {
    const other = store.get("compare");
    if (!other || !app.space || other === app.space.name) return close();
    const turn = ++generation;
    if (!second) open();
    stale(true);
    try {
      const [space, atlas] = await Promise.all([app.data.model(other), app.data.atlas(other)]);
      if (turn !== generation || !second) return;
      second.space = space;
      second.map.setSpace(space, atlas);
      busy(second.plot, false);
      second.title.textContent = modelText(space.config);
      name.textContent = modelText(app.space.config);
      [second.spread, second.own] = [spread(space), spread(app.space)];
      mirror(null);
      await emptyPlaces(turn);
      if (turn === generation) stale(false);
    } catch (fault) {
      if (turn !== generation || !second) return;
      app.status(fault.message, "error");
      stale(false);
    }
  }

  // What stands there while another model is fetched is of the one before.
  function stale(on) {
    busy(second.plot, on);
    busy(app.stage.shelf, on);
    if (on && !second.space) app.shelf.show(h("p", { class: "lx-wait" }, "Looking into the holes …"));
  }

  // --- the same place on both ------------------------------------------------------------------------------

  const across = ([x, y], from, to) => [to.mx + ((x - from.mx) / from.sx) * to.sx, to.my + ((y - from.my) / from.sy) * to.sy];

  function paintCorner(canvas, map, p) {
    const image = map.atlas?.sample(p[0], p[1]);
    canvas.hidden = !image;
    if (image) picture(canvas, image);
  }

  function mirror(p) {
    if (!second?.space || !second.spread) return;
    const place = p ?? app.map.here;
    if (!place) return;
    const there = across(place, second.own, second.spread);
    second.map.hover = there;
    second.map.repaint();
    paintCorner(second.corner, second.map, there);
    paintCorner(corner, app.map, place);
  }

  function hoverSecond(p) {
    if (!second?.space || !second.spread) return;
    app.map.hover = p && across(p, second.spread, second.own);
    if (!p) return app.looking.stand(), mirror(null);
    second.map.hover = p;
    second.map.repaint();
    app.map.repaint();
    paintCorner(second.corner, second.map, p);
    paintCorner(corner, app.map, app.map.hover);
    app.looking.other(second, p);
  }

  // --- the emptiest places ---------------------------------------------------------------------------------

  async function emptyPlaces(turn) {
    const sides = [[app.space, app.map], [second.space, second.map]];
    const found = sides.map(([space]) => emptiest(space, PLACES));
    sides.forEach(([, map], side) => map.setLayer("empty", { still: true, markers: found[side].map(({ x, y }, at) => ({ x, y, text: String(at + 1) })) }));
    const told = await Promise.all(sides.map(async ([space], side) => {
      const shape = [second.own, second.spread][side];
      const places = middle(shape);
      const ask = (name, points) => app.server[name]({ model: space.name, points: points.map((p) => space.lift(p, space.middle())) });
      const [{ images }, read] = await Promise.all([
        found[side].length ? ask("decode_many", found[side].map(({ x, y }) => [x, y])) : { images: [] },
        space.flat ? ask("read_again", places) : null, // of more dimensions the map shows a shadow only
      ]);
      return { images, empty: emptiness(space, shape, places), misread: read && misread(shape, places, read.mu) };
    }));
    if (turn !== generation || !second) return;
    app.shelf.show(h("div", { class: "lx-empty" }, ...told.map(strip)));
  }

  function strip({ images, empty, misread: wrong }) {
    const emptied = `Of 1,000 places within 2 σ of the middle of the codes: how many have no code within ${EMPTY} σ. σ is how wide the codes of this map are spread.`;
    const astray = `The decoder paints a picture at each of the 1,000 places, and the encoder reads it: how many it puts more than ${EMPTY} σ away from where they were painted.`;
    return h("figure", {},
      h("figcaption", {}, h("b", {}, percent(empty)), " of the middle is ", term("empty", emptied),
        ...(wrong === null ? [] : [", ", h("b", {}, percent(wrong)), " ", term("misread", astray)])),
      h("div", {}, ...images.map((image, at) => {
        const canvas = h("canvas", { role: "img", "aria-label": `decoded from empty place ${at + 1}` });
        picture(canvas, unpack(image));
        return h("span", {}, canvas, h("b", {}, String(at + 1)));
      })));
  }

  store.on("compare", load);
  app.onSpace(() => store.get("compare") && load());
  store.on("layers", (state) => second?.map.show(state.layers));
  store.on("only", (state) => second?.map.isolate(state.only));
  return { toggle, mirror, retheme: () => second?.map.retheme() };
}
