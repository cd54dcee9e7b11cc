// What stands in the bar about the connection.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chipOf } from "../../static/js/panels/link.js";

const status = (more) => ({ phase: "live", roundTrip: 38.4, unsent: 0, oldest: null, since: 0, durable: true, message: "", mismatches: 0, ...more });

test("live with its round trip", () => {
  assert.deepEqual(chipOf(status({}), 0), { state: "live", words: "Live", number: "38 ms" });
  assert.equal(chipOf(status({ roundTrip: null }), 0).number, "");
});

test("nothing is said of own work under a second, then how many are not sent", () => {
  assert.equal(chipOf(status({ unsent: 3, oldest: 5000 }), 6000).state, "live");
  assert.deepEqual(chipOf(status({ unsent: 3, oldest: 5000 }), 6001), { state: "unsent", words: "3 not sent", number: "" });
});

test("what waits is said also while the line is down", () => {
  assert.equal(chipOf(status({ phase: "reconnecting" }), 0).words, "Reconnecting");
  assert.equal(chipOf(status({ phase: "reconnecting", unsent: 1, oldest: 0 }), 2000).words, "1 not sent");
});

test("every final phase is said to be over, whatever was not sent", () => {
  for (const phase of ["ended", "removed", "replaced", "gone", "too_many_tabs", "reload"]) {
    assert.equal(chipOf(status({ phase, unsent: 2, oldest: 0 }), 9000).state, "stopped");
  }
});
