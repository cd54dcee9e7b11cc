// The outbox: what is kept, who adopts it, and what happens when nothing can be kept.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { IDBFactory, IDBObjectStore } from "fake-indexeddb";

import { Outbox } from "../../static/js/outbox.js";
import { FakeClock, seeded, until } from "./support/clock.js";

const WHOSE = { lesson: 7, participant: "u17" };
const DAY = 24 * 3600 * 1000;

/** A tab's sessionStorage. `copy`: what a duplicated tab gets. */
class Notes {
  constructor(kept = []) {
    this.kept = new Map(kept);
  }

  getItem(key) {
    return this.kept.get(key) ?? null;
  }

  setItem(key, value) {
    this.kept.set(key, value);
  }

  copy() {
    return new Notes(this.kept);
  }
}

/** A browser: tabs share its shelves and its clock. */
class Browser {
  clock = new FakeClock();
  factory = new IDBFactory();
  seeds = 0;

  async tab(whose = WHOSE, factory = this.factory, notes = new Notes()) {
    const outbox = new Outbox(whose, { factory, clock: this.clock, random: seeded((this.seeds += 1)), notes });
    const tab = { outbox, notes, adopted: [], n: 0 };
    outbox.onadopted = (ops) => tab.adopted.push(...ops.map((op) => op.id));
    tab.draw = (data = {}) => {
      const id = `${outbox.client}:${(tab.n += 1)}`;
      outbox.put({ id, kind: "board.edit", data, born: this.clock.now() });
      return id;
    };
    /** The process dies: nothing more is renewed or written. */
    tab.die = () => {
      outbox.renew = async () => {};
    };
    await outbox.open();
    return tab;
  }

  /** The page goes, faster than the shelves can hear of it. */
  async leave(tab) {
    await tab.outbox.renew();
    const put = this.full();
    await tab.outbox.release();
    put.restore();
  }

  /** Its tab loads the page anew. */
  async reload(tab) {
    await this.leave(tab);
    tab.die();
    return this.tab(WHOSE, this.factory, tab.notes);
  }

  /** The disk is full until `restore`. */
  full() {
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("no room", "QuotaExceededError");
    };
    return { restore: () => (IDBObjectStore.prototype.put = put) };
  }

  /** Every tab that lives renews, as it would every 5 s; time passes. */
  async pass(ms, ...tabs) {
    for (let gone = 0; gone < ms; gone += 5000) {
      this.clock.jump(5000);
      for (const { outbox } of tabs) await outbox.renew();
    }
  }
}

let browser;
beforeEach(() => {
  browser = new Browser();
});

test("a client is eight hex digits", async () => {
  const { outbox } = await browser.tab();
  assert.match(outbox.client, /^[0-9a-f]{8}$/);
});

test("ops of a closed tab are adopted in order and with their ids once its lease is 15 s old", async () => {
  const closed = await browser.tab();
  const ids = [closed.draw({ at: 1 }), closed.draw({ at: 2 }), closed.draw({ at: 3 })];
  await closed.outbox.renew();
  closed.die();
  const open = await browser.tab();
  await browser.pass(10_000, open);
  assert.deepEqual(open.adopted, []);
  await browser.pass(5_000, open);
  assert.deepEqual(open.adopted, ids);
});

test("a tab that is left properly is adopted at once", async () => {
  const left = await browser.tab();
  const id = left.draw();
  await left.outbox.renew();
  await left.outbox.release();
  assert.deepEqual((await browser.tab()).adopted, [id]);
});

test("a page that is loaded anew has its ops back at once, though the shelves did not hear that it went", async () => {
  const first = await browser.tab();
  const one = first.draw();
  const second = await browser.reload(first);
  assert.deepEqual(second.adopted, [one]);
  const two = second.draw();
  assert.deepEqual((await browser.reload(second)).adopted.sort(), [one, two].sort()); // what it adopted, too
});

test("a duplicated tab takes nothing from the one that it was made of", async () => {
  const first = await browser.reload(await browser.tab()); // its notes tell of a page before
  const id = first.draw();
  await first.outbox.renew();
  const twin = await browser.tab(WHOSE, browser.factory, first.notes.copy());
  await browser.pass(60_000, first, twin);
  assert.deepEqual(twin.adopted, []);
  assert.deepEqual((await browser.reload(first)).adopted, [id]);
  await browser.pass(5_000, twin);
  assert.deepEqual(twin.adopted, []);
});

