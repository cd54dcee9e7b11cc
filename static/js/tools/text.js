// Text and notes: written in place, in an editor that lies where the words will be.
// @ts-check

import { el } from "../dom.js";
import { t, tn } from "../i18n.js";
import { tidyText } from "../items.js";
import { LIMITS } from "../protocol.js";
import { FONT, LEADING, NOTE_PADDING, needsEdge } from "../render/paint.js";
import { pageSize } from "../render/view.js";
import { touches } from "./hit.js";
import { LETTERS, PAPER } from "./palettes.js";
import { mayErase } from "./rights.js";

/** @typedef {import("./contract.js").Tool} Tool */
/** @typedef {import("./contract.js").Desk} Desk */
/** @typedef {import("./contract.js").Point} Point */
/** @typedef {import("../store.js").ShownItem} ShownItem */

/** As wide as words may run before they wrap, in units; a note is a square to begin with. */
const WIDEST = 720;
const NOTE = 300;
/** Between words and the page's edge. */
const MARGIN = 16;
/** From so many characters left on, it is said how many. */
const NEAR = 100;

const SIZES = [
  { value: 28, name: t("Small") },
  { value: 44, name: t("Medium") },
  { value: 72, name: t("Large") },
];

/** @type {Tool} */
export const text = {
  name: "text",
  label: t("Text"),
  key: "t",
  rare: true,
  sizes: true,
  palette: {
    colors: LETTERS,
    widths: SIZES,
  },
  corners: 1,
  begin: (desk, point) => new Placing("text", desk, point),
  leave: () => Editor.leave(),
};

/** @type {Tool} */
export const note = {
  name: "note",
  label: t("Note"),
  key: "n",
  rare: true,
  sizes: true,
  palette: {
    colors: PAPER,
    widths: SIZES,
  },
  corners: 1,
  begin: (desk, point) => new Placing("note", desk, point),
};

/** A tap, or a drag that ends where it ends: the editor opens when the pointer lifts. */
class Placing {
  /** @param {"text"|"note"} kind @param {Desk} desk @param {Point} point */
  constructor(kind, desk, point) {
    this.kind = kind;
    this.desk = desk;
    this.point = point;
  }

  /** @param {Point[]} points */
  extend(points) {
    this.point = points[points.length - 1];
  }

  finish() {
    const { store, page, board } = this.desk;
    const radius = 8 / board.scale;
    const there = store.items(page).filter((item) => item.kind === this.kind && !item.kept && touches(item, this.point, this.point, radius) && mayErase(store, item));
    new Editor(this.kind, this.desk, this.point, there[there.length - 1] ?? null).open();
  }

  cancel() {}
}

export class Editor {
  /** The one that is open. @type {Editor|null} */
  static #open = null;
  #closed = false;

  /** @param {"text"|"note"} kind @param {Desk} desk @param {Point} point @param {ShownItem|null} item  to write in; null: a new one */
  constructor(kind, desk, point, item) {
    this.kind = kind;
    this.desk = desk;
    this.item = item;
    const { style } = desk;
    const size = style.width;
    /** @type {any} */
    this.style = item?.values.style ?? (kind === "note" ? { color: "#1d1c1a", fill: style.color, size } : { color: style.color, size });
    this.size = this.style.size ?? 24;
    this.padding = kind === "note" ? NOTE_PADDING : 0;
    const least = kind === "note" ? NOTE : this.size * 4;
    this.at = item?.values.at ?? [Math.max(0, Math.min(point[0], 1600 - MARGIN - least)), Math.max(0, point[1] - (kind === "note" ? this.padding : this.size * 0.75))];
    const free = kind === "note" ? NOTE : Math.min(WIDEST, 1600 - MARGIN - this.at[0]);
    this.most = Math.max(item?.values.box[0] ?? least, free);
    /** Where it is seen while it is written, in units: as near to `at` as the page has room for it. @type {Point} */
    this.place = this.at;
  }

