// Fetching states and boards: one at a time, again until it works, with a ticket that is good.
// @ts-check

/**
 * @typedef {import("./clock.js").Clock} Clock
 * @typedef {import("./transport/doors.js").Snapshot} Snapshot
 * @typedef {{state: (what: {ticket: string, boards: string, atLeast: number|null}) => Promise<Snapshot>}} StateDoor
 */

const FIRST_RETRY = 500; // ms, doubled at each failure
const LONGEST_RETRY = 15_000;
const UNAUTHORIZED = [401, 403];
const FINAL = [404, 409]; // no such page; the lesson is over, and gone

export class Snapshots {
  #stopped = false;
  /** What is being fetched, by `boards`. @type {Map<string, Promise<Snapshot|null>>} */
  #fetching = new Map();

  /**
   * @param {{door: StateDoor, tickets: import("./tickets.js").Tickets, clock: Clock, random: () => number}} parts
   */
  constructor({ door, tickets, clock, random }) {
    this.door = door;
    this.tickets = tickets;
    this.clock = clock;
    this.random = random;
  }

  stop() {
    this.#stopped = true;
  }

  /**
   * The state, not older than seq `atLeast()`, with the board of the current page or of one page. Who asks while the same is on its way shares it.
   * @param {string} boards  `current` or a page @param {() => number|null} atLeast @returns {Promise<Snapshot|null>} null: stopped, or not to be had
   */
  fetch(boards, atLeast) {
    const under = this.#fetching.get(boards);
    if (under) return under;
    const fetching = this.#fetch(boards, atLeast).finally(() => this.#fetching.delete(boards));
    this.#fetching.set(boards, fetching);
    return fetching;
  }

  /** @param {string} boards @param {() => number|null} atLeast @returns {Promise<Snapshot|null>} */
  async #fetch(boards, atLeast) {
    for (let failures = 0; !this.#stopped; failures += 1) {
      try {
        return await this.door.state({ ticket: this.tickets.current, boards, atLeast: atLeast() });
      } catch (error) {
        const { status = 0, after = 0 } = /** @type {{status?: number, after?: number}} */ (error);
        if (FINAL.includes(status) || (UNAUTHORIZED.includes(status) && !(await this.#reticket()))) return null;
        await this.#pause(after + this.random() * Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** failures));
      }
    }
    return null;
  }

  async #reticket() {
    try {
      return await this.tickets.renew();
    } catch {
      return true; // nobody answered; the next try may
    }
  }

  /** @param {number} ms @returns {Promise<void>} */
  #pause(ms) {
    return new Promise((resolve) => this.clock.setTimeout(resolve, ms));
  }
}
