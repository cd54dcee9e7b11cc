// Items on their short way to where they belong or in somebody else's hand, and refused ink fading away.
// @ts-check

import { paintedBounds } from "./geometry.js";
import { between, easeOut, motion, REVERT, TWEEN } from "./tween.js";

/** @typedef {import("./geometry.js").Bounds} Bounds */
/** @typedef {import("./geometry.js").Drawn} Drawn */
/** @typedef {import("../store.js").ShownItem} ShownItem */
/** What another holds is shown where they hold it until nothing was heard of it for so long, ms. */
export const HELD = 1_500;
/** A signal may come after the event that ends it, ms; then it means nothing. */
const LATE = 600;
/** Of so many changes the time is remembered, then all are forgotten. */
const REMEMBERED = 500;

/** @typedef {{from: Record<string, any>, start: number, values: Record<string, any>|null}} Tween */

export class Motions {
  /** @type {Map<string, Tween>} */
  #tweens = new Map();
  /** @type {Map<string, {item: Drawn, start: number, bounds: Bounds}>} */
  #ghosts = new Map();

  /** @type {Map<string, {shown: Drawn, until: number}>} */
  #held = new Map();
  /** When an item was changed by an event. @type {Map<string, number>} */
  #changed = new Map();

  /** Whether anything is in another's hand. */
  get holding() {
    return this.#held.size > 0;
  }

  /** Whether anything moves. */
  get busy() {
    return this.#tweens.size > 0 || this.#ghosts.size > 0;
  }

  clear() {
    this.#tweens.clear();
    this.#ghosts.clear();
    this.#held.clear();
    this.#changed.clear();
  }

  /**
   * Another holds it, moved by so much; by nothing: they put it back.
   * @param {ShownItem} item @param {readonly number[]} by  in units @param {number} now @returns {boolean} whether it is shown elsewhere now
   */
  hold(item, [dx, dy], now) {
    if (now - (this.#changed.get(item.id) ?? -Infinity) < LATE) return false;
    if (dx === 0 && dy === 0) return this.#held.delete(item.id);
    const [x, y] = item.values.at;
    this.#tweens.delete(item.id);
    this.#held.set(item.id, { shown: { kind: item.kind, values: { ...item.values, at: [x + dx, y + dy] } }, until: now + HELD });
    return true;
  }

  /** An event or its author's own op changed it: that is where it is. @param {string} id @param {number} now @returns {boolean} whether it was held */
  release(id, now) {
    if (this.#changed.size >= REMEMBERED) this.#changed.clear();
    this.#changed.set(id, now);
    return this.#held.delete(id);
  }

  /**
   * An item is elsewhere than predicted.
   * @param {import("../store.js").Correction} correction @param {ShownItem|undefined} item  as it is now; undefined: it is gone
   * @param {number} now @param {{scale: number, across: number, reduced: boolean}} view
   */
  correct({ id, kind, from }, item, now, view) {
    if (!item) {
      if (!view.reduced) this.#ghosts.set(id, { item: { kind, values: from }, start: now, bounds: paintedBounds({ kind, values: from }) });
      return;
    }
    const start = this.#tweens.get(id)?.values ?? from; // from where it is shown, which may be half-way already
    if (motion(start, item.values, view) === "tween") this.#tweens.set(id, { from: start, start: now, values: start });
  }

  /** Somebody grabbed it: it is where it is. @param {string} id */
  stop(id) {
    this.#tweens.delete(id);
  }

  /** The item as it is shown at this moment. @template {Drawn & {id: string}} T @param {T} item @returns {T|Drawn} */
  as(item) {
    const held = this.#held.get(item.id);
    if (held) return held.shown;
    const values = this.#tweens.get(item.id)?.values;
    return values ? { kind: item.kind, values } : item;
  }

  /**
   * Move everything to `now`. Writes the new bounds into `drawn`.
   * @param {number} now @param {Map<string, {item: ShownItem, bounds: Bounds}>} drawn @returns {{kind: string, bounds: Bounds}[]} what to repaint
   */
  step(now, drawn) {
    /** @type {{kind: string, bounds: Bounds}[]} */
    const dirty = [];
    for (const [id, tween] of this.#tweens) {
      const shown = drawn.get(id);
      if (shown) dirty.push({ kind: shown.item.kind, bounds: shown.bounds });
      const t = (now - tween.start) / TWEEN;
      if (t >= 1 || !shown) this.#tweens.delete(id);
      else tween.values = between(tween.from, shown.item.values, t);
      if (!shown) continue;
      shown.bounds = paintedBounds(this.as(shown.item));
      dirty.push({ kind: shown.item.kind, bounds: shown.bounds });
    }
    for (const [id, { shown, until }] of this.#held) {
      if (now < until) continue;
      this.#held.delete(id);
      const there = drawn.get(id);
      if (!there) continue;
      there.bounds = paintedBounds(there.item);
      for (const one of [shown, there.item]) dirty.push({ kind: one.kind, bounds: paintedBounds(one) });
    }
    for (const [id, ghost] of this.#ghosts) {
      dirty.push({ kind: ghost.item.kind, bounds: ghost.bounds });
      if (now - ghost.start >= REVERT) this.#ghosts.delete(id);
    }
    return dirty;
  }

  /** Refused ink on its way out. @param {number} now @returns {{item: Drawn, opacity: number}[]} */
  ghosts(now) {
    return [...this.#ghosts.values()].map(({ item, start }) => ({ item, opacity: 1 - easeOut((now - start) / REVERT) }));
  }
}
