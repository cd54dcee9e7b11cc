// A smooth line through points: what a stroke looks like. It passes through every point, so simplified ink stays put.
// @ts-check

/** @typedef {{moveTo(x: number, y: number): void, lineTo(x: number, y: number): void,
 *   bezierCurveTo(ax: number, ay: number, bx: number, by: number, x: number, y: number): void}} Pen  a Path2D, or a test's list */

/** A turn sharper than this (cosine of 55°) is a corner and stays one. */
const CORNER = 0.57;
/** A dot needs some length for its round caps to be painted. */
const DOT = 0.01;

/**
 * Trace points `from` to `to` (inclusive) with the pen. Tangents look at the neighbours outside that range too, so runs
 * of one stroke that are traced apart fit together.
 * @param {Pen} pen @param {readonly (readonly number[])[]} points  [x, y, …] @param {number} [from] @param {number} [to]
 */
export function trace(pen, points, from = 0, to = points.length - 1) {
  const first = points[from];
  pen.moveTo(first[0], first[1]);
  if (to === from) pen.lineTo(first[0] + DOT, first[1]);
  let leaving = tangent(points, from);
  for (let i = from; i < to; i += 1) {
    const a = points[i];
    const b = points[i + 1];
    const arriving = tangent(points, i + 1);
    if (!leaving && !arriving) pen.lineTo(b[0], b[1]);
    else {
      const reach = Math.hypot(b[0] - a[0], b[1] - a[1]) / 3;
      const [ax, ay] = leaving ?? direction(a, b);
      const [bx, by] = arriving ?? direction(a, b);
      pen.bezierCurveTo(a[0] + ax * reach, a[1] + ay * reach, b[0] - bx * reach, b[1] - by * reach, b[0], b[1]);
    }
    leaving = arriving;
  }
}

/**
 * The direction in which the curve passes a point; null at an end and at a corner. The nearer neighbour counts more,
 * so a long straight run is not bent by the short one after it.
 * @param {readonly (readonly number[])[]} points @param {number} i @returns {[number, number]|null}
 */
function tangent(points, i) {
  if (i === 0 || i === points.length - 1) return null;
  const [before, here, after] = [points[i - 1], points[i], points[i + 1]];
  const [inX, inY] = direction(before, here);
  const [outX, outY] = direction(here, after);
  if (inX * outX + inY * outY < CORNER) return null;
  const near = Math.hypot(here[0] - before[0], here[1] - before[1]);
  const far = Math.hypot(after[0] - here[0], after[1] - here[1]);
  const x = inX * far + outX * near;
  const y = inY * far + outY * near;
  const length = Math.hypot(x, y);
  return length > 0 ? [x / length, y / length] : null;
}

/** @param {readonly number[]} a @param {readonly number[]} b @returns {[number, number]} of length 1, or 0 for one place */
function direction(a, b) {
  const [x, y] = [b[0] - a[0], b[1] - a[1]];
  const length = Math.hypot(x, y);
  return length > 0 ? [x / length, y / length] : [0, 0];
}

/**
 * How wide a pen with this pressure draws: its own width at 150, a usual hand's.
 * @param {number} width @param {number|undefined} pressure  0-255; undefined for a mouse or finger @returns {number} quarter units
 */
export function pressedWidth(width, pressure) {
  if (pressure === undefined) return width;
  return Math.max(0.5, Math.round(width * (0.35 + (1.1 * pressure) / 255) * 4) / 4);
}

/**
 * A stroke with pressure in runs of equal width: each run is one path.
 * @param {readonly (readonly number[])[]} points  [x, y, pressure?] @param {number} width
 * @returns {{from: number, to: number, width: number}[]}
 */
export function runs(points, width) {
  /** @type {{from: number, to: number, width: number}[]} */
  const found = [];
  for (let i = 0; i < Math.max(1, points.length - 1); i += 1) {
    const next = points[Math.min(i + 1, points.length - 1)];
    const wide = points[i][2] === undefined ? width : pressedWidth(width, (points[i][2] + next[2]) / 2);
    const last = found[found.length - 1];
    if (last && last.width === wide) last.to = Math.min(i + 1, points.length - 1);
    else found.push({ from: i, to: Math.min(i + 1, points.length - 1), width: wide });
  }
  return found;
}
