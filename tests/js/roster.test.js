// Who stands in the list of people, and what staff may do with them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { found, possible, present, removed } from "../../static/js/panels/roster.js";

const color = "#17694f";
const entry = (id, name, role = "student") => ({ id, name, role, color });
const people = new Map([
  ["u1", { name: "Grace", role: "instructor", color, removed: false }],
  ["u3", { name: "Zoë (B)", role: "student", color, removed: false }],
  ["u4", { name: "Mallory", role: "student", color, removed: true }],
]);

test("staff first, then by name; the fold's name wins; the removed are not here", () => {
  const list = present([entry("u4", "Mallory"), entry("u3", "Zoë"), entry("u2", "Ana"), entry("u1", "Grace", "instructor")], people);
  assert.deepEqual(list.map(({ name }) => name), ["Grace", "Ana", "Zoë (B)"]);
  assert.deepEqual(removed(people).map(({ id }) => id), ["u4"]);
});

test("names are found without their accents and in any case", () => {
  const list = [entry("u2", "Ana"), entry("u3", "Zoë")];
  assert.deepEqual(found(list, " zoe ").map(({ id }) => id), ["u3"]);
  assert.equal(found(list, "").length, 2);
  assert.equal(found(list, "nobody").length, 0);
});

test("nobody removes themselves, and only an instructor removes an instructor who is not the last", () => {
  const grace = entry("u1", "Grace", "instructor");
  const two = new Map([...people, ["u9", { name: "Ivo", role: "instructor", color, removed: false }]]);
  assert.equal(possible({ id: "u1", role: "instructor" }, grace, people).remove, false);
  assert.equal(possible({ id: "u9", role: "instructor" }, grace, people).remove, false);
  assert.equal(possible({ id: "u9", role: "instructor" }, grace, two).remove, true);
  assert.equal(possible({ id: "u8", role: "assistant" }, grace, two).remove, false);
  assert.equal(possible({ id: "u8", role: "assistant" }, entry("u2", "Ana"), two).remove, true);
});

test("a student changes the own name and nothing of others", () => {
  assert.deepEqual(possible({ id: "u2", role: "student" }, entry("u2", "Ana"), people), { rename: true, remove: false, allow: false });
  assert.deepEqual(possible({ id: "u2", role: "student" }, entry("u3", "Zoë"), people), { rename: false, remove: false, allow: false });
});
