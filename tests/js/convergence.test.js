// Whatever happens on the way: in the end everybody sees the fold of the log, and each op happened once.
//
// P3  all acknowledged: every client displays what is confirmed     P4  remote events never move a field that one holds
// P5  one op id, one event, and a client's ops in their order       P6  a refusal restores exactly, dependants too
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";

import { applyBoard, boardFromJSON, boardToJSON } from "../../static/js/board.js";
import { OPS } from "../../static/js/protocol.js";
import { Room, STYLE, shownOf } from "./support/room.js";
import { ANA, BEN, TEA } from "./support/server.js";

const RUNS = Number(process.env.RUNS ?? 150);
const PAGES = ["p1", "p2"];

// ---- what may happen

const who = fc.nat(2);
const which = fc.nat(99);
const spot = fc.tuple(fc.integer({ min: 0, max: 1600 }), fc.integer({ min: 0, max: 900 }));
const page = fc.nat(1);

/** What people do. */
const gesture = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("draw"), who, page, spot }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("change"), who, page, which, fields: fc.constantFrom("at", "turn", "front", "back", "both"), spot, old: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("erase"), who, page, which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("restore"), who, page, which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("clear"), page }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("rule"), policy: fc.constantFrom({ draw: "staff" }, { draw: "everyone" }, { edit: "own" }, { edit: "shared" }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("show"), page }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("look"), who, page }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("hand"), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("say"), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("sheet") }) },
);

/** What happens to the line and to the server. */
const fault = fc.oneof(
  fc.record({ do: fc.constant("cut"), who }),
  fc.record({ do: fc.constant("offline"), off: fc.boolean() }),
  fc.record({ do: fc.constant("close"), code: fc.constantFrom(4112, 4114, 4200, 1006) }),
  fc.record({ do: fc.constant("forget") }),
  fc.record({ do: fc.constant("mess"), lose: fc.constantFrom(0, 0.3), repeat: fc.constantFrom(0, 0.3), delay: fc.constantFrom(0, 300) }),
  fc.record({ do: fc.constant("refuse"), code: fc.constantFrom("not_allowed", "too_many_items"), retry: fc.constant(false) }),
  fc.record({ do: fc.constant("refuse"), code: fc.constantFrom("overloaded", "try_again"), retry: fc.constant(true), after: fc.constantFrom(undefined, 50, 900) }),
  fc.record({ do: fc.constant("swallow") }),
  fc.record({ do: fc.constant("voided") }),
);

const wait = fc.record({ do: fc.constant("wait"), ms: fc.constantFrom(0, 5, 15, 25, 40, 100, 700, 3_000) });
const schedule = fc.array(
  fc.oneof({ weight: 5, arbitrary: gesture }, { weight: 2, arbitrary: fault }, { weight: 4, arbitrary: wait }),
  { minLength: 5, maxLength: 60 },
);

// ---- making it happen

class Play {
  proposed = [];
  wrong = []; // displays that were not what they should have been at the moment

  constructor(seed) {
    this.room = new Room(seed);
    this.cast = [ANA, BEN, TEA].map((person) => this.enter(person));
  }

  enter(person) {
    const one = this.room.enter(person);
    const { store, session } = one;
    const confirm = store.confirm;
    store.confirm = (event) => (event.by === person.id ? confirm(event) : unmoved(store, () => confirm(event)));
    const propose = session.propose.bind(session);
    session.propose = (kind, data) => {
      const id = propose(kind, data);
      this.proposed.push(id);
      return id;
    };
    store.subscribe(() => {
      for (const id of store.lesson?.boards.keys() ?? []) {
        if (!isDeepStrictEqual(shownOf(store, id), laid(store, id))) this.wrong.push({ shown: shownOf(store, id), laid: laid(store, id) });
      }
    });
    return one;
  }

  item(one, step) {
    const items = [...(one.store.lesson?.boards.get(PAGES[step.page])?.items.keys() ?? []), ...one.store.items(PAGES[step.page]).map(({ id }) => id)];
    return items.length ? items[step.which % items.length] : null;
  }

