// Having the state that events go on from: fetched when there is none, when the hole is too wide, when ours is wrong.
// @ts-check

/**
 * @typedef {import("./clock.js").Clock} Clock
 * @typedef {import("./store.js").Store} Store
 *
 * @typedef {object} Surroundings
 * @property {() => number} connection  number of the connection; what began on another one is not gone on with
 * @property {() => boolean} reachable  whether boards can be had
 * @property {(ids: string[]) => void} settled  own ops that have their outcome by what was fetched
 */

const AGAIN = 600_000; // ms between two states fetched because of a digest

export class States {
  #comparedAt = -Infinity;
  #loading = false;
  /** How often our fold was not the server's. */
  mismatches = 0;

  /**
   * @param {{store: Store, snapshots: import("./snapshots.js").Snapshots, catchup: import("./catchup.js").Catchup, clock: Clock,
   *          around: Surroundings}} parts
   */
  constructor({ store, snapshots, catchup, clock, around }) {
    this.store = store;
    this.snapshots = snapshots;
    this.catchup = catchup;
    this.clock = clock;
    this.around = around;
  }

  /** Fetch a state of this epoch, not older than ours. @param {string|null} epoch  null: of any @returns {Promise<boolean>} */
  async fetch(epoch) {
    const { store } = this;
    const snapshot = await this.snapshots.fetch("current", () => (epoch === store.epoch ? store.applied : null));
    if (!snapshot || (epoch !== null && snapshot.epoch !== epoch)) return false;
    // Two who waited for it share it; and events may have gone beyond it, on a connection that had no need of it.
    if (snapshot.epoch !== store.epoch || snapshot.seq > store.applied) this.#take(snapshot);
    return true;
  }

  /** Fetch the board of the page that is looked at. Events wait meanwhile: edits of a board that is not there are dropped. */
  async loadBoard() {
    if (this.#loading) return;
    this.#loading = true;
    for (let page = this.#missing(); page !== null; page = this.#missing()) {
      const connection = this.around.connection();
      const loaded = await this.#load(page);
      const same = connection === this.around.connection();
      if (same) this.catchup.resume();
      if (!loaded && same && page === this.#missing()) break; // not to be had; asked again at the next turn of the page
    }
    this.#loading = false;
  }

  /** Compare a board's digest at the seq that we have applied; where it differs, the server is right.
   * @param {[page: string, digest: number]} theirs @returns {Promise<boolean>} whether there is another state now */
  async compare([page, digest]) {
    const own = this.store.digest(page);
    if (own === null || own === digest || this.clock.now() - this.#comparedAt < AGAIN) return false;
    this.#comparedAt = this.clock.now();
    this.mismatches += 1;
    const connection = this.around.connection();
    this.catchup.pause();
    const snapshot = await this.snapshots.fetch("current", () => this.store.applied);
    if (connection !== this.around.connection()) return false;
    if (snapshot?.epoch === this.store.epoch && snapshot.seq >= this.store.applied) this.#take(snapshot);
    this.catchup.resume();
    return true;
  }

  /** @param {import("./transport/doors.js").Snapshot} snapshot */
  #take(snapshot) {
    this.around.settled(this.store.snapshot(snapshot));
  }

  /** The page that is looked at, when its board is not there; else one of those that are wanted besides. @returns {string|null} */
  #missing() {
    const { store } = this;
    if (!store.lesson || !this.around.reachable()) return null;
    if (store.page !== null && !store.loaded(store.page)) return store.page;
    return store.near.find((page) => !store.loaded(page) && store.shown?.pages.some(({ id }) => id === page)) ?? null;
  }

  /** @param {string} page @returns {Promise<boolean>} */
  async #load(page) {
    const { store } = this;
    this.catchup.pause();
    const snapshot = await this.snapshots.fetch(page, () => store.applied);
    if (!snapshot || snapshot.epoch !== store.epoch || !Object.hasOwn(snapshot.state.boards, page)) return false;
    return store.loadBoard(page, snapshot.state.boards[page], snapshot.seq);
  }
}
