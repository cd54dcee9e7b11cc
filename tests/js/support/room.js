// A lesson with people in it: sessions on a fake clock, a fake server, and what one expects of them.
import assert from "node:assert/strict";

import { boardToJSON } from "../../../static/js/board.js";
import { toJSON } from "../../../static/js/lesson.js";
import { Outbox } from "../../../static/js/outbox.js";
import { Session } from "../../../static/js/session.js";
import { Store } from "../../../static/js/store.js";
import { FakeClock, seeded } from "./clock.js";
import { FakeServer } from "./server.js";

export const STYLE = { color: "#d3322b", width: 4, opacity: 1, dash: "solid", fill: "none" };

export class Room {
  people = [];

  constructor(seed = 1) {
    this.clock = new FakeClock();
    this.random = seeded(seed);
    this.server = new FakeServer(this.clock, this.random);
  }

  /** Somebody opens the lesson page. `factory`: an IndexedDB; `wakers`: the page's events. */
  enter(person, { factory = null, wakers = [], storage = null } = {}) {
    const { clock, random, server } = this;
    const store = new Store(person);
    const outbox = new Outbox({ lesson: 7, participant: person.id }, { factory, clock, random, notes: storage });
    const transport = server.transport(person);
    const session = new Session({ pass: server.pass(person), store, clock, random, outbox, transport, doors: server.doors(person), wakers, storage });
    const seen = { applied: [], changes: [], notices: [], corrections: [] };
    const confirm = store.confirm.bind(store);
    store.confirm = (event) => {
      seen.applied.push(event.seq);
      return confirm(event);
    };
    store.subscribe((change) => {
      seen.changes.push(change);
      seen.notices.push(...change.notices);
      seen.corrections.push(...change.corrections);
    });
    const who = { person, store, session, outbox, transport, seen };
    this.people.push(who);
    session.start();
    return who;
  }

  async live(person, parts) {
    const who = this.enter(person, parts);
    await this.pass(200);
    assert.equal(who.session.status.phase, "live");
    return who;
  }

  async pass(ms) {
    await this.clock.advance(ms);
  }

  /** Cut the line of one person, or of all. */
  cut(person) {
    for (const connection of [...this.server.connections]) if (!person || connection.person === person) connection.lost(1006);
  }

  /** Everybody sees the fold of the log, and nothing waits. */
  agree() {
    for (const { store, person } of this.people) {
      assert.equal(store.applied, this.server.head, person.name);
      assert.deepEqual(store.pending, [], person.name);
      const { boards, ...rest } = toJSON(this.server.state);
      const { boards: own, ...mine } = toJSON(store.lesson);
      assert.deepEqual(mine, rest);
      for (const page of Object.keys(own)) {
        assert.deepEqual(own[page], boards[page]);
        assert.deepEqual(shownOf(store, page), confirmedOf(this.server.state, page));
      }
    }
  }
}

/** What is on a person's screen. */
export function shownOf(store, page) {
  return store.items(page).filter((item) => !item.kept).map(({ id, kind, by, values }) => ({ id, kind, by, values: { ...values } }));
}

/** What the log says should be on everybody's screen. */
export function confirmedOf(state, page) {
  const { items } = boardToJSON(state.boards.get(page));
  const live = Object.entries(items).filter(([, item]) => item.fields.alive[0]);
  const height = ([, item]) => item.fields.top?.[0] ?? item.seq;
  live.sort((a, b) => height(a) - height(b) || a[1].n - b[1].n || (a[0] < b[0] ? -1 : 1));
  return live.map(([id, { kind, by, fields }]) => {
    const values = Object.entries(fields).filter(([field, [value]]) => field !== "alive" && field !== "top" && value !== null);
    return { id, kind, by, values: Object.fromEntries(values.map(([field, [value]]) => [field, value])) };
  });
}

/** A box drawn by a person; its id. */
export function draw({ session }, { page = "p1", at = [10, 20] } = {}) {
  const id = session.newItem();
  session.propose("board.edit", { page, edits: [["add", id, "box", { at, box: [50, 30], style: STYLE }]] });
  return id;
}

export function move({ session }, id, at, page = "p1") {
  return session.propose("board.edit", { page, edits: [["set", id, { at }]] });
}

export function erase({ session }, ids, page = "p1") {
  return session.propose("board.edit", { page, edits: ids.map((id) => ["remove", id]) });
}

/** The ops in the log, in its order. */
export const opIds = (server) => server.log.filter(({ op }) => op && !op.startsWith("joined:")).map(({ op }) => op);