  edit(one, step, edits, guard) {
    one.session.propose("board.edit", { page: PAGES[step.page], edits, ...(guard === undefined ? {} : { guard }) });
  }

  async take(step) {
    await this[step.do](step, this.cast[step.who]);
  }

  draw(step, one) {
    this.edit(one, step, [["add", one.session.newItem(), "box", { at: step.spot, box: [50, 30], style: STYLE }]]);
  }

  change(step, one) {
    const id = this.item(one, step);
    const fields = { at: { at: step.spot }, turn: { turn: step.spot[0] }, front: { top: "front" }, back: { top: "back" }, both: { at: step.spot, turn: null } };
    if (id) this.edit(one, step, [["set", id, fields[step.fields]]], step.old ? Math.max(0, one.store.applied - 2) : undefined);
  }

  erase(step, one) {
    const id = this.item(one, step);
    if (id) this.edit(one, step, [["remove", id]]);
  }

  restore(step, one) {
    const id = this.item(one, step);
    if (id) this.edit(one, step, [["restore", id]]);
  }

  clear(step) {
    this.cast[2].session.propose("page.clear", { page: PAGES[step.page] });
  }

  rule(step) {
    this.cast[2].session.propose("policy.set", step.policy);
  }

  show(step) {
    this.cast[2].session.propose("page.show", { page: PAGES[step.page] });
  }

  look(step, one) {
    one.store.look(PAGES[step.page]);
  }

  hand(step, one) {
    one.session.propose(one.store.shown?.hands.includes(one.person.id) ? "hand.lower" : "hand.raise", {});
  }

  say(step, one) {
    one.session.propose("chat.post", { text: "?" });
  }

  sheet() {
    const { session } = this.cast[2];
    const page = session.newItem();
    session.propose("page.add", { page, kind: "blank", title: "" });
    session.propose("board.edit", { page, edits: [["add", session.newItem(), "box", { at: [1, 1], box: [2, 2], style: STYLE }]] });
  }

  cut(step, one) {
    this.room.cut(one.person);
  }

  offline(step) {
    this.room.server.offline = step.off;
  }

  close(step) {
    this.room.server.closeAll(step.code, step.code === 4112 ? { after: 100, spread: 500 } : {});
  }

  /** The ring goes on, and who is not in it needs a state. */
  forget() {
    this.room.server.ringFloor = this.room.server.head;
  }

  mess({ lose, repeat, delay }) {
    const { server, random } = this.room;
    Object.assign(server.faults, { lose: () => random() < lose, repeat: () => random() < repeat, delay: () => random() * delay });
  }

  refuse({ code, retry, after }) {
    this.once("refuse", () => ({ code, retry, after }), null);
  }

  /** A process dies over an op, and over all that came behind it. */
  swallow() {
    const { server } = this.room;
    server.faults.swallow = ({ id }) => {
      server.faults.swallow = () => false;
      this.room.cut(this.author(id));
      return true;
    };
  }

  author(op) {
    return this.cast.find(({ outbox }) => op.startsWith(outbox.client)).person;
  }

  /** The next op of the board is let through by a door that has not yet heard of the lock before it. */
  voided() {
    const { server } = this.room;
    server.faults.swallow = ({ id, kind, data }) => {
      const author = this.author(id).id;
      if (kind !== "board.edit" || server.seqOf(author, id)) return false;
      server.faults.swallow = () => false;
      server.commit("policy.set", TEA.id, { draw: "staff" });
      server.commit("board.edited", author, data, id);
      server.commit("policy.set", TEA.id, { draw: "everyone" });
      return true;
    };
  }

  once(name, value, otherwise) {
    const { faults } = this.room.server;
    faults[name] = () => {
      faults[name] = () => otherwise;
      return value();
    };
  }

  async wait({ ms }) {
    await this.room.pass(ms);
  }

  async end() {
    const { server } = this.room;
    Object.assign(server.faults, { lose: () => false, repeat: () => false, delay: () => 0, refuse: () => null, swallow: () => false });
    server.offline = false;
    await this.room.pass(120_000);
  }

  // ---- what must be so

