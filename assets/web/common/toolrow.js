// The tools and their row of tabs. A tool is a module of its own, fetched when it is first opened:
//
//   export default function mount(panel, app) { return { stage, show(), hide(), keep(), toggle() }; }
//
// panel: the tool's place beside the instrument, for its controls. stage: an element that fills the instrument while the
// tool is open (one in it may carry id="primary": only the open tool's stage is in the document). show and hide may be
// missing, and may be async. The `app` that a tool is given is the room's, but what it says by app.status is heard only while
// it is open. toggle, where it is there, plays and pauses: the space bar does, wherever it means nothing else.
// keep, where it is there, answers what can be saved of the tool, as diffusion/film.js describes it.

import { h } from "./dom.js";

const OWN_SPACE = "a, button, input:not(#primary), select, textarea, summary, dialog, [role=tab], [contenteditable]";

// One tab stop, arrow keys between them.
// tools: name -> [words on the tab, how its module is fetched].
export function tabs(app, tools) {
  const { tabs: row, panels, instrument } = app.stage;
  const made = {};
  let open = null;
  let shown = null; // the open tool, once it is here
  for (const [name, [text]] of Object.entries(tools)) {
    row.append(h("button", {
      type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, "aria-selected": "false", tabindex: "-1",
      onclick: () => app.store.set({ tool: name }),
    }, text));
    panels.append(h("div", { role: "tabpanel", id: `panel-${name}`, class: "g-panel", "aria-labelledby": `tab-${name}`, tabindex: "0", hidden: true }));
  }
  row.addEventListener("keydown", (event) => {
    const names = Object.keys(tools);
    const at = names.indexOf(app.store.get("tool"));
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const name = names[(next + names.length) % names.length];
    app.store.set({ tool: name });
    document.getElementById(`tab-${name}`).focus();
  });

  const heard = (name) => {
    const status = (...said) => { if (open === name) app.status(...said); };
    return new Proxy(app, { get: (_, key) => (key === "status" ? status : app[key]) });
  };

  async function choose() {
    const name = app.store.get("tool");
    if (open === name) return;
    const before = open;
    open = name;
    shown = null;
    for (const each of Object.keys(tools)) {
      const tab = document.getElementById(`tab-${each}`);
      tab.setAttribute("aria-selected", String(each === name));
      tab.tabIndex = each === name ? 0 : -1;
      document.getElementById(`panel-${each}`).hidden = each !== name;
    }
    document.getElementById(`tab-${name}`).scrollIntoView?.({ block: "nearest", inline: "nearest" });
    app.keep.show(null);
    if (before) {
      app.status(""); // what the tool before has said is not about this one
      (await made[before])?.hide?.();
    }
    const panel = document.getElementById(`panel-${name}`);
    made[name] ??= tools[name][1]().then((module) => module.default(panel, heard(name))).catch((fault) => {
      console.warn(name, fault);
      delete made[name];
      app.status("This tool could not be loaded: reload the page to try again.", "error");
      return { stage: h("p", { class: "g-missing" }, "This tool could not be loaded; the rest of the page works. Reload to try again.") };
    });
    const tool = await made[name];
    if (app.store.get("tool") !== name) return;
    shown = tool;
    instrument.replaceChildren(tool.stage);
    app.keep.show(tool.keep ? () => tool.keep() : null);
    await tool.show?.();
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.repeat || event.target.closest(OWN_SPACE)) return;
    if (!shown?.toggle) return;
    event.preventDefault();
    shown.toggle();
  });
  app.store.on("tool", choose);
  return choose();
}
