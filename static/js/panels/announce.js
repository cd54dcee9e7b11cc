// What a screen reader says by itself: one polite region (pages, hands), one assertive (a lost connection).
// @ts-check

import { byId, write } from "../dom.js";

/** @type {string[]} */
let waiting = [];

/** What is said in one go is heard in one go; the same words again are heard again. @param {string} text */
export function say(text) {
  waiting.push(text);
  if (waiting.length > 1) return;
  setTimeout(() => {
    const words = [...new Set(waiting)].join(" ");
    waiting = [];
    const region = byId("polite");
    write(region, region.textContent === words ? `${words}\u00a0` : words);
  });
}

/** @param {string} text  "" when the matter is over */
export function alarm(text) {
  write(byId("assertive"), text);
}
