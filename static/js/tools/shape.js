// Line, arrow, box, ellipse: drawn from corner to corner, seen by others when the pointer lifts.
// @ts-check

import { t } from "../i18n.js";
import { pen } from "./pen.js";

/** A shape smaller than this across, in CSS pixels, is a slip of the hand. */
const LEAST = 6;

/** @typedef {import("./contract.js").Tool} Tool */
/** @typedef {import("./contract.js").Desk} Desk */
/** @typedef {import("./contract.js").Point} Point */
/** @typedef {"line"|"arrow"|"box"|"ellipse"} Kind */

/** @param {Kind} kind @param {string} label @param {string} key @returns {Tool} */
const shape = (kind, label, key) => ({ name: kind, label, key, palette: pen.palette, rare: true, corners: 2, begin: (desk, point) => new Shape(kind, label, desk, point) });

export const line = shape("line", t("Line"), "l");
export const arrow = shape("arrow", t("Arrow"), "a");
export const box = shape("box", t("Box"), "b");
export const ellipse = shape("ellipse", t("Ellipse"), "o");

class Shape {
  /** @param {Kind} kind @param {string} label @param {Desk} desk @param {Point} start */
  constructor(kind, label, desk, start) {
    this.kind = kind;
    this.label = label;
    this.desk = desk;
    this.start = start;
    this.end = start;
  }

  /** @param {Point[]} points @param {boolean} [even]  of equal sides, or at an angle of 45° (Shift is held) */
  extend(points, even = false) {
    this.end = even ? evened(this.kind, this.start, points[points.length - 1]) : points[points.length - 1];
    this.desk.board.own.draft({ kind: this.kind, values: fields(this.kind, this.start, this.end, this.desk.style) });
  }

  finish() {
    const { session, page, style, board } = this.desk;
    if (Math.hypot(this.end[0] - this.start[0], this.end[1] - this.start[1]) * board.scale >= LEAST) {
      session.propose("board.edit", { page, edits: [["add", session.newItem(), this.kind, fields(this.kind, this.start, this.end, style)]] });
      this.desk.say(t("{what} placed", { what: this.label }));
    }
    board.own.drop();
  }

  cancel() {
    this.desk.board.own.drop();
  }
}

/** A line has a direction; a box is told from its top left corner. @param {Kind} kind @param {Point} a @param {Point} b @param {any} style */
export function fields(kind, a, b, style) {
  if (kind === "line" || kind === "arrow") return { at: [a[0], a[1]], box: [b[0] - a[0], b[1] - a[1]], style };
  return { at: [Math.min(a[0], b[0]), Math.min(a[1], b[1])], box: [Math.abs(b[0] - a[0]), Math.abs(b[1] - a[1])], style };
}

/** Where the end lies when the shape is even. @param {Kind} kind @param {Point} a @param {Point} b @returns {Point} */
export function evened(kind, a, b) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  if (kind === "line" || kind === "arrow") {
    const angle = Math.round(Math.atan2(dy, dx) / (Math.PI / 4)) * (Math.PI / 4);
    const along = dx * Math.cos(angle) + dy * Math.sin(angle);
    return [a[0] + along * Math.cos(angle), a[1] + along * Math.sin(angle)];
  }
  const side = Math.max(Math.abs(dx), Math.abs(dy));
  return [a[0] + Math.sign(dx || 1) * side, a[1] + Math.sign(dy || 1) * side];
}
