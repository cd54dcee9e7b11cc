// Select: a tap takes an item, a drag moves what is taken or draws a rectangle around more, a corner resizes.
// @ts-check

import { t } from "../i18n.js";
import { frame } from "../render/geometry.js";
import { touches } from "./hit.js";
import { boundsOf, kept, keepsShape, moved, resizable, resized, stretch } from "./selection.js";

/** @typedef {import("./contract.js").Desk} Desk */
/** @typedef {import("./contract.js").Point} Point */
/** @typedef {import("./contract.js").Gesture} Gesture */
/** @typedef {import("./selection.js").Selection} Selection */
/** @typedef {import("../store.js").ShownItem} ShownItem */
/** @typedef {import("../render/geometry.js").Bounds} Bounds */

/** CSS pixels around a pointer that still hit an item, and a corner; a finger's are wider (44 px across). */
const REACH = { item: 6, corner: 11 };
const FINGER = { item: 14, corner: 22 };
/** A pointer that went less than this far only tapped, CSS pixels. */
const TAP = 4;

/** @param {Selection} selection @returns {import("./contract.js").Tool} */
export const selectTool = (selection) => ({ name: "select", label: t("Select"), key: "v", palette: null, begin: (desk, point) => begin(selection, desk, point) });

/** @param {Selection} selection @param {Desk} desk @param {Point} point @returns {Gesture} */
function begin(selection, desk, point) {
  const reach = desk.doubtful ? FINGER : REACH;
  const items = selection.items;
  const bounds = boundsOf(items);
  const corner = bounds && resizable(items) ? cornerAt(bounds, point, reach.corner / desk.board.scale) : null;
  if (bounds && corner) return new Resize(selection, desk.board, corner, point, desk.doubtful);
  const radius = reach.item / desk.board.scale;
  const hit = selection.choices.filter((item) => touches(item, point, point, radius)).at(-1);
  const inside = bounds !== null && !selection.more && point[0] >= bounds[0] && point[0] <= bounds[2] && point[1] >= bounds[1] && point[1] <= bounds[3];
  if (hit && !selection.has(hit.id)) {
    selection.choose([hit.id], selection.more);
    return new Move(selection, desk.board, point, null);
  }
  if (hit || inside) return new Move(selection, desk.board, point, () => (hit ? selection.choose([hit.id], selection.more) : selection.clear()));
  return new Around(selection, desk.board, point, selection.more);
}

/** The corner of a box that a point seizes. Within the box less is seized, so that what is small can be moved too. @param {Bounds} bounds @param {Point} point @param {number} reach @returns {[0|2, 1|3]|null} which side, which end */
export function cornerAt(bounds, point, reach) {
  const corners = /** @type {[0|2, 1|3][]} */ ([[2, 3], [0, 1], [2, 1], [0, 3]]);
  const near = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ at, /** @type {number} */ end) =>
    Math.abs(end - at) <= (at >= from && at <= to ? Math.min(reach, (to - from) / 4) : reach);
  return corners.find(([x, y]) => near(bounds[0], bounds[2], point[0], bounds[x]) && near(bounds[1], bounds[3], point[1], bounds[y])) ?? null;
}

/** What is held is shown where it would lie, whatever arrives meanwhile; one op when it is let go. */
class Held {
  /** @type {[string, Record<string, any>][]} */
  #changes = [];

  /** @param {Selection} selection @param {Desk["board"]} board */
  constructor(selection, board) {
    this.selection = selection;
    this.board = board;
    this.items = selection.items;
    this.bounds = boundsOf(this.items);
  }

  /** @param {[string, Record<string, any>][]} changes  what it would come to */
  show(changes) {
    this.#changes = changes;
    const fields = new Map(changes);
    const shown = this.items.map((item) => ({ ...item, values: { ...item.values, ...fields.get(item.id) } }));
    this.board.fade(new Set(fields.keys()));
    this.board.own.draft(...shown);
    this.selection.held = shown;
    this.selection.tell();
  }

  finish() {
    if (this.#changes.length) this.selection.propose(this.#changes.map(([id, fields]) => ["set", id, fields]));
    this.cancel();
  }

  cancel() {
    if (!this.selection.held) return;
    this.#changes = [];
    this.selection.held = null;
    this.board.fade(new Set());
    this.board.own.drop();
    this.selection.tell();
  }
}

export class Move extends Held {
  #far = false;

