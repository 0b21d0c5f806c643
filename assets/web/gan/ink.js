// The room's colours on canvases: real things in the blue of the house, generated ones in the room's own red.

import { readTheme } from "../common/theme.js";

export function tokens() {
  const style = getComputedStyle(document.body);
  const theme = readTheme();
  const [real, fake] = [style.getPropertyValue("--attn").trim() || "#2264b2", style.getPropertyValue("--gan").trim() || "#aa3836"];
  return { ...theme, real, fake, rgb: { real: bytes(real), fake: bytes(fake), wall: bytes(theme.wall) } };
}

function bytes(colour) {
  const g = new OffscreenCanvas(1, 1).getContext("2d");
  g.fillStyle = colour;
  g.fillRect(0, 0, 1, 1);
  return [...g.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}
