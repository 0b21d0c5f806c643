// The latent-space explorer: one stage of map, picture and controls, and a row of tools. Gradio carries the
// questions to the model; everything that can be computed from what is already here is computed here.

import { createControls, modelText } from "./controls.js";
import { createCompare } from "./compare.js";
import { createData, picture, unpack } from "./data.js";
import { busy, download, fixed, h, vector } from "../common/dom.js";
import { createHere, elbo } from "./here.js";
import { createInset } from "./inset.js";
import { createLooking } from "./looking.js";
import { axisNames } from "./ground.js";
import { LatentMap } from "./map.js";
import { createPins } from "./pins.js";
import { actions, build, shelfOf, statusLine, zoomButtons } from "./stage.js";
import { createStore } from "../common/store.js";
import { tabs } from "./toolrow.js";
import { visits } from "../common/visits.js";

const root = document.documentElement;
export const dataBase = () => `${root.dataset.base || ""}/demo/${root.dataset.slug || "latent-space-explorer"}/data`;

const AGAIN_MS = 2000; // between two attempts to open the page
const WHOLE = new Set(["z", "pins", "view", "only"]); // what a state that comes whole brings with its model
const GRADIO_MS = 90_000; // longer than the slowest start of the framework seen, on a machine with much else to do

// Gradio arrives later than this stage and then carries its questions to the server.
let connect;
const connected = new Promise((resolve) => (connect = resolve));
export { connect };

export async function boot(main) {
  const host = h("div", { class: "lx", "data-ready": "false" });
  main.prepend(host);
  const ask = async () => (await fetch(`${dataBase()}/opening${location.search}`)).json();
  const asked = ask().catch(() => null);
  const stage = build(host);
  const status = statusLine(stage.status);
  let opening = await asked;
  while (!opening) {
    status("The gallery did not answer. The map comes as soon as it does.", "error");
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    opening = await ask().catch(() => null);
  }
  if (opening.error) return status(opening.error, "error");
  const app = createApp(stage, opening, status);
  window.__latent = { app, timings: app.looking.timings, lags: app.looking.lags, exact: app.looking.exactTimes };
  await app.start(opening.faults);
}

function createApp(stage, opening, status) {
  const app = {
    base: dataBase(), session: crypto.randomUUID?.() ?? String(Math.random()).slice(2), catalog: opening.catalog,
    whole: false, complaint: "",
    store: createStore(opening, { turns: ["tool", "model", "compare"], passing: ["play"] }), unpack, picture, vector, fixed, download, stage,
    space: null, training: null, // the config of the model in training, while the map shows it
  };
  // What could not be read of an address stands until the visitor does something here: ordinary news do not cover it.
  app.status = (text, kind = "info") => {
    if (app.complaint && kind !== "error") return;
    app.complaint = "";
    status(text, kind);
  };
  for (const turn of ["pointerdown", "keydown"]) stage.host.addEventListener(turn, () => (app.complaint = ""), true);
  app.announce = app.status;
  app.complain = (faults) => {
    app.complaint = "";
    if (faults.length) app.status(faults.join(" "), "error");
    app.complaint = faults.join(" ");
  };
  app.data = createData(app.base, opening);
  app.server = serverOf(app);
  app.here = createHere(stage.here);
  app.shelf = shelfOf(stage.shelf);
  const spaceListeners = new Set();
  const pickListeners = new Set();
  app.onSpace = (fn) => (spaceListeners.add(fn), () => spaceListeners.delete(fn));
  app.z = () => app.store.get("z") || app.space?.start() || [0, 0];
  app.labelOf = (index) => (app.space ? app.space.title(index) : "");

  app.map = new LatentMap(stage.plot, {
    hover: (p, event) => app.looking.hover(p, event),
    pick: (pick) => {
      const whole = { ...pick, z: pick.index == null ? app.space?.lift(pick.p, app.z()) : app.space?.code(pick.index) };
      if (!whole.z || [...pickListeners].some((fn) => fn(whole) === true)) return;
      app.pins.pick(whole);
    },
    double: () => (app.pins.undo(), app.map.reset()),
    step: ([dx, dy]) => app.space && app.looking.step(dx, dy),
    home: () => app.space && app.store.set({ z: app.space.start() }),
    unpin: () => app.store.set({ pins: app.store.get("pins").slice(0, -1) }),
    viewed: (view) => app.store.set({ view }),
  }, stage.primary);
  app.map.onPick = (fn) => (pickListeners.add(fn), () => pickListeners.delete(fn));
  app.map.project = (z) => app.space.project(z);
  app.map.lift = (p) => app.space.lift(p, app.z());
  app.map.ellipse = (mu, logvar) => ({ z: Array.from(mu), cov: app.space.covariance(logvar) });
  app.map.cell = () => app.map.atlas && (app.map.atlas.extent[1] - app.map.atlas.extent[0]) / (app.map.atlas.columns - 1);

  app.inset = createInset(app);
  app.looking = createLooking(app);
  app.pins = createPins(app);
  app.compare = createCompare(app);
  app.addPin = app.pins.added;
  app.pinTest = (index) => app.pins.pick({ index, z: app.space.code(index), p: null });
  app.visit = (pin) => app.pins.visit(pin);
  app.data.nearest = (z, k) => app.space.nearest(z, k);
  app.addModel = async (name) => {
    const facts = await app.data.about(name);
    app.catalog = app.catalog.filter((config) => config.name !== name).concat(facts.config);
    app.controls.render();
    return facts.config;
  };
  app.controls = createControls(stage.controls, app);

  // A training takes the map: names, controls and legend then speak of it, until it is handed back with null.
  app.train = (config) => {
    if (app.training === config) return;
    app.training = config;
    app.controls.render();
    legend(app);
    if (!config && app.space) app.status(greeting(app.space));
  };
  app.load = (changed) => loadModel(app, changed, spaceListeners);
  app.start = (faults) => start(app, faults);
  // A complaint stands until the visitor turns to something else.
  app.store.on(["tool"], () => {
    if (app.space && stage.status.dataset.kind === "error") app.status(greeting(app.space));
  });
  return app;
}

