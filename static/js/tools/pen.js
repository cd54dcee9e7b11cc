// Pen and highlighter: a stroke from pen down to pen up, seen by others as it grows, committed as one item.
// @ts-check

import { t } from "../i18n.js";
import { encode } from "../points.js";
import { INK, MARKER } from "./palettes.js";
import { PINCH_POINTS, PINCH_TIME } from "./pointer.js";
import { simplify } from "./simplify.js";

/** A stroke is committed in parts of so many points, or so long, ms (board.md section 5); the parts share a `group`. */
const PART_POINTS = 1_000;
const PART_TIME = 8_000;
/** A raw point of a wet stroke nearer than this to the one before is not sent, CSS pixels. */
const NEAR = 0.75;

/** @typedef {import("./contract.js").Tool} Tool */
/** @typedef {import("./contract.js").Desk} Desk */
/** @typedef {import("./contract.js").Point} Point */

const WIDTHS = { thin: 3, medium: 6, thick: 12 };

/** @type {Tool} */
export const pen = {
  name: "pen",
  label: t("Pen"),
  key: "p",
  palette: {
    colors: INK,
    widths: [
      { value: WIDTHS.thin, name: t("Thin") },
      { value: WIDTHS.medium, name: t("Medium") },
      { value: WIDTHS.thick, name: t("Thick") },
    ],
  },
  begin: (desk, point) => new Stroke("stroke", desk, point),
};

/** @type {Tool} */
export const highlighter = {
  name: "highlighter",
  label: t("Highlighter"),
  key: "h",
  palette: {
    opacity: 0.45,
    colors: MARKER,
    widths: [
      { value: 24, name: t("Thin") },
      { value: 44, name: t("Medium") },
      { value: 72, name: t("Thick") },
    ],
  },
  begin: (desk, point) => new Stroke("highlight", desk, point),
};

/** One gesture: one item, or several of one group when it is long. */
class Stroke {
  #group = "";
  /** @type {string[]} */
  #parts = [];
  #item = "";
  /** @type {Point[]} */
  #points = [];
  #since = 0;
  #signalled = 0;

  /** @param {"stroke"|"highlight"} kind @param {Desk} desk @param {Point} point */
  constructor(kind, desk, point) {
    this.kind = kind;
    this.desk = desk;
    desk.board.own.begin(desk.style, kind === "highlight");
    this.#start(point);
    desk.board.own.extend([point]);
  }

  /** @param {Point[]} points */
  extend(points) {
    const least = NEAR / this.desk.board.scale;
    const far = points.filter((point) => this.#take(point, least));
    if (far.length === 0) return;
    this.desk.board.own.extend(far);
    this.#signal();
  }

  finish() {
    this.#commit();
    this.desk.board.own.drop();
  }

  /** What was committed of a long stroke stays: nobody pinches after 8 s of drawing. */
  cancel() {
    this.#points = [];
    this.desk.board.own.drop();
  }

  /** @param {Point} point @param {number} least @returns {boolean} whether it is far enough from the one before */
  #take(point, least) {
    const last = this.#points[this.#points.length - 1];
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) < least) return false;
    this.#points.push(point);
    if (this.#points.length >= PART_POINTS || this.desk.now() - this.#since >= PART_TIME) this.#goOn(point);
    return true;
  }

  /** Commit the part and begin the next where it ended. @param {Point} point */
  #goOn(point) {
    this.#group ||= this.#item;
    this.#commit();
    this.#start(point);
  }

  /** @param {Point} point */
  #start(point) {
    this.#item = this.desk.session.newItem();
    this.#points = [point];
    this.#since = this.desk.now();
    this.#signalled = 0;
  }

  #commit() {
    const { board, session, page, style } = this.desk;
    const points = simplify(this.#points, board.scale);
    if (this.#group && points.length < 2 && this.#parts.length > 0) return; // pen up just after a part ended
    const at = [quarter(points[0][0]), quarter(points[0][1])];
    const relative = points.map(([x, y, ...rest]) => [x - at[0], y - at[1], ...rest]);
    const fields = { at, ink: encode(relative, pressed(points)), style, ...(this.#group ? { group: this.#group } : {}) };
    session.propose("board.edit", { page, edits: [["add", this.#item, this.kind, fields]] });
    this.#parts.push(this.#item);
  }

  /** Nothing takes back what others were shown. */
  #mayBePinch() {
    const young = this.#points.length < PINCH_POINTS || this.desk.now() - this.#since <= PINCH_TIME;
    return this.desk.doubtful && this.#parts.length === 0 && young;
  }

  /** Ask the session to send what others have not seen, when the pace allows. */
  #signal() {
    if (this.#mayBePinch()) return;
    this.desk.session.signal("ink", () => {
      const offset = this.#signalled;
      const points = this.#points.slice(offset);
      if (points.length === 0) return null;
      this.#signalled = this.#points.length;
      const data = { page: this.desk.page, item: this.#item, offset, ink: encode(points, pressed(points)) };
      return offset === 0 ? { ...data, style: this.desk.style } : data;
    });
  }
}

/** @param {Point[]} points */
const pressed = (points) => points[0].length > 2;

/** As the wire rounds. @param {number} value */
const quarter = (value) => Math.floor(value * 4 + 0.5) / 4;
