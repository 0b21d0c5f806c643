// The six kinds of data as small drawings.

const NS = "http://www.w3.org/2000/svg";
const dots = (places, r = 2.2) => places.map(([x, y]) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`).join("");
const turn = (n, radius) => Array.from({ length: n }, (_, i) => [20 + radius * Math.cos((2 * Math.PI * i) / n), 20 + radius * Math.sin((2 * Math.PI * i) / n)]);
const spiral = Array.from({ length: 60 }, (_, i) => {
  const t = Math.sqrt((i + 3) / 63);
  return [20 + 15 * t * Math.cos(3.5 * Math.PI * t), 20 - 15 * t * Math.sin(3.5 * Math.PI * t)];
});
const line = (places) => `M${places.map((place) => place.map((value) => value.toFixed(1)).join(" ")).join("L")}`;

const PATHS = {
  ring: dots(turn(8, 13)), grid: dots([6, 13, 20, 27, 34].flatMap((y) => [6, 13, 20, 27, 34].map((x) => [x, y])), 1.7),
  line: line([[5, 28], [35, 12]]), spiral: line(spiral), rings: `${line([...turn(24, 7), turn(24, 7)[0]].map(([x, y]) => [x - 8.5, y]))}${line([...turn(24, 7), turn(24, 7)[0]].map(([x, y]) => [x + 8.5, y]))}`,
  own: "M10 31l2-7 15-15 5 5-15 15zM24 12l5 5",
};
const FILLED = new Set(["ring", "grid"]);

export function sketchOf(kind) {
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 40 40");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", PATHS[kind]);
  path.setAttribute("fill", FILLED.has(kind) ? "currentColor" : "none");
  if (!FILLED.has(kind)) {
    path.setAttribute("stroke", "currentColor");
    path.setAttribute("stroke-width", "2.4");
    path.setAttribute("stroke-linejoin", "round");
    path.setAttribute("stroke-linecap", "round");
  }
  svg.append(path);
  return svg;
}
