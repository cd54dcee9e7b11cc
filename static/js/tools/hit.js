// What an eraser touches: distance between its way and an item's paint. Pure.
// @ts-check

import { frame, inkScale, meet, middle, paintedBounds } from "../render/geometry.js";
import { inkOf } from "../render/ink.js";
import { offLine } from "./simplify.js";

/** @typedef {readonly number[]} Point */
/** @typedef {import("../render/geometry.js").Drawn} Drawn */

/** A slip of the hand of one unit still hits. */
const SLACK = 1;

/**
 * Does a disc of `radius` going from `a` to `b` touch the item's paint?
 * @param {Drawn} item @param {Point} a @param {Point} b @param {number} radius  all in units @returns {boolean}
 */
export function touches(item, a, b, radius) {
  const sweep = /** @type {import("../render/geometry.js").Bounds} */ ([
    Math.min(a[0], b[0]) - radius, Math.min(a[1], b[1]) - radius, Math.max(a[0], b[0]) + radius, Math.max(a[1], b[1]) + radius,
  ]);
  if (!meet(paintedBounds(item), sweep)) return false;
  const [from, to] = item.values.turn ? unturned(item, a, b) : [a, b];
  const reach = radius + (item.values.style?.width ?? 0) / 2 + SLACK;
  if (isSolid(item)) return touchesBlock(frame(item), from, to, radius);
  return outline(item).some((line) => touchesLine(line, from, to, reach));
}

/** @param {Drawn} item  words and filled shapes are hit anywhere inside */
function isSolid({ kind, values }) {
  if (kind === "text" || kind === "note" || kind === "image") return true;
  return (kind === "box" || kind === "ellipse") && Boolean(values.style?.fill) && values.style.fill !== "none";
}

/** The lines an item is made of. @param {Drawn} item @returns {Point[][]} */
function outline(item) {
  const { kind, values } = item;
  const [x, y] = values.at;
  if (kind === "stroke" || kind === "highlight") {
    const [sx, sy] = inkScale(values);
    return [inkOf(values.ink).points.map((point) => [x + point[0] * sx, y + point[1] * sy])];
  }
  if (kind === "line" || kind === "arrow") return [[[x, y], [x + values.box[0], y + values.box[1]]]];
  const [left, top, right, bottom] = frame(item);
  if (kind === "box") return [[[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]];
  return [ring(left, top, right, bottom)];
}

/** An ellipse as 48 straight lines. @returns {Point[]} @param {number} left @param {number} top @param {number} right @param {number} bottom */
function ring(left, top, right, bottom) {
  const [x, y, w, h] = [(left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2];
  return Array.from({ length: 49 }, (_, i) => [x + w * Math.cos((i * Math.PI) / 24), y + h * Math.sin((i * Math.PI) / 24)]);
}

/** @param {Point[]} line @param {Point} a @param {Point} b @param {number} reach */
function touchesLine(line, a, b, reach) {
  if (line.length === 1) return offLine(line[0], a, b) <= reach;
  for (let i = 1; i < line.length; i += 1) {
    if (apart(line[i - 1], line[i], a, b) <= reach) return true;
  }
  return false;
}

/** Distance between two segments. @param {Point} p @param {Point} q @param {Point} a @param {Point} b */
function apart(p, q, a, b) {
  if (cross(p, q, a, b)) return 0;
  return Math.min(offLine(p, a, b), offLine(q, a, b), offLine(a, p, q), offLine(b, p, q));
}

/** @param {Point} p @param {Point} q @param {Point} a @param {Point} b */
function cross(p, q, a, b) {
  return side(p, q, a) * side(p, q, b) < 0 && side(a, b, p) * side(a, b, q) < 0;
}

/** On which side of p-q lies r? @param {Point} p @param {Point} q @param {Point} r */
function side(p, q, r) {
  return Math.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]));
}

/** @param {import("../render/geometry.js").Bounds} block @param {Point} a @param {Point} b @param {number} reach */
function touchesBlock([left, top, right, bottom], a, b, reach) {
  const inside = (/** @type {Point} */ [x, y]) => x >= left && x <= right && y >= top && y <= bottom;
  if (inside(a) || inside(b)) return true;
  return touchesLine([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]], a, b, reach);
}

/** The way as the item sees it that lies turned. @param {Drawn} item @param {Point} a @param {Point} b @returns {[Point, Point]} */
function unturned(item, a, b) {
  const [x, y] = middle(item);
  const angle = (-item.values.turn * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const back = (/** @type {Point} */ p) => [x + (p[0] - x) * cos - (p[1] - y) * sin, y + (p[0] - x) * sin + (p[1] - y) * cos];
  return [back(a), back(b)];
}
