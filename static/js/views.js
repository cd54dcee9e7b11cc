// The displays of all pages: which items are to be shown anew, and which are not where their author saw them.
// @ts-check
import { Display, alike } from "./display.js";
import { touchedIds } from "./ops.js";
import { KEPT, Overlay } from "./overlay.js";
import { OPS } from "./protocol.js";

/**
 * @typedef {import("./board.js").Item} Item
 * @typedef {import("./store.js").ShownItem} ShownItem
 * @typedef {import("./store.js").PendingOp} PendingOp
 * @typedef {import("./store.js").Correction} Correction
 * @typedef {{display: Display, dirty: Set<string>, all: boolean}} View  dirty, all: the items that are to be shown anew
 *
 * @typedef {object} Source
 * @property {(page: string) => import("./board.js").Board|undefined} board  confirmed
 * @property {(page: string) => boolean} loaded  a pending page is, though it has no board
 * @property {(op: PendingOp) => import("./board.js").Rights|null} rights  what an own op may do to a board
 * @property {(page: string, ids: string[]|null) => void} changed  ids null: perhaps all
 */

export class Views {
  /** @type {Map<string, View>} */
  #views = new Map();
  /** @type {Map<string, Overlay>} */
  #overlays = new Map();
  /** What was shown of items whose own ops came to an end. @type {Map<string, Map<string, ShownItem>>} */
  #before = new Map();
  /** Pages whose boards are not here, and on which something was drawn. @type {Set<string>} */
  #marks = new Set();

  /** @param {string} me @param {Source} source */
  constructor(me, source) {
    this.me = me;
    this.source = source;
  }

  /** The display of a page as of now; undefined while its board is not there. @param {string} page @returns {Display|undefined} */
  display(page) {
    let view = this.#views.get(page);
    if (!view) {
      if (!this.source.loaded(page)) return undefined;
      view = { display: new Display(), dirty: new Set(), all: true };
      this.#views.set(page, view);
      this.#refresh(page, view);
    } else if (view.all || view.dirty.size) {
      this.source.changed(page, this.#refresh(page, view));
    }
    return view.display;
  }

  /** The digests that came with a state: 0 is a board on which nothing ever lay. @param {Record<string, number>} digests */
  mark(digests) {
    this.#marks = new Set(Object.keys(digests).filter((page) => digests[page] !== 0));
  }

  /** Whether anything lies on a page; of a board that is not here, whether anything ever did. @param {string} page */
  inked(page) {
    const display = this.display(page);
    return display ? display.list.length > 0 : this.#marks.has(page);
  }

  /** A new own op on a page. @param {PendingOp} op */
  lay(op) {
    const { page } = op.data;
    this.#overlay(page).add({ kind: OPS.get(op.kind) ?? "", data: op.data, rank: op.rank, rights: () => this.source.rights(op) });
    this.soil(page, touchedIds(op.data));
  }

  /** An own op comes to its end: remember what is on screen of it. @param {PendingOp} op */
  lift({ data, rank }) {
    const { page } = data;
    const ids = touchedIds(data);
    const display = this.#views.get(page)?.display;
    const before = this.#before.get(page) ?? new Map();
    for (const id of ids ?? []) {
      const shown = display?.get(id);
      if (shown && !before.has(id)) before.set(id, shown);
    }
    if (before.size) this.#before.set(page, before);
    this.#overlay(page).remove(rank, data);
    this.soil(page, ids);
  }

  /** Refused work that its author keeps to themselves. @param {string} page @param {any} data @param {number} rank */
  keep(page, data, rank) {
    const rights = { free: true, own: false, students: new Set() };
    this.#overlay(page).add({ kind: "board.edited", data, rank: KEPT + rank, rights: () => rights });
    this.soil(page, touchedIds(data));
  }

  /** Items are to be shown anew. @param {string} page @param {string[]|null} ids  null: all */
  soil(page, ids) {
    const view = this.#views.get(page);
    if (!view && ids?.length) this.#marks.add(page);
    if (!view) return this.source.changed(page, ids);
    if (ids) for (const id of ids) view.dirty.add(id);
    else view.all = true;
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

  /** @param {string} page @returns {Overlay} */
  #overlay(page) {
    const overlay = this.#overlays.get(page) ?? new Overlay(this.me);
    this.#overlays.set(page, overlay);
    return overlay;
  }

  /** @param {string} page  that is gone, or not loaded any more */
  #forget(page) {
    this.#views.delete(page);
    this.source.changed(page, null);
  }

  /** @param {string} page @param {View} view @returns {string[]|null} ids of what changed on screen; null: perhaps all */
  #refresh(page, view) {
    const board = this.source.board(page);
    const overlay = this.#overlay(page);
    const { display, all, dirty } = view;
    Object.assign(view, { all: false, dirty: new Set() });
    if (!all) return [...dirty].filter((id) => display.update(id, overlay.item(id, board)));
    const ids = new Set([...(board?.items.keys() ?? []), ...overlay.ids]);
    display.replace([...ids].map((id) => [id, overlay.item(id, board)]));
    return null;
  }
}
