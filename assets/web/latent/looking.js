// The visitor's eye: the place under the pointer or, without one, the place where they stand (z). Its decoding
// is painted from the atlas at once, and by the model itself as soon as the eye rests.

import { unpack } from "./data.js";
import { fixed, vector } from "../common/dom.js";

const REST_MS = 120; // the pointer has stopped
const RETRY_MS = 3000; // after the model did not answer
const RETRIES = 8; // a new engine stands within 20 s
const KEPT = 600; // timings remembered, for the benchmark

const remember = (list, value) => {
  list.push(value);
  if (list.length > KEPT) list.shift();
};

export function createLooking(app) {
  const timings = []; // from the moment the page is told of a move to its painted picture, ms
  const lags = []; // the same from the moment the system saw it: the browser holds moves back for the next frame
  const exactTimes = []; // rest to painted exact picture, ms
  const channel = new MessageChannel();
  let afterPaint = null;
  let pending = null; // a look that the next frame will paint
  let target = null; // the z that is being looked at
  let resting = 0;
  let asking = false;
  let wanted = null;
  let failed = 0; // questions in a row without an answer

  channel.port1.onmessage = () => {
    if (afterPaint === null) return;
    const now = performance.now();
    remember(timings, now - afterPaint.told);
    remember(lags, now - afterPaint.seen);
    afterPaint = null;
  };

  // --- painting, once a frame ------------------------------------------------------------------------------

  function schedule(z, place, stamp) {
    const fresh = pending === null;
    pending = { z, place, stamp: pending?.stamp ?? stamp };
    if (fresh) requestAnimationFrame(paint);
  }

  function paint() {
    const { z, place, stamp } = pending;
    pending = null;
    target = z;
    const { space, map } = app;
    if (!space || app.here.lent) return;
    const image = map.atlas && space.inPlane(z) ? map.atlas.sample(place[0], place[1]) : null;
    if (image) app.here.show(image, z, "atlas");
    else ask(z); // no atlas here: the model is asked while the eye moves, one question at a time
    app.inset.avoid(map.toPixel(place));
    map.draw();
    if (stamp && image) {
      afterPaint = stamp;
      channel.port2.postMessage(0);
    }
    clearTimeout(resting);
    resting = setTimeout(rest, REST_MS);
  }

  function rest() {
    if (!app.space || !target) return;
    const at = performance.now();
    ask(target, at);
    if (app.pins.active() || app.here.lent) return;
    const [nearest] = app.space.nearest(target, 1);
    app.here.place({ z: target, kind: app.space.config.kind, nearest });
  }

  // --- asking, one question on its way, the newest next ----------------------------------------------------

  function ask(z, since = null, model = app.space.name) {
    wanted = { z, since, model };
    if (!asking) pump();
  }

  async function pump() {
    asking = true;
    while (wanted) {
      const { z, since, model } = wanted;
      wanted = null;
      try {
        const answer = await app.server.decode({ model, z: Array.from(z) });
        if (failed) app.status("The model answers again.");
        failed = 0;
        const still = z === target;
        if ((!still && model !== app.space.name) || app.here.lent) continue;
        if (!still && app.map.atlas && app.space.inPlane(target)) continue; // the atlas has painted something newer
        app.here.show(unpack(answer.image), z, "exact");
        if (still && since !== null) remember(exactTimes, performance.now() - since);
      } catch (fault) {
        console.debug(fault); // the sentence stands in #status
        wanted = null;
        if (++failed <= RETRIES) setTimeout(() => target && !asking && ask(target), RETRY_MS);
      }
    }
    asking = false;
  }

  // --- moving ----------------------------------------------------------------------------------------------

  function hover(p, event) {
    const { space, map } = app;
    if (!space || map.solo) return;
    map.hover = p;
    map.dirty.top = true;
    app.compare.mirror(p);
    if (p === null) return stand();
    const tile = map.tiles && map.shown.points ? map.tiles.at(map, map.toPixel(p)) : null; // a picture answers for itself
    schedule(tile === null ? space.lift(p, app.z()) : space.code(tile), p, event ? { told: performance.now(), seen: event.timeStamp } : null);
  }

  // Look at a place of the second map: what its model decodes is shown here, from its atlas and then exactly.
  function other({ space, map }, p) {
    const z = space.lift(p, space.middle());
    target = z;
    const image = map.atlas?.sample(p[0], p[1]);
    if (image) app.here.show(image, z, "atlas");
    clearTimeout(resting);
    resting = setTimeout(() => ask(z, performance.now(), space.name), REST_MS);
  }

  // Look at the place where one stands.
  function stand() {
    const { space, map } = app;
    if (!space) return;
    const z = app.z();
    map.here = space.project(z);
    map.dirty.top = true;
    tell(z);
    if (map.hover === null) schedule(z, map.here, null);
    else map.repaint();
  }

  function step(dx, dy) {
    const [x, y] = app.map.here;
    app.map.hover = null;
    const z = app.space.lift([x + dx, y + dy], app.z()).map((value) => Math.max(-999, Math.min(999, value)));
    app.store.set({ z });
    app.map.follow(app.map.here);
  }

  let telling = 0;
  function tell(z) {
    const { primary } = app.stage;
    primary.setAttribute("aria-valuenow", String(Math.round(z[0] * 100) / 100));
    clearTimeout(telling);
    telling = setTimeout(() => {
      if (!app.space) return;
      const [nearest] = app.space.nearest(z, 1);
      primary.setAttribute("aria-valuetext", `z = ${vector(z)}, nearest ${nearest.label}, ${fixed(nearest.distance)} away`);
    }, 150);
  }

  app.store.on("z", stand);
  return { hover, stand, step, other, timings, lags, exactTimes, get target() { return target; } };
}
