// Who stands in the list of people, and what staff may do with them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { found, known, possible, present, removed } from "../../static/js/panels/roster.js";

const color = "#17694f";
const entry = (id, name, role = "student") => ({ id, name, role, color });
const people = new Map([
  ["u1", { name: "Grace", role: "instructor", color, removed: false }],
  ["u3", { name: "Zoë (B)", role: "student", color, removed: false }],
  ["u4", { name: "Mallory", role: "student", color, removed: true }],
]);

const me = entry("u8", "Me");
const byId = (...entries) => new Map(entries.map((one) => [one.id, one]));
/** How each of these is shown, by id. */
const labels = (...entries) => Object.fromEntries([...known(byId(...entries), new Map(), me)].map(([id, { label }]) => [id, label]));

test("staff first, then by name; the fold's name wins; the removed are not here", () => {
  const here = byId(entry("u4", "Mallory"), entry("u3", "Zoë"), entry("u2", "Ana"), entry("u1", "Grace", "instructor"));
  const all = known(here, people, me);
  assert.deepEqual(present(here.keys(), all, people).map(({ name }) => name), ["Grace", "Ana", "Zoë (B)"]);
  assert.deepEqual(removed(all, people).map(({ id }) => id), ["u4"]);
  assert.deepEqual(all.get("u8"), { ...me, mark: "", label: "Me" }, "whom neither has heard of yet: oneself");
});

test("who share a name bear the number that they came in with, and nobody else does", () => {
  assert.deepEqual(labels(entry("u3", "Ana"), entry("u12", "Ana"), entry("u2", "Ben")), { u3: "Ana (3)", u12: "Ana (12)", u2: "Ben", u8: "Me" });
  assert.deepEqual(labels(entry("u12", "Ana"), entry("u2", "Ben")), { u12: "Ana", u2: "Ben", u8: "Me" }, "the other left, or has another name now");
});

test("names that look alike are alike: case, width, spaces and what cannot be seen aside; accents are not", () => {
  for (const other of ["ana", "  ANA ", "\uff21na", "A\u200bna", "An\u00ada"]) {
    const { u2, u3 } = labels(entry("u2", "Ana"), entry("u3", other));
    assert.deepEqual([u2, u3], ["Ana (2)", `${other.trim()} (3)`], JSON.stringify(other));
  }
  assert.equal(labels(entry("u2", "Jo  Li"), entry("u3", "jo li")).u2, "Jo  Li (2)");
  assert.equal(labels(entry("u2", "Zoe\u0308"), entry("u3", "Zo\u00eb")).u3, "Zo\u00eb (3)");
  assert.equal(labels(entry("u2", "Zoe"), entry("u3", "Zoë")).u3, "Zoë");
});

test("nobody is taken for another by a mark in their name", () => {
  const all = labels(entry("u2", "Ana"), entry("u3", "Ana"), entry("u4", "ana (3)"), entry("u5", "Ana (3) (4)"), entry("u6", "Ana (9)"));
  assert.deepEqual(all, { u2: "Ana (2)", u3: "Ana (3)", u4: "ana (3) (4)", u5: "Ana (3) (4) (5)", u6: "Ana (9)", u8: "Me" });
});

test("everybody has the same mark at each client, whatever order it heard of them in", () => {
  const class_ = [entry("u2", "Ana"), entry("u10", "ana"), entry("u9", "ANA"), entry("u4", "Ana (9)"), entry("u5", "Ben")];
  const once = labels(...class_);
  assert.deepEqual(labels(...class_.reverse()), once);
  const fold = new Map([["u9", { name: "Ben", role: "student", color, removed: true }]]);
  const after = known(byId(...class_), fold, me);
  assert.deepEqual(["u2", "u9", "u5", "u4"].map((id) => after.get(id).label), ["Ana (2)", "Ben (9)", "Ben (5)", "Ana (9)"], "the fold's name counts, the removed one's too");
  assert.deepEqual(present(byId(...class_).keys(), after, fold).map(({ label }) => label), ["ana (10)", "Ana (2)", "Ana (9)", "Ben (5)"]);
});

test("8,000 of one name are told apart as quickly as 8,000 names", () => {
  const many = (name) => byId(...Array.from({ length: 8_000 }, (_, n) => entry(`u${n + 10}`, name(n))));
  const took = (here) => {
    known(here, new Map(), me);
    const from = performance.now();
    assert.equal(new Set([...known(here, new Map(), me).values()].map(({ label }) => label)).size, 8_001);
    return performance.now() - from;
  };
  const alike = took(many(() => "Zoë"));
  const others = took(many((n) => `Zoë ${n}`));
  assert.ok(alike < 20 * others + 50, `${alike} ms, ${others} ms`);
});

test("names are found without their accents and in any case", () => {
  const list = [...known(byId(entry("u2", "Ana"), entry("u3", "Zoë")), new Map(), me).values()];
  assert.deepEqual(found(list, " zoe ").map(({ id }) => id), ["u3"]);
  assert.equal(found(list, "").length, 3);
  assert.equal(found(list, "nobody").length, 0);
  assert.deepEqual(found([...known(byId(entry("u2", "Ana"), entry("u3", "Ana")), new Map(), me).values()], "ana (3)").map(({ id }) => id), ["u3"]);
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
