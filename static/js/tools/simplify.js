// Fewer points for the same line: what pen up does to raw ink (board.md section 5).
// @ts-check

/** Points nearer than this to the one before say nothing, CSS pixels. */
const SKIP = 0.75;
/** How far the simplified line may stray from the drawn one, CSS pixels. */
const TOLERANCE = 0.35;
/** A pressure this far (of 255) from what its neighbours suggest is a turn worth keeping. */
const PRESSURE = 12;

/**
 * @param {readonly (readonly number[])[]} points  [x, y] or [x, y, pressure], in units
 * @param {number} scale  CSS pixels per unit, the zoom @returns {(readonly number[])[]} first and last are kept; a dot is one point
 */
export function simplify(points, scale) {
  const apart = spaced(points, SKIP / scale);
  if (apart.length < 3) return apart;
  return douglasPeucker(apart, TOLERANCE / scale);
}

/**
 * Leave out points nearer than `least` to the last kept one; the last point is kept.
 * @param {readonly (readonly number[])[]} points @param {number} least @returns {(readonly number[])[]}
 */
function spaced(points, least) {
  const kept = [points[0]];
  for (const point of points.slice(1)) {
    if (apartBy(kept[kept.length - 1], point) >= least) kept.push(point);
  }
  const last = points[points.length - 1];
  if (kept[kept.length - 1] !== last && apartBy(kept[kept.length - 1], last) > 0) {
    if (kept.length > 1) kept[kept.length - 1] = last;
    else if (apartBy(kept[0], last) >= least) kept.push(last);
  }
  return kept;
}

/**
 * Ramer-Douglas-Peucker without recursion: a stroke of 1,000 points may be a spiral.
 * @param {(readonly number[])[]} points @param {number} tolerance @returns {(readonly number[])[]}
 */
function douglasPeucker(points, tolerance) {
  const keep = new Uint8Array(points.length);
  keep[0] = keep[points.length - 1] = 1;
  /** @type {[number, number][]} */
  const spans = [[0, points.length - 1]];
  for (let span = spans.pop(); span; span = spans.pop()) {
    const [first, last] = span;
    const far = farthest(points, first, last, tolerance);
    if (far > first) {
      keep[far] = 1;
      spans.push([first, far], [far, last]);
    }
  }
  return points.filter((_, i) => keep[i]);
}

/**
 * The point between two that strays most, in tolerances; `first` if none strays by more than one.
 * @param {(readonly number[])[]} points @param {number} first @param {number} last @param {number} tolerance @returns {number}
 */
function farthest(points, first, last, tolerance) {
  let [most, index] = [1, first];
  for (let i = first + 1; i < last; i += 1) {
    const strays = Math.max(offLine(points[i], points[first], points[last]) / tolerance, offPressure(points, i, first, last) / PRESSURE);
    if (strays > most) [most, index] = [strays, i];
  }
  return index;
}

/** @param {(readonly number[])[]} points @param {number} i @param {number} first @param {number} last */
function offPressure(points, i, first, last) {
  if (points[i][2] === undefined) return 0;
  const share = (i - first) / (last - first);
  return Math.abs(points[i][2] - (points[first][2] + (points[last][2] - points[first][2]) * share));
}

/** Distance of a point from the segment a-b. @param {readonly number[]} p @param {readonly number[]} a @param {readonly number[]} b */
export function offLine(p, a, b) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const square = dx * dx + dy * dy;
  const along = square ? Math.min(1, Math.max(0, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / square)) : 0;
  return Math.hypot(p[0] - a[0] - along * dx, p[1] - a[1] - along * dy);
}

/** @param {readonly number[]} a @param {readonly number[]} b */
function apartBy(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
