// What a screen reader says by itself: one polite region (pages, hands), one assertive (a lost connection).
// @ts-check

import { byId, write } from "../dom.js";

/** @type {Map<string, string>} what it is about -> words */
const waiting = new Map();

/**
 * What is said in one go is heard in one go; the same words again are heard again.
 * @param {string} text @param {string} [about]  words about the same thing that were not heard yet give way
 */
export function say(text, about = text) {
  const due = waiting.size > 0;
  waiting.delete(about);
  waiting.set(about, text);
  if (due) return;
  setTimeout(() => {
    const words = [...waiting.values()].join(" ");
    waiting.clear();
    const region = byId("polite");
    write(region, region.textContent === words ? `${words}\u00a0` : words);
  });
}

/** @param {string} text  "" when the matter is over */
export function alarm(text) {
  write(byId("assertive"), text);
}
