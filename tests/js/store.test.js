// The store by itself: what is shown, what is said to have changed, and how little of it is touched.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { fresh, apply, toJSON } from "../../static/js/lesson.js";
import { Store } from "../../static/js/store.js";
import { settle } from "./support/clock.js";
import { STYLE, confirmedOf, shownOf } from "./support/room.js";
import { ANA, BEN, TEA } from "./support/server.js";

/** A log, and Ana's store that follows it. */
class Lesson {
  state = fresh();
  changes = [];

  constructor(items = 0) {
    this.apply("lesson.started", null, { title: "", policy: {}, pages: ["p1", "p2"].map((page) => ({ page, kind: "blank", title: "" })) });
    for (const { id, ...person } of [ANA, BEN, TEA]) this.apply("person.joined", null, { participant: id, ...person });
    for (let n = 0; n < items; n += 1) this.apply("board.edited", BEN.id, { page: "p1", edits: [["add", `u2.b.${n}`, "box", { at: [n, n], box: [5, 5], style: STYLE }]] });
    this.store = new Store(ANA);
    this.snapshot();
    this.store.subscribe((change) => this.changes.push(change));
  }

  apply(kind, by, data, op = null) {
    const event = { seq: this.state.seq + 1, kind, by, at: 1_764_000_000_000, op, data };
    apply(this.state, structuredClone(event));
    return event;
  }

  /** An event that everybody hears of. */
  event(...parts) {
    return this.store.confirm(this.apply(...parts));
  }

  snapshot(epoch = "5be0c41d") {
    return this.store.snapshot({ epoch, seq: this.state.seq, at: this.state.at, state: structuredClone(toJSON(this.state)) });
  }

  n = 0;
  propose(kind, data) {
    const op = { id: `c:${(this.n += 1)}`, kind, data, born: 0 };
    this.store.propose(op);
    return op;
  }

  edit(...edits) {
    return this.propose("board.edit", { page: "p1", edits });
  }

  /** The own op reaches the log. */
  log({ id, kind, data }) {
    return this.event({ "board.edit": "board.edited", "page.clear": "page.cleared", "hand.raise": "hand.raised" }[kind], this.store.me.id, data, id);
  }
}

const box = (id, at = [0, 0]) => ["add", id, "box", { at, box: [5, 5], style: STYLE }];

let lesson;
let store;
beforeEach(async () => {
  lesson = new Lesson(3);
  store = lesson.store;
  await settle();
  lesson.changes.length = 0;
});

test("an event that touches one item leaves 5,000 others as they are", async () => {
  lesson = new Lesson(5_000);
  const before = [...lesson.store.items("p1")];
  await settle();
  lesson.changes.length = 0;
  lesson.event("board.edited", BEN.id, { page: "p1", edits: [["set", "u2.b.77", { at: [9, 9] }]] });
  await settle();
  assert.deepEqual(lesson.changes[0].items, new Map([["p1", new Set(["u2.b.77"])]]));
  const changed = lesson.store.items("p1").filter((item, n) => item !== before[n]);
  assert.deepEqual(changed.map(({ id }) => id), ["u2.b.77"]);
});

test("all that changes in one task is said once", async () => {
  lesson.event("hand.raised", BEN.id, {});
  lesson.event("chat.posted", BEN.id, { text: "?" });
  lesson.event("page.shown", TEA.id, { page: "p2" });
  await settle();
  assert.equal(lesson.changes.length, 1);
  assert.deepEqual([...lesson.changes[0].topics].filter((topic) => ["hands", "chat", "page", "pages"].includes(topic)).sort(), ["chat", "hands", "page", "pages"]);
});

test("own items lie above all others, in the order of their ops, until they are confirmed", async () => {
  lesson.edit(box("u1.c.1"));
  lesson.edit(box("u1.c.2"), ["set", "u2.b.0", { top: "front" }]);
  lesson.event("board.edited", BEN.id, { page: "p1", edits: [box("u2.b.9")] });
  assert.deepEqual(store.items("p1").map(({ id }) => id), ["u2.b.1", "u2.b.2", "u2.b.9", "u1.c.1", "u1.c.2", "u2.b.0"]);
});

test("what somebody brings to the front lies above all that is confirmed", () => {
  assert.deepEqual(store.items("p1").map(({ id }) => id), ["u2.b.0", "u2.b.1", "u2.b.2"]);
  lesson.event("board.edited", BEN.id, { page: "p1", edits: [["set", "u2.b.0", { top: "front" }]] });
  assert.deepEqual(store.items("p1").map(({ id }) => id), ["u2.b.1", "u2.b.2", "u2.b.0"]);
  lesson.event("board.edited", BEN.id, { page: "p1", edits: [["set", "u2.b.2", { top: "back" }]] });
  assert.deepEqual(store.items("p1").map(({ id }) => id), ["u2.b.2", "u2.b.1", "u2.b.0"]);
});

test("what waits to be brought to the back lies below all", () => {
  lesson.edit(["set", "u2.b.2", { top: "back" }]);
  assert.deepEqual(store.items("p1").map(({ id }) => id), ["u2.b.2", "u2.b.0", "u2.b.1"]);
});

test("a clear that waits takes what comes meanwhile as well", async () => {
  lesson.event("person.changed", TEA.id, { participant: ANA.id, role: "assistant" });
  const clear = lesson.propose("page.clear", { page: "p1" });
  assert.deepEqual(store.items("p1"), []);
  lesson.event("board.edited", BEN.id, { page: "p1", edits: [box("u2.b.9")] });
  assert.deepEqual(store.items("p1"), []);
  assert.deepEqual(store.refuse(clear.id, "not_allowed", "No."), [clear.id]);
  assert.equal(store.items("p1").length, 4);
  assert.deepEqual(shownOf(store, "p1"), confirmedOf(lesson.state, "p1"));
});

