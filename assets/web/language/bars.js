// The bars: one row a token, as many rows as fit, made once and filled again for every frame.

import { h, put } from "../common/dom.js";
import { term } from "../common/tip.js";
import { CUTS } from "./warp.js";

const LOG_FLOOR = 6; // decades below 1 that the logarithmic scale shows
const NICE = [0.02, 0.05, 0.1, 0.2, 0.5, 1];

/** 98.6 %, 7.44 %, 0.091 %, 5·10⁻⁵ % */
export function percent(p) {
  if (p === 0 || p === 1) return p ? "100 %" : "0";
  if (p < 1e-4) return small(p);
  return `${(100 * p).toFixed(p >= 0.9995 ? 2 : p >= 0.0995 ? 1 : p >= 0.000995 ? 2 : 3)} %`;
}
const small = (p) => { // 3·10⁻⁹ %
  const [figure, power] = (100 * p).toExponential(0).split("e-");
  return `${figure}·10⁻${[...power].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("")} %`;
};
const FORMAT = new Intl.NumberFormat("en"); // made once: asked for anew it is the dearest part of a frame
export const whole = (number) => FORMAT.format(number);

/** The right end of the linear axis for a largest probability. */
export const axisEnd = (largest) => NICE.find((end) => largest <= end + 1e-9) ?? 1;

/** Place of p on the axis, 0 to 1. */
export const placeOf = (p, scale, end) => (scale === "log" ? Math.max(0, 1 + Math.log10(p || 1e-300) / LOG_FLOOR) : Math.min(1, p / end));

export function createBars() {
  const ticks = h("span", { class: "lx-ticks", "aria-hidden": "true" });
  const column = (name, ...words) => h("span", { role: "columnheader", class: `lx-${name}` }, ...words);
  const head = h("div", { class: "lx-row lx-heads", role: "row" }, column("rank", "rank"), column("token", "token", h("small", {}, "· = space")), column("id", "id"),
    column("logit", term("logit", "The network’s own score of the token, before it is a probability: any number, the higher the likelier")), ticks,
    column("after", term("after", "Its probability once the settings have reshaped it: the filled bar")), column("before", term("before", "Its probability as the network said it, at temperature 1 and with nothing cut off: the outline")));
  const list = h("div", { class: "lx-list", role: "rowgroup" });
  const pinned = createRow();
  pinned.element.classList.add("lx-pinned");
  const element = h("div", { class: "lx-bars", role: "table", "aria-label": "Tokens from the likeliest down, with their probability before and after the settings" }, head, list, pinned.element);
  const rows = [];
  let shownTicks = "";

  function fit(count) {
    while (rows.length < count) {
      rows.push(createRow());
      list.append(rows.at(-1).element);
    }
    while (rows.length > count) rows.pop().element.remove();
  }

  return {
    element, list,
    get count() { return rows.length; },
    /** As many rows as the list has room for. */
    measure() {
      const height = parseFloat(getComputedStyle(element).getPropertyValue("--row")) || 28;
      const count = Math.max(4, Math.floor(list.clientHeight / height));
      fit(count);
      list.style.setProperty("--row", `${list.clientHeight / count}px`); // nothing is left over
    },
    /** frame: {warper, view, vocabulary, from, scale, end, found: {id, place, rank, now} or null, drawn: place or -1} */
    paint(frame) {
      const { warper, view, vocabulary, from, scale, end, found, drawn } = frame;
      const key = `${scale} ${end}`;
      if (key !== shownTicks) {
        shownTicks = key;
        element.style.setProperty("--parts", scale === "log" ? LOG_FLOOR : 4);
        ticks.replaceChildren(...tickTexts(scale, end).map(([at, text]) => h("i", { style: { left: `${100 * at}%` } }, text)));
      }
      rows.forEach((row, i) => {
        const place = from + i;
        row.element.hidden = place >= view.order.length;
        if (place >= view.order.length) return;
        const id = view.order[place];
        row.fill({ rank: place + 1, id, text: vocabulary.shown(id), special: vocabulary.special.has(id), logit: warper.logits[id], p: warper.before.p[id], q: view.q[place], cut: view.cut[place], scale, end, note: CUTS[view.cut[place]] && `cut by ${CUTS[view.cut[place]]}` });
        row.mark(found?.id === id, drawn === place);
      });
      pinned.element.hidden = !found;
      if (!found) return;
      const cut = view.cut[found.place];
      pinned.fill({ rank: found.rank, id: found.id, text: vocabulary.shown(found.id), special: vocabulary.special.has(found.id), logit: warper.logits[found.id], p: warper.before.p[found.id], q: view.q[found.place], cut, scale, end,
        note: `rank ${whole(found.rank)} → ${cut ? "cut" : whole(found.now)}` });
    },
  };
}

function tickTexts(scale, end) {
  if (scale === "log") return [[0, "10⁻⁴ %"], [3 / 6, "0.1 %"], [1, "100 %"]];
  return [0, 0.5, 1].map((part) => [part, `${+(100 * part * end).toFixed(1)} %`]);
}

function createRow() {
  const cell = (name, ...inner) => h("span", { class: `lx-${name}`, role: "cell" }, ...inner);
  const text = h("bdi", {});
  const cells = { rank: cell("rank"), token: cell("token", text), id: cell("id"), logit: cell("logit"), after: cell("after"), before: cell("before") };
  const was = h("i", { class: "lx-was" }), is = h("i", { class: "lx-is" }), note = h("em", { class: "lx-note" });
  const bar = h("span", { class: "lx-bar", role: "cell" }, is, was, note);
  const element = h("div", { class: "lx-row", role: "row" }, cells.rank, cells.token, cells.id, cells.logit, bar, cells.after, cells.before);
  const shown = {};
  const set = (name, node, value) => { if (shown[name] !== value) put(node, (shown[name] = value)); };
  return {
    element,
    fill({ rank, id, text: words, special, logit, p, q, cut, scale, end, note: says }) {
      set("rank", cells.rank, whole(rank));
      if (shown.id !== id || shown.text !== words) {
        put(text, (shown.text = words));
        cells.token.title = `${words}, token ${id}`;
        cells.token.classList.toggle("lx-special", special);
        put(cells.id, String((shown.id = id)));
      }
      set("logit", cells.logit, logit.toFixed(2).replace("-", "−"));
      set("after", cells.after, cut ? "cut" : percent(q));
      set("before", cells.before, percent(p));
      const before = placeOf(p, scale, end), after = cut ? 0 : placeOf(q, scale, end);
      was.style.width = `${100 * before}%`;
      is.style.width = `${100 * after}%`;
      set("note", note, says || "");
      if (says) {
        const right = Math.max(before, after);
        note.style.left = right < 0.6 ? `calc(${100 * right}% + 8px)` : "";
        note.style.right = right < 0.6 ? "" : "8px";
        note.classList.toggle("lx-over", right >= 0.6);
      }
      element.classList.toggle("lx-cut", Boolean(cut));
    },
    mark(found, drawn) {
      element.classList.toggle("lx-found", found);
      element.classList.toggle("lx-drawn", drawn);
    },
  };
}
