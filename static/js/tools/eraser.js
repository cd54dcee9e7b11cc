// Eraser: whole items under its way fade as it passes and go when it lifts; one sweep is one gesture.
// @ts-check

import { t } from "../i18n.js";
import { mayErase } from "./rights.js";
import { touches } from "./hit.js";
import { LIMITS } from "../protocol.js";

/** Radius in CSS pixels, the same on every screen. */
const REACH = 12;

/** @typedef {import("./contract.js").Desk} Desk */
/** @typedef {import("./contract.js").Point} Point */

/** @type {import("./contract.js").Tool} */
export const eraser = {
  name: "eraser",
  label: t("Eraser"),
  key: "e",
  palette: null,
  reach: REACH,
  begin: (desk, point) => new Sweep(desk, point),
};

class Sweep {
  /** @type {Set<string>} in the order in which they were hit */
  #hit = new Set();

  /** @param {Desk} desk @param {Point} point */
  constructor(desk, point) {
    this.desk = desk;
    this.last = point;
    this.extend([point]);
  }

  /** @param {Point[]} points */
  extend(points) {
    const before = this.#hit.size;
    for (const point of points) {
      this.#pass(this.last, point);
      this.last = point;
    }
    if (this.#hit.size > before) this.desk.board.fade(new Set(this.#hit));
  }

  finish() {
    const { board, page, session, store } = this.desk;
    const there = [...this.#hit].filter((id) => store.item(page, id));
    for (let i = 0; i < there.length; i += LIMITS.edits) {
      session.propose("board.edit", { page, edits: there.slice(i, i + LIMITS.edits).map((id) => ["remove", id]) });
    }
    board.fade(new Set());
  }

  cancel() {
    this.desk.board.fade(new Set());
  }

  /** @param {Point} from @param {Point} to */
  #pass(from, to) {
    const { board, page, store } = this.desk;
    const radius = REACH / board.scale;
    for (const item of store.items(page)) {
      if (!this.#hit.has(item.id) && touches(item, from, to, radius) && mayErase(store, item)) this.#hit.add(item.id);
    }
  }
}
