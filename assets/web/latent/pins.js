// Pins: places and pictures that the visitor marked. The active one says what the loss says of it.

import { unpack } from "./data.js";

const MOST = 16; // as many as a path may join
const TWICE_MS = 600; // two clicks within it may be one double click, which undoes both

export function createPins(app) {
  let active = null;
  let before = null; // what a double click goes back to
  let picked = -Infinity; // when the last click was
  const { store, map } = app;

  const code = (pin) => pin.z || (app.space && pin.index < app.space.n ? app.space.code(pin.index) : null);
  const same = (a, b) => a.kind === b.kind && (a.kind === "test" ? a.index === b.index : a.z === b.z);

  function added(pin) {
    const pins = store.get("pins");
    if (pins.some((each) => same(each, pin))) return pins;
    if (pins.length >= MOST) {
      app.status(`${MOST} pins are the limit: remove one first.`, "error");
      return pins;
    }
    return [...pins, pin];
  }

  function pick({ index, z, event }) {
    const now = event?.timeStamp ?? performance.now();
    if (now - picked > TWICE_MS) before = { pins: store.get("pins"), z: store.get("z") };
    picked = now;
    const pin = index == null ? { kind: "point", z } : { kind: "test", index };
    active = pin;
    map.hover = null;
    store.set({ z, pins: added(pin) });
    describe();
  }

  function undo() {
    if (before) store.set(before);
    before = null;
  }

  function visit(pin) {
    active = pin;
    const z = code(pin);
    if (z) store.set({ z });
    describe();
  }

  // Pins that came with the address, or another model under the same pins.
  function arrive(moved) {
    active = store.get("pins").at(-1) || null;
    const follow = moved && active?.kind === "test"; // the same picture has another code on another map
    if (active && (follow || !store.get("z")) && store.get("tool") === "explore") store.set({ z: code(active) });
    paint();
    describe();
  }

  function paint() {
    const pins = store.get("pins").filter(code);
    map.keep(pins.filter((pin) => pin.kind === "test").map((pin) => pin.index));
    map.setLayer("pins", { markers: pins.map((pin, at) => ({ z: code(pin), text: String(at + 1) })) });
  }

  // The ellipse of q(z|x): of the pinned picture, or of the test picture nearest to a pinned place (dashed).
  async function ellipse(pin, space) {
    map.removeLayer("spread");
    if (space.config.kind === "ae") return; // a point, no distribution
    const index = pin.kind === "test" ? pin.index : space.nearest(code(pin), 1)[0].index;
    const logvar = await app.data.logvar(space.name);
    if (app.space !== space || active !== pin) return;
    const own = logvar.subarray(index * space.d, (index + 1) * space.d);
    map.setLayer("spread", { ellipses: [{ z: space.code(index), cov: space.covariance(own), faint: pin.kind !== "test" }] });
  }

  async function describe() {
    const { space } = app;
    const pin = active;
    if (!space) return;
    if (!pin || pin.kind === "own" || !code(pin)) {
      map.removeLayer("spread");
      if (!pin) app.here.about(null);
      return;
    }
    ellipse(pin, space).catch((fault) => app.status(fault.message, "error"));
    if (pin.kind === "point") {
      const [nearest] = space.nearest(pin.z, 1);
      return app.here.place({ z: pin.z, kind: space.config.kind, nearest });
    }
    try {
      const found = await app.server.describe({ model: space.name, dataset: space.config.dataset, index: pin.index });
      if (active !== pin || app.space !== space || store.get("tool") === "own") return;
      app.here.about({
        title: `Picture ${pin.index}: ${app.labelOf(pin.index)}`, picture: unpack(found.picture),
        reconstruction: unpack(found.reconstruction), recon_nats: found.recon_nats, kl_nats: found.kl_nats,
        kind: space.config.kind, beta: space.config.beta,
      });
    } catch (fault) {
      console.debug(fault); // the sentence stands in #status
    }
  }

  store.on("pins", (state) => {
    if (active && !state.pins.some((pin) => same(pin, active))) {
      active = state.pins.at(-1) || null;
      describe();
    }
    paint();
  });
  return { pick, undo, visit, arrive, added, code, active: () => (active?.kind === "point" ? null : active) };
}
