// What is selected, on the page: frames, corners, a small bar of what can be done with it, and the keys for all of that.
// @ts-check

import { byId, el, icon, set } from "../dom.js";
import { t, tn } from "../i18n.js";
import { grown } from "../render/geometry.js";
import { highlighter, pen } from "../tools/pen.js";
import { Move, Resize } from "../tools/select.js";
import { boundsOf, keepsShape, resizable } from "../tools/selection.js";
import { note, text } from "../tools/text.js";
import { say } from "./announce.js";

/** @typedef {import("../render/geometry.js").Bounds} Bounds */
/** @typedef {import("../tools/selection.js").Selection} Selection */
/** @typedef {import("../store.js").ShownItem} ShownItem */

/** Units that an arrow key moves by, with and without Shift. */
const [STEP, LEAP] = [1, 16];
const ARROWS = new Map([["ArrowLeft", [-1, 0]], ["ArrowRight", [1, 0]], ["ArrowUp", [0, -1]], ["ArrowDown", [0, 1]]]);
/** How much + makes larger. */
const LARGER = 1.1;
/** Between the frame, the bar and the page's edge, CSS pixels. */
const GAP = 10;

/** @param {{store: import("../store.js").Store, toolbox: import("../tools/toolbox.js").Toolbox, board: import("../render/board.js").Board, selection: Selection}} app */
export function selecting({ store, toolbox, board, selection }) {
  const inHand = () => toolbox.tool?.name === "select";
  const view = new View(board, selection);
  const keys = new Keys(board, selection, view);
  let asked = false;
  const draw = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      view.draw();
    });
  };
  selection.onChange(draw);
  new ResizeObserver(draw).observe(board.element);
  store.subscribe(({ topics }) => {
    if (topics.has("page")) {
      keys.letGo(true);
      selection.clear();
    }
    if (topics.has("items") || topics.has("policy") || topics.has("status")) draw();
  });
  toolbox.onChange(() => {
    if (inHand()) return;
    keys.letGo(true);
    selection.clear();
  });
  board.element.addEventListener("pointerdown", (event) => {
    keys.letGo(true);
    selection.more = event.shiftKey;
  }, true);
  board.element.addEventListener("keydown", (event) => {
    if (inHand() && event.target === board.element) keys.down(event);
  }, true);
  board.element.addEventListener("keyup", (event) => ARROWS.has(event.key) && keys.letGo(true));
  board.element.addEventListener("blur", () => keys.letGo(true));
  board.element.addEventListener("focus", () => keys.arrive());
}

/** Frames, corners and the bar. */
class View {
  #offered = "";

  /** @param {import("../render/board.js").Board} board @param {Selection} selection */
  constructor(board, selection) {
    this.board = board;
    this.selection = selection;
    this.frames = el("div", { class: "picks", "aria-hidden": "true" });
    this.bar = el("div", { class: "pick-bar", role: "toolbar", "aria-label": t("Selected items"), hidden: true });
    this.bar.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
    byId("board-overlay").append(this.frames);
    board.element.append(this.bar);
  }

