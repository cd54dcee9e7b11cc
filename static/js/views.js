// The displays of all pages: which items are to be shown anew, and which are not where their author saw them.
// @ts-check
import { Display, alike } from "./display.js";
import { BOARD_OPS, touchedIds } from "./ops.js";
import { KEPT, Overlay } from "./overlay.js";
import { OPS } from "./protocol.js";

/**
 * @typedef {import("./board.js").Item} Item
 * @typedef {import("./board.js").Rights} Rights
 * @typedef {import("./store.js").ShownItem} ShownItem
 * @typedef {import("./store.js").PendingOp} PendingOp
 * @typedef {import("./store.js").Correction} Correction
 * @typedef {{display: Display, overlay: Overlay|null, stale: boolean, dirty: Set<string>, all: boolean}} View
 *   stale: the overlay is to be laid anew; dirty, all: the items that are to be shown anew
 *
 * @typedef {object} Source
 * @property {(page: string) => import("./board.js").Board|undefined} board  confirmed
 * @property {(page: string) => boolean} loaded  a pending page is, though it has no board
 * @property {() => PendingOp[]} pending
 * @property {() => string} me
 * @property {(kind: string) => Rights|null|undefined} rights  what an own op may do to a board now
 * @property {(page: string, ids: string[]|null) => void} changed  ids null: perhaps all
 */

export class Views {
  /** @type {Map<string, View>} */
  #views = new Map();
  /** @type {(import("./overlay.js").Layer & {page: string})[]} */
  #kept = [];
  /** What was shown of items whose own ops came to an end. @type {Map<string, Map<string, ShownItem>>} */
  #before = new Map();

  /** @param {Source} source */
  constructor(source) {
    this.source = source;
  }

  /** The display of a page as of now; undefined while its board is not there. @param {string} page @returns {Display|undefined} */
  display(page) {
    let view = this.#views.get(page);
    if (!view) {
      if (!this.source.loaded(page)) return undefined;
      view = { display: new Display(), overlay: null, stale: true, dirty: new Set(), all: true };
      this.#views.set(page, view);
      this.#refresh(page, view);
    } else if (view.all || view.dirty.size) {
      this.source.changed(page, this.#refresh(page, view));
    }
    return view.display;
  }

  /** A new own op on a page. @param {PendingOp} op */
  lay(op) {
    const { page } = op.data;
    const ids = touchedIds(op.data);
    const view = this.#views.get(page);
    if (!view || view.stale || !ids) return this.soil(page, ids, true);
    view.overlay ??= new Overlay(this.source.board(page), this.source.me());
    this.#fold(view.overlay, op);
    this.soil(page, ids);
  }

  /** An own op comes to its end: remember what is on screen of it, and lay the others anew. @param {PendingOp} op */
  lift({ data }) {
    const ids = touchedIds(data);
    const display = this.#views.get(data.page)?.display;
    const before = this.#before.get(data.page) ?? new Map();
    for (const id of (display && ids) ?? []) {
      const shown = display?.get(id);
      if (shown && !before.has(id)) before.set(id, shown);
    }
    if (before.size) this.#before.set(data.page, before);
    this.soil(data.page, ids, true);
  }

  /** Refused work that its author keeps to themselves. @param {string} page @param {any} data @param {number} rank */
  keep(page, data, rank) {
    const rights = { free: true, own: false, students: new Set() };
    this.#kept.push({ page, kind: "board.edited", data, rank: KEPT + rank, rights });
    this.soil(page, touchedIds(data), true);
  }

  /** Items are to be shown anew. @param {string} page @param {string[]|null} ids  null: all @param {boolean} [own]  own ops on it changed */
  soil(page, ids, own = false) {
    const view = this.#views.get(page);
    if (!view) return this.source.changed(page, ids);
    if (ids) for (const id of ids) view.dirty.add(id);
    else view.all = true;
    view.stale ||= own || !ids || Boolean(view.overlay && (view.overlay.sweeping || ids.some((id) => view.overlay?.get(id))));
  }

  /** After a snapshot nothing is as it was. */
  soilAll() {
    for (const page of this.#views.keys()) this.soil(page, null);
  }

  /** Bring all displays up to date, and say what is shown elsewhere than its author saw it. @returns {Correction[]} */
  settle() {
    for (const page of [...this.#views.keys()]) {
      if (this.source.loaded(page)) this.display(page);
      else this.#forget(page);
    }
    const corrections = [];
    for (const [page, items] of this.#before) {
      for (const [id, before] of items) {
        const now = this.#views.get(page)?.display.get(id);
        if (!now || !alike(now.values, before.values)) corrections.push({ page, id, kind: before.kind, from: before.values });
      }
    }
    this.#before.clear();
    return corrections;
  }

  /** @param {string} page  that is gone, or not loaded any more */
  #forget(page) {
    this.#views.delete(page);
    this.source.changed(page, null);
  }

  /** @param {string} page @param {View} view @returns {string[]|null} ids of what changed on screen; null: perhaps all */
  #refresh(page, view) {
    const board = this.source.board(page);
    if (view.stale) view.overlay = this.#overlay(page);
    const { display, overlay, all, dirty } = view;
    Object.assign(view, { stale: false, all: false, dirty: new Set() });
    const item = (/** @type {string} */ id) => overlay?.get(id) ?? board?.items.get(id);
    if (!all) return [...dirty].filter((id) => display.update(id, item(id)));
    const ids = new Set([...(board?.items.keys() ?? []), ...(overlay?.ids ?? [])]);
    display.replace([...ids].map((id) => [id, /** @type {Item} */ (item(id))]));
    return null;
  }

  /** @param {string} page @returns {Overlay|null} */
  #overlay(page) {
    const own = this.source.pending().filter((op) => BOARD_OPS.has(op.kind) && op.data.page === page);
    const kept = this.#kept.filter((layer) => layer.page === page);
    if (!own.length && !kept.length) return null;
    const overlay = new Overlay(this.source.board(page), this.source.me());
    for (const op of own) this.#fold(overlay, op);
    for (const layer of kept) overlay.add(layer);
    return overlay;
  }

  /** @param {Overlay} overlay @param {PendingOp} op */
  #fold(overlay, op) {
    if (op.rights === undefined) op.rights = this.source.rights(op.kind);
    overlay.add({ kind: OPS.get(op.kind) ?? "", data: op.data, rank: op.rank, rights: op.rights ?? null });
  }
}
