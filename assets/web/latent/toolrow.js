// The tools and their row of tabs.

import { h } from "../common/dom.js";

const TOOLS = {
  explore: ["Explore", () => import("./explore.js")],
  own: ["Your picture", () => import("./own.js")],
  path: ["Path", () => import("./path.js")],
  dimensions: ["Dimensions", () => import("./dimensions.js")],
  train: ["Train", () => import("./train.js")],
};

// The tools' row: one tab stop, arrow keys between them; each is fetched when it is first opened.
export function tabs(app) {
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
