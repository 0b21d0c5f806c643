// The GAN trainer: one instrument, a row of tools, and the games that they play. Every look that has arrived is here, so
// that going back through a game asks nobody; the hub is asked only to play.

import { h } from "../common/dom.js";
import { createKeep } from "../common/keep.js";
import { dataBase, equip, live, opening, statusLine } from "../common/room.js";
import { createStore } from "../common/store.js";
import { tabs } from "../common/toolrow.js";
import { difference } from "./rules.js";

const TOOLS = {
  plane: ["Two dimensions", () => import("./plane.js")],
  pictures: ["Pictures", () => import("./pictures.js")],
};
const PASSING = ["at", "play", "film", "filmb", "reel", "reelb", "pat"]; // what changes while a game merely goes on

export async function boot(main) {
  const host = h("div", { class: "gx", "data-ready": "false" });
  main.prepend(host);
  const stage = build(host);
  const status = statusLine(stage.status);
  const found = await opening(dataBase(), status);
  if (!found) return;
  const app = {
    base: dataBase(), session: crypto.randomUUID?.() ?? String(Math.random()).slice(2), stage, presets: found.presets,
    store: createStore(found, { turns: ["tool"], passing: PASSING }),
  };
  equip(app, status, PASSING);
  for (const key of ["versus", "midway", "pversus"]) app.store.define(key, { default: null, format: difference });
  app.store.define("view", { default: "grid", format: String });
  app.keep = createKeep(app);
  window.__gan = { app };
  live(app, (state) => { if (app.store.get("play") && state.play) app.store.set({ play: false }); }); // so that a scene pressed twice plays twice
  app.complain(found.faults);
  await tabs(app, TOOLS);
}

function build(host) {
  const instrument = h("figure", { id: "instrument", class: "gx-instrument", "aria-label": "A game of two networks", "data-ready": "false" });
  const status = h("p", { id: "status", class: "g-status", role: "status", "aria-live": "polite", "data-kind": "busy" }, "Opening …");
  const row = h("div", { class: "g-tabs gx-tabs", role: "tablist", "aria-label": "Tools" });
  const panels = h("div", { class: "gx-panels" });
  host.replaceChildren(h("div", { class: "gx-left" }, instrument, status), h("section", { class: "gx-side", "aria-label": "Controls" }, row, panels));
  return { host, instrument, status, tabs: row, panels };
}
