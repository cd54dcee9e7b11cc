// A sweep of the eraser: what fades, what goes, what it may not touch.
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "../../static/js/points.js";
import { eraser } from "../../static/js/tools/eraser.js";

const stroke = (id, by, x) => ({ id, kind: "stroke", by, values: { at: [x, 0], ink: encode([[0, 0], [0, 100]], false), style: { color: "#000000", width: 4 } } });
const role = (name) => ({ name, role: name === "grace" ? "instructor" : "student", color: "#000000", removed: false });

/** @param {{me?: string, edit?: string, draw?: string, count?: number}} [options] */
function desk({ me = "ana", edit = "own", draw = "everyone", count = 0 } = {}) {
  const items = [stroke("a", "ana", 100), stroke("b", "ben", 200), stroke("g", "grace", 300), ...Array.from({ length: count }, (_, i) => stroke(`n${i}`, me, 400 + i))];
  const log = { ops: [], faded: [] };
  const people = new Map(["ana", "ben", "grace"].map((name) => [name, role(name)]));
  return {
    log,
    page: "p1",
    style: {},
    now: () => 0,
    board: { scale: 1, fade: (ids) => log.faded.push([...ids]) },
    session: { propose: (kind, data) => log.ops.push(data.edits) },
    store: { me: { id: me, role: role(me).role }, shown: { status: "live", people, policy: { draw, edit, chosen: [] } }, items: () => items, item: (page, id) => items.find((one) => one.id === id) },
  };
}

const sweep = (on) => {
  const gesture = eraser.begin(on, [50, 50]);
  gesture.extend([[1600, 50]]);
  return gesture;
};

test("one sweep removes what it passed, as one gesture, in the order of the board", () => {
  const on = desk({ me: "grace" });
  sweep(on).finish();
  assert.deepEqual(on.log.ops, [[["remove", "a"], ["remove", "b"], ["remove", "g"]]]);
});

test("what it passes fades at once and comes back when the sweep is cancelled", () => {
  const on = desk();
  sweep(on).cancel();
  assert.deepEqual(on.log.faded, [["a"], []]);
  assert.deepEqual(on.log.ops, []);
});

test("a student erases the own ink; others' students' where editing is shared; staff's never", () => {
  const own = desk();
  sweep(own).finish();
  assert.deepEqual(own.log.ops, [[["remove", "a"]]]);
  const shared = desk({ edit: "shared" });
  sweep(shared).finish();
  assert.deepEqual(shared.log.ops, [[["remove", "a"], ["remove", "b"]]]);
});

test("who may not draw erases nothing", () => {
  const on = desk({ draw: "staff" });
  sweep(on).finish();
  assert.deepEqual(on.log.ops, []);
});

test("a wide sweep is sent in ops of at most 50 edits", () => {
  const on = desk({ count: 120 });
  sweep(on).finish();
  assert.deepEqual(on.log.ops.map((edits) => edits.length), [50, 50, 21]);
});

test("what somebody else erased meanwhile is not asked for", () => {
  const on = desk();
  const gesture = sweep(on);
  on.store.item = () => undefined;
  gesture.finish();
  assert.deepEqual(on.log.ops, []);
});
