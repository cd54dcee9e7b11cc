// Which pointer draws: palm, pinch, pen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Arbiter } from "../../static/js/tools/pointer.js";

test("one pointer draws at a time", () => {
  const arbiter = new Arbiter();
  assert.deepEqual(arbiter.down(1, "mouse", 0), { begins: true, cancels: false });
  assert.deepEqual(arbiter.down(2, "mouse", 900), { begins: false, cancels: false });
  assert.ok(arbiter.move(1, 1));
  assert.ok(!arbiter.move(2, 1));
  assert.ok(!arbiter.up(2));
  assert.ok(arbiter.up(1));
});

test("a second finger within 150 ms takes the stroke back, however long it is", () => {
  const arbiter = new Arbiter();
  arbiter.down(1, "touch", 0);
  arbiter.move(1, 30);
  assert.deepEqual(arbiter.down(2, "touch", 150), { begins: false, cancels: true });
  assert.ok(!arbiter.up(1));
});

test("a second finger on a stroke of few points takes it back, however late", () => {
  const arbiter = new Arbiter();
  arbiter.down(1, "touch", 0);
  arbiter.move(1, 8);
  assert.ok(arbiter.down(2, "touch", 5000).cancels);
});

test("a second finger on a stroke that is well under way is a resting hand", () => {
  const arbiter = new Arbiter();
  arbiter.down(1, "touch", 0);
  arbiter.move(1, 9);
  assert.deepEqual(arbiter.down(2, "touch", 151), { begins: false, cancels: false });
  assert.ok(arbiter.up(1));
});

test("after a pinch no finger draws until all are up", () => {
  const arbiter = new Arbiter();
  arbiter.down(1, "touch", 0, true);
  arbiter.down(2, "touch", 60);
  assert.equal(arbiter.settled(5000), false);
  assert.deepEqual(arbiter.down(3, "touch", 900), { begins: false, cancels: false });
  arbiter.up(1);
  arbiter.up(3);
  assert.deepEqual(arbiter.down(4, "touch", 1000), { begins: false, cancels: false }, "one of them is still down");
  arbiter.up(2);
  arbiter.up(4);
  assert.deepEqual(arbiter.down(5, "touch", 2000), { begins: true, cancels: false });
});

test("a finger that is the only one draws, though the end of another was missed", () => {
  const arbiter = new Arbiter();
  arbiter.down(1, "touch", 0, true);
  arbiter.rest();
  assert.deepEqual(arbiter.down(2, "touch", 900, true), { begins: true, cancels: false });
});

test("the browser may pinch while a stroke is young, and not once it is well under way or a pen's", () => {
  const arbiter = new Arbiter();
  assert.equal(arbiter.settled(0), false, "nobody draws");
  arbiter.down(1, "touch", 0, true);
  arbiter.move(1, 20);
  assert.equal(arbiter.settled(150), false);
  assert.equal(arbiter.settled(151), true);
  arbiter.down(2, "pen", 151);
  assert.equal(arbiter.settled(152), true, "a pen never pinches");
});

test("once a pen was seen, fingers do not draw", () => {
  const arbiter = new Arbiter();
  arbiter.down(1, "pen", 0);
  arbiter.up(1);
  assert.deepEqual(arbiter.down(2, "touch", 5000), { begins: false, cancels: false });
  assert.equal(arbiter.drawing, null);
});

test("a pen takes over from the palm that came first", () => {
  const arbiter = new Arbiter();
  arbiter.down(1, "touch", 0);
  assert.deepEqual(arbiter.down(2, "pen", 80), { begins: true, cancels: true });
  assert.ok(!arbiter.up(1));
  assert.ok(arbiter.up(2));
});

test("what the system takes away is kept once it is a stroke, and never when it may be a palm or a pinch", () => {
  const arbiter = new Arbiter();
  arbiter.down(1, "touch", 0);
  arbiter.move(1, 20);
  assert.equal(arbiter.drew(1, 100), false, "too soon");
  assert.equal(arbiter.drew(1, 200), true);
  assert.equal(arbiter.drew(2, 200), false, "another pointer");
  arbiter.up(1);
  arbiter.down(3, "touch", 300);
  assert.equal(arbiter.drew(3, 900), false, "too few points");
});
