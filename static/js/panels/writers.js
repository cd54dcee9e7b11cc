// Who draws at this moment, from the ink that passes by.
// @ts-check

/** Somebody counts as drawing this long after their last ink, ms. */
const STAYS = 2_000;

export class Writers {
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #timers = new Map();

  /** @type {Set<() => void>} */
  #listeners = new Set();

  /** @returns {Set<string>} participants */
  get now() {
    return new Set(this.#timers.keys());
  }

  /** @param {() => void} fn  called when somebody begins or ends */
  onChange(fn) {
    this.#listeners.add(fn);
  }

  /** @param {{kind: string, by: string}[]} signals */
  hear(signals) {
    for (const { kind, by } of signals) {
      if (kind !== "ink") continue;
      const known = this.#timers.get(by);
      clearTimeout(known);
      this.#timers.set(by, setTimeout(() => {
        this.#timers.delete(by);
        this.#tell();
      }, STAYS));
      if (known === undefined) this.#tell();
    }
  }

  #tell() {
    for (const fn of this.#listeners) fn();
  }
}
