/* A file that a visitor brings: by the dialog, dropped on the page, or pasted. It is checked by weight before it is sent. */
import { h } from "../common/dom.js";

const TYPES = "image/png,image/jpeg,image/webp,image/gif,image/bmp";
const SHOWN = 480; // pixels of the larger side that are kept to show what was brought

export class Intake {
  /** taken(file): a file that may be sent. */
  constructor(app, taken) {
    this.app = app;
    this.taken = taken;
    this.limits = null;
    this.input = h("input", { type: "file", accept: TYPES, class: "own-file", tabindex: "-1", "aria-label": "Choose a picture file", onchange: () => {
      if (this.input.files[0]) this.take(this.input.files[0]);
      this.input.value = ""; // the same file may be chosen again
    } });
    this.listeners = { dragover: (event) => this.dragged(event), drop: (event) => this.given(event, event.dataTransfer), paste: (event) => this.given(event, event.clipboardData) };
  }

  listen(on) {
    for (const [name, listener] of Object.entries(this.listeners)) window[on ? "addEventListener" : "removeEventListener"](name, listener);
  }

  dragged(event) {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  }

  given(event, transfer) {
    const file = transfer?.files?.[0];
    if (!file) return;
    event.preventDefault();
    this.take(file);
  }

  async take(file) {
    const { app } = this;
    try {
      this.limits ??= await app.server.own_limits({});
      if (file.size > this.limits.bytes) return await app.server.own_refusal({ name: file.name, size: file.size });
    } catch {
      return; // the shell has said in #status what is wrong
    }
    app.status(`Reading ${shortName(file)} …`, "busy");
    this.taken(file);
  }

  /** Send a file to be fitted and encoded; what is wrong with it is said in #status and thrown. */
  async posted(file, model) {
    const { app } = this;
    const query = new URLSearchParams({ model, name: file.name || "", session: app.session ?? "" });
    let found;
    try {
      found = await (await fetch(`${app.base}/own-picture?${query}`, { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" } })).json();
    } catch {
      found = { error: "The picture did not arrive: check the connection and choose it again." };
    }
    if (!found.error) return found;
    app.status(found.error, "error");
    throw new Error(found.error);
  }
}

export const shortName = (file) => [...(file.name || "The picture")].slice(0, 40).join("");

/** Show a file on a canvas as the browser reads it. Resolves with false where it reads it not. */
export async function portray(canvas, file) {
  let image;
  try {
    image = await createImageBitmap(file);
  } catch {
    return false;
  }
  const scale = Math.min(1, SHOWN / Math.max(image.width, image.height));
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.classList.toggle("crisp", image.width < 100);
  image.close();
  return true;
}
