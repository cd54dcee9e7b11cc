// What this person sees of the lesson: the confirmed fold, with their own pending ops laid over it.
// @ts-check

/**
 * An own op between the gesture and its event.
 * @typedef {object} PendingOp
 * @property {string} id           op id, `client:n`
 * @property {string} kind         op kind, `board.edit`
 * @property {any} data            op data as proposed; never changed afterwards
 * @property {"queued"|"sent"|"logged"} state  waiting to be sent; sent and unanswered; `done` came, its event has not
 * @property {number} born         ms, own clock
 * @property {number|null} seq     known once `logged`
 *
 * An item as it is displayed. Frozen; a new object whenever anything of it changes, so `===` tells.
 * @typedef {object} ShownItem
 * @property {string} id
 * @property {string} kind
 * @property {string} by           participant who added it
 * @property {Record<string, any>} values  field -> value, `alive` left out
 * @property {boolean} pending     true while an own op on it waits for its event
 * @property {boolean} kept        true for refused ink kept to oneself: nobody else sees it
 *
 * Refused (or void) work that was taken off the board: one entry for an op with all that depended on it.
 * @typedef {object} TrayEntry
 * @property {string} id           op id of the refused op, the handle for retry, keep and discard
 * @property {string} kind
 * @property {any} data
 * @property {string} code         refusal code, or `void`
 * @property {string} message      a sentence for people
 * @property {{id: string, kind: string, data: any}[]} dependants  later own ops that make no sense without it, in order
 *
 * Own work of which something did not come to pass; for a toast. Everything that was made is in the tray as well.
 * @typedef {object} Notice
 * @property {string} op
 * @property {string} kind
 * @property {"refused"|"void"} outcome  the door said no; or the log has it and the fold let (part of) it fall
 * @property {string} code         refusal code, or `void`
 * @property {string} message
 * @property {boolean} tray        the work waits in the tray
 *
 * An item that is shown elsewhere than was predicted: tween from `from`, or fade when `item(page, id)` is gone now.
 * @typedef {{page: string, id: string, kind: string, from: Record<string, any>}} Correction
 *
 * @typedef {"items"|"pages"|"people"|"policy"|"hands"|"chat"|"pending"|"tray"|"status"|"me"|"page"|"presence"|"signals"} Topic
 *
 * All that changed since the last call.
 * @typedef {object} Change
 * @property {Set<Topic>} topics
 * @property {Map<string, Set<string> | "all">} items  page -> ids whose display changed; `all` after a snapshot, a load or a clear
 * @property {Correction[]} corrections
 * @property {Notice[]} notices
 */

export class Store {
  /** @param {{id: string, name: string, role: string, color: string}} me  the pass's participant */
  constructor(me) {
    this.me = me;
    /** @type {any} confirmed fold (lesson.js), read-only for everybody but the session; null before the first snapshot */
    this.lesson = null;
    /** @type {PendingOp[]} own ops without an outcome, in order */
    this.pending = [];
    /** @type {TrayEntry[]} */
    this.tray = [];
    this.epoch = "";
    /** seq of the newest applied event; 0 before the first snapshot */
    this.applied = 0;
    /** server's time of that event */
    this.at = 0;
  }

  // ---- reading

  /** The lesson as this person sees it: `lesson` with own pending page, policy and hand ops laid over it (chat is not:
   * a post that waits stands in `pending`). The same object as `lesson` while nothing such waits. Boards: use `items`. */
  get shown() { throw new Error("being written"); }
  /** @returns {string|null} the page looked at: follows `shown.current` until `look`, and again after `follow` */
  get page() { throw new Error("being written"); }
  /** @returns {boolean} */
  get following() { throw new Error("being written"); }
  /** Displayed items in paint order. The array is kept up to date in place: copy it to hold it over a task. @param {string} page @returns {readonly ShownItem[]} */
  items(page) { throw new Error("being written"); }
  /** @param {string} page @param {string} id @returns {ShownItem|undefined} */
  item(page, id) { throw new Error("being written"); }
  /** False while a page's board is on its way (show a skeleton). @param {string} page @returns {boolean} */
  loaded(page) { throw new Error("being written"); }

  // ---- looking

  /** Look at a page of one's own choice. @param {string} page */
  look(page) { throw new Error("being written"); }
  /** Go with the lesson again. */
  follow() { throw new Error("being written"); }

  /** Called once a microtask with all that changed. @param {(change: Change) => void} fn @returns {() => void} unsubscribe */
  subscribe(fn) { throw new Error("being written"); }
}
