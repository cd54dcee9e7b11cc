// Ink of an item, decoded once: its points, their natural box, and the paths that paint them.
// @ts-check

import { decode } from "../points.js";

/** @typedef {{points: number[][], box: [number, number, number, number]}} Ink  points relative to `at`, in units */

/** Decoded inks are kept by their text, which never changes; the oldest go first. */
const KEPT = 20_000;
/** @type {Map<string, Ink>} */
const inks = new Map();

/** @param {string} text  the field `ink` @returns {Ink} */
export function inkOf(text) {
  const known = inks.get(text);
  if (known) return known;
  const points = decode(text);
  const ink = { points, box: boxOf(points) };
  if (inks.size >= KEPT) inks.delete(/** @type {string} */ (inks.keys().next().value));
  inks.set(text, ink);
  return ink;
}

/** @param {readonly (readonly number[])[]} points @returns {[number, number, number, number]} */
export function boxOf(points) {
  /** @type {[number, number, number, number]} */
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    if (x < box[0]) box[0] = x;
    if (y < box[1]) box[1] = y;
    if (x > box[2]) box[2] = x;
    if (y > box[3]) box[3] = y;
  }
  return box;
}
