// Own ops without an outcome, kept over a reload, a crash and a closed tab; in memory alone where nothing can be kept.
// @ts-check
import { Partitions } from "./partitions.js";

/**
 * @typedef {import("./partitions.js").Op} Op
 * @typedef {import("./partitions.js").Row} Row
 * @typedef {import("./clock.js").Clock} Clock
 * @typedef {import("./partitions.js").Left} Left
 * @typedef {Row & {saved: boolean, adopted: boolean}} Entry
 * @typedef {Pick<Storage, "getItem"|"setItem">} Notes
 */

const RENEWAL = 5_000; // ms; a third of the lease
const MOST_OPS = 5_000;
const MOST_BYTES = 4 * 1024 * 1024;

export class Outbox {
  /** @type {Map<string, Entry>} by op id, in order */
  #entries = new Map();
  /** @type {import("./partitions.js").Key[]} rows to be taken away */
  #removed = [];
  /** @type {Partitions|null} */
  #shelves = null;
  #claimed = false;
  #order = 0;
  #open = false;
  /** @type {any} */
  #timer = null;
  /** Work on the shelves is done one after another. @type {Promise<void>} */
  #turn = Promise.resolve();
  #turns = 0;
  #scheduled = false;
  /** What the page before this one, in the same tab, said as it went. @type {Left|null} */
  #left = null;

  /**
   * @param {{lesson: number, participant: string}} whose
   * @param {{factory: IDBFactory|undefined|null, clock: Clock, random: () => number, notes?: Notes|null}} parts
   *   factory: `indexedDB` where it exists; notes: the tab's own storage, kept over a reload
   */
  constructor(whose, { factory, clock, random, notes = null }) {
    this.whose = whose;
    this.factory = factory;
    this.notes = notes;
    this.key = `lectern.left.${whose.lesson}.${whose.participant}`;
    this.clock = clock;
    this.random = random;
    /** Eight hex digits of this page load; drawn anew when another tab adopted our partition while we slept. */
    this.client = this.#draw();
    /** False while something is kept in memory alone. */
    this.durable = true;
    /** @type {(ops: Op[]) => void} ops of a tab that is gone: they keep their ids, and are ours to send now */
    this.onadopted = () => {};
    /** @type {() => void} */
    this.ondurable = () => {};
  }

  /** Open the shelves and adopt what was left on them. Never fails: without IndexedDB the ops live in memory. */
  open() {
    this.#open = true;
    this.#left = this.#readNote();
    return this.renew();
  }

  /** @param {Op} op */
  put(op) {
    const size = JSON.stringify(op.data).length;
    this.#order += 1;
    this.#entries.set(op.id, { ...op, size, order: this.#order, partition: this.client, saved: false, adopted: false });
    this.#schedule();
  }

  /** The op has its outcome. @param {string} id */
  remove(id) {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    // A write that is under way may be saving it at this moment, so it is taken away even when it looks unsaved.
    this.#removed.push([entry.partition, entry.order]);
    this.#schedule();
  }

