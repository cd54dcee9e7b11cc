// What is selected, and what a change of it asks for: moved, resized, restyled, raised, removed. No DOM here.
// @ts-check

import { quarter } from "../items.js";
import { LIMITS } from "../protocol.js";
import { frame, paintedBounds, union } from "../render/geometry.js";
import { inkOf } from "../render/ink.js";
import { pageSize } from "../render/view.js";
import { mayErase } from "./rights.js";

/** @typedef {import("../store.js").ShownItem} ShownItem */
/** @typedef {import("../render/geometry.js").Bounds} Bounds */
/** @typedef {Record<string, any>} Fields */

/** So much of what is moved stays on the page, in units. */
const STAYS = 24;
/** Nothing is made smaller than this across, in units. */
const LEAST = 16;
/** More items than these are not shown to others while they are dragged (docs/protocol.md, signals). */
const DRAGGED = 64;
/** Letters, in units (board.md section 3). */
const [SMALLEST, LARGEST] = [8, 200];

export class Selection {
  /** @type {Set<string>} */
  #ids = new Set();
  /** @type {string|null} */
  #page = null;
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /** @param {{store: import("../store.js").Store, session: import("../session.js").Session}} parts */
  constructor({ store, session }) {
    this.store = store;
    this.session = session;
    /** A rectangle being drawn around items, in units. @type {Bounds|null} */
    this.around = null;
    /** What is held now, as it is shown meanwhile. @type {ShownItem[]|null} */
    this.held = null;
    /** Whether what is pointed at comes to what is selected already: Shift is held. */
    this.more = false;
  }

