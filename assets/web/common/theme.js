// The colours and type of the page, read from its tokens, for what is drawn on canvases.

export function readTheme() {
  const style = getComputedStyle(document.body); // the page's accent is set on the body
  const read = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  // Ten colours told apart by the colour-blind too; the names stand on the map beside them.
  const spare = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bb7733", "#777777", "#44aa99", "#882255"];
  return {
    ink: read("--ink", "#1c1b20"), ink2: read("--ink-2", "#5c5966"), line: read("--line", "#e4dfd6"),
    wall: read("--wall", "#fff"), accent: read("--a", read("--vae", "#6f63c0")), onAccent: read("--on-a", "#fff"),
    text: read("--text", "system-ui, sans-serif"), mono: read("--mono", "monospace"),
    classes: spare.map((colour, i) => read(`--class-${i}`, colour)),
  };
}
