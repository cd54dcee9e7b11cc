// What a screen reader says by itself: one polite region (pages, hands), one assertive (a lost connection).
// @ts-check

import { byId, write } from "../dom.js";

/** @param {string} text */
export function say(text) {
  write(byId("polite"), text);
}

/** @param {string} text  "" when the matter is over */
export function alarm(text) {
  write(byId("assertive"), text);
}
