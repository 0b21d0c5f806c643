/* The wall of traversals: one row for each dimension, decoded from where one stands; click a cell to go there. */
import { busy, h } from "../common/dom.js";
import { cell, named, newest, picture, save, sharp, token } from "../common/sheet.js";

const LABEL = 118;               // pixels at the left of an exported wall, for the names of the rows
const HEAD = 54;                 // and above it, for the title and the values

export function openWall(app, onclose) {
  let overview = null;
  let grid = null;
  let cursor = [0, 0];
  const steps = h("select", { "aria-label": "Pictures in a row", onchange: () => ask() },
    ...[7, 9, 11, 13, 15].map((n) => h("option", { value: String(n), selected: n === (innerWidth < 700 ? 7 : 11) }, `${n} steps`)));
  const many = h("select", { "aria-label": "Which dimensions", onchange: () => ask() },
    h("option", { value: "8" }, "8 most telling"), h("option", { value: "16" }, "16 most telling"), h("option", { value: "64" }, "all, up to 64"));
  const canvas = h("canvas", { tabindex: "0", role: "application", id: "dim-wall",
    "aria-label": "Wall of traversals: arrow keys choose a picture, Enter goes there", onclick: pick, onkeydown: key });
  const labels = h("div", { class: "dim-grid-labels" });
  const said = h("p", { "aria-live": "polite" },
    "Each row changes one number and leaves the others where you stand. The framed picture is where you stand. Click one to go there.");
  const dialog = h("dialog", { class: "dim-dialog", "aria-labelledby": "dim-wall-title", onclose: () => { off(); dialog.remove(); onclose(); } },
    h("header", {}, h("h2", { id: "dim-wall-title" }, "What each dimension does from here"), many, steps,
      h("button", { type: "button", onclick: exportPng }, "Save PNG"),
      h("button", { type: "button", onclick: () => dialog.close() }, "Close")),
    h("div", { class: "dim-body" }, said, h("div", { class: "dim-grid-wrap" }, labels, canvas)));
  const request = newest(async (what) => {
    const answer = await app.server.dimension_traversal(what).finally(() => busy(canvas, false));
    return { ...answer, image: await picture(answer.sheet) };
  }, (answer, what) => { grid = { ...answer, z: what.z, dims: what.dims }; paint(); });

  function chosen() { return overview.dimensions.slice(0, Number(many.value)); }

  function here() {
    const z = Array.from(app.z());
    return z.length === overview.d ? z : new Array(overview.d).fill(0);
  }

  function ask() {
    if (!overview) return;
    const rows = chosen();
    busy(canvas);
    request({ model: overview.model, z: here(), dims: rows.map((row) => row.k), steps: Number(steps.value), size: 64,
      low: rows.map((row) => row.low), high: rows.map((row) => row.high) });
  }

  /** Place of the current value of row r between the columns, as a number of columns. */
  function column(r) {
    const values = grid.values[r];
    return ((grid.z[grid.dims[r]] - values[0]) / (values[values.length - 1] - values[0])) * (values.length - 1);
  }

  function drawCells(context, size, x0, y0) {
    for (let r = 0; r < grid.rows; r++) {
      for (let c = 0; c < grid.columns; c++) cell(context, grid.image, grid.side, r, c, x0 + c * size, y0 + r * size, size);
      const at = Math.round(column(r));
      if (at < 0 || at >= grid.columns) continue;
      context.strokeStyle = token("--paper");
      context.lineWidth = 3;
      context.strokeRect(x0 + at * size + 2, y0 + r * size + 2, size - 4, size - 4);
      context.strokeStyle = token("--a");
      context.lineWidth = 2;
      context.strokeRect(x0 + at * size + 1, y0 + r * size + 1, size - 2, size - 2);
    }
  }

  function rowName(r) {
    const row = overview.dimensions.find((dimension) => dimension.k === grid.dims[r]);
    return `${named(row.k)} ${overview.plain ? `±${row.spread.toFixed(1)}` : `${row.kl.toFixed(row.collapsed ? 3 : 2)} nats`}`;
  }

  function paint() {
    const width = Math.min(canvas.clientWidth || canvas.parentElement.clientWidth - 110, 1000);
    const size = width / grid.columns;
    canvas.style.aspectRatio = `${grid.columns} / ${grid.rows}`;
    const context = sharp(canvas, width, size * grid.rows, grid.side > 28);
    drawCells(context, size, 0, 0);
    labels.style.gridTemplateRows = `repeat(${grid.rows}, 1fr)`;
    labels.replaceChildren(...grid.dims.map((_, r) => h("span", {}, rowName(r))));
    cursor = [Math.min(cursor[0], grid.rows - 1), Math.min(cursor[1], grid.columns - 1)];
    if (document.activeElement === canvas) {
      context.setLineDash([4, 3]);
      context.strokeStyle = "#fff";
      context.lineWidth = 2;
      context.strokeRect(cursor[1] * size + 4, cursor[0] * size + 4, size - 8, size - 8);
      context.setLineDash([]);
    }
  }

  function go(r, c) {
    const z = here().slice();
    z[grid.dims[r]] = grid.values[r][c];
    app.store.set({ z });
    said.textContent = `${named(grid.dims[r])} is now ${grid.values[r][c].toFixed(2)}; the wall is decoded anew around it.`;
  }

  function pick(event) {
    if (!grid) return;
    const box = canvas.getBoundingClientRect();
    cursor = [Math.min(grid.rows - 1, Math.floor(((event.clientY - box.top) / box.height) * grid.rows)),
      Math.min(grid.columns - 1, Math.floor(((event.clientX - box.left) / box.width) * grid.columns))];
    go(...cursor);
  }

  function key(event) {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (!grid) return;
    if (event.key === "Enter" || event.key === " ") {
      go(...cursor);
    } else if (moves[event.key]) {
      cursor = [Math.min(grid.rows - 1, Math.max(0, cursor[0] + moves[event.key][0])),
        Math.min(grid.columns - 1, Math.max(0, cursor[1] + moves[event.key][1]))];
      said.textContent = `${named(grid.dims[cursor[0]])} = ${grid.values[cursor[0]][cursor[1]].toFixed(2)}`;
      paint();
    } else return;
    event.preventDefault();
  }

  function exportPng() {
    if (!grid) return;
    const size = Math.max(56, grid.side);
    const sheet = h("canvas");
    sheet.width = LABEL + grid.columns * size + 16;
    sheet.height = HEAD + grid.rows * size + 16;
    const context = sheet.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.fillStyle = token("--wall");
    context.fillRect(0, 0, sheet.width, sheet.height);
    context.fillStyle = token("--ink");
    context.font = `600 17px ${token("--text")}`;
    context.fillText(`${overview.model}: each row moves one dimension`, 12, 24);
    drawCells(context, size, LABEL, HEAD);
    context.fillStyle = token("--ink-2");
    context.font = `13px ${token("--mono")}`;
    grid.dims.forEach((_, r) => context.fillText(rowName(r), 12, HEAD + (r + 0.5) * size + 4));
    context.textAlign = "center";
    if (!overview.plain) grid.values[0].forEach((value, c) => context.fillText(value.toFixed(1), LABEL + (c + 0.5) * size, HEAD - 8));
    save(sheet, `traversals-${overview.model.replace(/\W+/g, "-")}.png`);
  }

  const off = app.store.on("z", ask);
  canvas.addEventListener("focus", () => grid && paint());
  canvas.addEventListener("blur", () => grid && paint());
  document.body.append(dialog);
  dialog.showModal();
  app.server.dimension_overview({ model: app.store.get("model") }).then((answer) => { overview = answer; ask(); }, () => dialog.close());
  return { close: () => dialog.open && dialog.close() };
}
