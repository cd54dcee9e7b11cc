// Why work waits in the tray, in words of what one did.
import assert from "node:assert/strict";
import { test } from "node:test";
import { whyRefused } from "../../static/js/panels/tray.js";

const MESSAGE = "The server's own words.";

/** A student's view of a lesson. @param {object} [changes] */
function store({ draw = "everyone", status = "live" } = {}) {
  const shown = { status, policy: { draw, chosen: [], chat: true }, pages: [{ id: "p1" }], people: new Map([["u2", { role: "student" }]]) };
  return /** @type {any} */ ({ shown, me: { id: "u2", role: "student" } });
}

const drawn = (code, page = "p1") => ({ kind: "board.edit", data: { page, edits: [] }, code, message: MESSAGE });

test("drawing was closed, and is open again or is not; on the way it is as at the door", () => {
  assert.deepEqual(whyRefused(store({ draw: "staff" }), drawn("not_allowed")), ["Drawing was closed.", "Send it again when you may draw."]);
  assert.deepEqual(whyRefused(store({ draw: "staff" }), drawn("void")), ["Drawing was closed.", "Send it again when you may draw."]);
  assert.deepEqual(whyRefused(store(), drawn("not_allowed")), ["Drawing was closed at that moment.", "You may draw again now."]);
});

test("the page was removed, before it was sent or on the way", () => {
  for (const code of ["unknown_page", "void"]) assert.equal(whyRefused(store(), drawn(code, "gone"))[0], "The page was removed.");
});

test("the lesson had ended, or one had been removed", () => {
  assert.deepEqual(whyRefused(store({ status: "ended" }), drawn("not_allowed")), ["The lesson had ended before it arrived."]);
  assert.deepEqual(whyRefused(store(), drawn("removed")), ["You had been removed from the lesson."]);
});

test("a message that came while the chat was paused; all else in the server's words", () => {
  assert.equal(whyRefused(store(), { kind: "chat.post", data: { text: "Hi" }, code: "not_allowed", message: MESSAGE })[0], "The chat was paused.");
  assert.deepEqual(whyRefused(store(), drawn("too_many_items")), [MESSAGE]);
  assert.deepEqual(whyRefused(store(), drawn("void")), [MESSAGE]);
  assert.deepEqual(whyRefused(store(), { kind: "page.add", data: {}, code: "not_allowed", message: MESSAGE }), [MESSAGE]);
});
