// Fewer points, the same line.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { offLine, simplify } from "../../static/js/tools/simplify.js";

const off = (point, line) => Math.min(...line.slice(1).map((b, i) => offLine(point, line[i], b)));

test("a straight line keeps its two ends", () => {
  const points = Array.from({ length: 50 }, (_, i) => [i * 4, i * 2]);
  assert.deepEqual(simplify(points, 1), [[0, 0], [196, 98]]);
});

test("a corner is kept", () => {
  const points = [...Array.from({ length: 20 }, (_, i) => [i * 5, 0]), ...Array.from({ length: 20 }, (_, i) => [95, (i + 1) * 5])];
  assert.deepEqual(simplify(points, 1), [[0, 0], [95, 0], [95, 100]]);
});

test("a dot stays a dot", () => {
  assert.deepEqual(simplify([[10, 10]], 1), [[10, 10]]);
  assert.deepEqual(simplify([[10, 10], [10.2, 10.1], [10.1, 10]], 1), [[10, 10]]);
});

test("a turn of pressure is kept on a straight line", () => {
  const points = Array.from({ length: 21 }, (_, i) => [i * 5, 0, i === 10 ? 200 : 100]);
  assert.ok(simplify(points, 1).some(([x, , pressure]) => x === 50 && pressure === 200));
});

test("more is kept when the page is shown larger", () => {
  const points = Array.from({ length: 100 }, (_, i) => [i * 3, Math.sin(i / 5) * 20]);
  assert.ok(simplify(points, 4).length > simplify(points, 0.25).length);
});

test("no drawn point is farther than skip and tolerance from the simplified line, and the ends stay", () => {
  const coordinate = fc.double({ min: 0, max: 1600, noNaN: true });
  fc.assert(fc.property(fc.array(fc.tuple(coordinate, coordinate), { minLength: 3, maxLength: 60 }), fc.constantFrom(0.25, 1, 2), (points, scale) => {
    const line = simplify(points, scale);
    assert.deepEqual(line[0], points[0]);
    if (line.length > 1) assert.deepEqual(line.at(-1), points.at(-1));
    const reach = line.length === 1 ? 0.75 / scale : (0.75 + 0.35) / scale;
    for (const point of points) assert.ok((line.length === 1 ? Math.hypot(point[0] - line[0][0], point[1] - line[0][1]) : off(point, line)) <= reach + 1e-9);
  }));
});

test("a long spiral does not overflow the stack", () => {
  const points = Array.from({ length: 20000 }, (_, i) => [Math.cos(i / 10) * i, Math.sin(i / 10) * i]);
  assert.ok(simplify(points, 1).length > 1000);
});