  draw() {
    const { around, held } = this.selection;
    const items = held ?? this.selection.items;
    const whole = boundsOf(items);
    const frames = items.length > 1 ? items.map((item) => this.#box("pick", /** @type {Bounds} */ (boundsOf([item])), 2)) : [];
    if (whole) frames.push(this.#box("pick whole", whole, 4, resizable(items)));
    if (around) frames.push(this.#box("pick around", around, 0));
    this.frames.replaceChildren(...frames);
    this.#placeBar(held || around ? [] : items, whole);
  }

  /** @param {string} name @param {Bounds} bounds @param {number} margin  CSS pixels @param {boolean} [corners] */
  #box(name, bounds, margin, corners = false) {
    const box = el("div", { class: name }, ...(corners ? ["nw", "ne", "sw", "se"].map((where) => el("i", { class: where })) : []));
    const [left, top, right, bottom] = grown(/** @type {Bounds} */ (bounds.map((units) => units * this.board.scale)), margin);
    Object.assign(box.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
    return box;
  }

  /** Above what is selected, or below, and always on the page. @param {ShownItem[]} items @param {Bounds|null} bounds */
  #placeBar(items, bounds) {
    const focused = this.bar.contains(document.activeElement);
    this.bar.hidden = items.length === 0;
    if (!bounds || this.bar.hidden) {
      if (focused) this.board.element.focus();
      return;
    }
    this.#fill(items);
    this.#markColor(items);
    const { scale, element } = this.board;
    const [width, height] = [this.bar.offsetWidth, this.bar.offsetHeight];
    const [left, top, right, bottom] = bounds.map((units) => units * scale);
    const above = top - height - GAP - 4;
    const y = above >= 4 ? above : Math.min(bottom + GAP + 4, element.clientHeight - height - 4);
    const x = Math.max(4, Math.min((left + right) / 2 - width / 2, element.clientWidth - width - 4));
    this.bar.style.transform = `translate(${Math.round(x)}px, ${Math.round(Math.max(4, y))}px)`;
  }

  /** @param {ShownItem[]} items */
  #fill(items) {
    const palette = paletteOf(items);
    if (palette === this.#offered) return;
    this.#offered = palette;
    const act = (/** @type {string} */ picture, /** @type {string} */ words, /** @type {string} */ key, /** @type {() => void} */ run) =>
      el("button", { class: "tool", type: "button", "aria-label": words, title: `${words} (${key})`, onclick: run }, icon(picture));
    const colors = (PALETTES[palette]?.colors ?? []).map(({ value, name }) => {
      const dot = el("button", { class: "dot", type: "button", "aria-label": name, title: name, onclick: () => this.selection.recolor(value) }, el("i"));
      dot.style.setProperty("--c", value);
      dot.dataset.value = value;
      return dot;
    });
    this.bar.replaceChildren(
      ...colors,
      act("front", t("To the front"), "]", () => this.selection.raise("front")),
      act("behind", t("To the back"), "[", () => this.selection.raise("back")),
      act("bin", t("Delete"), t("Delete key"), () => this.selection.remove()),
    );
  }

  /** The colour that all of them have is marked, by a ring and for those who hear it. @param {ShownItem[]} items */
  #markColor(items) {
    const has = new Set(items.filter(({ values }) => values.style).map(({ kind, values }) => (kind === "note" ? values.style.fill : values.style.color)));
    for (const dot of /** @type {Iterable<HTMLElement>} */ (this.bar.querySelectorAll(".dot"))) {
      set(dot, "aria-pressed", String(has.size === 1 && has.has(dot.dataset.value)));
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const buttons = /** @type {HTMLElement[]} */ ([...this.bar.children]);
    const at = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    event.stopPropagation();
    if (event.key === "Escape") this.board.element.focus();
    else if (step) buttons[(at + step + buttons.length) % buttons.length].focus();
    else return;
    event.preventDefault();
  }
}

/** @type {Record<string, import("../tools/contract.js").Palette|null>} */
const PALETTES = { pen: pen.palette, highlighter: highlighter.palette, note: note.palette, text: text.palette };

/** Whose colours suit all of these. @param {ShownItem[]} items */
function paletteOf(items) {
  if (items.every(({ kind }) => kind === "highlight")) return "highlighter";
  if (items.every(({ kind }) => kind === "note")) return "note";
  if (items.every(({ kind }) => kind === "text")) return "text";
  return items.some(({ kind }) => kind === "highlight" || kind === "note") ? "none" : "pen";
}

/** Whatever a pointer does with what is selected, keys do as well. */
class Keys {
  /** @type {{move: Move, dx: number, dy: number}|null} an arrow key is down */
  #nudge = null;
  /** Tab goes from item to item until it is told to leave the board, or there are no more. */
  #walking = true;

  /** @param {import("../render/board.js").Board} board @param {Selection} selection @param {View} view */
  constructor(board, selection, view) {
    this.board = board;
    this.selection = selection;
    this.view = view;
  }

  arrive() {
    this.#walking = true;
  }

  /** What arrow keys moved is let go, as one gesture. @param {boolean} whole */
  letGo(whole) {
    const nudge = this.#nudge;
    this.#nudge = null;
    if (whole) nudge?.move.finish();
    else nudge?.move.cancel();
  }

  /** @param {KeyboardEvent} event */
  down(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return this.letGo(true);
    const took = event.key === "Tab" ? this.#walk(event.shiftKey ? -1 : 1) : this.selection.items.length > 0 && this.#act(event);
    if (!took) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether it was for what is selected */
  #act(event) {
    const arrow = ARROWS.get(event.key);
    if (arrow) {
      this.#step(arrow, event.shiftKey ? LEAP : STEP);
      return true;
    }
    const escaped = event.key === "Escape" && this.#nudge !== null;
    this.letGo(!escaped);
    const act = escaped ? () => {} : this.#acts[event.key];
    act?.();
    return act !== undefined;
  }

  /** @type {Record<string, () => void>} */
  #acts = {
    Escape: () => {
      this.#walking = false;
      this.selection.clear();
      say(t("Nothing is selected"));
    },
    Delete: () => this.#remove(),
    Backspace: () => this.#remove(),
    Enter: () => this.view.bar.querySelector("button")?.focus(),
    "]": () => this.selection.raise("front"),
    "[": () => this.selection.raise("back"),
    "+": () => this.#resize(LARGER),
    "-": () => this.#resize(1 / LARGER),
  };

  #remove() {
    const { length } = this.selection.items;
    this.selection.remove();
    say(tn(length, "{n} item deleted", "{n} items deleted"));
  }

