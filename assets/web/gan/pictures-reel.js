// A training as a film that can be taken home: the fixed noise, and below it the step and how it goes.

import { sheet, write } from "../diffusion/film.js";
import { tokens } from "./ink.js";
import { draw } from "./pictures-easel.js";
import { verdict } from "./rules.js";

const FRAMES = 150;
const SECONDS = 10;

/** looks: of the game; scene(look, w, tall): where its pictures go; measured(step): how good they were then. */
export function pictureReel({ set, seed, looks, shown, scene, measured }) {
  const count = Math.min(FRAMES, looks.length);
  const chosen = (index) => looks[Math.round((index * (looks.length - 1)) / Math.max(1, count - 1))];
  const painter = (side) => {
    const [edge, foot] = [Math.round(side / 28), Math.round(side / 9)];
    const first = scene(looks[0], Math.round(side * 1.5), side);
    const { canvas, g } = sheet(first.w + 2 * edge, first.tall + edge + foot);
    const ink = tokens();
    const still = (look) => {
      g.setTransform(1, 0, 0, 1, 0, 0);
      g.fillStyle = ink.wall;
      g.fillRect(0, 0, canvas.width, canvas.height);
      g.translate(edge, edge);
      draw(g, scene(look, Math.round(side * 1.5), side), ink);
      g.setTransform(1, 0, 0, 1, 0, 0);
      write(g, lineOf(look, measured(look.step)), edge, canvas.height - foot / 2, canvas.width - 2 * edge, Math.round(side / 20), { weight: 600, mono: true });
    };
    return { canvas, g, still, draw: (index) => still(chosen(index)) };
  };
  return {
    name: `gan-${set}-seed-${seed}`, count, seconds: Math.min(SECONDS, Math.max(1, count / 8)), grey: false, sides: { film: 560, gif: 320 }, painter,
    still: () => {
      const { canvas, still } = painter(800);
      still(shown);
      return canvas;
    },
  };
}

function lineOf(look, measures) {
  const distance = measures?.frechet == null ? "" : ` · Fréchet ${measures.frechet.toFixed(measures.frechet < 10 ? 2 : 0)}`;
  return `step ${look.step.toLocaleString("en")}${look.precomputed ? ", precomputed" : ""} · D(real) ${verdict(look.d_real, look.loss)} · D(generated) ${verdict(look.d_fake, look.loss)}${distance}`;
}
