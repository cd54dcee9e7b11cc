// The line to the server: opened again for as long as that makes sense, dropped when nothing is heard.
// @ts-check

/**
 * @typedef {import("./clock.js").Clock} Clock
 * @typedef {import("./transport/socket.js").Transport} Transport
 * @typedef {{type: string, [field: string]: any}} Frame
 * @typedef {"ended"|"removed"|"replaced"|"gone"|"too_many_tabs"|"reload"} FinalPhase
 *
 * @typedef {object} LinkEvents
 * @property {() => Frame} hello      the first frame of each connection
 * @property {(frame: Frame) => void} frame  every frame, `welcome` first
 * @property {(message: string) => void} lost  not connected now; it is being tried again
 * @property {(phase: FinalPhase, message: string) => void} final  it is over
 * @property {() => Promise<boolean>} reticket  get a fresh ticket; false when there is none to be had, throws when nobody answers
 */

const WELCOME = 10_000; // ms from opening to `welcome`
const SILENCE = 35_000; // ms without a frame: the server pings every 25 s
const STALE = 15_000; // ms without a frame after which a page that wakes up does not wait (`time` is asked every 10 s)
const STEADY = 30_000; // ms live after which the next loss is a first one again
const LONGEST = 30_000;
const A_WHILE = 1_000; // ms at least before coming back when the server did not say when

/** @type {Record<number, FinalPhase>} close codes after which coming back unchanged is no use; others of 4000-4099: gone */
const FINAL = { 4003: "removed", 4004: "gone", 4005: "reload", 4006: "replaced", 4007: "reload", 4009: "too_many_tabs" };
const BAD_TICKET = 4001;

export class Link {
  /** @type {import("./transport/socket.js").Connection|null} */
  #connection = null;
  #timers = { retry: null, patience: null };
  #tries = 0;
  #heard = 0;
  #upSince = 0;
  #over = true;

  /** @param {{transport: Transport, clock: Clock, random: () => number, events: LinkEvents}} parts */
  constructor({ transport, clock, random, events }) {
    this.transport = transport;
    this.clock = clock;
    this.random = random;
    this.events = events;
    /** ms; range of the first retry, from `welcome` @type {[number, number]} */
    this.retry = [200, 1000];
  }

  get up() {
    return this.#upSince > 0;
  }

  start() {
    this.#over = false;
    this.#open();
  }

  stop() {
    this.#over = true;
    this.#drop();
    this.clock.clearTimeout(this.#timers.retry);
  }

  /** @param {Frame[]} frames  in one text; they are lost when there is no connection, as they may be at any time */
  send(frames) {
    if (this.#connection && frames.length) this.#connection.send(JSON.stringify(frames.length === 1 ? frames[0] : frames));
  }

  /** The network or the page is back: waiting is over, and a line on which nothing was heard lately is not trusted. */
  wake() {
    if (this.#over) return;
    const stale = this.clock.now() - this.#heard > STALE;
    if (!this.#connection || stale) this.hurry();
  }

  /** Connect now. */
  hurry() {
    if (this.#over) return;
    if (this.#connection) this.#lost({ wait: 0, message: "" });
    else this.#open();
  }

  /** Give this connection up and come back in the usual way: it answers, but not as it should. */
  restart() {
    if (this.#connection) this.#closed(1006);
  }

  // ---- one connection

  #open() {
    this.clock.clearTimeout(this.#timers.retry);
    this.#drop();
    this.#heard = this.clock.now();
    this.#watch(WELCOME);
    try {
      this.#connection = this.transport.open({
        opened: () => this.send([this.events.hello()]),
        heard: (text) => this.#hear(text),
        closed: (code) => this.#closed(code),
      });
    } catch {
      this.#closed(1006); // a page that may not open sockets at all
    }
  }

  #drop() {
    this.#connection?.drop();
    this.#connection = null;
    this.#upSince = 0;
    this.clock.clearTimeout(this.#timers.patience);
  }

  /** @param {number} ms */
  #watch(ms) {
    this.clock.clearTimeout(this.#timers.patience);
    this.#timers.patience = this.clock.setTimeout(() => {
      const left = (this.up ? SILENCE : WELCOME) - (this.clock.now() - this.#heard);
      if (left > 0) this.#watch(left);
      else this.#closed(1006);
    }, ms);
  }

  /** @param {string} text */
  #hear(text) {
    const connection = this.#connection;
    this.#heard = this.clock.now();
    for (const frame of framesOf(text)) {
      if (frame.type === "bye") return this.#closed(frame.code, frame);
      if (frame.type === "welcome") {
        this.#upSince = this.clock.now();
        this.retry = frame.retry ?? this.retry;
      }
      this.events.frame(frame);
      if (this.#connection !== connection) return; // what a frame brought about ended this connection
    }
  }

  // ---- what comes after it

  /** @param {number} code @param {Frame} [bye] */
  #closed(code, bye) {
    const message = bye?.message ?? "";
    const final = bye?.reload ? "reload" : FINAL[code];
    if (code === BAD_TICKET) void this.#reticket(message);
    else if (bye?.reload) this.#lost({ wait: this.#later(bye), message, final: "reload" });
    else if (final || (code >= 4000 && code < 4100)) this.#end(final ?? "gone", message);
    else this.#lost({ wait: this.#wait(code, bye), message });
  }

  /** ms until the next try @param {number} code @param {Frame} [bye] @returns {number} */
  #wait(code, bye) {
    if (this.#upSince && this.clock.now() - this.#upSince >= STEADY) this.#tries = 0;
    if (code >= 4200 && code < 4300 && !this.#tries) return 0;
    if (bye?.after || bye?.spread) return this.#later(bye);
    const usual = this.#usual();
    return code >= 4100 && code < 4200 ? A_WHILE + usual : usual;
  }

  /** @param {Frame} bye */
  #later({ after = 0, spread = 0 }) {
    return after + this.random() * spread;
  }

  #usual() {
    const [least, most] = this.retry;
    if (!this.#tries) return least + this.random() * (most - least);
    return this.random() * Math.min(LONGEST, 500 * 2 ** this.#tries);
  }

  /** @param {{wait: number, message: string, final?: FinalPhase}} how */
  #lost({ wait, message, final }) {
    this.#drop();
    this.#tries += 1;
    this.clock.clearTimeout(this.#timers.retry);
    this.#timers.retry = this.clock.setTimeout(() => (final ? this.#end(final, message) : this.#open()), wait);
    this.events.lost(message);
  }

  /** @param {FinalPhase} phase @param {string} message */
  #end(phase, message) {
    this.stop();
    this.events.final(phase, message);
  }

  /** @param {string} message */
  async #reticket(message) {
    const wait = this.#tries ? this.#usual() : 0;
    this.#lost({ wait: LONGEST, message });
    let fresh;
    try {
      fresh = await this.events.reticket();
    } catch {
      fresh = null;
    }
    if (this.#over || this.#connection) return;
    this.clock.clearTimeout(this.#timers.retry);
    if (fresh === false) this.#end("gone", message);
    else this.#timers.retry = this.clock.setTimeout(() => this.#open(), fresh ? wait : this.#usual());
  }
}

/** @param {string} text @returns {Frame[]} none when it cannot be read */
function framesOf(text) {
  try {
    const said = JSON.parse(text);
    return (Array.isArray(said) ? said : [said]).filter((frame) => typeof frame?.type === "string");
  } catch {
    return [];
  }
}