  /** @param {number} factor */
  #resize(factor) {
    const { items } = this.selection;
    if (!resizable(items)) return;
    const resize = new Resize(this.selection, this.board, [2, 3], [0, 0]);
    resize.to(factor, factor, keepsShape(items));
    resize.finish();
  }

  /** @param {number[]} arrow @param {number} step */
  #step([x, y], step) {
    this.#nudge ??= { move: new Move(this.selection, this.board, [0, 0], null), dx: 0, dy: 0 };
    this.#nudge.dx += x * step;
    this.#nudge.dy += y * step;
    this.#nudge.move.by(this.#nudge.dx, this.#nudge.dy);
  }

  /** @param {1|-1} step @returns {boolean} false: Tab goes on to what comes after the board */
  #walk(step) {
    this.letGo(true);
    const { choices, items } = this.selection;
    if (!this.#walking || !choices.length) return false;
    const at = choices.findIndex(({ id }) => id === items.at(-1)?.id);
    const next = choices[at < 0 && step < 0 ? choices.length - 1 : at + step];
    if (!next) {
      this.selection.clear();
      this.view.draw(); // now: in the next frame Tab would be in a bar that goes
      return false;
    }
    this.selection.choose([next.id]);
    say(t("{what}, {n} of {count}", { what: nameOf(next), n: choices.indexOf(next) + 1, count: choices.length }));
    return true;
  }
}

/** What an item is called: by its words, if it has any. @param {ShownItem} item */
function nameOf({ kind, values }) {
  const names = { stroke: t("Stroke"), highlight: t("Highlight"), line: t("Line"), arrow: t("Arrow"), box: t("Box"), ellipse: t("Ellipse"), text: t("Text"), note: t("Note"), image: t("Picture") };
  const words = values.alt ?? values.text;
  const name = /** @type {Record<string, string>} */ (names)[kind] ?? t("Item");
  return words ? `${name}: ${words.slice(0, 60)}` : name;
}