  /** Items that are selected and there, the lowest first; none while another page is looked at. @returns {ShownItem[]} */
  get items() {
    const { page } = this.store;
    if (page === null || page !== this.#page || !this.#ids.size) return [];
    return this.store.items(page).filter((item) => this.#ids.has(item.id) && this.may(item));
  }

  /** May this person change it? @param {ShownItem} item */
  may(item) {
    return !item.kept && mayErase(this.store, item);
  }

  /** All of this page that may be selected, the lowest first. @returns {ShownItem[]} */
  get choices() {
    return this.store.page === null ? [] : this.store.items(this.store.page).filter((item) => this.may(item));
  }

  /** @param {Iterable<string>} ids @param {boolean} [more]  those that were selected stay so, and who is chosen again is no more */
  choose(ids, more = false) {
    const wanted = new Set([...ids].flatMap((id) => this.#group(id)));
    const before = more ? this.items.map(({ id }) => id) : [];
    this.#ids = more ? new Set([...before, ...wanted].filter((id) => !(before.includes(id) && wanted.has(id)))) : wanted;
    this.#page = this.store.page;
    this.tell();
  }

  /** @param {string} id */
  has(id) {
    return this.#page === this.store.page && this.#ids.has(id);
  }

  clear() {
    if (!this.#ids.size && !this.around) return;
    this.#ids.clear();
    this.around = null;
    this.tell();
  }

  /** @param {() => void} fn  what is selected, or how it is held, has changed */
  onChange(fn) {
    this.#listeners.add(fn);
  }

  tell() {
    for (const fn of this.#listeners) fn();
  }

  /** One gesture. Items that went meanwhile are passed over. @param {any[][]} edits */
  propose(edits) {
    const page = this.#page;
    if (page === null) return;
    const there = edits.filter(([, id]) => this.store.item(page, id));
    for (let i = 0; i < there.length; i += LIMITS.edits) this.session.propose("board.edit", { page, edits: there.slice(i, i + LIMITS.edits) });
  }

  /** Let others see where what is held is by now; null: it is let go, and its op says the rest. @param {[number, number]|null} at  moved so far, in units */
  pass(at) {
    const items = this.items.map(({ id }) => id);
    if (!at) this.session.signal("drag", () => null); // what waits for its turn would come after the op
    else if (items.length && items.length <= DRAGGED) this.session.signal("drag", { page: this.#page, items, at: at.map(quarter) });
  }

  remove() {
    this.propose(this.items.map(({ id }) => ["remove", id]));
    this.clear();
  }

  /** @param {"front"|"back"} end */
  raise(end) {
    const items = this.items;
    this.propose((end === "back" ? items.reverse() : items).map(({ id }) => ["set", id, { top: end }]));
  }

  /** @param {string} color */
  recolor(color) {
    this.propose(this.items.filter(({ values }) => values.style).map(({ id, kind, values }) => ["set", id, { style: recolored(kind, values.style, color) }]));
  }

  /** The page's size in units. */
  get size() {
    return pageSize(this.store.shown?.pages.find((/** @type {any} */ page) => page.id === this.#page));
  }

  /** A long stroke is several items of one group. @param {string} id @returns {string[]} */
  #group(id) {
    const { page } = this.store;
    const group = page === null ? null : this.store.item(page, id)?.values.group;
    return group ? this.choices.filter(({ values }) => values.group === group).map((item) => item.id) : [id];
  }
}

/** The box around the shapes of items; null for none. @param {import("../render/geometry.js").Drawn[]} items @returns {Bounds|null} */
export function boundsOf(items) {
  return items.reduce((/** @type {Bounds|null} */ all, item) => union(all, item.values.turn ? paintedBounds(item) : frame(item)), null);
}

/** Whether items can be made larger and smaller: what lies turned would be sheared. @param {ShownItem[]} items */
export const resizable = (items) => items.length > 0 && items.every(({ values }) => !values.turn);

/** Whether width and height go together: letters are not stretched. @param {ShownItem[]} items */
export const keepsShape = (items) => items.some(({ kind }) => kind === "text" || kind === "image");

/** As far as a step may go, so that some of the items stays on the page. @param {Bounds} bounds @param {number} dx @param {number} dy @param {{width: number, height: number}} page @returns {[number, number]} */
export function kept([left, top, right, bottom], dx, dy, { width, height }) {
  const within = (/** @type {number} */ by, /** @type {number} */ low, /** @type {number} */ high, /** @type {number} */ most) => Math.min(Math.max(by, STAYS - high), most - STAYS - low);
  return [within(dx, left, right, width), within(dy, top, bottom, height)];
}

/** Where items lie when all are moved. @param {ShownItem[]} items @param {number} dx @param {number} dy @returns {[string, Fields][]} */
export function moved(items, dx, dy) {
  return items.map(({ id, values }) => [id, { at: [quarter(values.at[0] + dx), quarter(values.at[1] + dy)] }]);
}

/**
 * Items stretched about a fixed point.
 * @param {ShownItem[]} items @param {readonly [number, number]} fixed @param {number} sx @param {number} sy @returns {[string, Fields][]}
 */
export function resized(items, fixed, sx, sy) {
  return items.map(({ id, kind, values }) => {
    const at = [quarter(fixed[0] + (values.at[0] - fixed[0]) * sx), quarter(fixed[1] + (values.at[1] - fixed[1]) * sy)];
    const [width, height] = values.box ?? natural(values);
    /** @type {Fields} */
    const fields = { at, box: [quarter(width * sx), quarter(height * sy)] };
    if (kind === "text") fields.style = { ...values.style, size: Math.min(LARGEST, Math.max(SMALLEST, Math.round((values.style.size ?? 24) * sx * 4) / 4)) };
    return [id, fields];
  });
}

/** How much a box may be stretched for this pull, and no further: it is never turned over, nor too small to be seized again.
 * @param {Bounds} bounds @param {number} sx @param {number} sy @param {boolean} even @returns {[number, number]} */
export function stretch([left, top, right, bottom], sx, sy, even) {
  const [width, height] = [right - left, bottom - top];
  const least = (/** @type {number} */ size) => (size > 0 ? Math.min(1, LEAST / size) : 1);
  if (!even) return [width ? Math.max(least(width), sx) : 1, height ? Math.max(least(height), sy) : 1];
  const both = Math.max(least(Math.max(width, height)), width >= height ? sx : sy);
  return [both, both];
}

/** Ink's own width and height. @param {Fields} values @returns {[number, number]} */
function natural({ ink }) {
  const [left, top, right, bottom] = inkOf(ink).box;
  return [right - left, bottom - top];
}

/** A note's colour is its paper's. @param {string} kind @param {any} style @param {string} color */
const recolored = (kind, style, color) => (kind === "note" ? { ...style, fill: color } : { ...style, color });
