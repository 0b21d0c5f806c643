// The stage's elements, and what belongs to them whichever model is shown.

import { download, h } from "../common/dom.js";

// The stage's elements. Everything has its place before the first answer arrives, so nothing jumps.
export function build(host) {
  const primary = h("div", {
    id: "primary", class: "lx-primary", tabindex: "0", role: "slider", "aria-roledescription": "point on the map",
    "aria-label": "Point on the map: arrow keys move it, Enter pins it, plus and minus zoom, Home goes back to the start",
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

// A line that changes every second ("tick") is for the eye: read aloud it would never stop talking.
export function statusLine(element) {
  return (text, kind = "info") => {
    element.setAttribute("aria-live", kind === "tick" ? "off" : "polite");
    const parts = [].concat(text); // words, and terms that can be asked about
    if (element.textContent !== parts.map((part) => part.textContent ?? part).join("")) element.replaceChildren(...parts);
    element.dataset.kind = kind;
  };
}

// A strip below the map that a tool may fill.
export function shelfOf(host) {
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

export function zoomButtons(app) {
  const button = (text, name, act) => h("button", { type: "button", "aria-label": name, title: name, onclick: act }, text);
  const middle = () => [app.map.size.w / 2, app.map.size.h / 2];
  app.stage.tools.append(
    button("+", "Zoom in", () => app.map.zoomAt(middle(), 1.4)),
    button("−", "Zoom out", () => app.map.zoomAt(middle(), 1 / 1.4)),
    button("⤢", "Show the whole map", () => app.map.reset()));
}

export function actions(app) {
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
