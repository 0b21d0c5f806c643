/* The Path tool: from pin to pin through the latent space, as a film that plays in the page. */
import { picture as paint } from "./data.js";
import { download, h, segmented } from "../common/dom.js";
import { cell, newest, picture as decoded, stylesheet } from "../common/sheet.js";
import { Film, Player } from "./film.js";
import { choosePictures } from "./picker.js";

const WAYS = [
  { value: "line", text: "Straight line", title: "equal steps along the straight line between two pins" },
  { value: "circle", text: "Great circle", title: "spherical interpolation: turn from one to the other, and let the distance from the middle change evenly" },
];
const LOOPS = [
  { value: "bounce", text: "There and back" },
  { value: "again", text: "From the start" },
  { value: "once", text: "Once" },
];
const TELL_MS = 250;
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

class Path {
  constructor(host, app) {
    this.app = app;
    this.walk = null; // what came back last, with its frames
    this.visible = false;
    for (const [key, fallback] of Object.entries({ way: "line", steps: 32, play: false, speed: 16, loop: "bounce", at: 0 })) app.store.define?.(key, { default: fallback });
    this.player = new Player((index) => this.seen(index), () => app.store.set({ play: false }));
    this.film = new Film({ seek: (index) => this.seek(index), toggle: () => this.toggle(), colours: () => app.map.theme });
    this.build();
    this.ready = stylesheet(new URL("./path.css", import.meta.url)).then(() => host.replaceChildren(this.root));
    this.request = newest((what) => this.ask(what), (walk) => this.arrived(walk), 40);
    this.offs = [
      app.store.on(["pins"], () => this.visible && (this.list(), this.renew())),
      app.store.on(["way", "steps"], () => this.visible && (this.controls(), this.renew())),
      app.store.on(["speed", "loop", "play"], () => this.visible && this.controls()),
      app.onSpace(() => this.visible && (this.forget(), this.list(), this.renew())),
    ];
    this.rethemed = () => this.film.paint();
  }

  // --- the panel ---------------------------------------------------------------------------------------------

  build() {
    const { app } = this;
    const button = (text, onclick, more = {}) => h("button", { type: "button", class: "g-btn path-small", onclick, ...more }, text);
    this.pins = h("ol", { class: "path-pins", "aria-label": "Pins in the order of the path" });
    this.hint = h("p", { class: "path-hint" }, "Click two or more places on the map, or choose pictures: the path leads from pin to pin.");
    this.wayRow = h("div");
    this.loopRow = h("div");
    this.steps = this.slider("steps", "Pictures", 4, 240);
    this.speed = this.slider("speed", "A second", 2, 50);
    this.reverse = button("Reverse", () => app.store.set({ pins: [...app.store.get("pins")].reverse() }));
    this.clear = button("Remove all", () => app.store.set({ pins: [], play: false }));
    this.gif = button("GIF", () => this.save("path_gif", this.gif), { title: "An endless GIF of these pictures, each pixel 9 or 4 pixels wide" });
    this.png = button("Film strip, PNG", () => this.save("path_strip", this.png), { title: "All pictures beside each other, to print or to show" });
    this.root = h("div", { class: "path-tool" },
      this.pins, this.hint,
      h("div", { class: "path-row" },
        button("+ Picture…", () => this.choose(), { title: "Pin a test picture" }),
        button("+ This point", () => this.pinHere(), { title: "Pin the place where you stand" }),
        button("Two at random", () => this.random(), { title: "Two test pictures of different classes" })),
      this.wayRow,
      this.steps.row, this.speed.row, this.loopRow,
      h("div", { class: "path-row" }, this.reverse, this.clear, h("span", { class: "path-grow" }), this.gif, this.png));
  }

  slider(key, text, low, high) {
    const out = h("output", { class: "path-value" });
    const input = h("input", { type: "range", class: "g-range", min: String(low), max: String(high), step: "1", "aria-label": key === "speed" ? "Pictures a second" : "Pictures in the path",
      oninput: () => this.app.store.set({ [key]: Number(input.value) }) });
    return { input, out, row: h("label", { class: "path-slider" }, h("span", {}, text), input, out) };
  }

  controls() {
    const { store } = this.app;
    for (const key of ["steps", "speed"]) {
      const value = String(store.get(key));
      if (this[key].input.value !== value) this[key].input.value = value;
      this[key].out.textContent = value;
    }
    if (this.walk && this.walk.z.length !== store.get("steps") && this.walk.steps === store.get("steps")) this.steps.out.textContent = String(this.walk.z.length);
    this.press(this.wayRow, "Way", WAYS, "way");
    this.press(this.loopRow, "When it has arrived", LOOPS, "loop");
    Object.assign(this.player, { speed: store.get("speed"), loop: store.get("loop") });
    const play = store.get("play") && Boolean(this.walk);
    if (play) this.player.play();
    else if (this.player.playing) { this.player.pause(); this.rested(); }
    this.film.playing(play);
  }

