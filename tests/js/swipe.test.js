// Which touches turn a page, and which are strokes, pinches or taps.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Swipe } from "../../static/js/tools/swipe.js";

/** Fingers that go `x` and `y` px in `takes` ms; the second comes `late` ms after the first, and they open by `opens` px. */
function swipe({ x = 0, y = 0, fingers = 1, late = 40, takes = 200, opens = 0 }) {
  const one = new Swipe();
  one.down([{ x: 200, y: 200 }], 1_000);
  if (fingers > 1) one.down([{ x: 200, y: 200 }, { x: 260, y: 200 }], 1_000 + late);
  if (fingers > 2) one.down([{ x: 200, y: 200 }, { x: 260, y: 200 }, { x: 320, y: 200 }], 1_000 + late + 1);
  const places = [200, 260, 320].slice(0, fingers).map((at, n) => ({ x: at + x + n * opens, y: 200 + y }));
  one.move(places);
  return one.up(1_000 + takes);
}

test("one finger to the left goes on, to the right goes back", () => {
  assert.deepEqual(swipe({ x: -120 }), { step: 1, fingers: 1 });
  assert.deepEqual(swipe({ x: 120, y: 30 }), { step: -1, fingers: 1 });
});

test("two fingers together swipe; a second one that comes late found a stroke, and three are no swipe", () => {
  assert.deepEqual(swipe({ x: -120, fingers: 2 }), { step: 1, fingers: 2 });
  assert.equal(swipe({ x: -120, fingers: 2, late: 151 }).step, 0);
  assert.equal(swipe({ x: -120, fingers: 3 }).step, 0);
});

test("a tap, a slow drag, a way down and a pinch turn nothing", () => {
  assert.equal(swipe({ x: -55 }).step, 0);
  assert.equal(swipe({ x: -300, takes: 601 }).step, 0);
  assert.equal(swipe({ x: -120, y: 61 }).step, 0);
  assert.equal(swipe({ x: -120, fingers: 2, opens: 41 }).step, 0);
});

test("what was cancelled does not come back", () => {
  const one = new Swipe();
  one.down([{ x: 200, y: 200 }], 0);
  one.cancel();
  one.move([{ x: 20, y: 200 }]);
  assert.equal(one.up(100).step, 0);
});
