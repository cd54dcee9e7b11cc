// The JavaScript side of tests/test_twins.py: one request a line on stdin, one answer a line on stdout.
import { createInterface } from "node:readline";

import { paintOrder, recomputedDigest } from "../../static/js/board.js";
import { ItemError } from "../../static/js/items.js";
import { apply, digests, fresh, fromJSON, permit, toJSON } from "../../static/js/lesson.js";
import { readOp } from "../../static/js/kinds.js";
import { BadInk, decode, encode } from "../../static/js/points.js";
import * as protocol from "../../static/js/protocol.js";

const ANSWERS = {
  fold({ events, cut, asks }) {
    let state = fresh();
    const void_ = [];
    for (const event of events) {
      for (let n = event.times ?? 1; n > 0; n--) {
        if (state.seq === cut) state = fromJSON(JSON.parse(JSON.stringify(toJSON(state))), state.seq, state.at);
        if (!apply(state, { ...event, seq: state.seq + 1, at: state.seq + 1 })) void_.push(state.seq);
      }
    }
    return {
      state: toJSON(state),
      digest: Object.fromEntries(digests(state)),
      recomputed: Object.fromEntries([...state.boards].map(([page, board]) => [page, recomputedDigest(board)])),
      live: Object.fromEntries([...state.boards].map(([page, board]) => [page, board.live])),
      paint: Object.fromEntries([...state.boards].map(([page, board]) => [page, paintOrder(board)])),
      void: void_,
      permits: asks.map(([by, kind, data]) => permit(state, by, kind, data)),
    };
  },
  read({ kind, data }) {
    return refusing(ItemError, (error) => error.code, () => readOp(kind, data));
  },
  ink({ points, pressed }) {
    const ink = encode(points, pressed);
    return { ink, points: decode(ink) };
  },
  points({ ink }) {
    return refusing(BadInk, (error) => (error.tooMany ? "too many" : "bad"), () => decode(ink));
  },
  words() {
    const { PROTOCOL, SUBPROTOCOL, LIMITS, OPS, SERVER_EVENTS, SIGNALS, SENTENCES, CLOSE, UP, DOWN } = protocol;
    const maps = { OPS: Object.fromEntries(OPS), SENTENCES: Object.fromEntries(SENTENCES) };
    return { PROTOCOL, SUBPROTOCOL, LIMITS, SERVER_EVENTS, SIGNALS, CLOSE, UP, DOWN, ...maps };
  },
};

function refusing(type, code, work) {
  try {
    return { value: work() };
  } catch (error) {
    if (!(error instanceof type)) throw error;
    return { refused: code(error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  console.log(JSON.stringify(ANSWERS[request.ask](request)));
}
