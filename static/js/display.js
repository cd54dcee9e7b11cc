// What is painted of one page: items in paint order, kept up to date item by item.
// @ts-check
import { height, isAlive } from "./board.js";
import { KEPT, PENDING } from "./overlay.js";

/**
 * @typedef {import("./board.js").Item} Item
 * @typedef {import("./store.js").ShownItem} ShownItem
 * @typedef {{height: number, n: number, id: string, shown: ShownItem}} Place
 */

/** Fields that say whether and in which order an item is shown; the order itself tells. */
const UNSEEN = new Set(["alive", "top"]);

export class Display {
  /** In paint order. @type {Place[]} */
  #order = [];
  /** @type {Map<string, Place>} */
  #places = new Map();
  /** The items of `#order`, for those who paint. @type {ShownItem[]} */
  list = [];

  /** @param {string} id */
  get(id) {
    return this.#places.get(id)?.shown;
  }

  get ids() {
    return this.#places.keys();
  }

  /** Show an item as it is now. @param {string} id @param {Item|undefined} item @returns {boolean} whether anything is to be painted anew */
  update(id, item) {
    const old = this.#places.get(id);
    const place = item && isAlive(item) ? placeOf(id, item, old?.shown) : undefined;
    if (old && place && !compare(old, place)) return old.shown !== place.shown && this.#exchange(old, place);
    if (old) this.#remove(old);
    if (place) this.#insert(place);
    return Boolean(old || place);
  }

  /** Show these items and no others. @param {Iterable<[string, Item|undefined]>} items */
  replace(items) {
    const before = this.#places;
    this.#order = [];
    for (const [id, item] of items) if (item && isAlive(item)) this.#order.push(placeOf(id, item, before.get(id)?.shown));
    this.#order.sort(compare);
    this.#places = new Map(this.#order.map((place) => [place.id, place]));
    this.list.length = 0;
    for (const { shown } of this.#order) this.list.push(shown);
  }

  /** It stays where it is. @param {Place} old @param {Place} place */
  #exchange(old, place) {
    const at = this.#indexOf(old);
    this.#order[at] = place;
    this.list[at] = place.shown;
    this.#places.set(place.id, place);
    return true;
  }

  /** @param {Place} place */
  #remove(place) {
    const at = this.#indexOf(place);
    this.#order.splice(at, 1);
    this.list.splice(at, 1);
    this.#places.delete(place.id);
  }

  /** @param {Place} place */
  #insert(place) {
    const at = this.#indexOf(place);
    this.#order.splice(at, 0, place);
    this.list.splice(at, 0, place.shown);
    this.#places.set(place.id, place);
  }

  /** Where it is, or belongs. @param {Place} place */
  #indexOf(place) {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(this.#order[middle], place) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** @param {Place} a @param {Place} b */
function compare(a, b) {
  return a.height - b.height || a.n - b.n || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** @param {string} id @param {Item} item @param {ShownItem} [before]  kept when nothing of it has changed @returns {Place} */
function placeOf(id, item, before) {
  return { height: height(item), n: item.n, id, shown: show(id, item, before) };
}

/** @param {string} id @param {Item} item @param {ShownItem} [before] @returns {ShownItem} */
function show(id, item, before) {
  const values = Object.create(null);
  let newest = item.seq;
  for (const [field, [value, , seq]] of item.fields) {
    newest = Math.max(newest, seq);
    if (!UNSEEN.has(field) && value !== null) values[field] = value;
  }
  const kept = item.seq >= KEPT;
  const shown = { id, kind: item.kind, by: item.by ?? "", values, pending: newest >= PENDING && !kept, kept };
  return before && alike(before, shown) ? before : Object.freeze(shown);
}

/** Equal in all that JSON can say. @param {any} a @param {any} b @returns {boolean} */
export function alike(a, b) {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && alike(a[key], b[key]));
}
