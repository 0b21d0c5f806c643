// The hub: search as you type, arrow keys between doors, moving thumbnails, the lineage of a door, the badge.
import { pulse } from "./common/pulse.js";

const base = document.documentElement.dataset.base || "";
const q = document.getElementById("q"), wall = document.getElementById("wall"), found = document.getElementById("found");
const caption = document.getElementById("caption"), engine = document.getElementById("engine");
const doors = [...wall.children], others = [...document.querySelectorAll(".other")], labels = [...document.querySelectorAll(".label")];
const calm = matchMedia("(prefers-reduced-motion: reduce)");

document.querySelector("[data-theme-toggle]").addEventListener("click", () => window.galleryTheme.toggle());
const NS = "http://www.w3.org/2000/svg";
const drawing = document.createElementNS(NS, "svg");
drawing.setAttribute("class", "lineage");
drawing.setAttribute("aria-hidden", "true");
wall.parentElement.append(drawing);

// --- search: the same rule as on the server: every word begins some word of the text ---------------------------------------
const GREEK = { "β": "beta", "μ": "mu", "σ": "sigma", "ε": "eps", "·": " ", "-": " " };
const words = (text) => text.toLowerCase().replace(/[βμσε·-]/g, (sign) => GREEK[sign]).split(/\s+/).filter(Boolean);
const matches = (element, wanted) => wanted.every((word) => ` ${element.dataset.text}`.includes(` ${word}`));
let announced = 0, current = null;

function search(typed = true) {
  const wanted = words(q.value);
  for (const element of [...doors, ...others]) element.hidden = !matches(element, wanted);
  for (const label of labels) label.hidden = document.getElementById(label.dataset.for).hidden;
  wall.classList.toggle("searching", wanted.length > 0);
  wall.classList.add("searched");                // doors that come back bring their pictures with them
  const url = new URL(location.href);
  if (q.value.trim()) url.searchParams.set("q", q.value.trim()); else url.searchParams.delete("q");
  if (typed) url.hash = "";                      // what it named may be hidden now
  history.replaceState(null, "", url);
  forget();
  clearTimeout(announced);                       // read out once the typing rests, not at every letter
  announced = setTimeout(() => {
    const count = doors.filter((door) => !door.hidden).length, rooms = others.filter((room) => !room.hidden).length;
    const also = rooms ? `, and ${rooms} other ${rooms === 1 ? "room" : "rooms"}` : "";
    found.textContent = !wanted.length ? "" : count + rooms ? `${count} of ${doors.length} ideas for “${q.value.trim()}”${also}`
      : `Nothing hangs here for “${q.value.trim()}”. Try noise, attention, KL or sampling; Esc shows all.`;
  }, wanted.length ? 180 : 0);
}
q.addEventListener("input", () => search());
q.form.addEventListener("submit", (event) => {            // Enter: to the only hit, else through the first open door that matches
  event.preventDefault();
  if (q.value.trim() && links().length === 1) { links()[0].click(); return; }
  const open = doors.find((door) => !door.hidden && door.classList.contains("open")) || others.find((room) => !room.hidden);
  (q.value.trim() && open?.querySelector(".go") || links()[0])?.[q.value.trim() && open ? "click" : "focus"]();
});
if (q.value) search(false);

