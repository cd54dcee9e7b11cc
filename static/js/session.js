// The life of one page load in a lesson: connects, stays current, sends what was proposed, says how it stands.
// @ts-check
import { Catchup } from "./catchup.js";
import { systemClock, systemRandom } from "./clock.js";
import { readOp } from "./kinds.js";
import { Link } from "./link.js";
import { Outbox } from "./outbox.js";
import { PROTOCOL, itemId, opId } from "./protocol.js";
import { Pulse } from "./pulse.js";
import { Roster } from "./roster.js";
import { Sender } from "./sender.js";
import { Signals } from "./signals.js";
import { Snapshots } from "./snapshots.js";
import { States } from "./states.js";
import { shelvesOf, tabStorage, wakersOf } from "./surroundings.js";
import { Tickets } from "./tickets.js";
import { Doors } from "./transport/doors.js";
import { SocketTransport } from "./transport/socket.js";
import { Undo } from "./undo.js";

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
 * @property {number} mismatches   how often our fold was not the server's (each ended with a fresh state)
 *
 * @typedef {import("./roster.js").Person} Person
 * @typedef {import("./roster.js").Presence} Presence
 * @typedef {{kind: string, by: string, data: any}} Signal
 *
 * @typedef {import("./clock.js").Clock} Clock
 * @typedef {import("./store.js").Store} Store
 * @typedef {import("./transport/doors.js").Pass} Pass
 * @typedef {{type: string, [field: string]: any}} Frame
 */

export class Session {
  /** @type {{phase: Phase, since: number, message: string}} */
  #phase;
  #ops = 0;
  #items = 0;
  #connections = 0;
  #knew = false; // whether the last `hello` said where we are
  #roster = new Roster();
  /** @type {Set<(signals: Signal[]) => void>} */
  #listeners = new Set();
  #ears = new AbortController();

  /**
   * Wired by a page like this; all other parts have these very defaults in the browser, tests inject their own:
   *   const store = new Store(pass.participant);
   *   const session = new Session({ pass, store, csrf });
   *   session.start();
   * @param {{pass: Pass, store: Store, csrf?: string, clock?: Clock, random?: () => number, outbox?: Outbox,
   *   transport?: import("./transport/socket.js").Transport, doors?: Pick<Doors, "state"|"ticket"|"rejoin">,
   *   wakers?: EventTarget[], storage?: Pick<Storage, "getItem"|"setItem">|null, mirror?: boolean}} parts  csrf: for members
   *   of staff; wakers: where `online pageshow pagehide visibilitychange` happen; storage: the tab's own, for undo and the outbox;
   *   mirror: a second screen of the same person, which sends nothing and shows that person's own passing ink too
   */
  constructor({ pass, store, csrf, clock = systemClock, random = systemRandom, outbox, transport, doors, wakers = wakersOf(), storage = tabStorage(), mirror = false }) {
    this.mirror = mirror;
    const whose = { lesson: pass.lesson, participant: pass.participant.id };
    this.store = store;
    this.clock = clock;
    this.wakers = wakers;
    this.#phase = { phase: "connecting", since: clock.now(), message: "" };
    this.outbox = outbox ?? new Outbox(whose, { factory: shelvesOf(), clock, random, notes: storage });
    const theDoors = doors ?? new Doors(pass, { csrf });
    this.tickets = new Tickets(theDoors, pass.ticket, pass.participant.id);
    this.link = new Link({
      transport: transport ?? new SocketTransport(pass.live.socket),
      clock,
      random,
      events: {
        hello: () => this.#hello(),
        frame: (frame) => this.#hear(frame),
        lost: (message) => this.#lost(message),
        final: (phase, message) => void this.#final(phase, message),
        reticket: () => this.tickets.renew(),
      },
    });
    this.catchup = new Catchup({
      clock,
      random,
      events: {
        applied: () => store.applied,
        apply: (event) => this.#apply(event),
        ask: () => this.link.send([{ type: "sync", since: store.applied, at: store.at }]),
        giveUp: () => this.link.restart(),
      },
    });
    this.sender = new Sender({
      clock,
      pending: () => store.pending,
      mark: (id, state) => store.mark(id, state),
      post: (frames) => this.link.send(frames),
    });
    this.undo = new Undo({
      propose: (kind, data) => this.propose(kind, data),
      withdraw: (id) => this.#withdraw(id),
      epoch: () => store.epoch,
      board: (page) => {
        const board = store.lesson?.boards.get(page);
        return board && board.seq <= store.applied ? board : undefined;
      },
      storage,
      key: `lectern.undo.${pass.lesson}.${pass.participant.id}`,
    });
    store.witness = (event) => this.undo.witness(event);
    this.pulse = new Pulse({ clock, ask: (t) => this.link.send([{ type: "time", t }]) });
    this.signals = new Signals({ clock, post: (frames) => this.link.send(frames) });
    this.snapshots = new Snapshots({ door: theDoors, tickets: this.tickets, clock, random });
    this.states = new States({
      store,
      clock,
      snapshots: this.snapshots,
      catchup: this.catchup,
      around: {
        connection: () => this.#connections,
        reachable: () => this.link.up || store.ended,
        settled: (ids) => this.#settled(ids),
      },
    });
  }

