// Elements without a framework. Text is always set as text, never as markup.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "style" && typeof value === "object") Object.assign(element.style, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

export const fixed = (value, digits = 2) => value.toFixed(digits).replace("-", "−");

// (0.62, −0.18), or the first three of many.
export function vector(z, digits = 2) {
  const shown = z.length > 3 ? z.slice(0, 3) : z;
  return `(${shown.map((value) => fixed(value, digits)).join(", ")}${z.length > 3 ? ", …" : ""})`;
}

// Shown as not (yet) true: what it says is still of the state before.
export const busy = (element, on = true) => element.setAttribute("aria-busy", String(on));

// A row of buttons of which one is pressed. options: [{value, text, title?, tip?, disabled?}]; tip: see tip.js.
export function segmented(label, options, pressed, choose) {
  const row = h("div", { class: "g-seg", role: "group", "aria-label": label });
  row.append(...options.map(({ value, text, title, tip, disabled }) =>
    h("button", {
      type: "button", "aria-pressed": String(value === pressed), title, "data-tip": tip, disabled,
      onclick: () => choose(value),
    }, text)));
  return row;
}

export function download(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Put words into an element that holds nothing else. Its text stays and only says something else, which costs the page less. */
export function put(element, words) {
  const text = element.firstChild;
  if (!text) element.textContent = words;
  else if (text.data !== words) text.data = words;
}

/** Roll a box until an element in it is in sight. The page stays where it is, as it would not by scrollIntoView. */
export function seen(element, box) {
  if (!element || !box) return;
  const inner = element.getBoundingClientRect(), outer = box.getBoundingClientRect();
  if (inner.top < outer.top) box.scrollTop += inner.top - outer.top;
  else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom;
}
