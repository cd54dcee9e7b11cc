// A clock that tests turn by hand, and chance they can repeat.

/** Timers fire in order, each after all microtasks of the one before it. */
export class FakeClock {
  #now = 1_764_000_000_000;
  #timers = new Map();
  #ids = 0;

  now = () => this.#now;

  setTimeout = (fn, ms) => {
    this.#ids += 1;
    this.#timers.set(this.#ids, { at: this.#now + Math.max(0, ms), fn });
    return this.#ids;
  };

  clearTimeout = (id) => void this.#timers.delete(id);

  /** Let `ms` pass. */
  async advance(ms) {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      const [id, timer] = next;
      this.#timers.delete(id);
      this.#now = Math.max(this.#now, timer.at);
      timer.fn();
      await settle();
    }
    this.#now = end;
  }

  /** The wall clock is set, timers stay as far away as they were. */
  jump(ms) {
    this.#now += ms;
    for (const timer of this.#timers.values()) timer.at += ms;
  }

  #next(end) {
    let first = null;
    for (const entry of this.#timers) {
      if (entry[1].at <= end && (!first || entry[1].at < first[1].at)) first = entry;
    }
    return first;
  }
}

/** All microtasks that are due, and those they bring. */
export async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await null;
}

/** Repeatable chance: mulberry32. */
export function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Wait for a state that real asynchronous parts bring about (IndexedDB): one loop turn after another. */
export async function until(condition) {
  for (let turn = 0; turn < 10_000; turn += 1) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`never came true: ${condition}`);
}
