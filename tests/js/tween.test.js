// The way from the prediction to the truth.
import assert from "node:assert/strict";
import { test } from "node:test";
import { between, distance, easeOut, motion, TWEEN } from "../../static/js/render/tween.js";
import { Motions } from "../../static/js/render/motions.js";

const view = { scale: 1, across: 600, reduced: false };
const box = (x, y = 0) => ({ at: [x, y], box: [10, 10], style: { color: "#000000" } });

test("it starts at the start, ends at the end, and is fast first", () => {
  assert.equal(easeOut(0), 0);
  assert.equal(easeOut(1), 1);
  assert.equal(easeOut(7), 1);
  assert.ok(easeOut(0.5) > 0.5);
});

test("place, size and turn move; the rest is new at once", () => {
  const to = { at: [100, 0], box: [20, 10], turn: 90, style: { color: "#ffffff" } };
  const half = between(box(0), to, 0.5);
  assert.deepEqual(half.style, to.style);
  assert.ok(half.at[0] > 50 && half.at[0] < 100);
  assert.ok(half.turn > 45 && half.turn < 90);
  assert.deepEqual(between(box(0), to, 1), to);
});

test("two pixels are not worth a motion, and half the view is too far for one", () => {
  assert.equal(motion(box(0), box(2), view), "jump");
  assert.equal(motion(box(0), box(2), { ...view, scale: 2 }), "tween");
  assert.equal(motion(box(0), box(301), view), "jump");
  assert.equal(motion(box(0), box(100), { ...view, reduced: true }), "jump");
  assert.equal(distance(box(0), box(3, 4)), 5);
});

test("a second correction goes on from where the item is shown", () => {
  const motions = new Motions();
  const item = (x) => ({ id: "a", kind: "box", values: box(x) });
  const drawn = new Map([["a", { item: item(100), bounds: [0, 0, 0, 0] }]]);
  motions.correct({ id: "a", kind: "box", from: box(0) }, item(100), 0, view);
  motions.step(TWEEN / 2, drawn);
  const shown = motions.as(item(100)).values.at[0];
  assert.ok(shown > 50 && shown < 100);
  drawn.set("a", { item: item(200), bounds: [0, 0, 0, 0] });
  motions.correct({ id: "a", kind: "box", from: box(100) }, item(200), TWEEN / 2, view);
  assert.equal(motions.as(item(200)).values.at[0], shown);
});

test("after its time the item is where the state says, and nothing moves any more", () => {
  const motions = new Motions();
  const item = { id: "a", kind: "box", values: box(100) };
  motions.correct({ id: "a", kind: "box", from: box(0) }, item, 0, view);
  assert.ok(motions.busy);
  motions.step(TWEEN, new Map([["a", { item, bounds: [0, 0, 0, 0] }]]));
  assert.ok(!motions.busy);
  assert.equal(motions.as(item), item);
});

test("refused ink fades and is gone after its time", () => {
  const motions = new Motions();
  motions.correct({ id: "a", kind: "box", from: box(0) }, undefined, 0, view);
  assert.equal(motions.ghosts(0)[0].opacity, 1);
  assert.ok(motions.ghosts(100)[0].opacity < 0.5);
  assert.equal(motions.step(200, new Map()).length, 1);
  assert.deepEqual(motions.ghosts(200), []);
});
