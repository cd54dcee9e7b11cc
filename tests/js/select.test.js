// Select: what a tap, a drag, a corner and a rectangle ask for; what somebody may not change is never taken.
import assert from "node:assert/strict";
import { test } from "node:test";
import { normaliseEdit } from "../../static/js/items.js";
import { encode } from "../../static/js/points.js";
import { cornerAt, selectTool } from "../../static/js/tools/select.js";
import { boundsOf, kept, moved, resized, Selection, stretch } from "../../static/js/tools/selection.js";

const style = { color: "#d3322b", width: 4 };
const box = (id, by, x, y, size = 100) => ({ id, kind: "box", by, kept: false, values: { at: [x, y], box: [size, size], style: { ...style, fill: "#ffffff" } } });
const role = (name) => ({ name, role: name === "grace" ? "instructor" : "student", color: "#000000", removed: false });

function desk({ me = "ana", edit = "own", items = [box("a", "ana", 100, 100), box("b", "ana", 400, 100), box("c", "ben", 700, 100)] } = {}) {
  const log = { ops: [], faded: [], drafts: [], dropped: 0, passed: [] };
  const people = new Map(["ana", "ben", "grace"].map((name) => [name, role(name)]));
  const session = { propose: (kind, data) => log.ops.push(data.edits), signal: (kind, content) => log.passed.push([kind, typeof content === "function" ? content() : content]) };
  const store = { page: "p1", me: { id: me, role: role(me).role }, shown: { pages: [{ id: "p1" }], status: "live", people, policy: { draw: "everyone", edit, chosen: [] } }, items: () => items, item: (page, id) => items.find((one) => one.id === id) };
  const selection = new Selection({ store, session });
  const board = { scale: 1, fade: (ids) => log.faded.push([...ids]), own: { draft: (...shown) => log.drafts.push(shown), drop: () => { log.dropped += 1; } } };
  return { log, items, selection, desk: { page: "p1", store, session, board, style, doubtful: false, now: () => 0 } };
}

/** A gesture from place to place. */
function drag(on, from, ...to) {
  const gesture = selectTool(on.selection).begin(on.desk, from);
  for (const point of to) gesture.extend([point]);
  return gesture;
}
const chosen = ({ selection }) => selection.items.map(({ id }) => id);

test("a tap takes what one may change, a tap beside lets go", () => {
  const on = desk();
  drag(on, [150, 150]).finish();
  assert.deepEqual(chosen(on), ["a"]);
  drag(on, [750, 150]).finish();
  assert.deepEqual(chosen(on), [], "Ben's is not hers to change");
  assert.deepEqual(on.log.ops, []);
  const shared = desk({ edit: "shared" });
  drag(shared, [750, 150]).finish();
  assert.deepEqual(chosen(shared), ["c"]);
  const staff = desk({ me: "grace" });
  drag(staff, [150, 150]).finish();
  assert.deepEqual(chosen(staff), ["a"]);
});

test("with Shift more is taken, and what is taken is let go", () => {
  const on = desk();
  drag(on, [150, 150]).finish();
  on.selection.more = true;
  drag(on, [450, 150]).finish();
  assert.deepEqual(chosen(on), ["a", "b"]);
  drag(on, [150, 150]).finish();
  assert.deepEqual(chosen(on), ["b"]);
});

test("a rectangle takes what lies in it whole", () => {
  const on = desk();
  drag(on, [50, 50], [450, 300]).finish();
  assert.deepEqual(chosen(on), ["a"]);
  drag(on, [50, 50], [900, 300]).finish();
  assert.deepEqual(chosen(on), ["a", "b"]);
});

test("a drag is previewed, and is one op of `at` when it ends", () => {
  const on = desk();
  drag(on, [50, 50], [900, 300]).finish();
  drag(on, [150, 150], [160, 155], [190.1, 170]).finish();
  assert.deepEqual(on.log.ops, [[["set", "a", { at: [140, 120] }], ["set", "b", { at: [440, 120] }]]]);
  assert.deepEqual(on.log.drafts.at(-1).map(({ values }) => values.at), [[140, 120], [440, 120]]);
  assert.deepEqual([on.log.faded.at(-1), on.log.dropped], [[], 1]);
});

test("what is held stays in the hand, whatever others do with it meanwhile; what they removed is passed over", () => {
  const on = desk({ edit: "shared" });
  drag(on, [50, 50], [900, 300]).finish();
  const gesture = drag(on, [150, 150], [200, 150]);
  on.items[0] = { ...on.items[0], values: { ...on.items[0].values, at: [900, 600] } };
  on.items.splice(1, 1);
  gesture.extend([[210, 150]]);
  assert.deepEqual(on.log.drafts.at(-1)[0].values.at, [160, 100]);
  gesture.finish();
  assert.deepEqual(on.log.ops, [[["set", "a", { at: [160, 100] }], ["set", "c", { at: [760, 100] }]]]);
});

test("a drag that is taken back, and a shaking tap, leave no trace", () => {
  const on = desk();
  drag(on, [150, 150], [300, 300]).cancel();
  drag(on, [150, 150], [151, 151]).finish();
  assert.deepEqual([on.log.ops, on.log.faded.at(-1)], [[], []]);
});

