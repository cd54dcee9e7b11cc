// Which tool is in hand and how its ink looks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eraser } from "../../static/js/tools/eraser.js";
import { highlighter, pen } from "../../static/js/tools/pen.js";
import { Toolbox } from "../../static/js/tools/toolbox.js";

/** localStorage, as far as it is used. */
function storage(kept = {}) {
  return { kept, getItem: (key) => kept[key] ?? null, setItem: (key, value) => { kept[key] = value; } };
}

const box = (kept) => new Toolbox([pen, highlighter, eraser], kept);

test("nothing is in hand while drawing is not allowed", () => {
  const toolbox = box();
  assert.equal(toolbox.tool, null);
  assert.equal(toolbox.named("eraser"), null);
  toolbox.allow(true);
  assert.equal(toolbox.tool, pen);
  toolbox.allow(false);
  assert.equal(toolbox.tool, null);
});

test("each tool keeps its own colour and width, and a page load later still has them", () => {
  const kept = storage();
  const toolbox = box(kept);
  toolbox.restyle({ color: "#2f5fd0" });
  toolbox.choose("highlighter");
  toolbox.restyle({ width: 72 });
  const later = box(storage(kept.kept));
  assert.equal(later.styleOf(pen).color, "#2f5fd0");
  assert.deepEqual(later.styleOf(highlighter), { color: "#ffd84d", width: 72, opacity: 0.45 });
});

test("a kept colour that no palette has any more is forgotten", () => {
  for (const text of ['{"pen":{"color":"#123456","width":999}}', "not json", "null"]) {
    assert.deepEqual(box(storage({ "lectern.tools": text })).styleOf(pen), { color: "#d3322b", width: 6 });
  }
});

test("who picks a colour with the eraser in hand wants to draw", () => {
  const toolbox = box();
  toolbox.allow(true);
  toolbox.choose("eraser");
  assert.equal(toolbox.inking, pen);
  toolbox.restyle({ color: "#17694f" });
  assert.equal(toolbox.tool, pen);
});

test("a storage that refuses to keep does no harm", () => {
  const toolbox = box({ getItem: () => { throw new Error("no"); }, setItem: () => { throw new Error("no"); } });
  toolbox.restyle({ width: 3 });
  assert.equal(toolbox.styleOf(pen).width, 3);
});
