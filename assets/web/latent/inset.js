// On a phone the large picture stands below the map. While a finger looks around, a small copy follows on the map
// itself, in the corner that the finger leaves free.

import { picture } from "./data.js";
import { h } from "../common/dom.js";

export function createInset(app) {
  const canvas = h("canvas", { class: "lx-inset", "aria-hidden": "true", hidden: true });
  const narrow = matchMedia("(max-width: 700px)");
  app.stage.plot.append(canvas);

  function paint(image) {
    canvas.hidden = !image || !narrow.matches;
    if (!canvas.hidden) picture(canvas, image);
  }

  // pixel: what is looked at, on the map.
  function avoid([x, y]) {
    const { w, h: high } = app.map.size;
    canvas.classList.toggle("left", x > w / 2 && y > high / 2);
  }

  app.here.onShow(paint);
  return { avoid };
}