  start() {
    const { signal } = this.#ears;
    for (const waker of this.wakers) {
      for (const kind of ["online", "pageshow", "visibilitychange"]) waker.addEventListener(kind, () => this.#wake(waker), { signal });
      waker.addEventListener("pagehide", () => void this.outbox.release(), { signal });
    }
    this.outbox.onadopted = (ops) => {
      this.store.adopt(ops);
      this.sender.pump();
      this.#tooLate();
    };
    this.outbox.ondurable = () => this.store.touch("status");
    signal.addEventListener("abort", this.store.subscribe(({ topics }) => topics.has("page") && void this.states.loadBoard()));
    void this.outbox.open();
    this.link.start();
    void this.states.fetch(null); // while the line is being opened: whichever is first, the page is there sooner
  }

  stop() {
    this.#quiet();
    this.#ears.abort();
    this.link.stop();
    this.snapshots.stop();
    void this.outbox.close();
  }

  // ---- doing

  /** Drawn at once, sent as pace allows, kept over a reload. Several calls of one task go in one frame.
   * @param {string} kind  op kind, `board.edit` @param {any} data  do not change it afterwards @returns {string} op id */
  propose(kind, data) {
    const op = { id: opId(this.outbox.client, (this.#ops += 1)), kind, data: normal(kind, data), born: this.clock.now() };
    this.store.propose(op);
    this.outbox.put(op);
    this.undo.proposed(op);
    this.sender.pump();
    return op.id;
  }

  /** @param {string} id */
  #withdraw(id) {
    const op = this.store.withdraw(id);
    if (op) this.outbox.remove(id);
    return op && { kind: op.kind, data: op.data };
  }

  /** A fresh item (or page) id, `participant.client.n`. @returns {string} */
  newItem() {
    return itemId(this.store.me.id, this.outbox.client, (this.#items += 1));
  }

  /** A passing message, dropped while not live. At most one of a kind each pace interval; between, the newest wins.
   * Where nothing may be left out (`ink`) give a function: it is called at the moment of sending and returns the data
   * gathered since its last call, or null for nothing; call `signal` again whenever there is more.
   * @param {string} kind @param {import("./signals.js").Content} content */
  signal(kind, content) {
    this.signals.send(kind, content);
  }

  /** Others' signals only. @param {(signals: Signal[]) => void} fn @returns {() => void} unsubscribe */
  onSignals(fn) {
    this.#listeners.add(fn);
    return () => void this.#listeners.delete(fn);
  }

  /** Have the boards of these pages too, besides that of the page looked at. @param {string[]} pages */
  want(pages) {
    this.store.near = pages;
    void this.states.loadBoard();
  }

  // ---- how it stands (topics "status", "presence")

  /** ms between two `ink` or `drag` signals, from the server @returns {number} */
  get pace() {
    return this.signals.pace;
  }

  /** @returns {Status} */
  get status() {
    const { pending } = this.store;
    return {
      ...this.#phase,
      roundTrip: this.pulse.roundTrip,
      unsent: pending.length,
      oldest: pending.length ? Math.min(...pending.map((op) => op.born)) : null,
      durable: this.outbox.durable,
      mismatches: this.states.mismatches,
    };
  }

  /** @returns {Presence} */
  get presence() {
    return this.#roster.presence;
  }

  /** ms since 1970 by the server's clock, for showing ages and timers. @returns {number} */
  get serverNow() {
    return this.pulse.serverNow;
  }

  /** Reconnect now instead of waiting for the next try ("try again" in the banner). */
  hurry() {
    if (!this.link.up) this.link.hurry();
  }

  // ---- the tray

  /** Propose it again, with all that depended on it. @param {string} id */
  retry(id) {
    const entry = this.store.untray(id);
    for (const { kind, data } of entry ? [entry, ...entry.dependants] : []) this.propose(kind, data);
  }

  /** Show it to oneself only, until this page is closed. @param {string} id */
  keep(id) {
    this.store.keep(id);
  }

  /** @param {string} id */
  discard(id) {
    this.store.untray(id);
  }

  // ---- the line

  /** @returns {Frame} */
  #hello() {
    const { epoch, applied, at, lesson } = this.store;
    this.#knew = Boolean(lesson);
    const where = lesson ? { epoch, since: applied, at } : { epoch: null, since: null, at: null };
    return { type: "hello", protocol: [PROTOCOL], ticket: this.tickets.current, client: this.outbox.client, ...where };
  }

  /** @param {Frame} frame  one of a kind that is not known here is passed over */
  #hear(frame) {
    if (frame.type === "welcome") void this.#welcome(frame);
    else if (frame.type === "events") this.catchup.receive(frame.events);
    else if (frame.type === "done") this.#done(frame);
    else if (frame.type === "refused") this.#refused(frame);
    else if (frame.type === "signals") this.#passOn(frame.signals);
    else if (frame.type === "presence") this.#here(frame);
    else if (frame.type === "ping") this.#ping(frame);
    else if (frame.type === "time") this.#time(/** @type {any} */ (frame));
  }

  /** @param {Frame} frame */
  async #welcome({ epoch, head, mode, me, ticket, limits, pace, now }) {
    const connection = (this.#connections += 1);
    this.tickets.current = ticket;
    this.#roster.begin();
    this.store.setMe(me);
    this.signals.pace = pace;
    this.catchup.reset();
    if (mode !== "resume") {
      this.catchup.pause();
      // A state that came after `hello` is as good as one that is fetched now.
      const there = (!this.#knew && this.store.epoch === epoch) || (await this.states.fetch(epoch));
      if (connection !== this.#connections || !this.link.up) return; // another connection goes its own way
      if (!there) return this.link.restart();
      this.catchup.resume();
      this.catchup.reaches(head);
      this.catchup.ask();
    }
    this.signals.open = true;
    this.#enter(this.store.ended ? "ended" : "live");
    this.sender.open(limits);
    this.catchup.reaches(head);
    this.pulse.start(now);
    void this.states.loadBoard();
  }

  /** @param {string} message */
  #lost(message) {
    this.#quiet();
    if (this.store.ended) {
      this.link.stop(); // its state came before the line did, and there is nothing to come back for
      void this.#final("ended", message);
    } else this.#enter(this.#phase.phase === "connecting" ? "connecting" : "reconnecting", message);
  }

  /** @param {Phase} phase @param {string} message */
  async #final(phase, message) {
    this.#quiet();
    // No line opens into a lesson that has ended, but its state can still be had: it is there to be read.
    if (phase === "gone" && !this.store.ended) await this.states.fetch(null);
    this.#enter(this.store.ended ? "ended" : phase, message);
    this.#tooLate();
    void this.states.loadBoard();
  }

  /** What is still on its way when no line opens any more never arrives: its author is told, and keeps it. */
  #tooLate() {
    if (this.#phase.phase !== "ended" || this.link.up) return;
    for (const { id } of [...this.store.pending]) this.#settled(this.store.refuse(id, "ended", ""));
  }

  #quiet() {
    this.#connections += 1;
    this.catchup.reset();
    this.sender.close();
    this.signals.close();
    this.pulse.stop();
  }

  /** @param {EventTarget} waker */
  #wake(waker) {
    if ("hidden" in waker && waker.hidden) return;
    this.link.wake();
    void this.outbox.renew();
  }

  /** @param {Phase} phase @param {string} [message] */
  #enter(phase, message = "") {
    const since = phase === this.#phase.phase ? this.#phase.since : this.clock.now();
    this.#phase = { phase, since, message };
    this.store.touch("status");
  }

