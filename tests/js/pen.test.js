// A stroke from pen down to pen up: what is signalled, what is proposed, how a long one is split.
import assert from "node:assert/strict";
import { test } from "node:test";
import { normaliseEdit } from "../../static/js/items.js";
import { decode } from "../../static/js/points.js";
import { highlighter, pen } from "../../static/js/tools/pen.js";

/** A desk that writes down what happens to it. */
function desk() {
  const log = { ops: [], wet: [], dropped: 0, signal: null, now: 0 };
  let items = 0;
  return {
    log,
    page: "p1",
    style: { color: "#d3322b", width: 6 },
    doubtful: false,
    now: () => log.now,
    board: { scale: 1, own: { begin: () => {}, extend: (points) => log.wet.push(...points), drop: () => { log.dropped += 1; } } },
    session: { newItem: () => `u1.00000000.${(items += 1)}`, propose: (kind, data) => log.ops.push({ kind, data }), signal: (kind, content) => { log.signal = content; } },
    store: {},
  };
}

const adds = (log) => log.ops.map(({ data }) => data.edits[0]);
const wave = (from, to) => Array.from({ length: to - from }, (_, i) => [from + i, 100 + 40 * Math.sin((from + i) / 7)]);

test("pen up proposes one item whose ink begins at its place", () => {
  const on = desk();
  const stroke = pen.begin(on, [10.1, 20.2]);
  stroke.extend([[30, 20], [50, 45]]);
  stroke.finish();
  const [[what, id, kind, fields]] = adds(on.log);
  assert.deepEqual([what, id, kind], ["add", "u1.00000000.1", "stroke"]);
  assert.deepEqual(fields.at, [10, 20.25]);
  assert.deepEqual(decode(fields.ink).map(([x, y]) => [x + fields.at[0], y + fields.at[1]]), [[10, 20.25], [30, 20], [50, 45]]);
  assert.equal(fields.group, undefined);
  assert.equal(on.log.dropped, 1);
});

test("what is proposed passes the door", () => {
  for (const tool of [pen, highlighter]) {
    const on = desk();
    const stroke = tool.begin(on, [0, 0, 128]);
    stroke.extend([[10, 10, 140], [30, 5, 220]]);
    stroke.finish();
    const edit = adds(on.log)[0];
    assert.deepEqual(normaliseEdit(structuredClone(edit)), edit);
  }
});

test("a tap makes a dot", () => {
  const on = desk();
  pen.begin(on, [10, 10]).finish();
  assert.equal(decode(adds(on.log)[0][3].ink).length, 1);
});

test("a cancelled stroke leaves no trace", () => {
  const on = desk();
  const stroke = pen.begin(on, [10, 10]);
  stroke.extend([[20, 20]]);
  stroke.cancel();
  assert.deepEqual(on.log.ops, []);
  assert.equal(on.log.dropped, 1);
  assert.equal(on.log.signal(), null);
});

test("signals carry every point once, the style with the first", () => {
  const on = desk();
  const stroke = pen.begin(on, [0, 0]);
  stroke.extend([[10, 0], [20, 0]]);
  const first = on.log.signal();
  assert.deepEqual([first.offset, decode(first.ink), first.style], [0, [[0, 0], [10, 0], [20, 0]], on.style]);
  assert.equal(on.log.signal(), null);
  stroke.extend([[30, 0]]);
  const second = on.log.signal();
  assert.deepEqual([second.offset, decode(second.ink), second.style], [3, [[30, 0]], undefined]);
});

test("a finger's stroke is not shown to others while it may turn out to be a pinch", () => {
  const on = { ...desk(), doubtful: true };
  const stroke = pen.begin(on, [0, 100]);
  stroke.extend(wave(1, 30));
  assert.equal(on.log.signal, null);
  on.log.now = 151;
  stroke.extend(wave(30, 31));
  assert.equal(decode(on.log.signal().ink).length, 31);
  const slow = { ...desk(), doubtful: true };
  const begun = pen.begin(slow, [0, 100]);
  slow.log.now = 5000;
  begun.extend(wave(1, 9));
  assert.equal(slow.log.signal, null);
  begun.extend(wave(9, 10));
  assert.equal(slow.log.signal().offset, 0);
});

test("after 1,000 points the part is committed and the stroke goes on in the same group", () => {
  const on = desk();
  const stroke = pen.begin(on, [0, 100]);
  stroke.extend(wave(1, 1500));
  stroke.finish();
  const parts = adds(on.log);
  assert.equal(parts.length, 2);
  assert.deepEqual(parts.map(([, , , fields]) => fields.group), [parts[0][1], parts[0][1]]);
  const end = decode(parts[0][3].ink).at(-1).map((value, i) => value + parts[0][3].at[i]);
  assert.deepEqual(parts[1][3].at, end);
});

test("after 8 seconds too", () => {
  const on = desk();
  const stroke = pen.begin(on, [0, 100]);
  stroke.extend(wave(1, 20));
  on.log.now = 8000;
  stroke.extend(wave(20, 40));
  stroke.finish();
  assert.equal(on.log.ops.length, 2);
});

test("pen up just after a part ended does not add a dot", () => {
  const on = desk();
  const stroke = pen.begin(on, [0, 100]);
  stroke.extend(wave(1, 1000));
  assert.equal(on.log.ops.length, 1);
  stroke.finish();
  assert.equal(on.log.ops.length, 1);
});

test("points nearer than three quarters of a pixel are left out, also of the wet ink", () => {
  const on = desk();
  const stroke = pen.begin(on, [0, 0]);
  stroke.extend([[0.5, 0], [0.7, 0], [0.8, 0]]);
  assert.deepEqual(on.log.wet, [[0, 0], [0.8, 0]]);
});
