// The diffusion stepper: one instrument, a row of tools, and the run that they look at. Every step that has arrived is
// here, so that scrubbing asks nobody; the hub is asked only for what needs the network of the model.

import { h } from "../common/dom.js";
import { createKeep } from "../common/keep.js";
import { dataBase, equip, live, opening, statusLine } from "../common/room.js";
import { createStore } from "../common/store.js";
import { tabs } from "../common/toolrow.js";
import { createMain } from "./main.js";
import { build } from "./stage.js";
import { changes } from "./words.js";

const TOOLS = {
  reverse: ["Reverse", () => import("./reverse.js")],
  branch: ["Branch", () => import("./branch.js")],
  forward: ["Forward", () => import("./forward.js")],
  fewer: ["Fewer steps", () => import("./fewer.js")],
  plane: ["In 2-D", () => import("./plane.js")],
};
const PLACE = ["at", "play"]; // what changes while a run merely plays
const SLUG = /^[a-z]+(-[a-z]+)+$/; // emoji's own name of a class
const GRADIO_MS = 90_000; // longer than the slowest start of the framework seen, on a machine with much else to do

// Gradio arrives later than this stage; some tools ask it for more.
let connect;
const connected = new Promise((resolve) => (connect = resolve));
export { connect };

export async function boot(main) {
  const host = h("div", { class: "dx", "data-ready": "false" });
  main.prepend(host);
  const stage = build(host);
  const status = statusLine(stage.status);
  const found = await opening(dataBase(), status);
  if (!found) return;
  const app = createApp(stage, found, status);
  window.__diffusion = { app };
  live(app, (state) => { if (app.store.get("play") && state.play) app.store.set({ play: false }); }); // so that a scene pressed twice plays twice
  app.complain(found.faults);
  await tabs(app, TOOLS);
}

function createApp(stage, found, status) {
  const app = {
    base: dataBase(), session: crypto.randomUUID?.() ?? String(Math.random()).slice(2), catalog: found.catalog,
    store: createStore(found, { turns: ["tool", "model"], passing: ["play", "learn"] }), stage,
  };
  equip(app, status, PLACE);
  app.store.define("label", { format: (label) => (label === -1 ? "none" : String(label)) });
  app.store.define("as", { default: -1, format: (label) => (label === -1 ? "" : String(label)) });
  app.store.define("then", { default: {}, format: changes }); // here, because the address may be written before its tool is open
  app.server = serverOf(app);
  app.config = () => app.catalog.find((each) => each.name === app.store.get("model")) ?? app.catalog[0];
  app.className = (label) => (label === -1 || label == null ? "no class" : app.config()?.classes?.[label] ?? String(label)).replace(SLUG, (slug) => slug.replaceAll("-", " "));
  app.main = createMain(app);
  app.keep = createKeep(app);
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
