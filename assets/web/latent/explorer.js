// The latent-space explorer: one stage of map, picture and controls, and a row of tools. Gradio carries the
// questions to the model; everything that can be computed from what is already here is computed here.

import { createControls, modelText } from "./controls.js";
import { createCompare } from "./compare.js";
import { createData, picture, unpack } from "./data.js";
import { download, fixed, h, vector } from "./dom.js";
import { createHere } from "./here.js";
import { createLooking } from "./looking.js";
import { axisNames } from "./ground.js";
import { LatentMap } from "./map.js";
import { createPins } from "./pins.js";
import { createStore } from "./store.js";

const TOOLS = {
  explore: ["Explore", () => import("./explore.js")],
  own: ["Your picture", () => import("./own.js")],
  path: ["Path", () => import("./path.js")],
  dimensions: ["Dimensions", () => import("./dimensions.js")],
  train: ["Train", () => import("./train.js")],
};

const root = document.documentElement;
export const dataBase = () => `${root.dataset.base || ""}/demo/${root.dataset.slug || "latent-space-explorer"}/data`;

const GRADIO_MS = 90_000; // longer than the slowest start of the framework seen, on a machine with much else to do

// Gradio arrives later than this stage and then carries its questions to the server.
let connect;
const connected = new Promise((resolve) => (connect = resolve));
export { connect };

export async function boot(main) {
  const host = h("div", { class: "lx", "data-ready": "false" });
  main.prepend(host);
  const asked = fetch(`${dataBase()}/opening${location.search}`).then((answer) => answer.json());
  const stage = build(host);
  const status = statusLine(stage.status);
  let opening;
  try {
    opening = await asked;
  } catch (fault) {
    console.debug("the opening did not arrive", fault);
    return status("The gallery did not answer. Reload the page in a moment.", "error");
  }
  if (opening.error) return status(opening.error, "error");
  const app = createApp(stage, opening, status);
  window.__latent = { app, timings: app.looking.timings, lags: app.looking.lags, exact: app.looking.exactTimes };
  await app.start(opening.faults);
}

// The stage's elements. Everything has its place before the first answer arrives, so nothing jumps.
function build(host) {
  const primary = h("div", {
    id: "primary", class: "lx-primary", tabindex: "0", role: "slider", "aria-roledescription": "point on the map",
    "aria-label": "Point on the map: arrow keys move it, Enter pins it, plus and minus zoom, Home goes to the middle",
    "aria-valuemin": "-1000", "aria-valuemax": "1000", "aria-valuenow": "0", "aria-valuetext": "loading",
  });
  const legend = h("div", { class: "lx-legend", role: "group", "aria-label": "Classes: press one to see it alone" });
  const tools = h("div", { class: "lx-zoom" });
  const plot = h("div", { class: "lx-plot" }, primary, tools);
  const maps = h("div", { class: "lx-maps" }, plot);
  const shelf = h("div", { class: "lx-shelf", hidden: true });
  const status = h("p", { id: "status", class: "g-status", role: "status", "aria-live": "polite", "data-kind": "busy" }, "Opening the map …");
  const figure = h("figure", { id: "instrument", class: "lx-map", "aria-label": "Map of the latent space" }, legend, maps, shelf);
  const here = h("section", { class: "lx-here", "aria-label": "Here" });
  const controls = h("div", { class: "lx-controls" });
  const tabs = h("div", { class: "g-tabs lx-tabs", role: "tablist", "aria-label": "Tools" });
  const panels = h("div", { class: "lx-panels" });
  host.replaceChildren(h("div", { class: "lx-left" }, figure, status), here, h("section", { class: "lx-side", "aria-label": "Controls" }, controls, tabs, panels));
  return { host, primary, legend, tools, plot, maps, shelf, status, figure, here, controls, tabs, panels };
}

function statusLine(element) {
  return (text, kind = "info") => {
    if (element.textContent !== text) element.textContent = text;
    element.dataset.kind = kind;
  };
}

