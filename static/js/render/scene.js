// Committed ink: paints a page's items once, then only what changed. 5,000 items cost nothing when one is added.
// @ts-check

import { alike } from "../display.js";
import { grown, meet, paintedBounds, union } from "./geometry.js";
import { paint } from "./paint.js";
import { Motions } from "./motions.js";
import { deviceRectangle } from "./view.js";

/** @typedef {import("./geometry.js").Bounds} Bounds */
/** @typedef {import("../store.js").ShownItem} ShownItem */
/** @typedef {import("../store.js").Correction} Correction */

/** ms of painting a frame; a large page appears in slices of this. */
const SLICE = 8;
/** Dirty rectangles beyond these are painted as one. */
const MAX_RECTANGLES = 6;
/** Kept ink is paler: nobody else sees it. An item under the eraser is nearly gone. */
const KEPT = 0.55;
const FADED = 0.18;

/**
 * What to do about changed items: those that only lie on top of everything are added; those that look as before and lie
 * where they lay (an own stroke whose event came) are left; the rest is painted around.
 * @param {readonly ShownItem[]} before  what the canvas shows, in order @param {readonly ShownItem[]} items  as it should be
 * @param {ReadonlySet<string>} changed @returns {{added: ShownItem[], redo: Set<string>}}
 */
export function plan(before, items, changed) {
  const [was, is] = [places(before, changed), places(items, changed)];
  let tail = items.length;
  while (tail > 0 && changed.has(items[tail - 1].id) && !was.has(items[tail - 1].id)) tail -= 1;
  const added = items.slice(tail);
  const redo = new Set(changed);
  for (const item of added) redo.delete(item.id);
  const inOrder = sameOrder(was, is);
  for (const id of redo) {
    const [old, now] = [was.get(id), is.get(id)];
    if (inOrder && old && now && old.under === now.under && looksAlike(old.item, now.item)) redo.delete(id);
  }
  return { added, redo };
}

/** Changed items and how many unchanged ones lie under each. @param {readonly ShownItem[]} items @param {ReadonlySet<string>} changed */
function places(items, changed) {
  /** @type {Map<string, {item: ShownItem, under: number}>} */
  const found = new Map();
  let under = 0;
  for (const item of items) {
    if (changed.has(item.id)) found.set(item.id, { item, under });
    else under += 1;
  }
  return found;
}

/** Whether those in both lie in the same order. @param {ReadonlyMap<string, unknown>} was @param {ReadonlyMap<string, unknown>} is */
function sameOrder(was, is) {
  const now = [...is.keys()].filter((id) => was.has(id));
  return [...was.keys()].filter((id) => is.has(id)).every((id, i) => id === now[i]);
}

/** @param {ShownItem} a @param {ShownItem} b */
function looksAlike(a, b) {
  return a.kept === b.kept && alike(a.values, b.values);
}

/** Highlights lie under all other ink, on a canvas of their own. @param {string} kind */
const layerOf = (kind) => (kind === "highlight" ? "highlights" : "ink");

export class Scene {
  /** @type {Map<string, {item: ShownItem, bounds: Bounds}>} what the canvases show */
  #drawn = new Map();
  /** @type {readonly ShownItem[]} kept in place by the store */
  #items = [];
  /** @type {readonly ShownItem[]} in the order in which they stand on the canvases */
  #order = [];
  /** @type {Map<string, ShownItem>} */
  #byId = new Map();
  /** @type {Set<string>} */
  #changed = new Set();
  /** @type {Set<string>} whose look changed by no doing of the store */
  #forced = new Set();
  /** What is to be painted anew. @type {Record<"ink"|"highlights", Bounds[]>} */
  #dirty = { ink: [], highlights: [] };
  /** @type {{items: ShownItem[], next: number}|null} a page on its way to the canvas */
  #job = null;
  /** @type {ReadonlySet<string>} */
  #faded = new Set();

  /** @param {import("./surface.js").Surface} surface @param {{now: () => number}} clock */
  constructor(surface, clock) {
    this.surface = surface;
    this.clock = clock;
    this.motions = new Motions();
  }

  /** Show these items and nothing else: another page, a new size, a snapshot. @param {readonly ShownItem[]} items */
  show(items) {
    this.#items = items;
    this.#changed.clear();
    this.#forced.clear();
    this.#dirty = { ink: [], highlights: [] };
    this.motions.clear();
    this.#restart();
  }