test("a tab that is duplicated after its page went, and comes back with it, adopts once", async () => {
  const first = await browser.tab();
  const id = first.draw();
  await browser.leave(first);
  first.die();
  const copies = [first.notes, first.notes.copy()];
  const tabs = await Promise.all(copies.map((notes) => browser.tab(WHOSE, browser.factory, notes)));
  assert.deepEqual(tabs.flatMap((tab) => tab.adopted), [id]);
  await browser.pass(20_000, ...tabs);
  assert.deepEqual(tabs.flatMap((tab) => tab.adopted), [id]);
});

test("a page that comes back from the browser's cache lives, whatever a copy of its note says", async () => {
  const first = await browser.tab();
  const client = first.outbox.client;
  const id = first.draw();
  await browser.leave(first);
  const copy = first.notes.copy();
  browser.clock.jump(100);
  await first.outbox.renew();
  assert.deepEqual((await browser.tab(WHOSE, browser.factory, copy)).adopted, []);
  assert.equal(first.outbox.client, client);
  assert.deepEqual((await browser.reload(first)).adopted, [id]);
});

test("a tab whose storage is forbidden or spoilt goes without a note", async () => {
  const shut = () => {
    throw new DOMException("no", "SecurityError");
  };
  const forbidden = await browser.tab(WHOSE, browser.factory, { getItem: shut, setItem: shut });
  forbidden.draw();
  const again = await browser.reload(forbidden);
  assert.deepEqual(again.adopted, []);
  const spoilt = await browser.tab(WHOSE, browser.factory, { getItem: () => "{", setItem() {} });
  assert.deepEqual(spoilt.adopted, []);
});

test("a living tab is never adopted", async () => {
  const [one, two] = [await browser.tab(), await browser.tab()];
  one.draw();
  two.draw();
  await browser.pass(60_000, one, two);
  assert.deepEqual([one.adopted, two.adopted], [[], []]);
});

test("only one of two tabs adopts", async () => {
  const closed = await browser.tab();
  const id = closed.draw();
  await closed.outbox.renew();
  closed.die();
  const [one, two] = [await browser.tab(), await browser.tab()];
  browser.clock.jump(20_000);
  await Promise.all([one.outbox.renew(), two.outbox.renew()]);
  assert.deepEqual([...one.adopted, ...two.adopted], [id]);
});

test("an adopter that dies is adopted with all that it had adopted", async () => {
  const first = await browser.tab();
  const one = first.draw();
  await first.outbox.renew();
  await first.outbox.release();
  const second = await browser.tab();
  const two = second.draw();
  await second.outbox.renew();
  await second.outbox.release();
  assert.deepEqual((await browser.tab()).adopted.sort(), [one, two].sort());
});

test("an owner that finds itself adopted draws a new client and keeps what it makes from then on", async () => {
  const sleeper = await browser.tab();
  const before = sleeper.draw();
  await sleeper.outbox.renew();
  const client = sleeper.outbox.client;
  browser.clock.jump(20_000);
  const other = await browser.tab();
  assert.deepEqual(other.adopted, [before]);
  await sleeper.outbox.renew();
  assert.notEqual(sleeper.outbox.client, client);
  const after = sleeper.draw();
  await sleeper.outbox.renew();
  await sleeper.outbox.release();
  await other.outbox.release();
  const third = await browser.tab();
  assert.deepEqual([...new Set(third.adopted)].sort(), [before, after].sort());
});

test("an owner that gets its own ops back has them once", async () => {
  const sleeper = await browser.tab();
  const id = sleeper.draw();
  await sleeper.outbox.renew();
  browser.clock.jump(20_000);
  const other = await browser.tab();
  await sleeper.outbox.renew();
  await other.outbox.release();
  await sleeper.outbox.renew();
  assert.deepEqual(sleeper.adopted, []);
  sleeper.outbox.remove(id);
  await sleeper.outbox.renew();
  await sleeper.outbox.release();
  assert.deepEqual((await browser.tab()).adopted, []);
});

test("an owner notices at its next op, before its next renewal", async () => {
  const sleeper = await browser.tab();
  sleeper.draw();
  await sleeper.outbox.renew();
  const client = sleeper.outbox.client;
  browser.clock.jump(20_000);
  await browser.tab();
  const id = sleeper.draw();
  assert.ok(id.startsWith(client));
  await until(() => sleeper.outbox.client !== client);
  await sleeper.outbox.release();
  assert.ok((await browser.tab()).adopted.includes(id));
});

