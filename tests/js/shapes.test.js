// Shapes from corner to corner, and words that break where their author saw them break.
import assert from "node:assert/strict";
import { test } from "node:test";
import { normaliseEdit } from "../../static/js/items.js";
import { arrow, box, ellipse, evened, fields, line } from "../../static/js/tools/shape.js";
import { broken } from "../../static/js/tools/text.js";

/** A desk that writes down what happens to it. */
function desk(scale = 1) {
  const log = { ops: [], drafts: [], said: [], dropped: 0 };
  let items = 0;
  return {
    log,
    page: "p1",
    style: { color: "#d3322b", width: 6 },
    board: { scale, own: { draft: (item) => log.drafts.push(item), drop: () => { log.dropped += 1; } } },
    say: (words) => log.said.push(words),
    session: { newItem: () => `u1.00000000.${(items += 1)}`, propose: (kind, data) => log.ops.push({ kind, data }) },
  };
}

for (const tool of [line, arrow, box, ellipse]) {
  test(`${tool.name}: previewed while it is drawn, one op when it is done, which the door takes`, () => {
    const on = desk();
    const gesture = tool.begin(on, [100, 100]);
    gesture.extend([[90, 60], [40, 20]]);
    gesture.finish();
    assert.equal(on.log.drafts.length, 1);
    assert.equal(on.log.drafts[0].kind, tool.name);
    const [{ kind, data }] = on.log.ops;
    assert.equal(kind, "board.edit");
    assert.deepEqual(normaliseEdit(structuredClone(data.edits[0])), data.edits[0]);
    assert.deepEqual(on.log.drafts[0].values, data.edits[0][3]);
    assert.equal(on.log.dropped, 1);
    assert.deepEqual(on.log.said, [`${tool.label} placed`]);
  });

  test(`${tool.name}: a slip of the hand, or a gesture taken back, leaves no trace`, () => {
    const on = desk(0.25);
    const slip = tool.begin(on, [100, 100]);
    slip.extend([[110, 110]]);
    slip.finish();
    const back = tool.begin(on, [100, 100]);
    back.extend([[500, 500]]);
    back.cancel();
    assert.deepEqual([on.log.ops, on.log.said, on.log.dropped], [[], [], 2]);
  });
}

test("a box is told from its top left corner, a line from its beginning", () => {
  assert.deepEqual(fields("box", [100, 90], [40, 100], {}), { at: [40, 90], box: [60, 10], style: {} });
  assert.deepEqual(fields("arrow", [100, 90], [40, 100], {}), { at: [100, 90], box: [-60, 10], style: {} });
});

test("with Shift a box is a square and a line lies at an angle of 45°, towards where the pointer is", () => {
  for (let n = 0; n < 200; n += 1) {
    const [a, b] = [[Math.sin(n) * 500, Math.cos(n * 3) * 500], [Math.sin(n * 7) * 500, Math.cos(n * 11) * 500]];
    const square = evened("box", a, b);
    assert.ok(Math.abs(Math.abs(square[0] - a[0]) - Math.abs(square[1] - a[1])) < 1e-9);
    assert.ok((square[0] - a[0]) * (b[0] - a[0]) >= 0);
    assert.ok((square[1] - a[1]) * (b[1] - a[1]) >= 0);
    const [dx, dy] = evened("line", a, b).map((value, i) => value - a[i]);
    assert.ok([dx, dy, Math.abs(dx) - Math.abs(dy)].some((value) => Math.abs(value) < 1e-6));
    assert.ok(dx * (b[0] - a[0]) + dy * (b[1] - a[1]) >= 0);
  }
});

const wide = (text) => [...text].length; // every letter one unit

test("lines break after words, never drop a letter, and are no wider than they may be", () => {
  assert.equal(broken("one two three", wide, 8), "one two\nthree");
  assert.equal(broken("one\n\ntwo", wide, 8), "one\n\ntwo");
  assert.equal(broken("photosynthesis", wide, 5), "photo\nsynth\nesis");
  assert.equal(broken("光合成とは何か", wide, 3), "光合成\nとは何\nか");
  assert.equal(broken("a photosynthesis b", wide, 6), "a\nphotos\nynthes\nis b");
  let seed = 1;
  const chance = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let n = 0; n < 300; n += 1) {
    const words = Array.from({ length: 1 + Math.floor(chance() * 60) }, () => (chance() < 0.25 ? " " : chance() < 0.05 ? "\n" : "x")).join("");
    const most = 1 + Math.floor(chance() * 12);
    const lines = broken(words, wide, most);
    assert.equal(lines.replace(/\s/g, ""), words.replace(/\s/g, ""));
    for (const one of lines.split("\n")) assert.ok(wide(one.trimEnd()) <= most, JSON.stringify([words, most, lines]));
  }
});
