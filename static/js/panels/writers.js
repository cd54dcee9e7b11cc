// Who draws at this moment, from the ink that passes by.
// @ts-check

/** Somebody counts as drawing this long after their last ink, ms. */
const STAYS = 2_000;

export class Writers {
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #timers = new Map();

  /** @param {{touch: (topic: "signals") => void}} store  told when the set changes */
  constructor(store) {
    this.store = store;
  }

  /** @returns {Set<string>} participants */
  get now() {
    return new Set(this.#timers.keys());
  }

  /** @param {{kind: string, by: string}[]} signals */
  hear(signals) {
    for (const { kind, by } of signals) {
      if (kind !== "ink") continue;
      const known = this.#timers.get(by);
      clearTimeout(known);
      this.#timers.set(by, setTimeout(() => {
        this.#timers.delete(by);
        this.store.touch("signals");
      }, STAYS));
      if (known === undefined) this.store.touch("signals");
    }
  }
}
