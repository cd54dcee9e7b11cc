// What only JavaScript does: boards that are loaded later, and events that find none.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { paintOrder } from "../../static/js/board.js";
import { apply, fresh, fromJSON, loadBoard, permit, toJSON } from "../../static/js/lesson.js";

const VECTORS = JSON.parse(readFileSync(new URL("../contract/fold.json", import.meta.url), "utf8"));

/** The state after the first `count` events. */
function folded(events, count = events.length) {
  const state = fresh();
  for (const event of events.slice(0, count)) apply(state, event);
  return state;
}

function plain(value) {
  return JSON.parse(JSON.stringify(value));
}

/** A snapshot without boards, as `?boards=` brings it. */
function withoutBoards(state) {
  return fromJSON({ ...plain(toJSON(state)), boards: {} }, state.seq, state.at);
}

test("a board loaded later than the rest ends as the full fold does, whenever it is loaded", () => {
  for (const { events, state: whole, digest } of VECTORS) {
    for (let cut = 1; cut < events.length; cut += 7) {
      for (let ahead = 0; ahead <= 12; ahead += 4) {
        const state = withoutBoards(folded(events, cut));
        const later = folded(events, Math.min(cut + ahead, events.length));
        for (const [page, board] of Object.entries(plain(toJSON(later)).boards)) {
          assert.equal(loadBoard(state, page, board, later.seq), state.pages.some(({ id }) => id === page));
        }
        for (const event of events.slice(cut)) apply(state, event);
        for (const page of state.boards.keys()) {
          assert.deepEqual(plain(toJSON(state)).boards[page], whole.boards[page]);
          assert.equal(state.boards.get(page).digest, digest[page]);
        }
        assert.deepEqual(plain({ ...toJSON(state), boards: {} }), { ...whole, boards: {} });
      }
    }
  }
});

test("a page added after the snapshot has its board at once", () => {
  const state = withoutBoards(folded(VECTORS[0].events, 10));
  const add = { kind: "page.added", by: null, data: { page: "later", kind: "blank", title: "" } };
  assert.equal(apply(state, { seq: 11, at: 0, ...add }), true);
  assert.deepEqual([...state.boards.keys()], ["later"]);
});

test("a board that is behind the state, or of a page that is gone, is not taken in", () => {
  const { events } = VECTORS[0];
  const state = withoutBoards(folded(events, 30));
  const old = plain(toJSON(folded(events, 29))).boards;
  assert.equal(loadBoard(state, "p1", old.p1, 29), false);
  assert.equal(loadBoard(state, "gone", { items: {}, cleared: {} }, 30), false);
  assert.equal(state.boards.size, 0);
});

test("an event out of order is an error and changes nothing", () => {
  const state = fresh();
  assert.throws(() => apply(state, { seq: 2, kind: "hand.raised", by: null, at: 0, data: {} }), RangeError);
  assert.equal(state.seq, 0);
});

test("a snapshot shares nothing with the state that it was made of", () => {
  const { events } = VECTORS[0];
  const state = folded(events, 40);
  const json = plain(toJSON(state));
  const copy = fromJSON(json, state.seq, state.at);
  const before = JSON.stringify(json);
  for (const event of events.slice(40)) apply(copy, event);
  assert.equal(JSON.stringify(json), before);
});

test("a page is full at 5,000 live items", () => {
  const state = folded(VECTORS[0].events, 10);
  const student = [...state.people.keys()][0];
  const data = { page: state.pages[0].id, edits: [["add", `${student}.x.1`, "box", {}]] };
  assert.equal(permit(state, student, "board.edited", data), null);
  state.boards.get(data.page).live = 5000;
  assert.equal(permit(state, student, "board.edited", data), "too_many_items");
  assert.equal(permit(state, student, "board.edited", { ...data, edits: [["add", "zoe.x.1", "box", {}]] }), "not_allowed");
});

test("what an item of a kind does not have is not set on it", () => {
  const state = folded(VECTORS[0].events, 10);
  const student = [...state.people.keys()][0];
  const ask = (kind, fields) =>
    permit(state, student, "board.edited", { page: state.pages[0].id, edits: [["add", `${student}.x.1`, kind, {}], ["set", `${student}.x.1`, fields]] });
  for (const [kind, fields] of [["stroke", { text: "Leaf" }], ["note", { ink: "aAAA" }], ["box", { box: null }], ["box", { box: [-3, 4] }]]) {
    assert.equal(ask(kind, fields), "bad_frame", kind);
  }
  for (const [kind, fields] of [["line", { box: [-3, 4] }], ["stroke", { box: null, turn: 9 }], ["of a later version", { text: "" }]]) {
    assert.equal(ask(kind, fields), null, kind);
  }
});

test("paint order goes by top, then place, then id", () => {
  const state = fresh();
  const start = { title: "", policy: {}, pages: [{ page: "p", kind: "blank", title: "" }] };
  apply(state, { seq: 1, kind: "lesson.started", by: null, at: 0, data: start });
  const edits = [["add", "b", "box", {}], ["add", "a", "box", {}], ["add", "c", "box", { top: "back" }], ["add", "d", "box", { top: 2 }]];
  apply(state, { seq: 2, kind: "board.edited", by: null, at: 0, data: { page: "p", edits } });
  assert.deepEqual(paintOrder(state.boards.get("p")), ["c", "b", "a", "d"]);
});
