// The branches as a small tree: to the right the place in the text, each line a text from where it leaves another. One tab
// stop; arrows go from branch to branch, Enter opens one.

import { h, seen } from "../common/dom.js";
import { palette, svg } from "./needle.js";

const ROW = 26, WIDE = 84, EDGE = 6; // pixels

export class Tree {
  /** open(branch): a branch was chosen. */
  constructor(open) {
    this.open = open;
    this.list = h("div", { class: "wr-rows", role: "tree", "aria-label": "Branches of the text", onkeydown: (event) => this.key(event) });
    this.lines = svg("svg", { class: "wr-lines", width: WIDE, "aria-hidden": "true" });
    this.note = h("p", { class: "wr-note" }, "Choose another token and the text branches here.");
    this.element = h("section", { class: "wr-tree" }, h("h2", { class: "g-h3" }, "Branches"), h("div", { class: "wr-grove" }, this.lines, this.list), this.note);
    this.rows = [];
    this.told = "";
  }

  show(branches, current, name) {
    const rows = branches?.rows() ?? [];
    this.note.hidden = rows.length > 1;
    const told = JSON.stringify([rows.map(({ branch }) => [branch.key, branch.steps.length]), current?.key, Boolean(name)]);
    if (told === this.told || (rows.length && !name)) return;
    this.told = told;
    this.rows = rows;
    const held = this.list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.list.replaceChildren(...rows.map(({ branch, level }) => this.row(branch, level, branch === current, branches, name)));
    this.draw(current);
    const kept = held === null ? null : this.items().find((each) => each.dataset.key === held);
    kept?.focus();
    seen(this.list.querySelector('[aria-selected="true"]'), this.list.closest(".wr-grove"));
  }

  row(branch, level, here, branches, name) {
    const siblings = branch.parent ? branches.children(branch.parent) : [branch];
    const words = branch.parent ? name(branch.forced.at(-1)[1]) : "as drawn";
    const where = branch.parent ? `at ${branch.forced.at(-1)[0] + 1}` : "";
    const item = h("div", { class: "wr-branch", role: "treeitem", "aria-level": level, "aria-setsize": siblings.length, "aria-posinset": siblings.indexOf(branch) + 1,
      "aria-selected": String(here), "aria-label": `${words}${where && `, chosen ${where}`}, ${branch.steps.length} tokens`, tabindex: here ? "0" : "-1", "data-key": branch.key,
      onclick: () => this.open(branch) }, h("bdi", {}, words), h("small", {}, where));
    return item;
  }

  draw(current) {
    const colours = palette();
    const longest = Math.max(1, ...this.rows.map(({ branch }) => branch.steps.length));
    const x = (place) => EDGE + ((WIDE - 2 * EDGE) * place) / longest;
    const y = (branch) => (this.rows.findIndex((row) => row.branch === branch) + 0.5) * ROW;
    const own = new Set();
    for (let each = current; each; each = each.parent) own.add(each);
    const path = (branch, hot) => {
      const from = branch.parent ? branch.forced.at(-1)[0] : 0;
      const next = hot && branch !== current ? [...own].find((each) => each.parent === branch).forced.at(-1)[0] : branch.steps.length;
      const way = branch.parent ? `M${x(from)} ${y(branch.parent)}V${y(branch) - 5}Q${x(from)} ${y(branch)} ${x(from) + 5} ${y(branch)}` : `M${x(0)} ${y(branch)}`;
      return svg("path", { d: `${way}H${Math.max(x(next), x(from) + (branch.parent ? 6 : 0))}`, fill: "none", stroke: hot ? colours.accent : colours.edge, "stroke-width": hot ? 3 : 1.5 });
    };
    const dots = this.rows.filter(({ branch }) => branch.parent).map(({ branch }) => svg("circle", { cx: x(branch.forced.at(-1)[0]), cy: y(branch.parent), r: 3, fill: own.has(branch) ? colours.accent : colours.edge }));
    this.lines.setAttribute("height", String(this.rows.length * ROW));
    this.lines.replaceChildren(...this.rows.map(({ branch }) => path(branch, false)), ...this.rows.filter(({ branch }) => own.has(branch)).map(({ branch }) => path(branch, true)), ...dots);
  }

  items() { return [...this.list.children]; }

  key(event) {
    const items = this.items();
    const at = items.indexOf(document.activeElement);
    if (at < 0) return;
    const { branch } = this.rows[at];
    const place = (wanted) => this.rows.findIndex((row) => row.branch === wanted);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1, ArrowLeft: place(branch.parent), ArrowRight: this.rows[at + 1]?.branch.parent === branch ? at + 1 : at }[event.key];
    if (event.key === "Enter" || event.key === " ") this.open(branch);
    else if (to === undefined) return;
    else if (items[to]) {
      for (const each of items) each.tabIndex = -1;
      items[to].tabIndex = 0;
      items[to].focus();
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
