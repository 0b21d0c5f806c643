// The second game's rule that differs: which one, and what it is there. In either tool.

import { h, segmented } from "../common/dom.js";
import { LOSSES, valueText } from "./rules.js";

const CHOICES = { loss: LOSSES, optimiser: [["adam", "Adam"], ["rmsprop", "RMSprop"], ["sgd", "SGD"]] };

/** names: of all rules in words; compared: those that are offered. now(): {rule: value} of game B, or null; rule(name): what it
    is in game A; set(rules or null); complain(sentence). Returns its element and `render`. */
export function versusBox({ names, compared, now, rule, set, complain }) {
  const key = h("select", { class: "g-input", "aria-label": "Rule that differs in game B", onchange: () => choose(key.value) }, ...compared.map((each) => h("option", { value: each }, names[each])));
  const value = h("span", { class: "gx-versus-value" });
  const choose = (name) => set({ [name]: other(name, rule(name)) });
  const on = h("button", { type: "button", class: "g-btn", "aria-pressed": "false", "data-tip": "a second game from the same seed, with one rule different", onclick: () => (now() ? set(null) : choose(key.value)) }, "A against B");
  const editor = h("div", { class: "gx-versus" }, h("span", {}, "B has"), key, value);
  const rest = h("p", { class: "gx-note" });
  const element = h("div", { class: "gx-versusbox" }, on, editor, rest);

  function editorOf(name, made) {
    const what = `${names[name]} of game B`;
    const put = (one) => set({ [name]: one });
    if (name in CHOICES) {
      const select = h("select", { class: "g-input", "aria-label": what, onchange: () => put(select.value) }, ...CHOICES[name].map(([each, text]) => h("option", { value: each }, text)));
      select.value = made;
      return select;
    }
    if (typeof made === "boolean") return segmented(what, [{ value: true, text: "on" }, { value: false, text: "off" }], made, put);
    const input = h("input", { class: "g-input", type: "text", "aria-label": what, value: Array.isArray(made) ? made.join(", ") : String(made), onchange: () => {
      const typed = input.value.split(/[\s,;]+/).filter(Boolean).map(Number);
      if (!typed.length || typed.some((each) => !Number.isFinite(each))) return complain(`${what} is ${JSON.stringify(input.value.slice(0, 20))}, which is no number: type one.`);
      put(Array.isArray(made) ? typed : typed[0]);
    } });
    return input;
  }

  function render() {
    const rules = now();
    element.dataset.on = String(Boolean(rules));
    on.setAttribute("aria-pressed", String(Boolean(rules)));
    editor.hidden = rest.hidden = !rules;
    if (!rules) return;
    const [[name, made], ...others] = Object.entries(rules);
    rest.textContent = others.length ? `And ${others.map(([each, there]) => `${names[each]} ${valueText(each, there)}`).join(", ")}.` : "";
    if (![...key.options].some((option) => option.value === name)) key.append(h("option", { value: name }, names[name]));
    key.value = name;
    if (!value.contains(document.activeElement)) value.replaceChildren(editorOf(name, made));
  }
  return { element, render };
}

// Another value of a rule, worth comparing.
function other(name, now) {
  const swaps = { loss: now === "wgan-gp" ? "non-saturating" : "wgan-gp", optimiser: now === "adam" ? "sgd" : "adam", d_steps: now === 1 ? 5 : 1, beta1: now >= 0.8 ? 0.5 : 0.9,
    noise: now ? 0 : 0.1, smoothing: now ? 0 : 0.1, r1: now ? 0 : 0.1, gp: now === 1 ? 0.1 : 1, z_dim: now === 2 ? 8 : 2, batch: now > 32 ? 32 : 64 };
  if (name in swaps) return swaps[name];
  if (typeof now === "boolean") return !now;
  if (Array.isArray(now)) return now.map((width) => Math.max(1, Math.round(width / 4)));
  return now > 0.003 ? now / 10 : now * 10;
}
