// Events in the order of the log, whatever the line does to them: the next one applies, an old one falls, a hole is asked for.
// @ts-check

/**
 * @typedef {import("./clock.js").Clock} Clock
 * @typedef {{seq: number, kind: string, by: string|null, at: number, op: string|null, data: any}} LogEvent
 *
 * @typedef {object} CatchupEvents
 * @property {() => number} applied   seq of the newest applied event
 * @property {(event: LogEvent) => void} apply
 * @property {() => void} ask         send `sync`
 * @property {() => void} giveUp      three were not answered: the connection is no good
 */

const PATIENCE = 150; // ms that a hole may fill by itself
const SPREAD = 350; // ms more, at random: everybody sees the same hole
const BEHIND = 2_000; // ms behind the head with nothing held
const ANSWER = 3_000; // ms for an answer to `sync`
const FAILURES = 3;
const MOST_HELD = 2_000; // events; what is beyond comes again with the answer

export class Catchup {
  /** Events beyond a hole. @type {Map<number, LogEvent>} */
  #held = new Map();
  /** @type {any} */
  #timer = null;
  /** hole, behind: waiting whether it comes by itself @type {"idle"|"hole"|"behind"|"asked"} */
  #state = "idle";
  #askedAt = 0;
  #target = 0;
  #failures = 0;
  #head = 0;
  #pauses = 0;

  /** @param {{clock: Clock, random: () => number, events: CatchupEvents}} parts */
  constructor({ clock, random, events }) {
    this.clock = clock;
    this.random = random;
    this.events = events;
  }

  get behind() {
    return this.events.applied() < this.#head;
  }

  /** A new connection: nothing is asked for on it yet. */
  reset() {
    this.#held.clear();
    this.#head = 0;
    this.#failures = 0;
    this.#pauses = 0;
    this.#idle();
  }

  /** Hold everything while a state is on its way; each pause wants its `resume`, on the same connection. */
  pause() {
    this.#pauses += 1;
    this.#idle();
  }

  resume() {
    this.#pauses -= 1;
    this.#drain();
    this.#look();
  }

  /** @param {LogEvent[]} events */
  receive(events) {
    for (const event of events) {
      if (event.seq > this.events.applied() && this.#held.size < MOST_HELD) this.#held.set(event.seq, event);
    }
    this.#drain();
    this.#look();
  }

  /** The log is known to reach to `seq`. @param {number} seq */
  reaches(seq) {
    this.#head = Math.max(this.#head, seq);
    this.#look();
  }

  /** Ask now: after a state was fetched the server sends nothing before it hears where we are. */
  ask() {
    this.events.ask();
    if (!this.#held.size && !this.behind) return this.#idle(); // there is nothing to answer with
    this.#askedAt = this.events.applied();
    this.#enter("asked", ANSWER, () => this.#unanswered());
  }

  #drain() {
    if (this.#pauses) return;
    for (let next = this.#next(); next; next = this.#next()) {
      this.#held.delete(next.seq);
      this.events.apply(next);
    }
    const applied = this.events.applied();
    for (const seq of this.#held.keys()) if (seq <= applied) this.#held.delete(seq);
  }

  #next() {
    return this.#held.get(this.events.applied() + 1);
  }

  /** Something changed: is there still, or now, something to wait for? */
  #look() {
    if (this.#pauses) return;
    const applied = this.events.applied();
    if (this.#state === "asked") {
      if (applied === this.#askedAt) return;
      this.#failures = 0;
      this.#idle();
    }
    if (this.#held.size) this.#await("hole", PATIENCE + this.random() * SPREAD);
    else if (!this.behind) this.#idle();
    else if (this.#state !== "behind" || applied >= this.#target) {
      this.#idle();
      this.#target = this.#head;
      this.#await("behind", BEHIND);
    }
  }

  /** @param {"hole"|"behind"} state @param {number} ms */
  #await(state, ms) {
    if (this.#state !== state) this.#enter(state, ms, () => this.ask());
  }

  #unanswered() {
    this.#failures += 1;
    if (this.#failures >= FAILURES) this.events.giveUp();
    else this.ask();
  }

  #idle() {
    this.#state = "idle";
    this.clock.clearTimeout(this.#timer);
  }

  /** @param {"hole"|"behind"|"asked"} state @param {number} ms @param {() => void} then */
  #enter(state, ms, then) {
    this.#state = state;
    this.clock.clearTimeout(this.#timer);
    this.#timer = this.clock.setTimeout(then, ms);
  }
}
