/* The Dimensions tool: sliders that lie on the pictures they make, a wall of traversals, and sums of pictures. */
import { h } from "../common/dom.js";
import { stylesheet } from "../common/sheet.js";
import sliders from "./sliders.js";
import sums from "./sums.js";
import { openWall } from "./traversals.js";

const MODES = [["sliders", "Sliders"], ["sum", "A − B + C"], ["wall", "Wall"]];

export default function mount(host, app) {
  app.store.define("dims", { default: "sliders" });
  app.store.define("sum", { default: "" });
  const parts = {};
  const place = h("div", { class: "dim-place" });
  const buttons = MODES.map(([mode, title]) => h("button", {
    type: "button", "data-mode": mode, "aria-pressed": "false", onclick: () => go(mode),
    title: mode === "wall" ? "Every dimension beside the others, large" : undefined,
  }, title));
  const root = h("div", { class: "dim-tool" },
    h("div", { class: "g-seg", role: "group", "aria-label": "What to do with the dimensions" }, ...buttons), place);
  let shown = "";
  let wall = null;
  let visible = false;

  function go(mode) {
    app.store.set({ dims: mode });
    render();
  }

  function render() {
    if (!visible) return;
    const asked = app.store.get("dims") || "sliders";
    const mode = asked === "sum" ? "sum" : "sliders";
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.mode === (asked === "collapsed" ? "sliders" : asked)));
    if (mode !== shown) {
      parts[shown]?.hide();
      parts[mode] ??= (mode === "sum" ? sums : sliders)(app);
      place.replaceChildren(parts[mode].element);
      shown = mode;
      parts[mode].show();
    }
    if (asked === "wall" && !wall) wall = openWall(app, () => { wall = null; if (visible) go(shown); });
    if (asked !== "wall" && wall) wall.close();
  }

  const ready = stylesheet(new URL("./dimensions.css", import.meta.url)).then(() => host.replaceChildren(root));
  const off = app.store.on("dims", render);
  return {
    async show() { visible = true; await ready; if (shown) parts[shown].show(); render(); },
    hide() { visible = false; parts[shown]?.hide(); wall?.close(); },
    destroy() { off(); Object.values(parts).forEach((part) => part.destroy?.()); wall?.close(); root.remove(); },
  };
}
