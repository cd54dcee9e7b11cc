// The round trip, measured now and then, and with it what the server's clock says.
// @ts-check

/** @typedef {import("./clock.js").Clock} Clock */

const EVERY = 10_000; // ms

export class Pulse {
  /** ms that the server's clock is ahead of ours */
  #ahead = 0;
  /** @type {any} */
  #timer = null;
  /** ms; null before the first answer @type {number|null} */
  roundTrip = null;

  /** @param {{clock: Clock, ask: (t: number) => void}} parts  ask: send `time` */
  constructor({ clock, ask }) {
    this.clock = clock;
    this.ask = ask;
  }

  /** ms since 1970 by the server's clock @returns {number} */
  get serverNow() {
    return this.clock.now() + this.#ahead;
  }

  /** @param {number} now  the server's, from `welcome` */
  start(now) {
    this.#ahead = now - this.clock.now();
    this.#beat();
  }

  stop() {
    this.clock.clearTimeout(this.#timer);
  }

  /** @param {{t: number, now: number}} answer */
  hear({ t, now }) {
    this.roundTrip = Math.max(0, this.clock.now() - t);
    this.#ahead = now + this.roundTrip / 2 - this.clock.now();
  }

  #beat() {
    this.stop();
    this.ask(this.clock.now());
    this.#timer = this.clock.setTimeout(() => this.#beat(), EVERY);
  }
}
