// The stage's elements. Everything has its place before the first answer arrives, so nothing jumps.

import { h } from "../common/dom.js";

export function build(host) {
  const instrument = h("figure", { id: "instrument", class: "dx-instrument", "aria-label": "Denoising, step by step", "data-ready": "false" });
  const status = h("p", { id: "status", class: "g-status", role: "status", "aria-live": "polite", "data-kind": "busy" }, "Opening …");
  const tabs = h("div", { class: "g-tabs dx-tabs", role: "tablist", "aria-label": "Tools" });
  const panels = h("div", { class: "dx-panels" });
  host.replaceChildren(h("div", { class: "dx-left" }, instrument, status), h("section", { class: "dx-side", "aria-label": "Controls" }, tabs, panels));
  return { host, instrument, status, tabs, panels };
}
