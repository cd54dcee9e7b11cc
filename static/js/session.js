// The life of one page load in a lesson: connects, stays current, sends what was proposed, says how it stands.
// @ts-check

/**
 * @typedef {"connecting"|"live"|"reconnecting"|"ended"|"removed"|"replaced"|"gone"|"too_many_tabs"|"reload"} Phase
 *
 * @typedef {object} Status
 * @property {Phase} phase         `ended removed replaced gone too_many_tabs reload` are final: it does not come back by itself
 * @property {number|null} roundTrip  ms
 * @property {number} unsent       own ops without an outcome (queued, sent or logged)
 * @property {number|null} oldest  ms, own clock: when the oldest of them was born (nothing is said under 1 s)
 * @property {number} since        ms, own clock: when the phase began (banner after 3 s of `reconnecting`)
 * @property {boolean} durable     false: unsent work lives in memory only (private window, disk full) and closing the tab loses it
 * @property {string} message      the server's sentence for the phase, or ""
 *
 * @typedef {{id: string, name: string, role: string, color: string}} Person
 * @typedef {{count: number, people: Map<string, Person>, named: boolean}} Presence  named: false in large rooms, `people` is empty
 * @typedef {{kind: string, by: string, data: any}} Signal
 */

export class Session {
  /**
   * Wired by a page like this (all but pass and csrf have these very defaults in the browser; tests inject their own):
   *   const store = new Store(pass.participant);
   *   const session = new Session({ pass, store, csrf });
   *   session.start();
   * @param {{pass: any, store: import("./store.js").Store, csrf?: string, outbox?: any, transport?: any, doors?: any,
   *          clock?: any, random?: () => number, wakers?: EventTarget[]}} parts
   */
  constructor(parts) { void parts; }

  start() { throw new Error("being written"); }
  stop() { throw new Error("being written"); }

  // ---- doing

  /** Drawn at once, sent as pace allows, kept over a reload. Several calls of one task go in one frame.
   * @param {string} kind  op kind, `board.edit` @param {object} data  do not change it afterwards @returns {string} op id */
  propose(kind, data) { throw new Error("being written"); }
  /** A fresh item id, `participant.client.n`. @returns {string} */
  newItem() { throw new Error("being written"); }
  /** A passing message, dropped while not live. At most one of a kind each pace interval; between, the newest wins.
   * Where nothing may be left out (`ink`) give a function: it is called at the moment of sending and returns the data
   * gathered since its last call, or null for nothing; call `signal` again whenever there is more.
   * @param {string} kind @param {object | (() => object|null)} data */
  signal(kind, data) { throw new Error("being written"); }
  /** Others' signals only. @param {(signals: Signal[]) => void} fn @returns {() => void} unsubscribe */
  onSignals(fn) { throw new Error("being written"); }
  /** ms between two `ink` or `drag` signals, from the server @returns {number} */
  get pace() { throw new Error("being written"); }

  // ---- how it stands (topic "status", "presence")

  /** @returns {Status} */
  get status() { throw new Error("being written"); }
  /** @returns {Presence} */
  get presence() { throw new Error("being written"); }
  /** ms since 1970 by the server's clock, for showing ages and timers. @returns {number} */
  get serverNow() { throw new Error("being written"); }
  /** Reconnect now instead of waiting for the next try ("try again" in the banner). */
  hurry() { throw new Error("being written"); }

  // ---- the tray

  /** Propose it again, with all that depended on it. @param {string} id */
  retry(id) { throw new Error("being written"); }
  /** Show it to oneself only, until this page is closed. @param {string} id */
  keep(id) { throw new Error("being written"); }
  /** @param {string} id */
  discard(id) { throw new Error("being written"); }
}
