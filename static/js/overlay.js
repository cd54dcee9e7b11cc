// Own pending ops laid over a confirmed board, item by item and by the fold itself: nothing is touched that they leave alone.
// @ts-check
import { applyBoard, freshBoard } from "./board.js";
import { touchedIds } from "./ops.js";

/**
 * @typedef {import("./board.js").Board} Board
 * @typedef {import("./board.js").Item} Item
 * @typedef {import("./board.js").Rights} Rights
 *
 * An own op as the overlay folds it.
 * @typedef {object} Layer
 * @property {string} kind         of the event
 * @property {any} data
 * @property {number} rank         its predicted seq, above every seq that the log will ever reach
 * @property {() => Rights|null} rights  null: it shows nothing
 */

/** Predicted seqs begin here, so that own pending items lie above all, in the order of their ops. */
export const PENDING = 2 ** 40;
/** Refused ink that is kept to oneself lies above even that. */
export const KEPT = 2 ** 41;

/** @type {Layer[]} */
const NONE = [];

export class Overlay {
  /** The layers that touch an item, in order. @type {Map<string, Layer[]>} */
  #layers = new Map();
  /** Those that touch whatever there is: a clear. @type {Layer[]} */
  #sweeps = [];

  /** @param {string} me */
  constructor(me) {
    this.me = me;
  }

  /** Ids of all items that layers touch, but by sweeping. */
  get ids() {
    return this.#layers.keys();
  }

  /** Lay one more on top. @param {Layer} layer */
  add(layer) {
    const ids = touchedIds(layer.data);
    if (!ids) this.#sweeps.push(layer);
    for (const id of new Set(ids)) this.#layers.set(id, [...(this.#layers.get(id) ?? NONE), layer]);
  }

  /** @param {number} rank @param {any} data  of the layer to take off */
  remove(rank, data) {
    this.#sweeps = this.#sweeps.filter((layer) => layer.rank !== rank);
    for (const id of new Set(touchedIds(data))) {
      const rest = (this.#layers.get(id) ?? NONE).filter((layer) => layer.rank !== rank);
      if (rest.length) this.#layers.set(id, rest);
      else this.#layers.delete(id);
    }
  }

  /** An item as it will be when all of one's own has been folded. @param {string} id @param {Board|undefined} board @returns {Item|undefined} */
  item(id, board) {
    const confirmed = board?.items.get(id);
    const layers = this.#on(id);
    if (!layers.length) return confirmed;
    // Items do not know of each other, so a board of this one alone comes to the same.
    const alone = { ...freshBoard(), cleared: new Map(board?.cleared) };
    if (confirmed) alone.items.set(id, { ...confirmed, fields: new Map(confirmed.fields) });
    for (const { kind, data, rank, rights } of layers) {
      const may = rights();
      if (may) applyBoard(alone, { seq: rank, kind, by: this.me, data: only(id, data) }, may);
    }
    return alone.items.get(id);
  }

  /** @param {string} id @returns {Layer[]} */
  #on(id) {
    const layers = this.#layers.get(id) ?? NONE;
    return this.#sweeps.length ? [...layers, ...this.#sweeps].sort((a, b) => a.rank - b.rank) : layers;
  }
}

/** The data with its edits of one item alone, each in its place. @param {string} id @param {any} data */
function only(id, data) {
  return data.edits ? { ...data, edits: data.edits.map((/** @type {any[]} */ edit) => (edit[1] === id ? edit : null)) } : data;
}
