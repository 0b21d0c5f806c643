/* The Train tool: a model from scratch, before one's eyes. The map, the samples and the curve follow it as it learns;
   every frame that arrived stays on a film that can be run back; the finished model joins the others. */
import { modelText } from "./controls.js";
import { fixed, h } from "../common/dom.js";
import { createCurve } from "./curve.js";
import { planeNames } from "./ground.js";
import { picture, stylesheet } from "../common/sheet.js";
import { classes, listen, places } from "../common/stream.js";

const SECONDS = 40;
const LAYER = "training";
const MOST_FRAMES = 800;         // of the film; beyond it every second one is let go
const PLAY_MS = 50;
const TICK_MS = 1000;            // between two sentences about how far the training is
const KEY = [["−ELBO", "--vae", "solid"], ["in training", "--ink-2", "dotted"], ["reconstruction", "--gpt2", "solid"], ["KL", "--attn", "solid"]];
const EASE = 0.15;               // of the way to the reach it needs, each frame: the map breathes and does not jump
const DEFAULT = "mnist-vae-2-1-0";
const OPTIONS = {
  dataset: ["Data", [["mnist", "Digits"], ["fashion", "Fashion"]]],
  kind: ["Kind", [["vae", "VAE"], ["ae", "Plain AE"]]],
  latent: ["Dimensions", [[2, "2"], [4, "4"], [8, "8"], [16, "16"]]],
  beta: ["β, weight of KL", [[0.25, "¼"], [1, "1"], [4, "4"], [10, "10"]]],
};

function parse(text) {
  const read = (from) => /^(mnist|fashion)-(vae|ae)-(\d+)-([\d.]+)-(\d+)(?:-(\d+))?$/.exec(from);
  const [, dataset, kind, latent, beta, seed, seconds] = read(text) || read(DEFAULT);
  return { dataset, kind, latent: Number(latent), beta: Number(beta), seed: Number(seed), seconds: Number(seconds || SECONDS) };
}

const format = ({ dataset, kind, latent, beta, seed, seconds }) =>
  `${dataset}-${kind}-${latent}-${beta}-${seed}${seconds === SECONDS ? "" : `-${seconds}`}`;