function createApp(stage, opening, status) {
  const app = {
    base: dataBase(), session: crypto.randomUUID?.() ?? String(Math.random()).slice(2), catalog: opening.catalog,
    store: createStore(opening), status, announce: status, unpack, picture, vector, fixed, download, stage,
    space: null,
  };
  app.data = createData(app.base, opening);
  app.server = serverOf(app);
  app.here = createHere(stage.here);
  app.shelf = shelfOf(stage.shelf);
  const spaceListeners = new Set();
  const pickListeners = new Set();
  app.onSpace = (fn) => (spaceListeners.add(fn), () => spaceListeners.delete(fn));
  app.z = () => app.store.get("z") || app.space?.middle() || [0, 0];
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
    home: () => app.space && app.store.set({ z: app.space.middle() }),
    unpin: () => app.store.set({ pins: app.store.get("pins").slice(0, -1) }),
    viewed: (view) => app.store.set({ view }),
  }, stage.primary);
  app.map.onPick = (fn) => (pickListeners.add(fn), () => pickListeners.delete(fn));
  app.map.project = (z) => app.space.project(z);
  app.map.lift = (p) => app.space.lift(p, app.z());
  app.map.ellipse = (mu, logvar) => ({ z: Array.from(mu), cov: app.space.covariance(logvar) });
  app.map.cell = () => app.map.atlas && (app.map.atlas.extent[1] - app.map.atlas.extent[0]) / (app.map.atlas.columns - 1);

  app.looking = createLooking(app);
  app.pins = createPins(app);
  app.compare = createCompare(app);
  app.addPin = app.pins.added;
  app.pinTest = (index) => app.pins.pick({ index, z: app.space.code(index), p: null });
  app.visit = (pin) => app.pins.visit(pin);
  app.data.nearest = (z, k) => app.space.nearest(z, k);
  app.addModel = async (name) => {
    const facts = await app.data.about(name);
    app.catalog = app.catalog.filter((config) => config.name !== name).concat({ ...facts.config, trained: name.startsWith("trained/") });
    app.controls.render();
    return facts.config;
  };
  app.controls = createControls(stage.controls, app);

  app.load = (changed) => loadModel(app, changed, spaceListeners);
  app.start = (faults) => start(app, faults);
  return app;
}