// --- keys: / finds, arrows walk, Enter opens, Esc shows everything ----------------------------------------------------------
const links = () => [...doors, ...others].filter((element) => !element.hidden).map((element) => element.querySelector(".go"));
function step(from, key) {
  const all = links(), at = all.indexOf(from);
  if (key === "ArrowRight") return all[at + 1];
  if (key === "ArrowLeft") return all[at - 1];
  if (key === "Home") return all[0];
  if (key === "End") return all[all.length - 1];
  const here = from.getBoundingClientRect(), down = key === "ArrowDown", middle = (box) => box.left + box.width / 2;
  const rows = all.map((link) => [link, link.getBoundingClientRect()])
    .filter(([link, box]) => link !== from && (down ? box.top > here.top + 8 : box.top < here.top - 8));
  const nearest = down ? Math.min(...rows.map(([, box]) => box.top)) : Math.max(...rows.map(([, box]) => box.top));
  return rows.filter(([, box]) => Math.abs(box.top - nearest) < 40)
    .sort((a, b) => Math.abs(middle(a[1]) - middle(here)) - Math.abs(middle(b[1]) - middle(here)))[0]?.[0];
}
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target === q;
  if (event.key === "/" && !typing) { event.preventDefault(); q.focus(); q.select(); return; }
  if (event.key === "Escape") {
    if (engine.open) { engine.open = false; engine.querySelector("summary").focus(); return; }
    if (q.value) { q.value = ""; search(); q.focus(); } else if (typing) q.blur();
    return;
  }
  if (typing) {
    if (event.key === "ArrowDown") { event.preventDefault(); links()[0]?.focus(); }
    return;
  }
  const go = event.target.closest?.(".door .go, .other .go");
  if (!go || !["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  event.preventDefault();
  const next = step(go, event.key);
  if (next) next.focus(); else if (event.key === "ArrowUp") q.focus();
});

// --- thumbnails: still at rest, moving under the pointer; asked for again while the engine is still starting ----------------
const pictures = [...document.querySelectorAll(".frame img")];
for (const picture of pictures) {
  let tries = 0;
  picture.addEventListener("error", () => {
    picture.removeAttribute("src");
    picture.parentElement.classList.add("waiting");
    if (tries++ < 12) setTimeout(() => { picture.src = `${picture.dataset.still}&try=${tries}`; }, 1000 * Math.min(tries, 5));
  });
  picture.addEventListener("load", () => picture.parentElement.classList.remove("waiting"));
  if (picture.complete && !picture.naturalWidth && picture.getAttribute("src")) picture.dispatchEvent(new Event("error"));
}
function move(door, on) {
  const picture = door.querySelector("img");
  if (!picture || !picture.naturalWidth) return;
  const wanted = on && !calm.matches ? picture.dataset.moving : picture.dataset.still;
  if (picture.getAttribute("src").split("&try")[0] !== wanted) {
    if (!on) { picture.src = wanted; return; }
    const film = new Image();                    // swapped in when it has come, so the frame is never empty
    film.onload = () => { if (door === current) picture.src = wanted; };
    film.src = wanted;
  }
}

