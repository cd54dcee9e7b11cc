// What the browser refuses before the server does. That both read alike is tests/test_twins.py.
import assert from "node:assert/strict";
import test from "node:test";

import { tidyText } from "../../static/js/items.js";
import { cleanName, readOp } from "../../static/js/kinds.js";
import { byteLength, itemId, opId } from "../../static/js/protocol.js";

const BOX = { at: [1, 2], box: [3, 4], style: { color: "#d3322b" } };

test("an op is made normal", () => {
  const edits = [["add", "u1.c.1", "box", { ...BOX, at: [902, 1.13], later: 1 }]];
  assert.deepEqual(readOp("board.edit", { page: "p1", edits, guard: undefined }), {
    kind: "board.edited",
    data: { page: "p1", edits: [["add", "u1.c.1", "box", { ...BOX, at: [902, 1.25] }]] },
  });
});

test("an op out of shape has the server's code", () => {
  const codes = [
    ["sky.paint", {}, "unknown_kind"],
    ["chat.post", { text: "\ud83d" }, "bad_frame"],
    ["chat.post", { text: "x".repeat(2001) }, "too_long"],
    ["chat.post", { text: "x".repeat(20000) }, "too_large"],
    ["board.edit", { page: "p1", edits: Array(51).fill(["remove", "a"]) }, "too_large"],
    ["board.edit", { page: "p1", edits: [["set", "a", { at: [NaN, 1] }]] }, "bad_frame"],
    ["board.edit", { page: "p1", edits: [["set", "a", { at: [Infinity, 1] }]] }, "bad_frame"],
    ["constructor", {}, "unknown_kind"],
  ];
  for (const [kind, data, code] of codes) assert.throws(() => readOp(kind, data), { code });
});

test("a name is made clean or refused", () => {
  assert.equal(cleanName("  Zoe\u0308 "), "Zo\u00eb");
  for (const name of ["", " ", "\u200b", "a\u202eb", "\ud800", 7]) assert.throws(() => cleanName(name), { code: "bad_frame" });
});

test("a pasted text is tidied", () => {
  assert.equal(tidyText("a\r\nb\tc\f\ud800d", 100), "a\nb cd");
  assert.equal(tidyText("🙂".repeat(9), 4), "🙂".repeat(4));
});

test("ids and sizes are those of the wire", () => {
  assert.equal(opId("9f3a01c2", 7), "9f3a01c2:7");
  assert.equal(itemId("u17", "9f3a01c2", 7), "u17.9f3a01c2.7");
  assert.equal(byteLength({ a: "é🙂" }), 14);
});
