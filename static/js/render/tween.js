// The short way from where an item is shown to where it belongs (board.md section 4). Never written to any state.
// @ts-check

/** ms from a misprediction to the truth */
export const TWEEN = 160;
/** ms in which refused ink goes away or back */
export const REVERT = 200;
/** CSS pixels: smaller differences are not worth a motion */
const NOTICEABLE = 2;

/** @param {number} t 0-1 @returns {number} 0-1, fast first */
export function easeOut(t) {
  const rest = 1 - Math.min(1, Math.max(0, t));
  return 1 - rest * rest * rest;
}

/**
 * The values to show at `t`: place, size and turn move, everything else is already the new one.
 * @param {Record<string, any>} from @param {Record<string, any>} to @param {number} t 0-1 @returns {Record<string, any>}
 */
export function between(from, to, t) {
  const done = easeOut(t);
  const shown = { ...to };
  for (const field of ["at", "box"]) {
    if (from[field] && to[field]) shown[field] = [0, 1].map((i) => from[field][i] + (to[field][i] - from[field][i]) * done);
  }
  if ((from.turn ?? 0) !== (to.turn ?? 0)) shown.turn = (from.turn ?? 0) + ((to.turn ?? 0) - (from.turn ?? 0)) * done;
  return shown;
}

/**
 * How far apart two places of one item are.
 * @param {Record<string, any>} from @param {Record<string, any>} to @returns {number} units
 */
export function distance(from, to) {
  const apart = [0, 0];
  for (const field of ["at", "box"]) {
    if (from[field] && to[field]) [0, 1].forEach((i) => { apart[i] = Math.max(apart[i], Math.abs(to[field][i] - from[field][i])); });
  }
  return Math.hypot(apart[0], apart[1]);
}

/**
 * Whether to move an item there softly.
 * @param {Record<string, any>} from @param {Record<string, any>} to
 * @param {{scale: number, across: number, reduced: boolean}} view  CSS pixels per unit; the view's smaller side in CSS pixels
 * @returns {"tween"|"jump"}  jump: too small to see, over half the view, or motion unwanted
 */
export function motion(from, to, { scale, across, reduced }) {
  const pixels = distance(from, to) * scale;
  if (reduced || pixels > across / 2) return "jump";
  return pixels > NOTICEABLE || (from.turn ?? 0) !== (to.turn ?? 0) ? "tween" : "jump";
}