  /** Show that this tab lives, notice if it was taken for dead, take over from the dead, save what could not be saved. */
  async renew() {
    if (!this.#open) return;
    this.#wind();
    await this.#inTurn(async () => {
      const shelves = await this.#unlock();
      const mine = this.#claimed && (await shelves.renew(this.client, this.clock.now()));
      if (!mine) await this.#begin(shelves);
      this.#take(await shelves.adopt(this.client, this.clock.now(), this.#left));
      this.#left = null;
      await this.#write(shelves);
    });
  }

  /** The page is being left: the next one need not wait for the lease. (It may come back from the browser's cache: `renew`.)
   * The shelves may not hear of it, for what they do takes longer than a page that goes has; the tab's note is there at once. */
  async release() {
    this.clock.clearTimeout(this.#timer);
    this.#leaveNote();
    await this.#inTurn(async () => this.#shelves?.release(this.client, this.clock.now()));
  }

  async close() {
    this.#open = false;
    await this.release();
    this.#shelves?.close();
    this.#shelves = null;
  }

  // ---- the note to the next page of this tab

  #leaveNote() {
    try {
      this.notes?.setItem(this.key, JSON.stringify({ client: this.client, at: this.clock.now() }));
    } catch {
      // a full or forbidden storage: the next page waits for the lease
    }
  }

  /** @returns {Left|null} */
  #readNote() {
    try {
      return JSON.parse(this.notes?.getItem(this.key) ?? "null");
    } catch {
      return null;
    }
  }

  // ---- the shelves follow the entries

  #wind() {
    this.clock.clearTimeout(this.#timer);
    this.#timer = this.clock.setTimeout(() => {
      if (!this.#turns) return void this.renew();
      // A private window may leave a request unanswered for ever: nobody waits for it, and nothing counts as kept meanwhile.
      this.#setDurable(false);
      this.#wind();
    }, RENEWAL);
  }

  #draw() {
    return Math.floor(this.random() * 2 ** 32).toString(16).padStart(8, "0");
  }

  #schedule() {
    if (this.#scheduled || !this.#shelves) return; // without shelves the next renewal writes it all
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      void this.#inTurn(async () => this.#shelves && this.#write(this.#shelves));
    });
  }

  /** @param {() => Promise<unknown>} work */
  #inTurn(work) {
    this.#turns += 1;
    this.#turn = this.#turn
      .then(work)
      .then(() => {}, () => this.#lock())
      .finally(() => (this.#turns -= 1));
    return this.#turn;
  }

  async #unlock() {
    if (!this.factory) throw new Error("this browser keeps nothing");
    this.#shelves ??= await Partitions.open(this.factory, this.whose);
    return this.#shelves;
  }

  /** Closed, full or broken: go on in memory, and try again at the next renewal. */
  #lock() {
    this.#shelves?.close();
    this.#shelves = null;
    this.#setDurable(false);
  }

  /** A partition of our own. After an adoption the other tab sends our ops too, with the same ids, so each happens once;
   * they move along all the same, together with what is made from now on. @param {Partitions} shelves */
  async #begin(shelves) {
    if (this.#claimed) this.client = this.#draw();
    await shelves.claim(this.client, this.clock.now());
    this.#claimed = true;
    for (const entry of this.#entries.values()) {
      if (!entry.adopted) Object.assign(entry, { partition: this.client, saved: false });
    }
  }

  /** @param {Row[]} rows */
  #take(rows) {
    const fresh = [];
    for (const row of rows) {
      if (this.#entries.has(row.id)) this.#removed.push([row.partition, row.order]); // our own, from before a sleep
      else fresh.push(row);
    }
    for (const row of fresh) this.#entries.set(row.id, { ...row, saved: true, adopted: true });
    if (fresh.length) this.onadopted(fresh.map(({ id, kind, data, born }) => ({ id, kind, data, born })));
  }

  /** @param {Partitions} shelves */
  async #write(shelves) {
    for (let added = this.#affordable(); added.length || this.#removed.length; added = this.#affordable()) {
      const removed = this.#removed.splice(0);
      const rows = added.map(({ saved, adopted, ...row }) => row);
      const mine = await shelves.write(this.client, rows, removed);
      if (!mine) await this.#begin(shelves);
      else for (const entry of added) entry.saved = true;
    }
    this.#setDurable([...this.#entries.values()].every((entry) => entry.saved));
  }

  /** Unsaved entries that the limits leave room for; the others wait in memory until room comes. */
  #affordable() {
    const affordable = [];
    let ops = 0;
    let bytes = 0;
    for (const entry of this.#entries.values()) {
      ops += 1;
      bytes += entry.size;
      if (ops > MOST_OPS || bytes > MOST_BYTES) break;
      if (!entry.saved) affordable.push(entry);
    }
    return affordable;
  }

  /** @param {boolean} durable */
  #setDurable(durable) {
    if (durable === this.durable) return;
    this.durable = durable;
    this.ondurable();
  }
}