  /** @param {readonly ShownItem[]} items  the page's, as they are now @param {Iterable<string>} ids  whose display changed */
  change(items, ids) {
    this.#items = items;
    const now = this.clock.now();
    for (const id of ids) {
      this.#changed.add(id);
      if (this.#drawn.has(id) && this.motions.release(id, now)) this.#forced.add(id); // a new one is in nobody's hand
    }
  }

  /** Another holds these, moved by so much; what one holds oneself stays in one's own hand. @param {ShownItem[]} items @param {readonly number[]} by  in units */
  hold(items, by) {
    const now = this.clock.now();
    for (const item of items) if (!this.#faded.has(item.id) && this.motions.hold(item, by, now)) this.#forced.add(item.id);
  }

  /** Show these, that the eraser is over, nearly gone. @param {ReadonlySet<string>} ids */
  fade(ids) {
    for (const id of [...this.#faded, ...ids]) if (this.#faded.has(id) !== ids.has(id)) this.#forced.add(id);
    this.#faded = new Set(ids);
  }

  /** Paint what is due. @returns {boolean} whether another frame is needed */
  frame() {
    const now = this.clock.now();
    if (this.#job) return this.#goOn(now);
    this.#takeChanges();
    for (const { kind, bounds } of this.motions.step(now, this.#drawn)) this.#dirty[layerOf(kind)].push(bounds);
    for (const layer of /** @type {const} */ (["highlights", "ink"])) this.#renew(layer, now);
    return this.motions.busy;
  }

  #restart() {
    this.surface.clear("ink");
    this.surface.clear("highlights");
    this.#drawn.clear();
    this.#order = [...this.#items];
    this.#job = { items: [...this.#items], next: 0 };
  }

  /** @param {number} start @returns {boolean} */
  #goOn(start) {
    const job = /** @type {{items: ShownItem[], next: number}} */ (this.#job);
    while (job.next < job.items.length) {
      this.#add(job.items[job.next]);
      job.next += 1;
      if (job.next % 32 === 0 && this.clock.now() - start > SLICE) return true;
    }
    this.#job = null;
    return this.#changed.size > 0 || this.#forced.size > 0 || this.motions.busy;
  }

  #takeChanges() {
    if (this.#changed.size === 0 && this.#forced.size === 0) return;
    const { added, redo } = plan(this.#order, this.#items, this.#changed);
    for (const id of this.#forced) redo.add(id);
    this.#changed.clear();
    this.#forced.clear();
    this.#order = [...this.#items];
    if (redo.size > 0) this.#byId = new Map(this.#items.map((item) => [item.id, item]));
    for (const id of redo) this.#redo(id);
    for (const item of added) this.#add(item);
  }

  /** @param {string} id */
  #redo(id) {
    const before = this.#drawn.get(id);
    const item = this.#byId.get(id);
    if (before) this.#dirty[layerOf(before.item.kind)].push(before.bounds);
    if (!item) {
      this.#drawn.delete(id);
      return;
    }
    const bounds = paintedBounds(this.motions.as(item));
    this.#dirty[layerOf(item.kind)].push(bounds);
    this.#drawn.set(id, { item, bounds });
  }

  /** @param {ShownItem} item */
  #add(item) {
    const shown = this.motions.as(item);
    this.#drawn.set(item.id, { item, bounds: paintedBounds(shown) });
    paint(this.surface.contexts[layerOf(item.kind)], shown, this.#opacity(item));
  }

  /** @param {"ink"|"highlights"} layer @param {number} now */
  #renew(layer, now) {
    const dirty = this.#dirty[layer];
    this.#dirty[layer] = [];
    const merged = dirty.length > MAX_RECTANGLES ? [dirty.reduce((all, one) => union(all, one))] : dirty;
    for (const bounds of merged) {
      const rectangle = deviceRectangle(bounds, this.surface.view);
      if (!rectangle) continue;
      const touched = this.#touched(layer, rectangle);
      this.surface.renew(layer, rectangle, (pen) => {
        this.#paintAll(pen, touched);
        for (const { item, opacity } of this.motions.ghosts(now)) if (layerOf(item.kind) === layer) paint(pen, item, opacity);
      });
    }
  }

  /** Items of a layer whose paint meets a rectangle. @param {"ink"|"highlights"} layer @param {[number, number, number, number]} rectangle  device pixels */
  #touched(layer, rectangle) {
    const factor = this.surface.view.scale * this.surface.view.density;
    const [x, y, width, height] = rectangle.map((pixels) => pixels / factor);
    const area = grown([x, y, x + width, y + height], 1 / factor);
    return this.#items.filter((item) => {
      const drawn = layerOf(item.kind) === layer && this.#drawn.get(item.id);
      return drawn && meet(drawn.bounds, area);
    });
  }

  /** @param {CanvasRenderingContext2D} pen @param {ShownItem[]} items */
  #paintAll(pen, items) {
    for (const item of items) paint(pen, this.motions.as(item), this.#opacity(item));
  }

  /** @param {ShownItem} item */
  #opacity(item) {
    if (this.#faded.has(item.id)) return FADED;
    return item.kept ? KEPT : 1;
  }
}