test("an op with an outcome is not kept", async () => {
  const tab = await browser.tab();
  const [one, two] = [tab.draw(), tab.draw()];
  await tab.outbox.renew();
  tab.outbox.remove(one);
  await tab.outbox.renew();
  await tab.outbox.release();
  assert.deepEqual((await browser.tab()).adopted, [two]);
});

test("an op whose outcome comes while it is being saved is not kept", async () => {
  const tab = await browser.tab();
  const id = tab.draw();
  const saving = tab.outbox.renew();
  tab.outbox.remove(id);
  await saving;
  await tab.outbox.renew();
  await tab.outbox.release();
  assert.deepEqual((await browser.tab()).adopted, []);
});

test("an adopted op with an outcome leaves with its partition", async () => {
  const closed = await browser.tab();
  const id = closed.draw();
  await closed.outbox.renew();
  await closed.outbox.release();
  const adopter = await browser.tab();
  adopter.outbox.remove(id);
  await adopter.outbox.renew();
  await adopter.outbox.release();
  assert.deepEqual((await browser.tab()).adopted, []);
});

test("another participant's ops and another lesson's stay where they are", async () => {
  for (const whose of [{ lesson: 8, participant: "u17" }, { lesson: 7, participant: "u18" }]) {
    const other = await browser.tab(whose);
    other.draw();
    await other.outbox.renew();
    await other.outbox.release();
  }
  assert.deepEqual((await browser.tab()).adopted, []);
});

test("ops older than seven days are dropped", async () => {
  const closed = await browser.tab();
  closed.draw();
  await closed.outbox.renew();
  browser.clock.jump(6 * DAY);
  const young = closed.draw();
  await closed.outbox.renew();
  closed.die();
  browser.clock.jump(2 * DAY);
  assert.deepEqual((await browser.tab()).adopted, [young]);
});

test("a clock set back by an hour does not keep a lease alive", async () => {
  const closed = await browser.tab();
  const id = closed.draw();
  await closed.outbox.renew();
  closed.die();
  browser.clock.jump(-3_600_000);
  assert.deepEqual((await browser.tab()).adopted, [id]);
});

test("without IndexedDB everything stays in memory, and it says so", async () => {
  const tab = await browser.tab(WHOSE, null);
  assert.equal(tab.outbox.durable, false);
  tab.outbox.remove(tab.draw());
  await tab.outbox.renew();
});

test("a browser that never answers does not count as keeping", async () => {
  const factory = { open: () => ({}) };
  const tab = { outbox: new Outbox(WHOSE, { factory, clock: browser.clock, random: seeded(1) }) };
  void tab.outbox.open();
  await browser.clock.advance(5_001);
  assert.equal(tab.outbox.durable, false);
});

test("a full disk is said, and what waited is kept when there is room again", async () => {
  const tab = await browser.tab();
  const put = browser.full();
  const id = tab.draw();
  await tab.outbox.renew();
  assert.equal(tab.outbox.durable, false);
  put.restore();
  await tab.outbox.renew();
  assert.equal(tab.outbox.durable, true);
  await tab.outbox.release();
  assert.deepEqual((await browser.tab()).adopted, [id]);
});

test("more than 5,000 ops are not all kept, and it says so until they have gone", async () => {
  const tab = await browser.tab();
  const ids = Array.from({ length: 5_001 }, () => tab.draw());
  await tab.outbox.renew();
  assert.equal(tab.outbox.durable, false);
  tab.outbox.remove(ids[0]);
  await tab.outbox.renew();
  assert.equal(tab.outbox.durable, true);
  await tab.outbox.release();
  assert.deepEqual((await browser.tab()).adopted, ids.slice(1));
});

test("more than 4 MB are not all kept", async () => {
  const tab = await browser.tab();
  const ids = Array.from({ length: 300 }, () => tab.draw({ ink: "a".repeat(16_000) }));
  await tab.outbox.renew();
  assert.equal(tab.outbox.durable, false);
  await tab.outbox.release();
  const { adopted } = await browser.tab();
  assert.ok(adopted.length < 270 && adopted.length > 250, `${adopted.length}`);
  assert.deepEqual(adopted, ids.slice(0, adopted.length));
});