  // ---- events and answers

  /** @param {import("./catchup.js").LogEvent} event */
  #apply(event) {
    this.#settled(this.store.confirm(event));
    if (this.store.ended && this.#phase.phase === "live") this.#enter("ended");
  }

  /** @param {Frame} frame */
  #done({ id, seq }) {
    this.#settled(this.store.done(id, seq));
    this.sender.answered();
  }

  /** @param {Frame} frame */
  #refused({ id, code, message, retry, after }) {
    if (id === null) return;
    if (retry) return this.sender.postponed(id, code, after);
    this.#settled(this.store.refuse(id, code, message ?? ""));
  }

  /** @param {string[]} ids  own ops that have their outcome */
  #settled(ids) {
    for (const id of ids) {
      this.outbox.remove(id);
      this.undo.settled(id);
    }
    if (ids.length) this.sender.answered();
  }

  /** @param {Signal[]} signals  the same bytes for all, so one's own are among them */
  #passOn(signals) {
    const others = this.mirror ? signals : signals.filter((signal) => signal.by !== this.store.me.id);
    if (others.length) for (const fn of this.#listeners) fn(others);
  }

  /** @param {{t: number, now: number}} answer */
  #time(answer) {
    this.pulse.hear(answer);
    this.store.touch("status");
  }

  /** @param {any} frame */
  #here(frame) {
    this.#roster.hear(frame);
    this.store.touch("presence");
  }

  /** @param {Frame} frame */
  #ping({ head, digest, pace }) {
    this.signals.pace = pace ?? this.pace;
    this.link.send([{ type: "pong", applied: this.store.applied }]);
    this.catchup.reaches(head);
    if (digest && head === this.store.applied) void this.#compare(digest);
  }

  /** @param {[page: string, digest: number]} digest */
  async #compare(digest) {
    if (!(await this.states.compare(digest))) return;
    this.catchup.ask();
    void this.states.loadBoard();
  }
}

/** The data as the server will store it, so that what is drawn before and after is the same. What is not fit for that is
 * left for the door to refuse, with its code. @param {string} kind @param {any} data */
function normal(kind, data) {
  try {
    return readOp(kind, data).data;
  } catch {
    return data;
  }
}
