// Time and chance, injected everywhere so that tests own them.
// @ts-check

/**
 * @typedef {object} Clock
 * @property {() => number} now  ms since 1970, this machine's
 * @property {(fn: () => void, ms: number) => any} setTimeout
 * @property {(id: any) => void} clearTimeout
 */

/** @type {Clock} */
export const systemClock = {
  now: () => Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (id) => clearTimeout(id),
};

/** 32 random bits as a number in [0, 1); `getRandomValues` exists on plain http too, `randomUUID` does not. */
export function systemRandom() {
  return crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32;
}