export default function mount(host, app) {
  app.store.define("train", { default: "" });
  let phase = "idle";            // idle, waiting, running, paused, done, failed
  let run = null;                // {id, abort, asked, labels, explore}
  let film = [];
  let at = -1;                   // frame on show; -1: the newest
  let painting = false;
  let visible = false;
  let playing = 0;
  let reach = 4;
  let ticked = 0;

  // --- what is asked ---

  const rows = {};
  const PAIRS = [["dataset", "kind"], ["latent", "beta"]];
  const seed = h("input", { class: "g-input", type: "number", min: "0", max: "2147483647", step: "1", onchange: () => ask({ seed: Math.max(0, Math.min(2147483647, Math.floor(Number(seed.value) || 0))) }) });
  const choice = (name) => {
    const [title, options] = OPTIONS[name];
    rows[name] = h("div", { class: "g-seg", role: "group", "aria-label": title },
      ...options.map(([value, text]) => h("button", { type: "button", "data-value": String(value), onclick: () => ask({ [name]: value }) }, text)));
    return h("div", {}, h("span", { class: "train-name" }, title), rows[name]);
  };
  const form = h("div", { class: "train-form" }, ...PAIRS.map((pair) => h("div", { class: "train-pair" }, ...pair.map(choice))));
  const grain = h("label", { class: "train-grain" }, h("span", { class: "train-name" }, "Seed"), seed);

  function asked() { return parse(app.store.get("train")); }

  function ask(change) { app.store.set({ train: format({ ...asked(), ...change }) }); }

  function showAsked() {
    const now = asked();
    for (const [name, row] of Object.entries(rows)) {
      for (const button of row.children) {
        button.setAttribute("aria-pressed", String(button.dataset.value === String(now[name])));
        button.disabled = name === "beta" && now.kind === "ae";
      }
    }
    seed.value = String(now.seed);
    buttons.start.textContent = `Train from scratch · ${now.seconds} s`;
  }

  const called = ({ dataset, kind, latent, beta, seed: grain }) =>
    `${dataset === "mnist" ? "Digits" : "Fashion"} · ${kind === "vae" ? `VAE, β ${beta}` : "plain autoencoder"} · ${latent} dimensions · seed ${grain}`;

  // --- what is seen ---

  const button = (text, act, primary) => h("button", { type: "button", class: primary ? "g-btn primary" : "g-btn", onclick: act }, text);
  const buttons = {
    start: button("Train from scratch", start, true),
    explore: button("Explore this model", explore, true),
    pause: button("Pause", () => steer("pause")), resume: button("Go on", () => steer("resume"), true),
    restart: button("Restart", start), stop: button("Stop", stop), change: button("Change", change),
  };
  const SHOWN = { idle: ["start"], waiting: ["stop"], running: ["pause", "restart", "stop"], paused: ["resume", "restart", "stop"],
    done: ["explore", "restart", "change"], failed: ["restart", "change"] };
  const what = h("p", { class: "train-what" });
  const fill = h("i");
  const bar = h("div", { class: "train-bar", role: "progressbar", "aria-label": "Training", "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
  const says = h("p", { class: "train-says" });
  const look = h("p", { class: "train-look" });
  const before = h("p", { class: "train-look" }, "The weights start at random. All that you will see is learned from 10,000 pictures in this time; the map shows "
    + "500 others that it never learns from. You can pause, look into the film so far, and explore the result.");
  const fault = h("p", { class: "train-fault", role: "alert", hidden: true });
  const row = h("div", { class: "train-buttons" }, grain, ...Object.values(buttons));
  const canvas = h("canvas", { class: "train-sheet", role: "img", "aria-label": "Samples decoded from the model in training" });
  const whence = h("p", { class: "g-cap" });
  const chart = h("div", { class: "train-curve", role: "img", "aria-label": "The ELBO curve: reconstruction and KL by step, in nats" });
  const curve = createCurve(chart, app.base);
  const scrub = h("input", { class: "g-range", type: "range", min: "0", max: "0", step: "1", "aria-label": "Film of the training: choose a moment",
    oninput: () => { rest(); hold(Number(scrub.value)); } });
  const moment = h("output", {});
  const play = h("button", { type: "button", class: "g-btn", "aria-label": "Play the film", onclick: toggle }, "▶");
  const strip = h("div", { class: "train-film" }, play, scrub, moment);
  const key = h("ul", { class: "train-key" }, ...KEY.map(([name, colour, style]) =>
    h("li", {}, h("i", { style: { borderColor: `var(${colour})`, borderTopStyle: style } }), name)));
  const below = h("div", { class: "train-below" }, whence, key, chart);
  const seen = h("div", { class: "train-tool" }, bar, says, strip, look);
  const root = h("div", { class: "train-tool" }, form, what, fault, row, seen, before);

  function set(next) {
    phase = next;
    const idle = phase === "idle";
    form.hidden = grain.hidden = before.hidden = !idle;
    what.hidden = idle;
    seen.hidden = !film.length && phase !== "waiting";
    strip.hidden = film.length < 2;
    bar.classList.toggle("paused", phase === "paused");
    const held = row.contains(document.activeElement);
    for (const [name, node] of Object.entries(buttons)) node.hidden = !SHOWN[phase].includes(name);
    if (held && (document.activeElement === document.body || document.activeElement.hidden)) buttons[SHOWN[phase][0]].focus({ preventScroll: true });
    fault.hidden = phase !== "failed";
    if (run) what.textContent = called(run.asked);
    if (phase === "idle") {
      look.textContent = "";
      stage(null);
    }
    claim();
  }

  /** Names, controls and legend of the page speak of the training while the map shows it. */
  function claim() {
    const shown = visible && run && (film.length || phase === "waiting");
    app.train(shown ? run.config : null);
    if (shown) progress(true);
  }

  const score = (frame) => (run.asked.kind === "ae" ? `reconstruction ${fixed(frame.reconstruction, 1)} nats` : `−ELBO ${fixed(frame.reconstruction + frame.kl, 1)} nats`);

  /** One sentence below the map; at most one a second while the training runs, and never over a complaint. */
  function progress(now = false) {
    const running = phase === "running";
    if (phase === "failed" || (running && app.stage.status.dataset.kind === "error") || (!now && performance.now() - ticked < TICK_MS)) return;
    ticked = performance.now();
    const last = film[film.length - 1];
    const model = modelText(run.config);
    if (!last) return app.status(`Training: ${model}, waiting for the engine.`, "busy");
    const time = `${Math.round(last.fraction * run.asked.seconds)} s of ${run.asked.seconds} s`;
    if (phase === "done") return app.status(`Trained: ${model}, ${score(last)} on pictures it never saw, after ${last.seconds.toFixed(0)} s.`);
    return app.status(`${running ? "Training" : "Paused"}: ${model}, ${time}, ${score(last)}`, running ? "tick" : "info");
  }

  function stage(frame) {
    if (!frame || !visible) {
      app.map.removeLayer(LAYER);
      app.stage.tools.hidden = false;
      if (app.here.lent !== canvas) return;
      app.here.lend(null);
      app.looking.stand();
      return;
    }
    if (app.here.lent !== canvas) app.here.lend(canvas, below);
    app.stage.tools.hidden = true; // this map keeps its own distance
    const axes = run.asked.latent > 2 ? planeNames(frame.explained) : undefined;
    app.map.setLayer(LAYER, { axes, points: { xy: frame.xy, labels: run.labels }, extent: [-frame.reach, frame.reach, -frame.reach, frame.reach], solo: true });
  }

  // --- a run ---

  async function start() {
    const mine = { id: "", abort: new AbortController(), asked: asked(), labels: null, explore: "", config: null };
    run?.abort.abort();
    mine.config = { ...mine.asked, name: "in training", names: null };
    [run, film, at] = [mine, [], -1];
    app.status("");
    rest();
    set("waiting");
    says.textContent = "Waiting for the engine …";
    curve.show().catch((error) => { says.textContent = error.message; });
    classNames(mine);
    const current = (fn) => (data) => { if (run === mine) fn(data); };
    try {
      await listen(`${app.base}/train`, { ...mine.asked, session: `${app.session}.train` }, mine.abort.signal, {
        run: current(({ id }) => { mine.id = id; }),
        status: current(status),
        frame: current(arrive),
        failed: current(({ error }) => fail(error)),
        end: current(() => { if (!mine.explore) fail("The training ended before it was finished. Start it again."); }),
      });
      if (run === mine && (phase === "running" || phase === "waiting" || phase === "paused")) {
        fail("The connection to the training was lost. Start it again.");
      }
    } catch (error) {
      if (run === mine && error.name !== "AbortError") fail(error.message === "Failed to fetch" || error.name === "TypeError" ? "The gallery cannot be reached just now. Start again in a moment." : error.message);
    }
  }

  /** The legend names the classes of the data that is learned, whichever the map showed before. */
  async function classNames(mine) {
    const kin = app.catalog.find((config) => config.dataset === mine.asked.dataset);
    const facts = kin && await app.data.about(kin.name).catch(() => null);
    if (!facts) return;
    mine.config = { ...mine.config, names: facts.names };
    if (run === mine) claim();
  }

  const least = ({ kind }) => (kind === "vae" ? 3 : 1);

  function status({ state, ahead }) {
    if (state === "queued" || state === "loading") {
      set("waiting");
      says.textContent = ahead > 0 ? `${ahead} ${ahead === 1 ? "run is" : "runs are"} ahead of yours; it starts by itself.` : "Loading the pictures …";
    } else if (state === "paused" && phase === "running") set("paused");
    else if (state === "running" && phase === "paused" && film.length) set("running");
  }

  function arrive(data) {
    if (data.labels) run.labels = classes(data.labels);
    const frame = { ...data, xy: places(data.xy, data.unit), at: performance.now() };
    film.push(frame);
    if (film.length > MOST_FRAMES) film = film.filter((_, index) => index % 2 === 0 || index === film.length - 1);
    reach += (Math.max(least(run.asked), extent(frame.xy)) - reach) * (film.length > 1 ? EASE : 1);
    frame.reach = reach;
    if (phase === "waiting") set("running");
    if (film.length === 2) strip.hidden = false;
    scrub.max = String(film.length - 1);
    curve.put(film);
    if (at < 0) soon();
    if (frame.model) {
      run.explore = frame.model;
      run.config = { ...run.config, name: frame.model };
      app.addModel(frame.model).catch((error) => app.status(error.message, "error"));
      set("done");
    }
  }

  /** How far the map must reach to hold all but the outermost hundredth of the codes. */
  function extent(xy) {
    const far = Float32Array.from(xy, Math.abs).sort();
    return Math.ceil((far[Math.floor(far.length * 0.995)] || 1) * 1.05 * 2) / 2;
  }

  function fail(sentence) {
    fault.textContent = sentence;
    set("failed");
    app.status(sentence, "error");
  }

  async function steer(action) {
    if (!run?.id) return;
    const answer = await fetch(`${app.base}/train/${encodeURIComponent(run.id)}/${action}`, { method: "POST" }).then((got) => got.json(), () => ({ error: "The gallery cannot be reached just now." }));
    if (answer.error) app.status(answer.error, "error");
    else if (action !== "stop") set(action === "pause" ? "paused" : "running");
  }

  function stop() {
    run?.abort.abort();
    run = null;
    [film, at] = [[], -1];
    set("idle");
    app.status("Training stopped; nothing of it was kept.");
  }

  function change() {
    run?.abort.abort();
    [run, film, at] = [null, [], -1];
    set("idle");
  }

  async function explore() {
    const name = run?.explore;
    if (!name) return;
    try {
      await app.addModel(name);
      app.store.set({ model: name, tool: "explore", z: null });
    } catch (error) {
      app.status(error.message, "error");
    }
  }

  // --- painting: the newest frame only, or the one held ---

  function soon() {
    if (painting || !visible) return;
    painting = true;
    requestAnimationFrame(paint);
  }

  async function paint() {
    painting = false;
    const index = at < 0 ? film.length - 1 : Math.min(at, film.length - 1);
    const frame = film[index];
    if (!frame || !visible) return;
    stage(frame);
    scrub.value = String(index);
    moment.textContent = `step ${frame.step.toLocaleString("en")}`;
    tell(frame);
    painting = true;
    const image = await picture(frame.sheet).catch(() => null);
    painting = false;
    if (image) {
      if (canvas.width !== image.width || canvas.height !== image.height) [canvas.width, canvas.height] = [image.width, image.height];
      canvas.getContext("2d").drawImage(image, 0, 0);
    }
    if (frame !== film[at < 0 ? film.length - 1 : Math.min(at, film.length - 1)]) soon();
  }

  function tell(frame) {
    const last = film[film.length - 1];
    const percent = Math.round(last.fraction * 100);
    fill.style.width = `${percent}%`;
    bar.setAttribute("aria-valuenow", String(percent));
    const left = phase === "paused" ? " · paused" : phase !== "running" ? "" : last.fraction < 1 ? ` · ${secondsLeft()} s left` : " · measuring";
    says.textContent = `${score(frame)}${run.asked.kind === "ae" ? "" : `, KL ${fixed(frame.kl, 2)}`}${left}`;
    whence.textContent = run.asked.latent > 2 ? `${frame.samples} draws, decoded` : `${frame.columns} × ${frame.columns} places, decoded`;
    if (phase === "running") progress();
    look.textContent = hint(frame);
  }

  /** By the pace of the last frames on this clock: others may be training, too. */
  function secondsLeft() {
    const last = film[film.length - 1];
    const some = film[Math.max(0, film.length - 30)];
    if (last.fraction - some.fraction < 0.003) return run.asked.seconds;
    return Math.ceil((((last.at - some.at) / 1000) * (1 - last.fraction)) / (last.fraction - some.fraction));
  }

  function hint(frame) {
    const flat = run.asked.latent > 2 ? ` The map is the plane of most spread, ${Math.round(100 * (frame.explained[0] + frame.explained[1]))} % of it.` : "";
    if (frame.step === 0) return `Nothing is learned yet: the codes are where chance put them, and every sample is grey.${flat}`;
    if (frame.model) return `Finished after ${frame.step.toLocaleString("en")} steps. Run the film back, or explore the model: it now stands among the others.${flat}`;
    return `Each dot is a held-out test picture where the encoder puts it now; the samples are decoded from the same fixed points throughout.${flat}`;
  }

  // --- the film ---

  function hold(index) {
    at = index >= film.length - 1 && phase !== "done" ? -1 : index;
    curve.mark(at < 0 ? null : film[index].step);
    soon();
  }

  function rest() {
    clearInterval(playing);
    playing = 0;
    play.textContent = "▶";
    play.setAttribute("aria-label", "Play the film");
  }

  function toggle() {
    if (playing) { rest(); return; }
    let index = at < 0 || at >= film.length - 1 ? 0 : at;
    play.textContent = "❚❚";
    play.setAttribute("aria-label", "Stop the film");
    playing = setInterval(() => {
      hold(index);
      index += 1;
      if (index >= film.length) { rest(); at = -1; curve.mark(null); soon(); }
    }, PLAY_MS);
  }

  // --- life ---

  const ready = stylesheet(new URL("./train.css", import.meta.url)).then(() => host.replaceChildren(root));
  const offs = [app.store.on("train", showAsked)];
  const recolour = () => { if (visible && film.length) curve.show().catch(() => {}); };
  addEventListener("gallery:theme", recolour);
  addEventListener("pagehide", () => run?.abort.abort());
  showAsked();
  set("idle");

  return {
    async show() {
      visible = true;
      await ready;
      claim();
      if (film.length) { curve.show().catch(() => {}); soon(); }
    },
    hide() {
      visible = false;
      rest();
      stage(null);
      claim();
    },
    destroy() {
      run?.abort.abort();
      offs.forEach((off) => off());
      removeEventListener("gallery:theme", recolour);
      curve.destroy();
      stage(null);
      root.remove();
    },
  };
}
