// The colours that tools offer, each in one place: ink, highlights, letters, paper. Names are English source texts.
// @ts-check

/** @typedef {{value: string, name: string}} Shade */

const RED = { value: "#d3322b", name: "Red" };
const BLUE = { value: "#2f5fd0", name: "Blue" };
const GREEN = { value: "#17694f", name: "Green" };
const BLACK = { value: "#1d1c1a", name: "Black" };
/** Readable on dark slides; paint.js draws a dark line around light letters, so on white ones as well. */
const WHITE = { value: "#fffdf7", name: "White" };

/** @type {Shade[]} */
export const INK = [RED, BLUE, GREEN, BLACK];

/** @type {Shade[]} */
export const LETTERS = [BLACK, RED, BLUE, GREEN, WHITE];

/** @type {Shade[]} */
export const MARKER = [
  { value: "#ffd84d", name: "Yellow" },
  { value: "#7fdc9a", name: "Mint" },
  { value: "#ff9fbf", name: "Pink" },
  { value: "#84c8ff", name: "Sky blue" },
];

/** @type {Shade[]} */
export const PAPER = [
  { value: "#fff3c4", name: "Yellow" },
  { value: "#d8f3e2", name: "Mint" },
  { value: "#ffdfe9", name: "Pink" },
  { value: "#d9ecff", name: "Sky blue" },
];
