// A row of small results, each a run to its end: what comes of a change by the step it is made at, of a picture by the noise
// level it is brought back from.

import { h } from "../common/dom.js";
import { paint } from "./mosaic.js";

export const bytes = (base64) => Uint8Array.from(atob(base64), (ch) => ch.charCodeAt(0));

/** title: above the row. nameOf(place): below a picture. choose(place): it was pressed. empty: what stands there before. */
export function createOutcomes(app, { title, nameOf, choose, empty = "" }) {
  const tiles = h("div", { class: "dx-tiles" }, h("p", { class: "dx-none" }, empty));
  const element = h("div", { class: "dx-outcomes" }, h("div", { class: "dx-name" }, title), tiles);
  let abort = null;
  let made = new Map();

  function stop() {
    abort?.abort();
    abort = null;
  }

  /** places: what is asked for, in order. wanted: the class that counts as turned. Resolves with {place -> line}, or null. */
  async function ask(path, body, places, wanted) {
    stop();
    const mine = (abort = new AbortController());
    made = new Map(places.map((place) => [place, tile(place)]));
    tiles.replaceChildren(...[...made.values()].map((each) => each.element));
    const seen = new Map();
    try {
      const answer = await fetch(`${app.base}/${path}`, { method: "POST", signal: mine.signal, headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...body, places, session: app.session }) });
      if (!answer.ok) throw new Error((await answer.json()).error);
      for await (const line of lines(answer.body)) {
        if (line.error) throw new Error(line.error);
        seen.set(line.place, line);
        made.get(line.place).show(line, wanted);
      }
      return abort === mine ? seen : null;
    } catch (fault) {
      if (fault.name !== "AbortError" && abort === mine) app.status(fault.message || "The outcomes did not arrive.", "error");
      return null;
    }
  }

  function tile(place) {
    const canvas = h("canvas", { class: "dx-picture" });
    const verdict = h("b", {}, "…");
    const button = h("button", { type: "button", class: "dx-tile", "aria-pressed": "false", onclick: () => choose(place) }, canvas, h("span", {}, nameOf(place)), verdict);
    return {
      element: button,
      show({ pictures: [first], verdicts }, wanted) {
        paint(canvas, bytes(first.data), { count: 1, h: first.h, w: first.w, c: first.c });
        const [one] = verdicts;
        const turned = verdicts.filter(({ label }) => label === wanted).length;
        verdict.textContent = !one ? "" : verdicts.length > 1 && wanted !== undefined ? `${turned} of ${verdicts.length}` : one.name;
        button.classList.toggle("dx-turned", one?.label === wanted);
        button.setAttribute("aria-label", `${nameOf(place)}: ${one ? `the classifier sees “${one.name}”, ${Math.round(100 * one.sure)} %` : "no verdict"}`);
      },
    };
  }

  /** Emphasise the tile nearest to a place. */
  function near(place) {
    const nearest = [...made.keys()].sort((a, b) => Math.abs(a - place) - Math.abs(b - place))[0];
    for (const [each, { element: button }] of made) button.setAttribute("aria-pressed", String(each === nearest));
  }

  function clear() {
    stop();
    made = new Map();
    tiles.replaceChildren(h("p", { class: "dx-none" }, empty));
  }

  return { element, ask, stop, near, clear };
}

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (held + value).split("\n");
    held = parts.pop();
    for (const part of parts) yield JSON.parse(part);
  }
}