  // Rebuilt only when the choice changed, so that the button that was pressed keeps the focus.
  press(row, label, options, key) {
    const value = this.app.store.get(key);
    if (!row.firstChild) row.append(segmented(label, options, value, (chosen) => this.app.store.set({ [key]: chosen })));
    row.querySelectorAll("button").forEach((button, i) => button.setAttribute("aria-pressed", String(options[i].value === value)));
  }

  code(pin) {
    const { space } = this.app;
    return pin.z ?? (space && pin.index < space.n ? space.code(pin.index) : null);
  }

  list() {
    const { app } = this;
    const pins = app.store.get("pins");
    this.hint.hidden = pins.length > 1;
    this.reverse.disabled = pins.length < 2;
    this.clear.disabled = !pins.length;
    this.gif.disabled = this.png.disabled = pins.length < 2;
    this.pins.replaceChildren(...pins.map((pin, at) => {
      const name = pin.kind === "test" ? `test picture ${pin.index}, ${app.labelOf(pin.index)}` : pin.kind === "own" ? "your picture" : "a place on the map";
      const canvas = h("canvas", { "aria-hidden": "true" });
      this.thumb(canvas, pin, at);
      const face = h("button", { type: "button", class: "path-pin", draggable: "true", title: `${name}. Drag, or Alt and an arrow key: move it along the path`,
        "aria-label": `Pin ${at + 1}, ${name}: go there`, onclick: () => this.goto(at),
        onkeydown: (event) => event.altKey && this.shift(event, at),
        ondragstart: (event) => { event.dataTransfer.setData("text/plain", String(at)); event.dataTransfer.effectAllowed = "move"; },
        ondragover: (event) => event.preventDefault(),
        ondrop: (event) => { event.preventDefault(); this.move(Number(event.dataTransfer.getData("text/plain")), at); } },
        canvas, h("b", {}, String(at + 1)));
      return h("li", {}, face, h("button", { type: "button", class: "path-drop", "aria-label": `Remove pin ${at + 1}`,
        onclick: () => app.store.set({ pins: pins.filter((_, i) => i !== at) }) }, "×"));
    }));
  }

  // A picture of the data as it is; a place as the model decodes it, once the path has been walked.
  async thumb(canvas, pin, at) {
    const { app, walk } = this;
    if (pin.kind === "test" && app.space) {
      const [image] = await app.data.pictures(app.space.config.dataset, [pin.index]).catch(() => [null]);
      if (image) paint(canvas, image);
    } else if (pin.picture && app.space) paint(canvas, app.unpack(pin.picture));
    else if (walk && walk.frames[walk.stops[at]]) paint(canvas, walk.frames[walk.stops[at]]);
  }

  shift(event, at) {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (this.move(at, to)) this.pins.children[to]?.querySelector("button").focus();
  }

  move(from, to) {
    const pins = [...this.app.store.get("pins")];
    if (!(from >= 0 && from < pins.length && to >= 0 && to < pins.length) || from === to) return false;
    pins.splice(to, 0, ...pins.splice(from, 1));
    this.app.store.set({ pins });
    return true;
  }

  goto(at) {
    if (this.walk?.stops[at] !== undefined) this.seek(this.walk.stops[at]);
    else this.app.visit(this.app.store.get("pins")[at]);
  }

  async choose() {
    const chosen = await choosePictures(this.app, { title: "Pictures for the path" });
    for (const index of chosen ?? []) this.app.store.set({ pins: this.app.addPin({ kind: "test", index }) });
  }

  pinHere() {
    this.app.store.set({ pins: this.app.addPin({ kind: "point", z: Array.from(this.app.z()) }) });
  }

  random() {
    const { space, store } = this.app;
    if (!space) return;
    const any = () => Math.floor(Math.random() * space.n);
    const one = any();
    let other = any();
    for (let tries = 0; tries < 50 && space.labels[other] === space.labels[one]; tries++) other = any();
    store.set({ pins: [one, other].map((index) => ({ kind: "test", index })), at: 0, play: !still() });
  }

  // --- the walk ----------------------------------------------------------------------------------------------

  what() {
    const { app } = this;
    const points = app.store.get("pins").map((pin) => this.code(pin)).filter(Boolean).map((z) => Array.from(z));
    return { model: app.store.get("model"), points, steps: app.store.get("steps"), way: app.store.get("way") };
  }

  renew() {
    const what = this.what();
    if (what.points.length < 2 || this.app.space?.name !== what.model) return this.forget();
    this.request(what);
  }