  check() {
    for (const { shown, laid: should } of this.wrong) assert.deepEqual(shown, should, "a display is all that waits, folded into what is confirmed");
    this.room.agree();
    const { log } = this.room.server;
    const logged = log.map(({ op }) => op).filter((op) => op && !op.startsWith("joined:"));
    assert.equal(new Set(logged).size, logged.length, "no op twice");
    const refused = new Set(this.cast.flatMap(({ store, seen }) => [
      ...seen.notices.filter(({ outcome }) => outcome === "refused").map(({ op }) => op),
      ...store.tray.flatMap(({ dependants }) => dependants.map(({ id }) => id)),
    ]));
    const missing = this.proposed.filter((id) => !logged.includes(id) && !refused.has(id));
    assert.deepEqual(missing, [], "no op is lost");
    for (const { outbox, session, seen } of this.cast) {
      // An op whose refusal was lost on the way is sent again, and may be let in the second time, behind later ones.
      const sure = logged.filter((op) => op.startsWith(outbox.client) && !this.room.server.refused.has(op));
      const order = sure.map((op) => Number(op.split(":")[1]));
      assert.deepEqual(order, [...order].sort((a, b) => a - b), "a client's ops are in their order");
      assert.equal(session.status.mismatches, 0);
      seen.applied.slice(1).forEach((seq, n) => assert.ok(seq > seen.applied[n], "no event twice"));
    }
    this.nothingLost();
  }

  /** Every add that was ever made is on a board, was there, or waits in a tray. */
  nothingLost() {
    const { log, state } = this.room.server;
    const inTrays = JSON.stringify(this.cast.map(({ store }) => store.tray));
    const adds = log.filter(({ kind }) => kind === "board.edited").flatMap(({ data }) => data.edits.filter(([verb]) => verb === "add"));
    for (const [, id] of adds) {
      const there = [...state.boards.values()].some((board) => board.items.has(id));
      assert.ok(there || inTrays.includes(id), `${id} is nowhere`);
    }
  }
}

/** P4: run something that must not move what this person holds. */
function unmoved(store, remote) {
  const held = [];
  for (const { kind, data } of store.pending) {
    if (kind !== "board.edit" || data.guard !== undefined) continue;
    for (const [verb, id, a, b] of data.edits) {
      const fields = verb === "add" ? b : verb === "set" ? a : {};
      const values = store.item(data.page, id)?.values;
      for (const field of Object.keys(fields)) {
        // What one wrote and had no right to, or has written over since, is not in one's hand.
        if (values?.[field] !== undefined && isDeepStrictEqual(values[field], fields[field])) held.push([data.page, id, field, values[field]]);
      }
    }
  }
  const result = remote();
  for (const [where, id, field, value] of held) {
    const now = store.item(where, id);
    if (now) assert.deepEqual(now.values[field], value, `${field} of ${id} moved`);
  }
  return result;
}

/** What is on screen by definition: a copy of the confirmed board, and all that waits folded into it. */
function laid(store, id) {
  const board = boardFromJSON(structuredClone(boardToJSON(store.lesson.boards.get(id))), 0);
  for (const { kind, data, rank, rights } of store.pending) {
    if (data.page === id && rights) applyBoard(board, { seq: rank, kind: OPS.get(kind), by: store.me.id, data }, rights);
  }
  const live = [...board.items].filter(([, item]) => item.fields.get("alive")[0]);
  const height = (item) => item.fields.get("top")?.[0] ?? item.seq;
  live.sort(([a, one], [b, other]) => height(one) - height(other) || one.n - other.n || (a < b ? -1 : 1));
  return live.map(([key, { kind, by, fields }]) => {
    const values = [...fields].filter(([field, [value]]) => field !== "alive" && field !== "top" && value !== null);
    return { id: key, kind, by, values: Object.fromEntries(values.map(([field, [value]]) => [field, value])) };
  });
}

test("any schedule of gestures, breaks, refusals and disorder ends with one picture and each op once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), schedule, async (seed, steps) => {
      const play = new Play(seed);
      await play.room.pass(200);
      for (const step of steps) await play.take(step);
      await play.end();
      play.check();
    }),
    { numRuns: RUNS, includeErrorInReport: true },
  );
});
