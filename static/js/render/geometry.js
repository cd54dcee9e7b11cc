// Where an item lies: its frame (unturned box), its middle, the rectangle that its paint covers.
// @ts-check

import { inkOf } from "./ink.js";

/** @typedef {[number, number, number, number]} Bounds  left, top, right, bottom, in units */
/** @typedef {{kind: string, values: Record<string, any>}} Drawn  what painting needs of a ShownItem */

/** Of an arrow's head, in units: its length for a shaft of this width. @param {number} width */
export const headLength = (width) => 10 + width * 3;

/**
 * The unturned box around an item's shape, without the width of its line.
 * Ink with a `box` is scaled about its `at`, so that its natural box gets that size.
 * @param {Drawn} item @returns {Bounds}
 */
export function frame({ kind, values }) {
  const [x, y] = values.at;
  if (kind === "stroke" || kind === "highlight") {
    const [left, top, right, bottom] = inkOf(values.ink).box;
    const [sx, sy] = inkScale(values);
    return sorted(x + left * sx, y + top * sy, x + right * sx, y + bottom * sy);
  }
  const [width, height] = values.box;
  return sorted(x, y, x + width, y + height);
}

/**
 * How much ink is stretched across and down.
 * @param {Record<string, any>} values @returns {[number, number]}
 */
export function inkScale(values) {
  if (!values.box) return [1, 1];
  const [left, top, right, bottom] = inkOf(values.ink).box;
  return [right > left ? values.box[0] / (right - left) : 1, bottom > top ? values.box[1] / (bottom - top) : 1];
}

/** The point an item is turned about. @param {Drawn} item @returns {[number, number]} */
export function middle(item) {
  const [left, top, right, bottom] = frame(item);
  return [(left + right) / 2, (top + bottom) / 2];
}

/** The rectangle that an item's paint covers. @param {Drawn} item @returns {Bounds} */
export function paintedBounds(item) {
  const around = grown(frame(item), margin(item));
  return item.values.turn ? turned(around, item.values.turn) : around;
}

/** @param {Drawn} item @returns {number} */
function margin({ kind, values }) {
  const width = values.style?.width ?? 4;
  if (kind === "arrow") return headLength(width);
  if (kind === "text" || kind === "note") return 8; // letters hang over the measured block a little
  return width * 0.8 + 1; // pressure widens a line by up to 1.45
}

/** @param {Bounds} bounds @param {number} by @returns {Bounds} */
export function grown([left, top, right, bottom], by) {
  return [left - by, top - by, right + by, bottom + by];
}

/** @param {Bounds} a @param {Bounds} b @returns {boolean} */
export function meet(a, b) {
  return a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];
}

/** @param {Bounds|null} a @param {Bounds} b @returns {Bounds} */
export function union(a, b) {
  return a ? [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])] : b;
}

/** The box around a box turned about its middle. @param {Bounds} bounds @param {number} degrees @returns {Bounds} */
function turned([left, top, right, bottom], degrees) {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  const [w, h] = [(right - left) / 2, (bottom - top) / 2];
  const [dx, dy] = [w * cos + h * sin, w * sin + h * cos];
  return [x - dx, y - dy, x + dx, y + dy];
}

/** @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 @returns {Bounds} */
function sorted(x0, y0, x1, y1) {
  return [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];
}
