// The ink codec: exact, strict, and throwing nothing but BadInk.
import assert from "node:assert/strict";
import test from "node:test";

import fc from "fast-check";

import { BadInk, decode, encode, MAX_POINTS } from "../../static/js/points.js";

const coordinate = fc.double({ min: -65536, max: 65536, noNaN: true });

test("what was written is read within an eighth of a unit", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 80 }), (stroke) => {
      decode(encode(stroke, false)).forEach(([x, y], i) => {
        assert.ok(Math.abs(x - stroke[i][0]) <= 1 / 8);
        assert.ok(Math.abs(y - stroke[i][1]) <= 1 / 8);
      });
    }),
  );
});

test("pressure is kept, within 0 to 255", () => {
  assert.deepEqual(decode(encode([[0, 0, -3], [1, 1, 128.4], [2, 2, 999]], true)), [[0, 0, 0], [1, 1, 128], [2, 2, 255]]);
});

test("any text is read or refused, and each ink has one text", () => {
  const texts = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[ab][\w-]*$/));
  fc.assert(
    fc.property(texts, (text) => {
      let points;
      try {
        points = decode(text);
      } catch (error) {
        assert.ok(error instanceof BadInk);
        return;
      }
      assert.equal(encode(points, text[0] === "b"), text);
    }),
    { numRuns: 2000 },
  );
});

test("what is no text is refused", () => {
  for (const value of [undefined, null, 7, {}, ["a"]]) assert.throws(() => decode(/** @type {any} */ (value)), BadInk);
});

test("a thousand points are the most", () => {
  assert.equal(decode(encode(Array(MAX_POINTS).fill([0, 0]), false)).length, MAX_POINTS);
  for (const count of [MAX_POINTS + 1, 50000]) {
    assert.throws(() => decode(encode(Array(count).fill([0, 0]), false)), { tooMany: true });
  }
});
