/* Choose pictures from the data: by words, class or chance; several become a mean. */
import { h } from "../common/dom.js";
import { cell, newest, picture, sharp } from "../common/sheet.js";

const SHOWN = 40;                // thumbnails at a time
const FIRST = 20;                // how many "the first 20" takes
const MOST = 50;                 // the server's own limit on one term

/** Opens the picker; resolves with the chosen indices, or null when it is closed without choosing. */
export function choosePictures(app, { title, query = "" }) {
  return new Promise((resolve) => {
    let found = { indices: [], names: [], total: 0 };
    let seed = 1 + Math.floor(Math.random() * 1e6);
    let picked = [];
    let answer = null;
    const box = h("input", { type: "search", placeholder: "name, keyword or class", "aria-label": "Find pictures by name, keyword or class", value: query,
      maxlength: "80", oninput: () => look(), onkeydown: (event) => { if (event.key === "ArrowDown") { event.preventDefault(); buttons()[0]?.focus(); } } });
    const said = h("p", { "aria-live": "polite" });
    const wall = h("div", { class: "dim-picks", role: "group", "aria-label": "Pictures found", onkeydown: walk });
    const use = h("button", { type: "button", class: "main", onclick: () => { answer = picked; dialog.close(); } });
    const dialog = h("dialog", { class: "dim-dialog", "aria-labelledby": "dim-pick-title", onclose: () => { dialog.remove(); resolve(answer); } },
      h("header", {}, h("h2", { id: "dim-pick-title" }, title), box,
        h("button", { type: "button", onclick: () => { box.value = ""; seed += 1; look(); } }, "Random"),
        h("button", { type: "button", onclick: () => { picked = found.indices.slice(0, FIRST); mark(); } }, `The first ${FIRST}`),
        h("button", { type: "button", onclick: () => { picked = []; mark(); } }, "None"),
        use, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel")),
      h("div", { class: "dim-body" }, said, wall));

    const buttons = () => [...wall.querySelectorAll("button")];
    const request = newest(async (what) => {
      const got = await app.server.find_pictures(what);
      return { ...got, image: got.sheet ? await picture(got.sheet) : null };
    }, show, 60);

    function look() {
      request({ model: app.store.get("model"), query: box.value, seed, limit: SHOWN });
    }

    function show(got) {
      found = got;
      said.textContent = got.total
        ? `${got.total.toLocaleString("en")} pictures${got.total > got.indices.length ? `, ${got.indices.length} of them shown` : ""}. Choose one, or several for their mean.`
        : `Nothing is called that. Try another word, or Random.`;
      const side = got.image ? got.image.width / got.columns : 28;
      wall.classList.toggle("soft", side > 28);
      wall.replaceChildren(...got.indices.map((index, i) => {
        const canvas = h("canvas", { "aria-hidden": "true" });
        const context = sharp(canvas, 64, 64, side > 28);
        cell(context, got.image, side, Math.floor(i / got.columns), i % got.columns, 0, 0, 64);
        return h("button", { type: "button", "data-index": String(index), "aria-label": got.names[i], title: got.names[i], "aria-pressed": "false",
          onclick: () => toggle(index), ondblclick: () => { picked = [index]; answer = picked; dialog.close(); } }, canvas);
      }));
      mark();
    }

    function toggle(index) {
      picked = picked.includes(index) ? picked.filter((other) => other !== index) : [...picked, index].slice(-MOST);
      mark();
    }

    function mark() {
      for (const button of buttons()) button.setAttribute("aria-pressed", String(picked.includes(Number(button.dataset.index))));
      use.disabled = !picked.length;
      use.textContent = picked.length > 1 ? `Use the mean of ${picked.length}` : picked.length ? "Use this picture" : "Choose a picture";
    }

    function walk(event) {
      const all = buttons();
      const at = all.indexOf(document.activeElement);
      const across = Math.max(1, all.filter((button) => button.offsetTop === all[0]?.offsetTop).length);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + across, ArrowUp: at - across }[event.key];
      if (event.key === "Enter" && at >= 0) {
        event.preventDefault();
        if (!picked.length) picked = [Number(all[at].dataset.index)];
        answer = picked;
        dialog.close();
      } else if (to !== undefined && at >= 0) {
        event.preventDefault();
        (to < 0 ? box : all[Math.min(all.length - 1, to)]).focus();
      }
    }

    document.body.append(dialog);
    dialog.showModal();
    box.focus();
    mark();
    look();
  });
}
