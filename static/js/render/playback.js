// Others' ink while it is being drawn: what has arrived, and how much of it is shown by now. Pure.
// @ts-check

/** Wet ink without its item fades after this, ms (board.md section 6). */
export const FADE_AFTER = 10_000;
/** How long it takes to fade, ms. */
export const FADE = 400;
/** How long an item's late signals are dropped after the item itself came, ms. */
const REMEMBER = 20_000;

/**
 * @typedef {object} WetStroke
 * @property {string} item
 * @property {string} by
 * @property {string} page
 * @property {any} style
 * @property {number[][]} points    all that arrived, page units
 * @property {number} shown         how many were shown when the newest batch came
 * @property {number} arrived       ms, own clock, when it came
 * @property {number} interval      ms over which it is played back
 */

export class Playback {
  /** @type {Map<string, WetStroke>} */
  #strokes = new Map();
  /** @type {Map<string, number>} item -> when it was settled */
  #settled = new Map();

  /**
   * @param {{by: string, data: {page: string, item: string, offset: number, style?: any}}} signal
   * @param {number[][]} points  its ink, decoded @param {number} now @param {number} interval  the pace, ms
   */
  receive({ by, data }, points, now, interval) {
    if (this.#settled.has(data.item)) return;
    const known = this.#strokes.get(data.item);
    if (!known && !data.style) return; // began before we looked: its item will come
    const stroke = known ?? { item: data.item, by, page: data.page, style: data.style, points: [], shown: 0, arrived: now, interval };
    stroke.shown = Math.floor(this.#count(stroke, now));
    stroke.points.length = Math.min(stroke.points.length, data.offset);
    if (stroke.points.length < data.offset) stroke.shown = stroke.points.length; // a batch was lost: a straight line bridges it
    stroke.points.push(...points);
    stroke.arrived = now;
    stroke.interval = interval;
    this.#strokes.set(data.item, stroke);
  }

  /** The item itself is here: its wet ink goes, and what comes late is dropped. @param {string} item @param {number} now @returns {boolean} */
  settle(item, now) {
    this.#settled.set(item, now);
    return this.#strokes.delete(item);
  }

  /**
   * What to show of a page. Forgets what faded.
   * @param {string} page @param {number} now
   * @returns {{stroke: WetStroke, points: number[][], opacity: number, moving: boolean}[]}
   */
  visible(page, now) {
    for (const [item, since] of this.#settled) if (now - since > REMEMBER) this.#settled.delete(item);
    const shown = [];
    for (const [item, stroke] of this.#strokes) {
      const age = now - stroke.arrived - FADE_AFTER;
      if (age > FADE) this.#strokes.delete(item);
      else if (stroke.page === page) {
        const count = this.#count(stroke, now);
        shown.push({ stroke, points: stroke.points.slice(0, Math.ceil(count)), opacity: age > 0 ? 1 - age / FADE : 1, moving: count < stroke.points.length });
      }
    }
    return shown;
  }

  /** ms until something changes by itself; null when nothing will. @param {string} page @param {number} now */
  nextChange(page, now) {
    let next = null;
    for (const stroke of this.#strokes.values()) {
      if (stroke.page !== page) continue;
      const wait = this.#count(stroke, now) < stroke.points.length ? 0 : Math.max(0, stroke.arrived + FADE_AFTER - now);
      next = next === null ? wait : Math.min(next, wait);
    }
    return next;
  }

  /** @param {WetStroke} stroke @param {number} now */
  #count(stroke, now) {
    const share = stroke.interval > 0 ? Math.min(1, (now - stroke.arrived) / stroke.interval) : 1;
    return stroke.shown + (stroke.points.length - stroke.shown) * share;
  }
}
