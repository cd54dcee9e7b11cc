// What the eraser touches, for every kind of item.
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "../../static/js/points.js";
import { touches } from "../../static/js/tools/hit.js";

const style = { color: "#d3322b", width: 4 };
const stroke = { kind: "stroke", values: { at: [100, 100], ink: encode([[0, 0], [50, 0], [100, 50]], false), style } };
const at = (item, x, y, radius = 5) => touches(item, [x, y], [x, y], radius);

test("a stroke is hit on its line and not beside it", () => {
  assert.ok(at(stroke, 125, 103));
  assert.ok(!at(stroke, 125, 120));
  assert.ok(at(stroke, 180, 130));
});

test("a fast sweep across a stroke hits it though no point of it was near", () => {
  assert.ok(touches(stroke, [120, 20], [120, 300], 2));
  assert.ok(!touches(stroke, [90, 20], [90, 300], 2));
});

test("a dot is hit", () => {
  const dot = { kind: "stroke", values: { at: [10, 10], ink: encode([[0, 0]], false), style } };
  assert.ok(at(dot, 13, 13));
  assert.ok(!at(dot, 30, 30));
});

test("a thick stroke is hit farther from its middle", () => {
  const thick = { ...stroke, values: { ...stroke.values, style: { ...style, width: 40 } } };
  assert.ok(at(thick, 125, 122));
});

test("stretched ink is hit where it is shown", () => {
  const wide = { ...stroke, values: { ...stroke.values, box: [200, 100] } };
  assert.ok(at(wide, 190, 101));
  assert.ok(!at(stroke, 190, 101));
});

test("a line with a negative box is hit along it", () => {
  const line = { kind: "arrow", values: { at: [200, 200], box: [-100, -50], style } };
  assert.ok(at(line, 150, 175));
  assert.ok(!at(line, 150, 205));
});

test("an empty box is hit on its edge, a filled one anywhere", () => {
  const box = { kind: "box", values: { at: [100, 100], box: [200, 100], style } };
  assert.ok(at(box, 100, 150));
  assert.ok(!at(box, 200, 150));
  assert.ok(at({ ...box, values: { ...box.values, style: { ...style, fill: "#ffffff" } } }, 200, 150));
});

test("an ellipse is hit on its curve and not at the corner of its box", () => {
  const ellipse = { kind: "ellipse", values: { at: [100, 100], box: [200, 100], style } };
  assert.ok(at(ellipse, 200, 100));
  assert.ok(!at(ellipse, 104, 104));
});

test("words are hit anywhere in their block", () => {
  for (const kind of ["text", "note"]) assert.ok(at({ kind, values: { at: [100, 100], box: [200, 60], text: "a", style } }, 250, 130));
});

test("a turned item is hit where it is shown", () => {
  const line = { kind: "line", values: { at: [100, 200], box: [200, 0], style, turn: 90 } };
  assert.ok(at(line, 200, 120));
  assert.ok(!at(line, 120, 200));
});
