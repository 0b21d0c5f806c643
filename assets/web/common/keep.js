// The buttons that save what is on screen, for whichever tool is open: a GIF, a PNG, and a film where the browser can make one.

import { download, h } from "./dom.js";
import { filmKind, toGif } from "./record.js";

const NO_FILM = "This browser can encode no video, so there is no film.";

export function createKeep(app) {
  const bar = document.getElementById("actions");
  const below = h("div", { class: "g-keeps", role: "group", "aria-label": "Save what is on screen" }); // where the bar has no room for them
  const narrow = matchMedia("(max-width: 700px)");
  app.stage.status.after(below);
  const buttons = [];
  let film = null; // of the open tool: () => what diffusion/film.js describes, or null where nothing is there yet

  function button(text, title, make) {
    const named = h("span", { class: "g-keep-name" }, text);
    const element = h("button", { type: "button", class: "g-btn g-keep", title, "aria-label": title, hidden: true, onclick: () => (abort ? abort.abort() : act()) }, named);
    let abort = null;

    async function act() {
      const shown = film?.();
      if (!shown) return app.status("There is nothing to save yet: wait for the first step.", "error");
      const mine = (abort = new AbortController());
      const told = (share) => {
        named.textContent = `${Math.round(100 * share)} % ✕`;
        element.setAttribute("aria-label", `Cancel the ${text}, ${Math.round(100 * share)} percent done`);
      };
      app.status(`Saving as ${text} … Press the button again to cancel.`, "busy");
      try {
        const blob = await make(shown, told, mine.signal);
        const name = `${shown.name}.${text.toLowerCase()}`;
        download(blob, name);
        app.status(`Saved as ${name}, ${size(blob.size)}.`);
      } catch (fault) {
        if (fault.name === "AbortError") app.status(`The ${text} was cancelled.`);
        else {
          console.warn(fault);
          app.status(`The ${text} could not be made: ${fault.message || "the browser gave no reason"}`, "error");
        }
      } finally {
        abort = null;
        named.textContent = text;
        element.setAttribute("aria-label", title);
      }
    }
    buttons.push(element);
    place();
    element.hidden = !film;
    return element;
  }

  function place() { (narrow.matches || !bar ? below : bar).append(...buttons); }

  narrow.addEventListener("change", place);
  const asGif = button("GIF", "Save it as an animated GIF", toGif);
  button("PNG", "Save it as a picture, PNG", (shown) => new Promise((resolve) => shown.still().toBlob(resolve, "image/png")));
  filmKind().then((kind) => {
    if (kind) button(kind.name, `Save it as a film, ${kind.name}`, kind.save);
    else asGif.title += `. ${NO_FILM}`;
  });
  return {
    /** The tool that is open, or null where it has nothing to save. */
    show(source) {
      film = source;
      for (const each of buttons) each.hidden = !source;
    },
  };
}

const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
