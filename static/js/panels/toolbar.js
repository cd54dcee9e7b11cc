// The toolbar: tools, colours, widths; or the word why there are none.
// @ts-check

import { byId, el, icon, set, swapIcon, write } from "../dom.js";
import { t } from "../i18n.js";
import { mayDraw } from "../tools/rights.js";
import { closedTurn } from "./people.js";
import { arrowKeys, mark } from "./radios.js";
import { watch } from "./watch.js";

/** @typedef {import("../tools/toolbox.js").Toolbox} Toolbox */
/** @typedef {{store: import("../store.js").Store, session: import("../session.js").Session, toolbox: Toolbox, desk: import("../tools/desk.js").Desk}} App */

/** Widths are drawn so much thinner than they are on a slide. */
const THICKEST = 12;

/** @param {App} app */
export function toolbar({ store, toolbox, desk }) {
  const groups = { tools: byId("tool-choice"), colors: byId("tool-color"), widths: byId("tool-width") };
  for (const group of Object.values(groups)) arrowKeys(group, "radio");
  byId("tools").removeAttribute("data-empty");
  const buttons = (/** @type {boolean} */ rare) => toolbox.tools.filter((tool) => Boolean(tool.rare) === rare).map((tool) => toolButton(toolbox, tool));
  groups.tools.firstElementChild?.replaceChildren(...buttons(false));
  byId("tool-rare").replaceChildren(...buttons(true));
  wireFold("style-button", "data-open");
  wireFold("rare-button", "data-more");
  toolbox.onChange(() => byId("tools").removeAttribute("data-more"));
  wireKeys(toolbox);
  let offered = "";
  toolbox.onChange(() => {
    byId("board").dataset.tool = toolbox.tool?.name ?? "";
    if (toolbox.inking.name !== offered) fillPalette(toolbox, groups);
    offered = toolbox.inking.name;
    markAll(toolbox, groups);
  });
  toolbox.choose(toolbox.chosen.name);
  watch(store, ["policy", "people", "hands", "me", "status"], () => {
    const open = mayDraw(store);
    if (!open) desk.interrupt();
    toolbox.allow(open);
    showWords(store, open);
  });
}

/** @param {Toolbox} toolbox @param {import("../tools/contract.js").Tool} tool */
function toolButton(toolbox, { name, label, key }) {
  const letter = el("kbd", { "aria-hidden": "true" }, key.toUpperCase());
  return el("button", {
    class: "tool", type: "button", role: "radio", "data-name": name, "aria-label": label,
    title: `${label} (${key.toUpperCase()})`, "aria-keyshortcuts": key, onclick: () => toolbox.choose(name),
  }, icon(name), letter);
}

/** @param {Toolbox} toolbox @param {{colors: HTMLElement, widths: HTMLElement}} groups */
function fillPalette(toolbox, { colors, widths }) {
  const { palette } = toolbox.inking;
  if (!palette) return;
  const widest = Math.max(...palette.widths.map(({ value }) => value));
  colors.replaceChildren(...palette.colors.map(({ value, name }) => {
    const dot = el("button", { class: "dot", type: "button", role: "radio", "data-value": value, "aria-label": name, title: name, onclick: () => toolbox.restyle({ color: value }) }, el("i"));
    dot.style.setProperty("--c", value);
    return dot;
  }));
  widths.replaceChildren(...palette.widths.map(({ value, name }) => {
    const button = el("button", { class: "width", type: "button", role: "radio", "data-value": String(value), "aria-label": name, title: name, onclick: () => toolbox.restyle({ width: value }) }, el("i"));
    if (toolbox.inking.sizes) button.replaceChildren(letter(value / widest));
    button.style.setProperty("--w", `${Math.max(2, Math.round((value / widest) * THICKEST * 0.8))}px`);
    return button;
  }));
}

/** A letter of about this size. @param {number} part  of the largest */
function letter(part) {
  const sample = el("b", {}, "A");
  sample.style.fontSize = `${Math.round(11 + part * 12)}px`;
  return sample;
}

/** @param {Toolbox} toolbox @param {{tools: HTMLElement, colors: HTMLElement, widths: HTMLElement}} groups */
function markAll(toolbox, { tools, colors, widths }) {
  const { chosen, inking } = toolbox;
  const style = toolbox.styleOf(inking);
  mark(tools, (button) => button.dataset.name === chosen.name);
  const more = byId("rare-button");
  swapIcon(more, chosen.rare ? chosen.name : "shapes");
  set(more, "data-chosen", chosen.rare === true);
  mark(colors, (button) => button.dataset.value === style.color);
  mark(widths, (button) => button.dataset.value === String(style.width));
  const sample = byId("style-button").querySelector("i");
  sample.style.setProperty("--c", style.color);
  const widest = Math.max(1, ...(inking.palette?.widths.map(({ value }) => value) ?? []));
  sample.style.setProperty("--w", `${Math.round(8 + (style.width / widest) * 12)}px`);
}

/** Where the toolbar is narrow, part of it folds behind a button. @param {string} id  the button's @param {string} mark  of the open toolbar */
function wireFold(id, mark) {
  const [tools, button] = [byId("tools"), byId(id)];
  const fold = (/** @type {boolean} */ open) => {
    tools.toggleAttribute(mark, open);
    set(button, "aria-expanded", String(open));
  };
  button.addEventListener("click", () => fold(!tools.hasAttribute(mark)));
  document.addEventListener("pointerdown", (event) => {
    const inside = /** @type {Element} */ (event.target).closest(`#tools[${mark}] .group, #${id}`);
    if (!inside) fold(false);
  });
  tools.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !tools.hasAttribute(mark)) return;
    fold(false);
    button.focus();
  });
}

/** Letters choose tools while the board has the focus, and only then. @param {Toolbox} toolbox */
function wireKeys(toolbox) {
  byId("board").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const tool = toolbox.tools.find(({ key }) => key === event.key.toLowerCase());
    if (!tool || !toolbox.tool) return;
    event.preventDefault();
    toolbox.choose(tool.name);
  });
}

/** @param {import("../store.js").Store} store @param {boolean} open */
function showWords(store, open) {
  const lesson = store.shown;
  const [tools, words] = [byId("tools"), byId("tools-words")];
  const shut = Boolean(lesson) && !open;
  tools.toggleAttribute("data-shut", shut);
  words.hidden = !shut;
  if (!lesson || open) return;
  const ended = lesson.status === "ended";
  swapIcon(words, ended ? "check" : "lock");
  const asks = lesson.hands.includes(store.me.id) ? t("Only chosen people draw now. Your hand is up.") : t("Only chosen people draw now. Raise your hand to draw.");
  const why = lesson.called === store.me.id ? closedTurn() : lesson.policy.draw === "chosen" ? asks : t("Only the teacher draws now");
  write(words.querySelector("span"), ended ? t("The lesson has ended. The board stays as it is.") : why);
}
