/* Small pieces that the tools of the explorer are built of: one stylesheet each, requests of which only
   the newest counts, and sheets of pictures. */
import { download, h } from "./dom.js";

/** Load a stylesheet once; resolves when it rules, so that nothing is shown undressed. */
export function stylesheet(url) {
  const href = String(url);
  const there = [...document.querySelectorAll('link[rel="stylesheet"]')].find((link) => link.href === href);
  if (there) return Promise.resolve();
  return new Promise((resolve) => {
    document.head.append(h("link", { rel: "stylesheet", href, onload: resolve, onerror: resolve }));
  });
}

/** A request of which only the newest counts: one is under way at most, one waits, older ones are forgotten.
    `pause` leaves that many milliseconds between the start of two requests. */
export function newest(ask, paint, pause = 0) {
  let busy = false;
  let next = null;
  return async function request(what) {
    next = { what };
    if (busy) return;
    busy = true;
    try {
      while (next) {
        const { what: now } = next;
        next = null;
        const began = performance.now();
        try {
          paint(await ask(now), now);
        } catch {
          /* the shell has said it in #status; a newer request may still succeed */
        }
        const rest = pause - (performance.now() - began);
        if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
      }
    } finally {
      busy = false;
    }
  };
}

/** The picture of a data URI, decoded and ready to draw. */
export async function picture(uri) {
  const image = new Image();
  image.src = uri;
  await image.decode();
  return image;
}

/** Draw cell (row, column) of a sheet of square cells into a context, at (x, y), `size` pixels wide. */
export function cell(context, sheet, side, row, column, x, y, size) {
  context.drawImage(sheet, column * side, row * side, side, side, x, y, size, size);
}

/** A canvas context of w x h CSS pixels, sharp on any display. */
export function sharp(canvas, w, h, smooth = false) {
  const ratio = Math.min(3, window.devicePixelRatio || 1);
  canvas.width = Math.round(w * ratio);
  canvas.height = Math.round(h * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.imageSmoothingEnabled = smooth;
  context.imageSmoothingQuality = "high";
  return context;
}

/** A colour or font of the page's tokens, as the theme has it now. */
export function token(name) {
  return getComputedStyle(document.body).getPropertyValue(name).trim();
}

/** Hand a canvas to the visitor as a PNG file. */
export function save(canvas, name) {
  canvas.toBlob((blob) => download(blob, name), "image/png");
}

export const named = (k) => `z${[...String(k + 1)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]).join("")}`;
