// A game as a film that can be taken home: the boards, and below them the step and how it goes.

import { sheet, write } from "../diffusion/film.js";
import { Board } from "./board.js";
import { tokens } from "./ink.js";
import { inWords } from "./rules.js";

const FRAMES = 150;
const SECONDS = 10;

export function filmOf(tool) {
  const games = tool.both();
  const count = Math.min(FRAMES, games[0].looks.length);
  const chosen = (index) => games[0].looks[Math.round((index * (games[0].looks.length - 1)) / Math.max(1, count - 1))];
  const painter = (side) => {
    const [edge, head, foot] = [Math.round(side / 28), Math.round(side / 12), Math.round(side / 9)];
    const boards = games.map(() => {
      const board = new Board("film");
      board.show = { ...tool.boards.a.show };
      board.real = tool.real;
      board.ink = tokens();
      board.size(side, 1);
      return board;
    });
    const { canvas, g } = sheet(boards.length * (side + edge) + edge, head + side + foot);
    const { wall, fake, ink } = tokens();
    return { canvas, g, draw(index) {
      const look = chosen(index);
      g.fillStyle = wall;
      g.fillRect(0, 0, canvas.width, canvas.height);
      boards.forEach((board, i) => {
        board.look = games[i].at(look.step);
        board.paint();
        const x = edge + i * (side + edge);
        g.drawImage(board.canvas, x, head);
        const words = games.length > 1 ? (i ? `B: ${inWords(tool.get("versus"))}` : "A") : `GAN, ${tool.get("data")}, seed ${tool.get("seed")}`;
        write(g, words, x, head / 2, side, Math.round(side / 22), { colour: i ? fake : ink });
      });
      const modes = tool.real?.centres.length / 2;
      const line = `step ${look.step.toLocaleString("en")}${modes ? ` · ${look.found}/${modes} modes` : ""} · ${Math.round(100 * look.good)} % good`;
      write(g, line, edge, head + side + foot / 2, canvas.width - 2 * edge, Math.round(side / 18), { weight: 600, mono: true });
    } };
  };
  return {
    name: `gan-${tool.get("data")}-seed-${tool.get("seed")}`, count, seconds: Math.min(SECONDS, Math.max(1, count / 15)), grey: false, sides: games.length > 1 ? { film: 480, gif: 280 } : { film: 640, gif: 400 }, painter,
    still: () => {
      const { canvas, draw } = painter(800);
      const at = games[0].looks.indexOf(games[0].at(tool.shown));
      draw(Math.round((at * (count - 1)) / Math.max(1, games[0].looks.length - 1)));
      return canvas;
    },
  };
}
