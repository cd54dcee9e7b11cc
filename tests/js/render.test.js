// Layout, paint plan, curves, pictures and colours of the board.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encode } from "../../static/js/points.js";
import { readableOn } from "../../static/js/render/colors.js";
import { pressedWidth, runs, trace } from "../../static/js/render/curve.js";
import { frame, paintedBounds } from "../../static/js/render/geometry.js";
import { plan } from "../../static/js/render/scene.js";
import { pictureFor } from "../../static/js/render/slide.js";
import { density, deviceRectangle, pageSize, viewOf } from "../../static/js/render/view.js";

test("a slide keeps its ratio, a blank sheet is 16 to 9", () => {
  assert.deepEqual(pageSize({ slide: { width: 1600, height: 1200 } }), { width: 1600, height: 1200 });
  assert.deepEqual(pageSize({ slide: null }), { width: 1600, height: 900 });
  assert.deepEqual(pageSize(undefined), { width: 1600, height: 900 });
});

test("no canvas is denser than two or larger than 16 million pixels", () => {
  assert.equal(density({ width: 400, height: 300 }, 3), 2);
  assert.equal(density({ width: 400, height: 300 }, 1.5), 1.5);
  fc.assert(fc.property(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 9000 }), fc.double({ min: 0.5, max: 4, noNaN: true }), (width, height, ratio) => {
    const view = viewOf({ width: 1600, height: 900 }, { width, height }, ratio);
    assert.ok(view.width * view.height <= 16_000_000);
    assert.ok(view.density <= 2);
  }));
});

test("a dirty rectangle covers its bounds with whole pixels inside the canvas", () => {
  const view = viewOf({ width: 1600, height: 900 }, { width: 800, height: 450 }, 2);
  assert.deepEqual(deviceRectangle([10.5, 20, 30, 40], view), [9, 19, 22, 22]);
  assert.deepEqual(deviceRectangle([-50, -50, 5, 5], view), [0, 0, 6, 6]);
  assert.equal(deviceRectangle([-50, -50, -20, -20], view), null);
});

const item = (id, more = {}) => Object.freeze({ id, kind: "box", by: "u1", values: { at: [0, 0] }, pending: false, kept: false, ...more });
const shown = (...ids) => ids.map((id) => item(id));

test("items on top of everything are only added, in paint order", () => {
  const items = shown("a", "b", "c", "d");
  const { added, redo } = plan(shown("a", "b"), items, new Set(["d", "c"]));
  assert.deepEqual(added.map(({ id }) => id), ["c", "d"]);
  assert.equal(redo.size, 0);
});

test("an item that comes in under my pending one is painted around", () => {
  const { added, redo } = plan(shown("a", "mine"), shown("a", "theirs", "mine"), new Set(["theirs"]));
  assert.deepEqual(added, []);
  assert.deepEqual([...redo], ["theirs"]);
});

test("a changed item, though topmost, is painted around: it stands on the canvas already", () => {
  const { added, redo } = plan(shown("a", "b"), [item("a"), item("b", { values: { at: [5, 5] } })], new Set(["b"]));
  assert.deepEqual(added, []);
  assert.deepEqual([...redo], ["b"]);
});

test("an own stroke whose event came is left as it is", () => {
  const before = [item("a"), item("mine", { pending: true }), item("too", { pending: true })];
  assert.equal(plan(before, shown("a", "mine", "too"), new Set(["mine", "too"])).redo.size, 0);
});

test("an own stroke whose event came after another's is painted around with it", () => {
  const { redo } = plan([item("a"), item("mine", { pending: true })], shown("a", "theirs", "mine"), new Set(["theirs", "mine"]));
  assert.deepEqual([...redo], ["theirs"]);
});

test("an item that goes under others is painted around, though it looks the same", () => {
  assert.deepEqual([...plan(shown("a", "b", "c"), shown("c", "a", "b"), new Set(["c"])).redo], ["c"]);
});

test("two that change places are painted around", () => {
  assert.equal(plan(shown("a", "b", "c"), shown("a", "c", "b"), new Set(["b", "c"])).redo.size, 2);
});

