// Own ops on their way up: in order, with their ids, as fast as the limits allow, again and again until they have an outcome.
// @ts-check
import { Bucket } from "./bucket.js";

/**
 * @typedef {import("./clock.js").Clock} Clock
 * @typedef {import("./store.js").PendingOp} PendingOp
 * @typedef {{type: string, [field: string]: any}} Frame
 */

const WINDOW = 20; // ops in flight
const TEXT = 20_000; // characters of a text, at most 3 bytes each: under the 64 KiB that a frame may have
const MARGIN = 0.9; // of the limits: the line may bring our frames closer together than they left
const NO_OUTCOME = 15_000; // ms in flight on a line that lives; then they are sent again, which harms nobody
const REMEMBERED = 64; // sent ops: more than can be unanswered
const PAUSE = 250; // ms after a refusal that says `retry` without saying when

export class Sender {
  #open = false;
  #due = false;
  #pausedUntil = 0;
  #silences = 0;
  /** @type {any} */
  #timer = null;
  /** @type {any} */
  #watch = null;
  /** The op that was refused for now: the server answers `try_again` to all others until it hears this one again. @type {PendingOp|null} */
  #held = null;
  /** The newest that were sent on this connection. @type {Map<string, PendingOp>} */
  #sent = new Map();

  /**
   * @param {{pending: () => PendingOp[], mark: (id: string, state: PendingOp["state"]) => void, post: (frames: Frame[]) => void,
   *          clock: Clock}} parts  pending: in order; mark: tells the store
   */
  constructor({ pending, mark, post, clock }) {
    this.pending = pending;
    this.mark = mark;
    this.post = post;
    this.clock = clock;
    this.bucket = new Bucket(clock, 10 * MARGIN, 40 * MARGIN);
  }

  /** Connected. @param {{ops: number, ops_burst: number}} limits */
  open({ ops, ops_burst }) {
    this.bucket.tune(ops * MARGIN, ops_burst * MARGIN);
    this.#open = true;
    this.#held = null;
    this.#sent.clear();
    this.#pausedUntil = 0;
    this.#silences = 0;
    this.pump();
  }

  /** The connection is gone, and nobody knows what of the ops in flight arrived: all of them go again. */
  close() {
    this.#open = false;
    this.clock.clearTimeout(this.#timer);
    this.clock.clearTimeout(this.#watch);
    this.#recall();
  }

  /** There may be something to send: at the end of this task, so that what is proposed in it goes in one text. */
  pump() {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      if (this.#open) this.#pump();
    });
  }

  /** An op has an outcome (or is logged, and waits for its event): the line moves. */
  answered() {
    this.#silences = 0;
    this.#watchAgain();
    this.pump();
  }

  /** Not now. Whatever was sent after it is refused as well, so it all goes again from there, in order.
   * @param {string} id @param {string} code @param {number} [after] ms */
  postponed(id, code, after = PAUSE) {
    this.#held ??= this.#sent.get(id) ?? null; // the first of a row of refusals is the one
    if (code === "rate_limited") this.bucket.empty();
    this.#pausedUntil = Math.max(this.#pausedUntil, this.clock.now() + after);
    this.#recall(id);
    this.answered();
  }

  // ---- what goes, and when

  /** Ops in flight are to be sent again. @param {string} [from] the first of them; all, when it is not pending any more */
  #recall(from) {
    const pending = this.pending();
    const first = pending.findIndex((op) => op.id === from);
    for (const op of pending.slice(Math.max(0, first))) if (op.state === "sent") this.mark(op.id, "queued");
  }

  #pump() {
    const wait = this.#pausedUntil - this.clock.now();
    if (wait > 0) return this.#pumpIn(wait);
    const frames = [];
    const queue = this.#queue();
    while (queue.length && this.bucket.take()) frames.push(this.#frame(/** @type {PendingOp} */ (queue.shift())));
    for (const text of texts(frames)) this.post(text);
    if (frames.length) this.#watchAgain();
    if (queue.length) this.#pumpIn(this.bucket.wait);
  }

  /** What may be sent now, in order, as far as the window goes. */
  #queue() {
    const pending = this.pending();
    const held = this.#held;
    // The held op may have its outcome by now (another tab sent it too), but the server waits to hear it from us.
    const queue = held && !pending.some((op) => op.id === held.id) ? [held] : [];
    let room = WINDOW - queue.length;
    for (const op of pending) {
      if (room <= 0) break;
      if (op.state === "logged") continue;
      room -= 1;
      if (op.state === "queued") queue.push(op);
    }
    return queue;
  }

  /** @param {PendingOp} op @returns {Frame} */
  #frame(op) {
    if (this.#held?.id === op.id) this.#held = null;
    this.#sent.set(op.id, op);
    const oldest = this.#sent.keys().next().value;
    if (this.#sent.size > REMEMBERED && oldest) this.#sent.delete(oldest);
    this.mark(op.id, "sent");
    return { type: "op", id: op.id, kind: op.kind, data: op.data };
  }

  /** @param {number} ms */
  #pumpIn(ms) {
    this.clock.clearTimeout(this.#timer);
    this.#timer = this.clock.setTimeout(() => this.pump(), ms);
  }

  #watchAgain() {
    this.clock.clearTimeout(this.#watch);
    if (!this.#open || !this.pending().some((op) => op.state === "sent")) return;
    this.#watch = this.clock.setTimeout(() => {
      this.#silences += 1;
      this.#recall();
      this.pump();
    }, NO_OUTCOME * 2 ** Math.min(this.#silences, 3));
  }
}

/** Frames in texts of a size that is read. @param {Frame[]} frames @returns {Frame[][]} */
function texts(frames) {
  /** @type {Frame[][]} */
  const texts = [];
  let room = 0;
  for (const frame of frames) {
    const size = JSON.stringify(frame).length + 1;
    if (size > room) {
      texts.push([]);
      room = TEXT;
    }
    room -= size;
    /** @type {Frame[]} */ (texts.at(-1)).push(frame);
  }
  return texts;
}
