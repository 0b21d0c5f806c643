// The schedules' curves, drawn by Plotly once the page is at rest; the marker of the current step is an element of its own,
// because it moves at the screen's pace and a chart does not.

import { h } from "../common/dom.js";

const NAMES = ["linear", "cosine", "sigmoid", "trained"]; // the last only for a model with a schedule of its own
let script = null;

function plotly(base) {
  script ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly);
    const tag = h("script", { src: `${base}/plotly.js`, onload: () => resolve(window.Plotly),
      onerror: () => { script = null; tag.remove(); reject(new Error("The curves could not be loaded; the rest of the page works without them.")); } });
    document.head.append(tag);
  });
  return script;
}

const dark = () => document.documentElement.dataset.theme === "dark";

export function createSchedule(app) {
  const chart = h("div", { class: "dx-curves", role: "img", "aria-label": "Curves of the schedules over t: beta, alpha-bar, and the signal-to-noise ratio" });
  const markers = [0, 1, 2].map(() => h("i", { class: "dx-marker", hidden: true }));
  const element = h("div", { class: "dx-chart" }, chart, ...markers);
  let Plotly = null;
  let t = null;
  let drawn = null; // what it was drawn for: the theme, and a model with a schedule of its own

  async function show() {
    const own = app.config()?.schedule === "trained" ? app.config().name : "";
    const query = new URLSearchParams({ dark: dark(), ...(own && { model: own }) }).toString();
    if (drawn === query) return dress();
    drawn = query;
    try {
      const [library, answer] = await Promise.all([plotly(app.base), fetch(`${app.base}/schedules?${query}`)]);
      const figure = await answer.json();
      if (figure.error) throw new Error(figure.error);
      Plotly = library;
      await Plotly.react(chart, figure.data, { ...figure.layout, width: chart.clientWidth || 320, height: chart.clientHeight || figure.layout.height }, { displayModeBar: false, responsive: false });
      dress();
    } catch (fault) {
      drawn = null;
      console.debug(fault);
      chart.textContent = "The curves could not be drawn; the rest of the page works without them.";
    }
  }

  function dress() {
    if (!Plotly) return;
    const chosen = NAMES.indexOf(app.store.get("schedule"));
    const style = getComputedStyle(document.body);
    const each = chart.data.length / 3; // curves in each of the three charts
    const lit = chart.data.map((_, i) => i % each === chosen);
    const colours = lit.map((on) => style.getPropertyValue(on ? "--a" : "--ink-2").trim());
    Plotly.restyle(chart, { "line.color": colours, "line.width": lit.map((on) => (on ? 2.2 : 1)), opacity: lit.map((on) => (on ? 1 : 0.45)) }).then(mark);
  }

  // Plotly names its clips by the page's whole address, which changes while one plays: by name alone they are found again.
  function unbind() {
    for (const each of chart.querySelectorAll("[clip-path]")) each.setAttribute("clip-path", each.getAttribute("clip-path").replace(/url\(['"]?[^#]*#/, "url('#"));
  }

  function mark() {
    unbind();
    const layout = chart._fullLayout;
    markers.forEach((marker, i) => {
      const axis = layout?.[i ? `xaxis${i + 1}` : "xaxis"];
      marker.hidden = !axis || t === null;
      if (marker.hidden) return;
      const [from, to] = axis.range;
      marker.style.transform = `translateX(${(axis._offset + (axis._length * (t - from)) / (to - from)).toFixed(1)}px)`;
    });
  }

  new ResizeObserver(() => {
    if (Plotly && chart.clientWidth && Math.abs(chart.clientWidth - chart._fullLayout.width) > 2) Plotly.relayout(chart, { width: chart.clientWidth }).then(mark);
  }).observe(element);
  app.store.on("schedule", dress);
  app.store.on("model", () => { if (Plotly) show(); });
  addEventListener("gallery:theme", () => { if (Plotly) show(); });
  return { element, show, at(level) { t = level; mark(); } };
}
