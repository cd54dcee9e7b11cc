// The colours that tools offer, each in one place: ink, highlights, letters, paper.
// @ts-check

import { t } from "../i18n.js";

/** @typedef {{value: string, name: string}} Shade */

const RED = { value: "#d3322b", name: t("Red") };
const BLUE = { value: "#2f5fd0", name: t("Blue") };
const GREEN = { value: "#17694f", name: t("Green") };
const BLACK = { value: "#1d1c1a", name: t("Black") };
/** Readable on dark slides; paint.js draws a dark line around light letters, so on white ones as well. */
const WHITE = { value: "#fffdf7", name: t("White") };

/** @type {Shade[]} */
export const INK = [RED, BLUE, GREEN, BLACK];

/** @type {Shade[]} */
export const LETTERS = [BLACK, RED, BLUE, GREEN, WHITE];

/** @type {Shade[]} */
export const MARKER = [
  { value: "#ffd84d", name: t("Yellow") },
  { value: "#7fdc9a", name: t("Mint") },
  { value: "#ff9fbf", name: t("Pink") },
  { value: "#84c8ff", name: t("Sky blue") },
];

/** @type {Shade[]} */
export const PAPER = [
  { value: "#fff3c4", name: t("Yellow") },
  { value: "#d8f3e2", name: t("Mint") },
  { value: "#ffdfe9", name: t("Pink") },
  { value: "#d9ecff", name: t("Sky blue") },
];