  async ask(what) {
    const walk = await this.app.server.path_walk(what);
    const sheet = await decoded(walk.sheet.src);
    const { n, columns, w, h: height } = walk.sheet;
    const frames = Array.from({ length: n }, (_, i) => {
      const canvas = document.createElement("canvas");
      canvas.width = w;
      canvas.height = height;
      cell(canvas.getContext("2d"), sheet, w, Math.floor(i / columns), i % columns, 0, 0, w);
      return canvas;
    });
    return { ...walk, ...what, frames };
  }

  arrived(walk) {
    const { app } = this;
    if (!this.visible || walk.model !== app.store.get("model") || app.store.get("pins").length < 2) return;
    const share = this.walk && this.walk.frames.length > 1 ? this.player.at / (this.walk.frames.length - 1) : null;
    this.walk = walk;
    if (!this.film.element.isConnected) app.shelf.show(this.film.element); // its scrubber keeps the focus
    app.map.setLayer("path", { path: walk.z });
    this.film.load(walk.frames, { ...walk, names: app.space.names });
    const at = share === null ? app.store.get("at") : Math.round(share * (walk.frames.length - 1));
    this.player.load(walk.frames.length, at);
    this.list();
    if (app.store.get("play") && still() && !this.started) {
      app.store.set({ play: false });
      app.status("The film waits, because your system asks for less motion: press play to start it.");
    } else if (share === null) app.status(this.sentence(walk));
    this.started = true;
    this.controls();
    if (!app.store.get("play")) this.rested();
  }

  sentence({ labels, votes, of, way, z }) {
    const names = this.app.space.names;
    const turns = labels.filter((label, i) => i && label !== labels[i - 1]).length;
    const passed = [...new Set(labels)].map((label) => names[label]);
    const how = way === "line" ? "along a straight line" : "along great circles";
    if (!turns) return `${z.length} pictures ${how}, all nearest to “${passed[0]}”.`;
    const weakest = votes.indexOf(Math.min(...votes));
    return `${z.length} pictures ${how}: ${passed.map((name) => `“${name}”`).join(", ")}. Least certain at picture ${weakest + 1}, where ${votes[weakest]} of ${of} neighbours agree.`;
  }

  forget() {
    this.player.pause();
    this.walk = null;
    this.app.map.removeLayer("path");
    this.app.shelf.hide();
  }

  seen(index) {
    const { app, walk } = this;
    if (!walk || !this.visible) return;
    this.film.show(index);
    app.map.here = app.map.project(walk.z[index]); // the visitor travels along
    app.map.repaint();
    app.here.show(walk.frames[index], walk.z[index], `picture ${index + 1} of ${walk.z.length}`);
    if (this.telling) return;
    this.telling = setTimeout(() => this.tell(), TELL_MS); // words cannot be read at the pace of a film
  }

  tell() {
    const { app, walk } = this;
    this.telling = 0;
    if (!walk || !this.visible || app.space?.name !== walk.model) return;
    const z = walk.z[this.player.at];
    app.here.place({ z, kind: app.space.config.kind, nearest: app.space.nearest(z, 1)[0] });
  }

  seek(index) {
    if (this.app.store.get("play")) this.app.store.set({ play: false });
    this.player.seek(index);
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rested(), 200);
  }

  // Where the film stands, the visitor stands; both go into the address.
  rested() {
    const { app, walk, player } = this;
    if (walk && this.visible) app.store.set({ at: player.at, z: walk.z[player.at] });
  }

  toggle() {
    this.app.store.set({ play: !this.app.store.get("play") });
  }

  async save(which, button) {
    button.disabled = true;
    this.app.status("Making the file …", "busy");
    try {
      const { store } = this.app;
      const file = await this.app.server[which]({ ...this.what(), speed: store.get("speed"), loop: store.get("loop") });
      const blob = new Blob([bytes(file.data)], { type: file.type });
      download(blob, file.name);
      this.app.status(`${file.name}: ${(blob.size / 1024).toFixed(0)} kB, made of the model's own pictures.`);
    } catch (fault) {
      console.debug(fault); // the sentence stands in #status
    } finally {
      button.disabled = false;
    }
  }

  // --- shown and hidden --------------------------------------------------------------------------------------

  async enter() {
    this.visible = true;
    await this.ready;
    addEventListener("gallery:theme", this.rethemed);
    this.list();
    this.controls();
    this.renew();
  }

  leave() {
    this.visible = false;
    clearTimeout(this.telling);
    this.telling = 0;
    removeEventListener("gallery:theme", this.rethemed);
    this.forget();
  }
}

export default function mount(host, app) {
  const path = new Path(host, app);
  return { show: () => path.enter(), hide: () => path.leave(), destroy: () => { path.leave(); path.offs.forEach((off) => off?.()); path.root.remove(); } };
}