// --- lineage: whom a door answers, and who answers it ----------------------------------------------------------------------
// From one frame to another along the gutters and just over the years, as on a plan of the underground: never through text.
function arc(from, to, colour, later) {
  const o = drawing.getBoundingClientRect(), box = (door) => door.querySelector(".frame").getBoundingClientRect();
  const a = box(from), b = box(to), eastward = b.left >= a.left - 8, gutter = parseFloat(getComputedStyle(wall).columnGap) / 2;
  const land = (eastward ? b.left - gutter : b.right + gutter) - o.left;
  const toEdge = (eastward ? b.left - 3 : b.right + 3) - o.left;
  const leaveEast = land + o.left > a.left + a.width / 2;
  const edge = (leaveEast ? a.right : a.left) - o.left, leave = (leaveEast ? a.right + gutter : a.left - gutter) - o.left;
  const shift = later && Math.abs(a.top - b.top) > 20 ? 10 : 0, y0 = a.top + a.height / 2 + shift - o.top, y1 = b.top + b.height / 2 - shift - o.top;
  const lane = to.getBoundingClientRect().top - 5 - (later ? 4 : 0) - o.top;
  const points = Math.abs(leave - land) < 2 ? [[edge, y0], [leave, y0], [leave, y1], [toEdge, y1]]
    : [[edge, y0], [leave, y0], [leave, lane], [land, lane], [land, y1], [toEdge, y1]];
  const d = rounded(points);
  for (const kind of ["under", "line"]) {
    const path = document.createElementNS(NS, "path");
    for (const [name, value] of Object.entries({ d, pathLength: 1, class: kind })) path.setAttribute(name, value);
    if (kind === "line") path.style.stroke = colour;
    drawing.append(path);
  }
  const dot = document.createElementNS(NS, "circle");
  for (const [name, value] of Object.entries({ cx: toEdge, cy: y1, r: 5 })) dot.setAttribute(name, value);
  dot.style.fill = colour;
  drawing.append(dot);
}
function rounded(points) {
  let d = `M${points[0]}`;
  for (let i = 1; i < points.length - 1; i++) {
    const [p, c, n] = [points[i - 1], points[i], points[i + 1]], length = (u, v) => Math.hypot(u[0] - v[0], u[1] - v[1]);
    const r = Math.min(8, length(p, c) / 2, length(c, n) / 2);
    const towards = (u) => { const l = length(u, c) || 1; return [c[0] + (u[0] - c[0]) * r / l, c[1] + (u[1] - c[1]) * r / l]; };
    d += ` L${towards(p)} Q${c} ${towards(n)}`;
  }
  return `${d} L${points[points.length - 1]}`;
}
function forget() {
  if (current) move(current, false);
  current = null;
  drawing.replaceChildren();
  for (const door of doors) door.classList.remove("kin");
  caption.replaceChildren("Point at a frame, or press Tab and walk with the arrow keys, to see whom it answered. Enter opens it; / finds an idea.");
}
function show(door) {
  if (door === current) return;
  forget();
  current = door;
  move(door, true);
  const visible = (other) => other && !other.hidden;
  const before = door.dataset.before.split(" ").filter(Boolean).map((key) => document.getElementById(key));
  const after = doors.filter((other) => other.dataset.before.split(" ").includes(door.id));
  const colour = (element) => `var(--${element.id})`;
  for (const other of before.filter(visible)) { arc(other, door, colour(door), false); other.classList.add("kin"); }
  for (const other of after.filter(visible)) { arc(door, other, colour(other), true); other.classList.add("kin"); }
  const strong = document.createElement("b");
  strong.textContent = before.length ? `${door.dataset.name} answers ${before.map((other) => other.dataset.name).join(" and ")}. ` : `${door.dataset.name}. `;
  const heirs = after.map((other) => other.dataset.name);
  const next = heirs.length ? ` Answered in turn by ${heirs.slice(0, -1).join(", ")}${heirs.length > 1 ? " and " : ""}${heirs.at(-1)}.` : "";
  caption.replaceChildren(strong, door.dataset.answers, next);
}
forget();
for (const door of doors) {
  door.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") show(door); });
  door.addEventListener("pointerleave", () => { if (!door.contains(document.activeElement)) forget(); });
  door.addEventListener("focusin", () => show(door));
  door.addEventListener("focusout", () => { if (!door.matches(":hover")) forget(); });
}
addEventListener("resize", forget);

// --- badge -------------------------------------------------------------------------------------------------------------
const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
function tell(health) {
  const models = health.models || [], used = models.reduce((sum, model) => sum + model.bytes, 0);
  const loaded = models.length ? `${models.length} model${models.length === 1 ? "" : "s"} loaded` : "no model loaded yet";
  engine.dataset.state = health.ready ? "ready" : "busy";
  engine.querySelector("span").textContent = health.ready ? `${(health.device || "cpu").toUpperCase()} · ${loaded}` : "engine starting";
  const budget = health.engine?.budget_bytes, runs = health.runs || {};
  const rows = [["device", health.device_name || health.device || "not known yet"],
    ["models in memory", megabytes(used) + (budget ? ` of ${Math.round(budget / 2 ** 20).toLocaleString("en")} MB allowed` : "")],
    ["runs", `${runs.running || 0} running, ${runs.queued || 0} waiting`], ...models.map((model) => [model.name, megabytes(model.bytes)])];
  engine.querySelector("tbody").replaceChildren(...rows.map(([name, value]) => {
    const row = document.createElement("tr"), head = document.createElement("th"), cell = document.createElement("td");
    head.scope = "row";
    [head.textContent, cell.textContent] = [name, value];
    row.append(head, cell);
    return row;
  }));
}
pulse(base, (health) => {
  if (health) tell(health);
  else {
    engine.dataset.state = "lost";
    engine.querySelector("span").textContent = "the gallery does not answer";
  }
});
document.addEventListener("click", (event) => { if (engine.open && !engine.contains(event.target)) engine.open = false; });
