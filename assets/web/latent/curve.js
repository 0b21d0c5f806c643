/* The ELBO curve, drawn by Plotly: its script is fetched when a training is first shown, from this gallery. */

let script = null;

function plotly(base) {
  script ??= new Promise((resolve, reject) => {
    if (window.Plotly) { resolve(window.Plotly); return; }
    const tag = document.createElement("script");
    tag.src = `${base}/plotly.js`;
    tag.onload = () => resolve(window.Plotly);
    tag.onerror = () => { script = null; tag.remove(); reject(new Error("The curve could not be loaded; the training goes on without it.")); };
    document.head.append(tag);
  });
  return script;
}

const LEAST = 180;               // pixels: the height of train.css
const EVERY_MS = 125;            // eight redraws a second: more cost the page its map

/** A curve in `host`: put(frames) redraws it from all frames so far, mark(step) draws a line at one of them. */
export function createCurve(host, base) {
  let Plotly = null;
  let drawn = 0;
  let waiting = null;
  let frames = [];
  let marked = null;
  let dark = null;

  const size = () => ({ width: host.clientWidth || 216, height: host.clientHeight || LEAST });
  const isDark = () => document.documentElement.dataset.theme === "dark" ||
    (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);

  async function dress() {
    dark = isDark();
    const [library, figure] = await Promise.all([plotly(base), fetch(`${base}/elbo-curve?dark=${dark}`).then((answer) => answer.json())]);
    Plotly = library;
    await Plotly.react(host, figure.data, { ...figure.layout, ...size() }, { displayModeBar: false });
    draw();
  }

  function draw() {
    waiting = null;
    if (!Plotly || !host._fullLayout || !host.isConnected) return;
    drawn = performance.now();
    const x = frames.map((frame) => frame.step);
    const y = [frames.map((frame) => frame.reconstruction + frame.kl), frames.map((frame) => (frame.train > 0 ? frame.train : null)),
      frames.map((frame) => frame.reconstruction), frames.map((frame) => frame.kl)];
    const low = Math.min(...y[0], ...y[2]);
    const high = Math.max(...y[0].slice(Math.min(2, y[0].length - 1)), low * 1.5);
    const line = marked === null ? [] : [{ type: "line", x0: marked, x1: marked, y0: 0, y1: 1, yref: "paper",
      line: { color: getComputedStyle(host).color, width: 1, dash: "dot" } }];
    host.data.forEach((trace, index) => { trace.x = x; trace.y = y[index]; });
    host.layout.shapes = line;
    Object.assign(host.layout, size());
    host.layout.datarevision = `${frames.length}:${marked}`;
    if (frames.length) host.layout.yaxis = { ...host.layout.yaxis, range: [Math.log10(low * 0.96), Math.log10(high * 1.03)] };
    Plotly.react(host, host.data, host.layout);
  }

  function soon() {
    if (waiting === null) waiting = setTimeout(draw, Math.max(0, EVERY_MS - (performance.now() - drawn)));
  }

  new ResizeObserver(soon).observe(host);
  return {
    async show() { if (dark !== isDark()) await dress(); else soon(); },
    put(all) { frames = all; soon(); },
    mark(step) { marked = step; soon(); },
    destroy() { clearTimeout(waiting); if (Plotly) Plotly.purge(host); },
  };
}