  /** @param {Selection} selection @param {Desk["board"]} board @param {Point} start @param {(() => void)|null} tapped  when it never went anywhere */
  constructor(selection, board, start, tapped) {
    super(selection, board);
    this.start = start;
    this.tapped = tapped;
  }

  /** @param {Point[]} points */
  extend(points) {
    const [x, y] = points[points.length - 1];
    const [dx, dy] = [x - this.start[0], y - this.start[1]];
    this.#far ||= Math.hypot(dx, dy) * this.board.scale >= TAP;
    if (this.#far) this.by(dx, dy);
  }

  /** @param {number} dx @param {number} dy  from where they lay, in units */
  by(dx, dy) {
    this.#far = true;
    if (!this.bounds) return;
    const at = kept(this.bounds, dx, dy, this.selection.size);
    this.show(moved(this.items, ...at));
    this.selection.pass(at);
  }

  /** @override */
  finish() {
    if (!this.#far) this.tapped?.();
    else this.selection.pass(null);
    this.#far = false;
    super.finish();
  }

  /** @override */
  cancel() {
    if (this.#far && this.selection.held) this.selection.pass([0, 0]);
    this.#far = false;
    super.cancel();
  }
}

export class Resize extends Held {
  /** @param {Selection} selection @param {Desk["board"]} board @param {[0|2, 1|3]} corner @param {Point} start @param {boolean} [slack]  a finger shakes */
  constructor(selection, board, corner, start, slack = false) {
    super(selection, board);
    this.corner = corner;
    this.start = start;
    this.far = !slack;
  }

  /** @param {Point[]} points @param {boolean} [even] */
  extend(points, even = false) {
    const [x, y] = points[points.length - 1];
    const [dx, dy] = [x - this.start[0], y - this.start[1]];
    this.far ||= Math.hypot(dx, dy) * this.board.scale >= TAP;
    if (!this.bounds || !this.far) return;
    const [left, top, right, bottom] = this.bounds;
    const [sideX, sideY] = this.corner;
    const part = (/** @type {number} */ by, /** @type {number} */ size, /** @type {boolean} */ end) => (size ? 1 + (end ? by : -by) / size : 1);
    this.to(part(dx, right - left, sideX === 2), part(dy, bottom - top, sideY === 3), even || keepsShape(this.items));
  }

  /** @param {number} sx @param {number} sy @param {boolean} even */
  to(sx, sy, even) {
    if (!this.bounds) return;
    const fixed = /** @type {[number, number]} */ ([this.bounds[2 - this.corner[0]], this.bounds[4 - this.corner[1]]]);
    this.show(resized(this.items, fixed, ...stretch(this.bounds, sx, sy, even)));
  }
}

/** A rectangle around items takes those that lie in it whole; a tap beside all lets go. */
class Around {
  /** @param {Selection} selection @param {Desk["board"]} board @param {Point} start @param {boolean} more */
  constructor(selection, board, start, more) {
    this.selection = selection;
    this.board = board;
    this.start = start;
    this.more = more;
  }

  /** @param {Point[]} points */
  extend(points) {
    const [x, y] = points[points.length - 1];
    const [left, top] = this.start;
    if (!this.selection.around && Math.hypot(x - left, y - top) * this.board.scale < TAP) return;
    this.selection.around = [Math.min(x, left), Math.min(y, top), Math.max(x, left), Math.max(y, top)];
    this.selection.tell();
  }

  finish() {
    const { around } = this.selection;
    this.selection.around = null;
    if (around) this.selection.choose(this.selection.choices.filter((item) => holds(around, item)).map(({ id }) => id), this.more);
    else if (!this.more) this.selection.clear();
  }

  cancel() {
    this.selection.around = null;
    this.selection.tell();
  }
}

/** @param {Bounds} around @param {ShownItem} item */
function holds(around, item) {
  const [left, top, right, bottom] = item.values.turn ? /** @type {Bounds} */ (boundsOf([item])) : frame(item);
  return left >= around[0] && top >= around[1] && right <= around[2] && bottom <= around[3];
}
