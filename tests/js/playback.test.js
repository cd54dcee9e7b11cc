// Others' ink in the making: played back over an interval, settled by its item, faded without it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FADE, FADE_AFTER, Playback } from "../../static/js/render/playback.js";

const style = { color: "#2f5fd0", width: 6 };
const signal = (offset, extra = { style }) => ({ by: "u2", data: { page: "p1", item: "u2.a.1", offset, ...extra } });
const line = (from, count) => Array.from({ length: count }, (_, i) => [from + i, 0]);
const shown = (playback, now, page = "p1") => playback.visible(page, now).map(({ points }) => points.length);

test("points appear over the interval, not at once", () => {
  const playback = new Playback();
  playback.receive(signal(0), line(0, 10), 1000, 50);
  assert.deepEqual(shown(playback, 1000), [0]);
  assert.deepEqual(shown(playback, 1025), [5]);
  assert.deepEqual(shown(playback, 1050), [10]);
  assert.equal(playback.nextChange("p1", 1025), 0);
});

test("the next batch goes on from what is shown", () => {
  const playback = new Playback();
  playback.receive(signal(0), line(0, 10), 1000, 50);
  playback.receive(signal(10, {}), line(10, 10), 1050, 50);
  assert.deepEqual(shown(playback, 1050), [10]);
  assert.deepEqual(shown(playback, 1100), [20]);
});

test("a batch that comes twice does not lengthen the stroke", () => {
  const playback = new Playback();
  playback.receive(signal(0), line(0, 10), 1000, 0);
  playback.receive(signal(0), line(0, 10), 1010, 0);
  assert.deepEqual(shown(playback, 1010), [10]);
});

test("a lost batch is bridged", () => {
  const playback = new Playback();
  playback.receive(signal(0), line(0, 10), 1000, 0);
  playback.receive(signal(20, {}), line(20, 5), 1100, 0);
  assert.deepEqual(shown(playback, 1100), [15]);
});

test("the item takes its wet ink away, and ink that comes late is dropped", () => {
  const playback = new Playback();
  playback.receive(signal(0), line(0, 10), 1000, 0);
  assert.ok(playback.settle("u2.a.1", 1100));
  playback.receive(signal(10), line(10, 5), 1120, 0);
  assert.deepEqual(shown(playback, 1200), []);
});

test("without its item it fades after ten seconds and is forgotten", () => {
  const playback = new Playback();
  playback.receive(signal(0), line(0, 10), 0, 0);
  assert.equal(playback.visible("p1", FADE_AFTER)[0].opacity, 1);
  assert.equal(playback.visible("p1", FADE_AFTER + FADE / 2)[0].opacity, 0.5);
  assert.deepEqual(shown(playback, FADE_AFTER + FADE + 1), []);
  assert.equal(playback.nextChange("p1", FADE_AFTER + FADE + 1), null);
});

test("only the page that is looked at is shown", () => {
  const playback = new Playback();
  playback.receive(signal(0), line(0, 10), 0, 0);
  assert.deepEqual(shown(playback, 10, "p2"), []);
  assert.deepEqual(shown(playback, 10, "p1"), [10]);
});

test("a stroke whose beginning was missed waits for its item", () => {
  const playback = new Playback();
  playback.receive(signal(40, {}), line(40, 10), 0, 0);
  assert.deepEqual(shown(playback, 10), []);
});