test("confirmation changes no picture and reports no correction", async () => {
  const op = lesson.edit(box("u1.c.1", [3, 4]), ["set", "u2.b.0", { at: [8, 8], top: "front" }]);
  const before = shownOf(store, "p1");
  await settle();
  lesson.changes.length = 0;
  assert.deepEqual(lesson.log(op), [op.id]);
  await settle();
  assert.deepEqual(shownOf(store, "p1"), before);
  assert.deepEqual(lesson.changes[0].corrections, []);
});

test("an own event that turns out otherwise is a correction, from where it was shown", async () => {
  store.items("p1");
  const op = lesson.edit(["set", "u2.b.0", { at: [8, 8] }]);
  await settle();
  lesson.event("policy.set", TEA.id, { edit: "own" });
  lesson.log(op);
  await settle();
  const [{ corrections, notices }] = lesson.changes.slice(-1);
  assert.deepEqual(corrections.map(({ id, from }) => [id, from.at]), [["u2.b.0", [8, 8]]]);
  assert.deepEqual(notices.map(({ outcome, tray }) => [outcome, tray]), [["void", false]]);
  assert.deepEqual(store.item("p1", "u2.b.0").values.at, [0, 0]);
});

test("an item that somebody takes away from under one's hand is gone, and comes back with a restore", () => {
  lesson.edit(["set", "u2.b.0", { at: [8, 8] }]);
  lesson.event("board.edited", BEN.id, { page: "p1", edits: [["remove", "u2.b.0"]] });
  assert.equal(store.item("p1", "u2.b.0"), undefined);
  lesson.event("board.edited", BEN.id, { page: "p1", edits: [["restore", "u2.b.0"]] });
  assert.deepEqual(store.item("p1", "u2.b.0").values.at, [8, 8]);
});

test("hands, pages and policy are shown as one left them, before the server has them", () => {
  const hand = lesson.propose("hand.raise", {});
  assert.deepEqual([store.shown.hands, store.lesson.hands], [[ANA.id], []]);
  lesson.log(hand);
  assert.equal(store.shown, store.lesson);
  assert.deepEqual(store.shown.hands, [ANA.id]);
});

test("somebody who has not joined yet draws and raises a hand all the same", () => {
  const guest = new Store({ id: "u9", name: "Zoe", role: "student", color: "#000000" });
  guest.snapshot({ epoch: "5be0c41d", seq: lesson.state.seq, at: 0, state: structuredClone(toJSON(lesson.state)) });
  guest.propose({ id: "z:1", kind: "board.edit", data: { page: "p1", edits: [box("u9.z.1")] }, born: 0 });
  guest.propose({ id: "z:2", kind: "board.edit", data: { page: "p1", edits: [["set", "u9.z.1", { at: [1, 1] }]] }, born: 0 });
  guest.propose({ id: "z:3", kind: "hand.raise", data: {}, born: 0 });
  assert.deepEqual(guest.item("p1", "u9.z.1").values.at, [1, 1]);
  assert.deepEqual(guest.shown.hands, ["u9"]);
});

test("what one may not do is not shown as done", () => {
  lesson.event("policy.set", TEA.id, { draw: "staff" });
  lesson.edit(box("u1.c.1"));
  assert.equal(store.item("p1", "u1.c.1"), undefined);
});

test("what a clear took is not shown as restored by a student", () => {
  lesson.event("page.cleared", TEA.id, { page: "p1" });
  lesson.edit(["restore", "u2.b.0"]);
  assert.deepEqual(store.items("p1"), []);
});

test("one looks where one likes while the policy lets one", () => {
  store.look("p2");
  assert.deepEqual([store.page, store.following], ["p2", false]);
  lesson.event("policy.set", TEA.id, { roam: false });
  assert.deepEqual([store.page, store.following], ["p1", true]);
  lesson.event("policy.set", TEA.id, { roam: true });
  assert.equal(store.page, "p2");
  lesson.event("page.removed", TEA.id, { page: "p2" });
  assert.deepEqual([store.page, store.following], ["p1", true]);
  store.follow();
  assert.equal(store.page, "p1");
});

test("ids that are names of the language are ids like any other", () => {
  for (const id of ["constructor", "__proto__", "toString"]) {
    assert.equal(store.item("p1", id), undefined);
    assert.deepEqual(store.items(id), []);
    assert.equal(store.loaded(id), false);
  }
});

test("a role that is given is one's own at once", async () => {
  lesson.event("person.changed", TEA.id, { participant: ANA.id, role: "assistant" });
  await settle();
  assert.equal(store.me.role, "assistant");
  assert.ok(lesson.changes[0].topics.has("me"));
});

test("a page whose board is not here has ink when its digest says so, or when somebody draws on it", () => {
  const { state, store } = new Lesson(1);
  const { boards, ...rest } = structuredClone(toJSON(state));
  store.snapshot({ epoch: "5be0c41d", seq: state.seq, at: state.at, state: { ...rest, boards: {} }, digest: { p1: 77, p2: 0 } });
  assert.deepEqual([store.inked("p1"), store.inked("p2")], [true, false]);
  store.confirm({ seq: state.seq + 1, kind: "board.edited", by: BEN.id, at: state.at, data: { page: "p2", edits: [box("u2.b.9")] } });
  assert.equal(store.inked("p2"), true);
  store.loadBoard("p1", { items: {}, cleared: {} }, state.seq + 1);
  assert.equal(store.inked("p1"), false, "the board itself knows better");
});