test("a corner resizes about the other one, evenly with Shift, and never through it", () => {
  const on = desk();
  drag(on, [150, 150]).finish();
  drag(on, [200, 200], [250, 220]).finish();
  assert.deepEqual(on.log.ops.pop(), [["set", "a", { at: [100, 100], box: [150, 120] }]]);
  drag(on, [100, 100], [150, 160]).finish();
  assert.deepEqual(on.log.ops.pop(), [["set", "a", { at: [150, 160], box: [50, 40] }]]);
  const even = selectTool(on.selection).begin(on.desk, [200, 200]);
  even.extend([[300, 220]], true);
  even.finish();
  assert.deepEqual(on.log.ops.pop(), [["set", "a", { at: [100, 100], box: [200, 200] }]]);
  drag(on, [200, 200], [-500, -500]).finish();
  assert.deepEqual(on.log.ops.pop(), [["set", "a", { at: [100, 100], box: [16, 16] }]]);
});

test("parts of one long stroke go together", () => {
  const part = (id, x) => ({ ...box(id, "ana", x, 0), values: { ...box(id, "ana", x, 0).values, group: "g" } });
  const on = desk({ items: [part("a", 0), part("b", 200), box("c", "ana", 400, 0)] });
  drag(on, [50, 50]).finish();
  assert.deepEqual(chosen(on), ["a", "b"]);
});

test("a hundred items are sent in ops of at most 50 edits, which the door takes", () => {
  const on = desk({ items: Array.from({ length: 120 }, (_, i) => box(`n${i}`, "ana", i * 10, 0, 5)) });
  on.selection.choose(on.items.map(({ id }) => id));
  on.selection.recolor("#17694f");
  assert.deepEqual(on.log.ops.map((edits) => edits.length), [50, 50, 20]);
  for (const edit of on.log.ops.flat()) assert.deepEqual(normaliseEdit(structuredClone(edit)), edit);
});

test("another page has no selection; a removed item is selected no more", () => {
  const on = desk();
  drag(on, [150, 150]).finish();
  on.desk.store.page = "p2";
  assert.deepEqual(chosen(on), []);
  on.desk.store.page = "p1";
  on.items.shift();
  assert.deepEqual(chosen(on), []);
});

test("ink is stretched by its box, and its frame with it", () => {
  const ink = { id: "s", kind: "stroke", by: "ana", kept: false, values: { at: [100, 100], ink: encode([[0, 0], [50, -20], [100, 60]], false), style } };
  const before = boundsOf([ink]);
  const [[, fields]] = resized([ink], [before[0], before[1]], 2, 3);
  assert.deepEqual(boundsOf([{ ...ink, values: { ...ink.values, ...fields } }]), [100, 80, 300, 320]);
});

test("some of what is moved stays on the page, and what is level stays level", () => {
  const page = { width: 1600, height: 900 };
  let seed = 7;
  const random = (most) => (seed = (seed * 1103515245 + 12345) % 2147483648) % most;
  for (let i = 0; i < 300; i += 1) {
    const item = box("a", "ana", random(1600), random(900), 20 + random(300));
    const step = kept(boundsOf([item]), random(6000) - 3000, random(6000) - 3000, page);
    const [[, there]] = moved([item], ...step);
    const [left, top, right, bottom] = boundsOf([{ ...item, values: { ...item.values, ...there } }]);
    assert.ok(right >= 24 || left >= item.values.at[0], `${left}-${right}`);
    assert.ok(left <= 1600 && top <= 900 && bottom >= 0);
  }
  assert.deepEqual(stretch([0, 0, 100, 0], 2, 5, false), [2, 1], "a level line has no height to stretch");
});

test("others see what is dragged before it is let go, and that it is put back when nothing comes of it", () => {
  const on = desk();
  drag(on, [150, 150]).finish();
  assert.deepEqual(on.log.passed, [], "a tap moves nothing");
  const gesture = drag(on, [150, 150], [160, 150], [190, 170]);
  assert.deepEqual(on.log.passed.at(-1), ["drag", { page: "p1", items: ["a"], at: [40, 20] }]);
  gesture.finish();
  assert.deepEqual(on.log.passed.at(-1), ["drag", null], "nothing is said after the op");
  drag(on, [150, 150], [190, 170]).cancel();
  assert.deepEqual(on.log.passed.at(-1), ["drag", { page: "p1", items: ["a"], at: [0, 0] }]);
  const many = desk({ items: Array.from({ length: 65 }, (_, n) => box(`x${n}`, "ana", 10 * n, 100)) });
  many.selection.choose(many.items.map(({ id }) => id));
  drag(many, [50, 150], [90, 150]).finish();
  assert.deepEqual(many.log.passed.filter(([, data]) => data), [], "a crowd waits for its op");
});

test("a small thing can still be taken in its middle: only its corners resize it, and what lies outside them", () => {
  const small = [100, 100, 120, 120];
  assert.equal(cornerAt(small, [110, 110], 22), null);
  assert.deepEqual(cornerAt(small, [118, 118], 22), [2, 3]);
  assert.deepEqual(cornerAt(small, [140, 140], 22), [2, 3]);
  assert.deepEqual(cornerAt([0, 0, 500, 500], [480, 480], 22), [2, 3]);
  assert.equal(cornerAt([0, 0, 500, 500], [470, 470], 22), null);
});
