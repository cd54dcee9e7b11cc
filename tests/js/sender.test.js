// Sending by itself: the order of what goes up, and how much of it.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Bucket } from "../../static/js/bucket.js";
import { Sender } from "../../static/js/sender.js";
import { FakeClock } from "./support/clock.js";

const LIMITS = { ops: 10, ops_burst: 40 };

let clock;
let pending;
let posted;
let sender;
beforeEach(() => {
  clock = new FakeClock();
  pending = [];
  posted = [];
  sender = new Sender({
    clock,
    pending: () => pending,
    mark: (id, state) => {
      const op = pending.find((one) => one.id === id);
      if (op) op.state = state;
    },
    post: (frames) => posted.push(frames.map(({ id }) => id)),
  });
});

function add(...ids) {
  for (const id of ids) pending.push({ id, kind: "hand.raise", data: {}, state: "queued" });
  sender.pump();
}

test("nothing goes before there is a line, then all that waits in one text", async () => {
  add("a:1", "a:2");
  await clock.advance(100);
  assert.deepEqual(posted, []);
  sender.open(LIMITS);
  await clock.advance(0);
  assert.deepEqual(posted, [["a:1", "a:2"]]);
});

test("what was in flight goes again on the next line, in order and before what is new", async () => {
  sender.open(LIMITS);
  add("a:1", "a:2");
  await clock.advance(0);
  sender.close();
  add("a:3");
  sender.open(LIMITS);
  await clock.advance(0);
  assert.deepEqual(posted.slice(1), [["a:1", "a:2", "a:3"]]);
});

test("all that was sent behind a postponed op goes again behind it, before the refusals of the others have come", async () => {
  sender.open(LIMITS);
  add("a:1", "a:2", "a:3");
  await clock.advance(0);
  sender.postponed("a:2", "overloaded", 1);
  add("a:4");
  await clock.advance(1);
  assert.deepEqual(posted.slice(1), [["a:2", "a:3", "a:4"]]);
  sender.postponed("a:3", "try_again"); // of the first time, late
  await clock.advance(300);
  assert.deepEqual(posted.slice(2), [["a:3", "a:4"]]);
});

test("an op that is logged takes no room in flight", async () => {
  sender.open({ ops: 1_000, ops_burst: 1_000 });
  add(...Array.from({ length: 30 }, (_, n) => `a:${n}`));
  await clock.advance(0);
  assert.equal(posted.flat().length, 20);
  for (const op of pending.slice(0, 5)) op.state = "logged";
  sender.answered();
  await clock.advance(0);
  assert.equal(posted.flat().length, 25);
});

test("a text stays under what a frame may have, in bytes", async () => {
  const texts = [];
  sender.post = (frames) => texts.push(new TextEncoder().encode(JSON.stringify(frames)).length);
  sender.open(LIMITS);
  for (let n = 0; n < 20; n += 1) pending.push({ id: `a:${n}`, kind: "chat.post", data: { text: "画".repeat(2_000) }, state: "queued" });
  sender.pump();
  await clock.advance(0);
  assert.ok(texts.length > 1 && Math.max(...texts) < 64 * 1024, `${texts}`);
});

test("a bucket gives a burst, then its rate", () => {
  const bucket = new Bucket(clock, 10, 3);
  const taken = () => Array.from({ length: 5 }, () => bucket.take()).filter(Boolean).length;
  assert.equal(taken(), 3);
  assert.equal(bucket.wait, 100);
  clock.jump(200);
  assert.equal(taken(), 2);
  clock.jump(-3_600_000);
  assert.equal(taken(), 0);
  clock.jump(100);
  assert.equal(taken(), 1);
  bucket.tune(50, 200);
  assert.equal(taken(), 5);
});
