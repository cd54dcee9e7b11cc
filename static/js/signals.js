// Passing messages: ink under the pen, cursor, laser. Paced, never kept, dropped when there is no line.
// @ts-check
import { Bucket } from "./bucket.js";

/**
 * @typedef {import("./clock.js").Clock} Clock
 * @typedef {object | (() => object|null)} Content  the data, or what gathers it at the moment of sending
 */

/** ms between two of a kind, at least; the kinds that are not here follow `pace` alone @type {Record<string, number>} */
const SLOWER = { cursor: 100, typing: 1_000 };
const RATE = 22; // a second, of the 25 that are allowed
const BURST = 45;
const LONGEST = 5_000; // ms to wait, whatever the clock was set to

export class Signals {
  /** The newest of each kind that waits for its turn. @type {Map<string, Content>} */
  #waiting = new Map();
  /** When a kind was sent last. @type {Map<string, number>} */
  #sent = new Map();
  /** @type {Map<string, any>} */
  #timers = new Map();

  /** @param {{clock: Clock, post: (frames: {type: string, kind: string, data: any}[]) => void}} parts */
  constructor({ clock, post }) {
    this.clock = clock;
    this.post = post;
    this.bucket = new Bucket(clock, RATE, BURST);
    /** ms between two `ink`, from the server */
    this.pace = 50;
    this.open = false;
  }

  /** @param {string} kind @param {Content} content */
  send(kind, content) {
    if (!this.open) return;
    this.#waiting.set(kind, content);
    if (!this.#timers.has(kind)) this.#flush(kind);
  }

  /** The line is gone, and so is what waited. */
  close() {
    this.open = false;
    this.#waiting.clear();
    for (const timer of this.#timers.values()) this.clock.clearTimeout(timer);
    this.#timers.clear();
  }

  /** Send what waits, when its time has come; the content is gathered no sooner. @param {string} kind */
  #flush(kind) {
    this.#timers.delete(kind);
    const now = this.clock.now();
    const wait = Math.max((this.#sent.get(kind) ?? -Infinity) + this.#interval(kind) - now, this.bucket.wait);
    if (wait > 0) return void this.#timers.set(kind, this.clock.setTimeout(() => this.#flush(kind), Math.min(wait, LONGEST)));
    const content = this.#waiting.get(kind);
    this.#waiting.delete(kind);
    const data = typeof content === "function" ? content() : content;
    if (!data) return;
    this.bucket.take();
    this.#sent.set(kind, now);
    this.post([{ type: "signal", kind, data }]);
  }

  /** @param {string} kind */
  #interval(kind) {
    return kind === "react" ? 0 : Math.max(this.pace, SLOWER[kind] ?? 0);
  }
}
