// Own pending ops laid over a confirmed board, by the fold itself, without touching or copying what they leave alone.
// @ts-check
import { applyBoard, freshBoard } from "./board.js";

/**
 * @typedef {import("./board.js").Board} Board
 * @typedef {import("./board.js").Item} Item
 * @typedef {import("./board.js").Rights} Rights
 *
 * An own op as the overlay folds it. `rank`: its predicted seq, above every seq that the log will ever reach.
 * @typedef {{kind: string, data: any, rank: number, rights: Rights|null}} Layer  kind: of the event; rights null: it shows nothing
 */

/** Predicted seqs begin here, so that own pending items lie above all, in the order of their ops. */
export const PENDING = 2 ** 40;
/** Refused ink that is kept to oneself lies above even that. */
export const KEPT = 2 ** 41;

/** The items of a board, copied one by one as somebody asks for them. @extends {Map<string, Item>} */
class CopiedItems extends Map {
  /** @param {Map<string, Item>} under */
  constructor(under) {
    super();
    this.under = under;
  }

  /** @param {string} id @override */
  get(id) {
    const mine = super.get(id);
    const item = mine ?? this.under.get(id);
    if (!item || mine) return mine;
    const copy = { ...item, fields: new Map(item.fields) };
    super.set(id, copy);
    return copy;
  }

  /** @param {string} id @override */
  has(id) {
    return super.has(id) || this.under.has(id);
  }

  /** All of them, copied now: a clear touches everything. @override @returns {MapIterator<[string, Item]>} */
  [Symbol.iterator]() {
    for (const id of this.under.keys()) this.get(id);
    return super[Symbol.iterator]();
  }

  /** The copy of an item, if there is one. @param {string} id */
  copyOf(id) {
    return super.get(id);
  }
}

export class Overlay {
  /** @param {Board|undefined} board  undefined: the page itself is pending @param {string|null} me */
  constructor(board, me) {
    this.me = me;
    this.items = new CopiedItems(board?.items ?? new Map());
    /** Whether an op in it touches all that there is, and will be: a clear. */
    this.sweeping = false;
    this.board = { ...freshBoard(), items: this.items, cleared: new Map(board?.cleared) };
  }

  /** @param {Layer} layer */
  add({ kind, data, rank, rights }) {
    this.sweeping ||= kind !== "board.edited";
    if (rights) applyBoard(this.board, { seq: rank, kind, by: this.me, data }, rights);
  }

  /** The item where an own op has looked at it, as it would be; undefined where none has. @param {string} id @returns {Item|undefined} */
  get(id) {
    return this.items.copyOf(id);
  }

  /** Ids of all items that own ops have looked at. */
  get ids() {
    return this.items.keys();
  }
}
