// What another holds: shown where they hold it, until its event, their silence, or their putting it back.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { HELD, Motions } from "../../static/js/render/motions.js";

const item = { id: "a", kind: "box", by: "ben", kept: false, pending: false, values: { at: [10, 20], box: [30, 40], style: { width: 4 } } };
const at = (motions) => motions.as(item).values.at;
let motions;
let drawn;
beforeEach(() => {
  motions = new Motions();
  drawn = new Map([["a", { item, bounds: [0, 0, 1, 1] }]]);
});

test("it lies where it is held, and where it was when it is put back", () => {
  assert.equal(motions.hold(item, [5, -5], 0), true);
  assert.deepEqual(at(motions), [15, 15]);
  assert.equal(motions.holding, true);
  assert.equal(motions.hold(item, [0, 0], 50), true);
  assert.deepEqual([at(motions), motions.holding], [[10, 20], false]);
});

test("who falls silent lets go, and both places are painted anew", () => {
  motions.hold(item, [500, 0], 0);
  assert.deepEqual(motions.step(HELD - 1, drawn), []);
  const dirty = motions.step(HELD, drawn);
  assert.deepEqual(dirty.map(({ bounds }) => bounds[0] > 400), [true, false]);
  assert.deepEqual([at(motions), motions.holding], [[10, 20], false]);
});

test("its event ends it, and a signal that comes after that moves it no more", () => {
  motions.hold(item, [5, 5], 0);
  assert.equal(motions.release("a", 100), true);
  assert.equal(motions.hold(item, [5, 5], 200), false);
  assert.deepEqual(at(motions), [10, 20]);
  assert.equal(motions.hold(item, [5, 5], 800), true, "another drag, later");
  assert.equal(motions.release("b", 900), false);
  assert.equal(motions.hold({ ...item, id: "b" }, [5, 5], 901), false, "its first signal came after its event");
});
