/* What one draws with: width, shade or colour, and whether a stroke is filled. Digits need only the width. */
import { h } from "./dom.js";
import { COLOURS, COLOUR_NAMES, GREY_NAMES, PAPER, shade } from "./strokes.js";

const WIDTHS = [[1, "thin"], [2, "medium"], [4, "broad"]];

export function penBox(pad) {
  const element = h("div", { class: "own-pens" });
  let dataset = "";

  const press = (row, chosen) => row.forEach((button) => button.setAttribute("aria-pressed", String(button === chosen)));

  function widths() {
    const row = WIDTHS.map(([size, name]) => h("button", {
      type: "button", class: "own-pen", title: `${name} pen`, "aria-label": `${name} pen`, "aria-pressed": String(pad.pen.size === size),
      onclick: (event) => { pad.pen.size = size; press(row, event.currentTarget); },
    }, h("i", { class: "own-dot", style: { width: `${4 + 2.5 * size}px`, height: `${4 + 2.5 * size}px` } })));
    return row;
  }

  function filling() {
    return h("button", {
      type: "button", class: "own-pen own-fill", title: "Fill what a stroke encloses", "aria-pressed": String(pad.pen.fill),
      onclick: (event) => { pad.pen.fill = !pad.pen.fill; event.currentTarget.setAttribute("aria-pressed", String(pad.pen.fill)); },
    }, "Fill");
  }

  function colours(coloured) {
    const names = coloured ? COLOUR_NAMES : GREY_NAMES;
    const keys = [0, ...Object.keys(coloured ? COLOURS : GREY_NAMES).map(Number).filter((key) => key && key !== PAPER), PAPER];
    const row = keys.map((colour) => h("button", {
      type: "button", class: "own-colour", title: names[colour], "aria-label": names[colour], "aria-pressed": String(pad.pen.colour === colour),
      style: { background: shade(colour, coloured) },
      onclick: (event) => { pad.pen.colour = colour; press(row, event.currentTarget); },
    }));
    return h("div", { class: "own-colours", role: "group", "aria-label": coloured ? "Colour" : "Shade" }, ...row);
  }

  function show(name) {
    if (name === dataset) return;
    dataset = name;
    pad.pen = { fill: false, size: name === "mnist" ? 2 : 4, colour: 0 };
    const rich = name !== "mnist";
    element.replaceChildren(h("div", { class: "own-widths", role: "group", "aria-label": "Width of the pen" }, ...widths(), ...(rich ? [filling()] : [])),
      ...(rich ? [colours(name === "emoji")] : []));
  }

  return { element, show };
}