// server.<name>({...}) with this page's session; a sentence from the server is shown and rejects.
function serverOf(app) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("Gradio did not start")), GRADIO_MS));
  late.catch(() => {}); // only a call that waits for it is told
  return new Proxy({}, {
    get: (_, name) => async (args = {}) => {
      let answer;
      if (name !== "decode") dispatchEvent(new Event("gallery:framework")); // what lies on the map is shown without it
      try {
        const server = await Promise.race([connected, late]);
        answer = await server[name]({ ...args, session: app.session });
      } catch (fault) {
        console.debug(name, fault);
        dispatchEvent(new Event("gallery:unanswered"));
        answer = { error: "The gallery did not answer. It may be restarting: try again in a moment." };
      }
      if (answer?.error) {
        app.status(answer.error, "error");
        throw new Error(answer.error);
      }
      return answer;
    },
  });
}

async function loadModel(app, changed, listeners) {
  const name = app.store.get("model");
  const before = app.space;
  if (!app.catalog.some((config) => config.name === name) && name.startsWith("trained/")) {
    try {
      await app.addModel(name);
    } catch (fault) {
      return app.status(fault.message, "error");
    }
  }
  app.status("Loading the map …", "busy");
  const stale = [app.stage.plot, app.stage.here, app.stage.panels, app.stage.shelf];
  stale.forEach((part) => busy(part));
  const atlas = app.data.atlas(name);
  atlas.catch(() => {}); // answered below, where the map already stands
  let space;
  try {
    space = await app.data.model(name);
  } catch (fault) {
    stale.forEach((part) => busy(part, false));
    return app.status(fault.message, "error");
  }
  if (app.store.get("model") !== name) return;
  stale.forEach((part) => busy(part, false));
  const sameData = !before || before.config.dataset === space.config.dataset;
  const moved = before && before !== space;
  app.space = space;
  const { z, pins } = app.store.get();
  const keepZ = z && z.length === space.d && (!moved || changed.has("z") || sameData);
  const kept = pins.filter((pin) => (pin.kind === "test" ? (sameData || changed.has("pins")) && pin.index < space.n : pin.z?.length === space.d));
  app.map.setSpace(space, null);
  const view = app.store.get("view");
  if (view && (!moved || changed.has("view"))) app.map.setView(view);
  const only = app.store.get("only").filter((label) => label < space.names.length);
  app.store.set({
    z: keepZ ? z : null, pins: kept.length === pins.length ? pins : kept,
    view: view && (!moved || changed.has("view")) ? view : null, only: sameData || changed.has("only") ? only : [],
  });
  legend(app);
  describeMap(app);
  for (const fn of listeners) fn(space);
  app.looking.stand();
  app.pins.arrive(moved && !changed.has("z"));
  ready(app);
  if (!app.training) app.status(greeting(space));
  try {
    app.data.tiles(name).then((tiles) => app.space === space && app.map.setTiles(tiles), (fault) => app.status(fault.message, "error"));
    const image = await atlas;
    if (!image) dispatchEvent(new Event("gallery:framework")); // every picture is to be asked for
    if (app.space !== space) return;
    app.map.setAtlas(image);
    app.looking.stand();
  } catch (fault) {
    app.status(fault.message, "error");
  }
}

