// The contract vectors: state, digest and void events, read by pytest as well.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { recomputedDigest } from "../../static/js/board.js";
import { apply, digests, fresh, fromJSON, toJSON } from "../../static/js/lesson.js";

for (const file of ["rules", "fold", "void"]) {
  const vectors = JSON.parse(readFileSync(new URL(`../contract/${file}.json`, import.meta.url), "utf8"));
  vectors.forEach((vector, n) => {
    test(`${file} ${n}: ${vector.why ?? "a longer log"}`, () => {
      const state = fresh();
      const void_ = vector.events.filter((event) => !apply(state, event)).map((event) => event.seq);
      assert.deepEqual(plain(toJSON(state)), vector.state);
      assert.deepEqual(Object.fromEntries(digests(state)), vector.digest);
      assert.deepEqual(void_, vector.void);
      for (const board of state.boards.values()) assert.equal(board.digest, recomputedDigest(board));
      assert.deepEqual(plain(toJSON(fromJSON(plain(toJSON(state)), state.seq, state.at))), vector.state);
    });
  });
}

function plain(value) {
  return JSON.parse(JSON.stringify(value));
}