// server.<name>({...}) with this page's session; a sentence from the server is shown and rejects.
function serverOf(app) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("Gradio did not start")), GRADIO_MS));
  late.catch(() => {}); // only a call that waits for it is told
  return new Proxy({}, {
    get: (_, name) => async (args = {}) => {
      let answer;
      try {
        const server = await Promise.race([connected, late]);
        answer = await server[name]({ ...args, session: app.session });
      } catch (fault) {
        console.debug(name, fault);
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

function shelfOf(host) {
  return {
    host,
    show(...nodes) {
      if (nodes.length) host.replaceChildren(...nodes);
      host.hidden = false;
    },
    hide() {
      host.hidden = true;
      host.replaceChildren();
    },
  };
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
  const atlas = app.data.atlas(name);
  atlas.catch(() => {}); // answered below, where the map already stands
  let space;
  try {
    space = await app.data.model(name);
  } catch (fault) {
    return app.status(fault.message, "error");
  }
  if (app.store.get("model") !== name) return;
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
  app.status(greeting(space));
  try {
    const image = await atlas;
    if (app.space !== space) return;
    app.map.setAtlas(image);
    app.looking.stand();
  } catch (fault) {
    app.status(fault.message, "error");
  }
}

function greeting({ n, name, config }) {
  const { negative_elbo: elbo, reconstruction_nats: nats } = config.measured || {};
  const quality = config.kind === "ae" ? nats && `reconstruction ${fixed(nats, 1)} nats` : elbo && `−ELBO ${fixed(elbo, 1)} nats`;
  const what = modelText({ ...config, trained: name.startsWith("trained/") });
  return `${n.toLocaleString("en")} pictures on the map of ${name.startsWith("trained/") ? "" : "a "}${what}${quality ? `; ${quality} a picture` : ""}.`;
}

function ready(app) {
  app.map.draw();
  app.stage.figure.dataset.ready = "true";
  app.stage.host.dataset.ready = "true";
}

function describeMap(app) {
  const [x, y] = axisNames(app.space);
  app.stage.figure.setAttribute("aria-label",
    `Map of the latent space: ${x} across, ${y} upwards, the codes of ${app.space.n} test pictures in ${app.space.names.length} classes`);
}

function legend(app) {
  const { space, store, map } = app;
  const used = new Set(space.labels);
  app.stage.legend.replaceChildren(...space.names.map((name, label) => !used.has(label) ? null :
    h("button", {
      type: "button", "aria-pressed": String(store.get("only").includes(label)), title: `show only ${name}`,
      onclick: () => {
        const only = store.get("only");
        store.set({ only: only.includes(label) ? only.filter((each) => each !== label) : [...only, label].sort((a, b) => a - b) });
      },
    }, h("i", { style: { background: map.theme.classes[label % map.theme.classes.length] } }), name)).filter(Boolean));
}

function zoomButtons(app) {
  const button = (text, name, act) => h("button", { type: "button", "aria-label": name, title: name, onclick: act }, text);
  const middle = () => [app.map.size.w / 2, app.map.size.h / 2];
  app.stage.tools.append(
    button("+", "Zoom in", () => app.map.zoomAt(middle(), 1.4)),
    button("−", "Zoom out", () => app.map.zoomAt(middle(), 1 / 1.4)),
    button("⤢", "Show the whole map", () => app.map.reset()));
}

function actions(app) {
  const bar = document.getElementById("actions");
  if (!bar) return;
  const save = async (canvases, name) => {
    const [first] = canvases;
    const sheet = new OffscreenCanvas(first.width, first.height);
    canvases.forEach((canvas) => sheet.getContext("2d").drawImage(canvas, 0, 0));
    download(await sheet.convertToBlob(), name);
  };
  bar.append(h("button", {
    type: "button", class: "g-btn", title: "Save the map as a picture",
    onclick: () => (app.map.draw(), save([app.map.ground, app.map.top], `${app.space.name.replace("/", "-")}-map.png`)),
  }, "PNG"));
  app.stage.here.querySelector(".lx-cap").append(h("button", {
    type: "button", class: "lx-save", title: "Save this picture, 16 times as large",
    onclick: () => {
      const { canvas } = app.here;
      const large = new OffscreenCanvas(canvas.width * 16, canvas.height * 16);
      const g = large.getContext("2d");
      g.imageSmoothingEnabled = false;
      g.drawImage(canvas, 0, 0, large.width, large.height);
      large.convertToBlob().then((blob) => download(blob, `${app.space.name.replace("/", "-")}-decoded.png`));
    },
  }, "save"));
}

// The tools' row: one tab stop, arrow keys between them; each is fetched when it is first opened.
function tabs(app) {
  const { tabs: row, panels } = app.stage;
  const made = {};
  let open = null;
  for (const [name, [text]] of Object.entries(TOOLS)) {
    row.append(h("button", {
      type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, "aria-selected": "false", tabindex: "-1",
      onclick: () => app.store.set({ tool: name }),
    }, text));
    panels.append(h("div", { role: "tabpanel", id: `panel-${name}`, class: "lx-panel", "aria-labelledby": `tab-${name}`, tabindex: "0", hidden: true }));
  }
  row.addEventListener("keydown", (event) => {
    const names = Object.keys(TOOLS);
    const at = names.indexOf(app.store.get("tool"));
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const name = names[(next + names.length) % names.length];
    app.store.set({ tool: name });
    document.getElementById(`tab-${name}`).focus();
  });

  async function choose() {
    const name = app.store.get("tool");
    if (open === name) return;
    if (open) (await made[open])?.hide?.();
    open = name;
    for (const each of Object.keys(TOOLS)) {
      const tab = document.getElementById(`tab-${each}`);
      tab.setAttribute("aria-selected", String(each === name));
      tab.tabIndex = each === name ? 0 : -1;
      document.getElementById(`panel-${each}`).hidden = each !== name;
    }
    const panel = document.getElementById(`panel-${name}`);
    made[name] ??= TOOLS[name][1]().then(
      (module) => module.default(panel, app),
      (fault) => {
        console.warn(name, fault);
        panel.replaceChildren(h("p", {}, "This tool could not be loaded; the rest of the page works. Reload to try again."));
        return null;
      });
    const tool = await made[name];
    if (app.store.get("tool") === name) tool?.show?.();
  }
  app.store.on("tool", choose);
  return choose();
}

// A scene is a query string: cleaned by the server as the page's own is, then applied without a reload.
function scenes(app) {
  const apply = async (query) => {
    const answer = await (await fetch(`${app.base}/opening?${new URLSearchParams(query)}`)).json();
    const quiet = {};
    for (const key of Object.keys(app.store.get())) if (!["model", "z", "pins", "layers", "tool", "view", "only"].includes(key)) quiet[key] = app.store.defaults[key];
    app.store.set(quiet); // so that a scene pressed twice plays twice
    app.store.set(answer.state);
    if (answer.state.view === null) app.map.reset();
    if (answer.faults.length) app.status(answer.faults.join(" "), "error");
    app.stage.host.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  };
  addEventListener("gallery:scene", (event) => {
    event.preventDefault();
    apply(event.detail.query).catch((fault) => app.status(`The scene did not open: ${fault.message}`, "error"));
  });
  addEventListener("popstate", () => location.reload());
}

async function start(app, faults) {
  const { store, map } = app;
  zoomButtons(app);
  actions(app);
  store.on("model", (_, changed) => app.load(changed));
  store.on("layers", (state) => map.show(state.layers));
  store.on("only", (state) => (map.isolate(state.only), app.space && legend(app)));
  addEventListener("gallery:theme", () => {
    map.retheme();
    app.compare.retheme();
    if (app.space) legend(app);
  });
  map.show(store.get("layers"));
  map.isolate(store.get("only"));
  scenes(app);
  addEventListener("pagehide", () => navigator.sendBeacon(`${app.base}/leave?session=${app.session}`)); // nothing runs on for nobody
  const loaded = app.load(new Set(["z", "pins", "view", "only"]));
  tabs(app);
  await loaded;
  if (faults.length) app.status(faults.join(" "), "error");
}
