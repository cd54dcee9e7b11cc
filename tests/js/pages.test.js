// Where a page goes when it is moved, and letters that stay readable on any page.
import assert from "node:assert/strict";
import { test } from "node:test";

import { placeFor } from "../../static/js/panels/page_menu.js";
import { needsEdge, paint } from "../../static/js/render/paint.js";
import { LETTERS } from "../../static/js/tools/palettes.js";

test("a page goes behind its neighbour, first is null, and the ends stay", () => {
  const pages = ["a", "b", "c"].map((id) => ({ id }));
  assert.equal(placeFor(pages, "b", 1), "c");
  assert.equal(placeFor(pages, "b", -1), null);
  assert.equal(placeFor(pages, "c", -1), "a");
  assert.equal(placeFor(pages, "a", -1), undefined);
  assert.equal(placeFor(pages, "c", 1), undefined);
  assert.equal(placeFor(pages, "gone", 1), undefined);
});

test("light letters get a dark edge under them, the others none", () => {
  const painted = (color) => {
    const calls = [];
    const context = new Proxy({}, { get: (_, name) => (...args) => void calls.push([name, ...args]), set: () => true });
    paint(context, { kind: "text", values: { at: [0, 0], box: [100, 30], text: "Hi", style: { color, size: 28 } } });
    return calls.map(([name]) => name).filter((name) => name.endsWith("Text"));
  };
  assert.deepEqual(painted("#fffdf7"), ["strokeText", "fillText"]);
  assert.deepEqual(painted("#1d1c1a"), ["fillText"]);
  assert.deepEqual(LETTERS.filter(({ value }) => needsEdge(value)).map(({ name }) => name), ["White"]);
});