test("ink that is kept to oneself is painted anew: it is paler", () => {
  assert.deepEqual([...plan(shown("a"), [item("a", { kept: true })], new Set(["a"])).redo], ["a"]);
});

test("a removed item is painted over", () => {
  assert.deepEqual([...plan(shown("a", "b"), shown("a"), new Set(["b"])).redo], ["b"]);
});

/** A pen that keeps where it went. */
function recorder() {
  const went = [];
  return { went, moveTo: (...to) => went.push(to), lineTo: (...to) => went.push(to), bezierCurveTo: (...to) => went.push(to) };
}

test("the curve passes through every point", () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 400 })), { minLength: 2, maxLength: 30 }), (points) => {
    const pen = recorder();
    trace(pen, points);
    assert.deepEqual(pen.went.map((step) => step.slice(-2)), points);
    assert.ok(pen.went.flat().every(Number.isFinite));
  }));
});

test("a corner is drawn with straight sides, a bend with curves", () => {
  const corner = recorder();
  trace(corner, [[0, 0], [100, 0], [100, 100]]);
  assert.deepEqual(corner.went.map((step) => step.length), [2, 2, 2]);
  const bend = recorder();
  trace(bend, [[0, 0], [100, 0], [200, 30]]);
  assert.deepEqual(bend.went.map((step) => step.length), [2, 6, 6]);
});

test("a dot has some length, or round caps would not paint it", () => {
  const pen = recorder();
  trace(pen, [[5, 5]]);
  assert.ok(pen.went[1][0] > 5);
});

test("pressure makes runs of equal width that meet", () => {
  const points = [[0, 0, 100], [10, 0, 100], [20, 0, 250], [30, 0, 250]];
  const found = runs(points, 8);
  assert.equal(found[0].from, 0);
  assert.equal(found.at(-1).to, 3);
  for (let i = 1; i < found.length; i += 1) assert.equal(found[i].from, found[i - 1].to);
  assert.ok(found.at(-1).width > found[0].width);
  assert.deepEqual(runs([[0, 0], [10, 0], [20, 0]], 8), [{ from: 0, to: 2, width: 8 }]);
  assert.deepEqual(runs([[0, 0]], 8), [{ from: 0, to: 0, width: 8 }]);
  assert.equal(pressedWidth(6, undefined), 6);
});

test("frames: ink at its place, stretched ink with the size of its box, lines with a negative box", () => {
  const ink = encode([[0, 0], [40, 10], [20, 20]], false);
  assert.deepEqual(frame({ kind: "stroke", values: { at: [100, 50], ink } }), [100, 50, 140, 70]);
  assert.deepEqual(frame({ kind: "stroke", values: { at: [100, 50], ink, box: [80, 40] } }), [100, 50, 180, 90]);
  assert.deepEqual(frame({ kind: "line", values: { at: [100, 50], box: [-30, -10] } }), [70, 40, 100, 50]);
});

test("the painted bounds of a turned item hold its corners", () => {
  const [left, top, right, bottom] = paintedBounds({ kind: "box", values: { at: [0, 40], box: [100, 20], turn: 90, style: { width: 2 } } });
  assert.ok(left <= 40 && right >= 60 && top <= 0 && bottom >= 100);
  assert.ok(left > 30 && right < 70);
});

test("the smallest sharp picture is taken, else the widest", () => {
  const images = { 320: "s", 800: "m", 1600: "l" };
  assert.equal(pictureFor(images, 300), "s");
  assert.equal(pictureFor(images, 801), "l");
  assert.equal(pictureFor(images, 5000), "l");
  assert.equal(pictureFor({}, 5000), undefined);
});

test("letters on a person's colour are the more readable of white and near-black", () => {
  assert.equal(readableOn("#8b4fbf"), "#ffffff");
  assert.equal(readableOn("#f2c14e"), "#1d1c1a");
  assert.equal(readableOn("#000000"), "#ffffff");
  assert.equal(readableOn("#ffffff"), "#1d1c1a");
});