  open() {
    Editor.leave();
    Editor.#open = this;
    const { element } = this.desk.board;
    const field = el("textarea", {
      class: `editor ${this.kind}${this.kind === "text" && needsEdge(this.style.color) ? " pale" : ""}`, "aria-label": this.kind === "note" ? t("Note") : t("Text"), rows: 1, spellcheck: "true",
      maxlength: String(LIMITS.text), onblur: () => this.close(), oninput: (/** @type {InputEvent} */ event) => this.#limit(event.isComposing),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event), onpointerdown: (/** @type {Event} */ event) => event.stopPropagation(),
    });
    this.field = field;
    Object.assign(field.style, {
      width: part(this.most), maxHeight: part(this.#sheet().height), padding: part(this.padding), fontSize: part(this.size),
      lineHeight: String(LEADING), fontFamily: FONT, color: this.style.color,
    });
    if (this.kind === "note") Object.assign(field.style, { background: this.style.fill ?? "#fff3c4", minHeight: part(NOTE) });
    field.value = this.item?.values.text ?? "";
    this.count = el("span", { class: "editor-count", "aria-hidden": "true", hidden: true });
    element.append(field, this.count);
    this.#grow();
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  /** Whoever goes elsewhere has finished. */
  static leave() {
    Editor.#open?.close();
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    if (Editor.#open === this) Editor.#open = null;
    this.#limit(false);
    this.#propose(tidyText(this.field.value, LIMITS.text).replace(/\s+$/, ""));
    this.field.remove();
    this.count.remove();
  }

  /** @param {string} words */
  #propose(words) {
    const { session, page, store, say } = this.desk;
    const there = this.item && store.item(page, this.item.id);
    const lines = this.#lines(words);
    if (this.item && lines === (there ?? this.item).values.text) return;
    const box = this.#box(lines);
    const at = this.#onPage(box, this.place);
    const moved = at[0] === this.at[0] && at[1] === this.at[1] ? {} : { at };
    if (this.item && there) {
      if (words === "") session.propose("board.edit", { page, edits: [["remove", this.item.id]] });
      else session.propose("board.edit", { page, edits: [["set", this.item.id, { ...moved, text: lines, box }]] });
    } else if (words !== "") { // a new one; or another removed it while this one wrote, and the words are kept
      session.propose("board.edit", { page, edits: [["add", session.newItem(), this.kind, { at, box, text: lines, style: this.style }]] });
      say(t("{what} placed", { what: this.kind === "note" ? t("Note") : t("Text") }));
    }
  }

  /** @param {string} words */
  #lines(words) {
    return broken(words, this.#measure(), this.most - 2 * this.padding);
  }

  /** Width and height of the block that lines make. @param {string} lines @returns {[number, number]} */
  #box(lines) {
    const measure = this.#measure();
    const rows = lines.split("\n");
    const width = this.kind === "note" ? this.most : Math.ceil(Math.max(...rows.map(measure))) + 2;
    const height = rows.length * this.size * LEADING + 2 * this.padding;
    return [width, this.kind === "note" ? Math.max(NOTE, height) : height];
  }

  /** Where a block stands so that all of it lies on the page, or as much as there is room for. @param {[number, number]} box @param {Point} near @returns {Point} */
  #onPage([wide, high], near) {
    const { width, height } = this.#sheet();
    return [Math.max(0, Math.min(near[0], width - wide)), Math.max(0, Math.min(near[1], height - high))];
  }

  /** The page's size, in units. */
  #sheet() {
    const { store, page } = this.desk;
    return pageSize(store.shown?.pages.find(({ id }) => id === page) ?? null);
  }

  /** How wide a line is, in units, in the font that it is painted with. @returns {(line: string) => number} */
  #measure() {
    const pen = this.desk.board.surface.scratch;
    pen.font = `500 ${this.size}px ${FONT}`;
    return (line) => pen.measureText(line).width;
  }

  /** The line breaks that are stored count too, so what is too long is seen while it is written. @param {boolean} composing */
  #limit(composing) {
    const { field, count } = this;
    const used = () => [...this.#lines(tidyText(field.value, LIMITS.text))].length;
    let left = field.value.length < LIMITS.text / 2 ? LIMITS.text : LIMITS.text - used(); // at most every letter breaks
    if (left < 0 && !composing) {
      field.value = [...field.value].slice(0, left).join("");
      left = 0;
    }
    count.hidden = left > NEAR;
    count.textContent = tn(Math.max(0, left), "{n} character left", "{n} characters left");
    if (left <= 0) this.desk.say(t("A text has at most {n} characters.", { n: LIMITS.text }));
    this.#grow();
  }

  /** As high as its words, and moved up or to the left where it would leave the page: what is typed is seen. */
  #grow() {
    const { field, count } = this;
    field.style.height = "0";
    field.style.height = `${field.scrollHeight}px`;
    this.place = this.#onPage([this.most, field.offsetHeight / this.desk.board.scale], this.at);
    field.style.left = count.style.left = part(this.place[0]);
    field.style.top = part(this.place[1]);
    count.style.top = `min(${part(this.place[1])} + ${field.offsetHeight + 8}px, 100% - 2.25em)`; // never below the page
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    event.stopPropagation();
    if (event.isComposing) return;
    const done = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (event.key !== "Escape" && !done) return;
    event.preventDefault();
    this.close();
    this.desk.board.element.focus();
  }
}

/** A length in units as a part of the page's width, which is its container's. @param {number} units */
const part = (units) => `${units / 16}cqw`;

/**
 * Words with a line break wherever they wrap: fonts differ, and all shall see the lines that the author saw.
 * @param {string} words @param {(line: string) => number} measure @param {number} most  width of a line @returns {string}
 */
export function broken(words, measure, most) {
  return words.split("\n").flatMap((paragraph) => wrapped(paragraph, measure, most)).join("\n");
}

/** @param {string} paragraph @param {(line: string) => number} measure @param {number} most @returns {string[]} */
function wrapped(paragraph, measure, most) {
  if (measure(paragraph) <= most) return [paragraph];
  const lines = [];
  let line = "";
  // A break may stand after a space, and between any two letters of a word (or of a script without spaces) that is too long.
  for (const word of paragraph.match(/\S*\s*/gu) ?? []) {
    if (line && measure((line + word).trimEnd()) > most) {
      lines.push(line.trimEnd());
      line = "";
    }
    for (const letter of measure(word.trimEnd()) > most ? [...word] : [word]) {
      if (line && measure((line + letter).trimEnd()) > most) {
        lines.push(line.trimEnd());
        line = "";
      }
      line += letter;
    }
  }
  if (line) lines.push(line.trimEnd());
  return lines;
}
