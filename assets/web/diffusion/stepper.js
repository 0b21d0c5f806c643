// The diffusion stepper: one instrument, a row of tools, and the run that they look at. Every step that has arrived is
// here, so that scrubbing asks nobody; the hub is asked only for what needs the network of the model.

import { h } from "../common/dom.js";
import { createStore } from "../common/store.js";
import { visits } from "../common/visits.js";
import { createKeep } from "./keep.js";
import { createMain } from "./main.js";
import { build, statusLine } from "./stage.js";
import { tabs } from "./toolrow.js";
import { changes } from "./words.js";

const root = document.documentElement;
export const dataBase = () => `${root.dataset.base || ""}/demo/${root.dataset.slug || "diffusion-stepper"}/data`;

const PLACE = ["at", "play"]; // what changes while a run merely plays
const GRADIO_MS = 90_000; // longer than the slowest start of the framework seen, on a machine with much else to do

// Gradio arrives later than this stage; some tools ask it for more.
let connect;
const connected = new Promise((resolve) => (connect = resolve));
export { connect };

export async function boot(main) {
  const host = h("div", { class: "dx", "data-ready": "false" });
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
  window.__diffusion = { app };
  await start(app, opening.faults);
}

function createApp(stage, opening, status) {
  const app = {
    base: dataBase(), session: crypto.randomUUID?.() ?? String(Math.random()).slice(2), catalog: opening.catalog,
    store: createStore(opening, { turns: ["tool", "model"], passing: ["play", "learn"] }), stage, complaint: "",
  };
  // What could not be read of an address stands until the visitor changes something: ordinary news do not cover it.
  app.status = (text, kind = "info") => {
    if (app.complaint && kind !== "error") return;
    app.complaint = "";
    status(text, kind);
  };
  app.complain = (faults) => {
    if (!faults.length) return;
    app.status(unread(faults), "error");
    app.complaint = unread(faults);
  };
  app.store.on("*", (_, changed) => { if ([...changed].some((key) => !PLACE.includes(key))) app.complaint = ""; });
  app.store.define("label", { format: (label) => (label === -1 ? "none" : String(label)) });
  app.store.define("as", { default: -1, format: (label) => (label === -1 ? "" : String(label)) });
  app.store.define("then", { default: {}, format: changes }); // here, because the address may be written before its tool is open
  app.server = serverOf(app);
  app.config = () => app.catalog.find((each) => each.name === app.store.get("model")) ?? app.catalog[0];
  app.className = (label) => (label === -1 || label == null ? "no class" : app.config()?.classes?.[label] ?? String(label));
  /** The page can be used: said once by whichever tool is open. */
  app.ready = () => {
    stage.host.dataset.ready = "true";
    stage.instrument.dataset.ready = "true";
  };
  app.post = (path, body, signal) => post(app, path, body, signal);
  app.main = createMain(app);
  app.keep = createKeep(app);
  return app;
}

// POST JSON, answered by JSON; a sentence from the hub is shown and thrown.
async function post(app, path, body, signal) {
  let answer;
  try {
    const got = await fetch(`${app.base}/${path}`, {
      method: "POST", body: body instanceof Blob ? body : JSON.stringify({ ...body, session: app.session }), signal,
      headers: { "Content-Type": body instanceof Blob ? "application/octet-stream" : "application/json" },
    });
    answer = await got.json();
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    answer = { error: "The gallery did not answer. It may be restarting: try again in a moment." };
  }
  if (answer.error) {
    app.status(answer.error, "error");
    throw new Error(answer.error);
  }
  return answer;
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

// A whole state at once: a scene's, or one that the visitor comes back to.
function restore(app, state, faults) {
  if (app.store.get("play") && state.play) app.store.set({ play: false }); // so that a scene pressed twice plays twice
  app.store.set(state);
  app.complain(faults);
  app.stage.host.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

// One sentence about an address that could not be read whole: the first fault, and how many more there are.
function unread([first, ...others]) {
  return others.length ? `${first} (${others.length} more of what the address says could not be read.)` : first;
}

async function start(app, faults) {
  visits({ store: app.store, base: app.base, apply: (state, told) => restore(app, state, told), failed: (sentence) => app.status(sentence, "error") });
  addEventListener("pagehide", () => navigator.sendBeacon(`${app.base}/leave?session=${app.session}`)); // nothing runs on for nobody
  // A complaint stands until the visitor turns to something else.
  app.store.on("tool", () => { if (app.stage.status.dataset.kind === "error") app.status(""); });
  app.complain(faults);
  await tabs(app);
}