function greeting({ n, name, config }) {
  const { negative_elbo: bound, reconstruction_nats: nats } = config.measured || {};
  const quality = config.kind === "ae" ? nats && [`; reconstruction ${fixed(nats, 1)} nats`] : bound && ["; ", elbo(), ` ${fixed(bound, 1)} nats`];
  const what = name.startsWith("trained/") ? modelText(config).replace("yours", "your own model") : `a ${modelText(config)}`;
  return [`${n.toLocaleString("en")} pictures on the map of ${what}`, ...(quality || []), "."];
}

function ready(app) {
  app.map.draw();
  app.stage.figure.dataset.ready = "true";
  app.stage.host.dataset.ready = "true";
}

function describeMap(app) {
  const [x, y] = axisNames(app.space);
  app.stage.figure.setAttribute("aria-label",
    `Map of the latent space: ${x} across, ${y} upwards, the codes of ${app.space.n} pictures in ${app.space.names.length} classes`);
}

function legend(app) {
  const { space, store, map, training } = app;
  if (!space) return;
  const names = training?.names ?? space.names;
  const used = new Set(training ? names.keys() : space.labels);
  app.stage.legend.replaceChildren(...names.map((name, label) => !used.has(label) ? null :
    h("button", {
      type: "button", "aria-pressed": String(store.get("only").includes(label)), title: `show only ${name}`,
      onclick: () => {
        const only = store.get("only");
        store.set({ only: only.includes(label) ? only.filter((each) => each !== label) : [...only, label].sort((a, b) => a - b) });
      },
    }, h("i", { style: { background: map.theme.classes[label % map.theme.classes.length] } }), name)).filter(Boolean));
}

// A whole state at once: a scene's, or one that the visitor comes back to.
function restore(app, state, faults) {
  const { store } = app;
  const quiet = {};
  for (const key of Object.keys(store.get())) if (!["model", "z", "pins", "layers", "tool", "view", "only"].includes(key)) quiet[key] = store.defaults[key];
  store.set(quiet); // so that a scene pressed twice plays twice
  app.complaint = "";
  if (app.space?.name === state.model) app.status(greeting(app.space)); // what the tool before had to say is over
  app.whole = true;
  try {
    store.set(state);
  } finally {
    app.whole = false;
  }
  if (state.view === null) app.map.reset();
  else if (app.space?.name === state.model) app.map.setView(state.view);
  app.complain(faults);
  app.stage.host.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

async function start(app, faults) {
  const { store, map } = app;
  zoomButtons(app);
  actions(app);
  store.on("model", (_, changed) => app.load(app.whole ? WHOLE : changed));
  store.on("layers", (state) => map.show(state.layers));
  store.on("only", (state) => (map.isolate(state.only), app.space && legend(app)));
  addEventListener("gallery:theme", () => {
    map.retheme();
    app.compare.retheme();
    if (app.space) legend(app);
  });
  map.show(store.get("layers"));
  map.isolate(store.get("only"));
  visits({ store, base: app.base, apply: (state, told) => restore(app, state, told), failed: (sentence) => app.status(sentence, "error") });
  addEventListener("pagehide", () => navigator.sendBeacon(`${app.base}/leave?session=${app.session}`)); // nothing runs on for nobody
  addEventListener("gallery:back", () => {
    if (app.space?.name !== store.get("model") || !map.atlas) return app.load(WHOLE);
    if (app.stage.status.dataset.kind === "error") app.status(greeting(app.space));
    app.looking.stand();
  });
  app.complain(faults);
  const loaded = app.load(WHOLE);
  tabs(app);
  await loaded;
}
