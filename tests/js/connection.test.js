// Coming back or staying away, who is here, what passes, and several tabs of one person.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { IDBFactory } from "fake-indexeddb";

import { until } from "./support/clock.js";
import { Room, STYLE, draw, move, opIds } from "./support/room.js";
import { ANA, BEN, TEA } from "./support/server.js";

let room;
beforeEach(() => {
  room = new Room();
});

describe("coming back", () => {
  const FINAL = [[4003, "removed"], [4004, "gone"], [4005, "reload"], [4006, "replaced"], [4007, "reload"], [4009, "too_many_tabs"], [4050, "gone"]];
  for (const [code, phase] of FINAL) {
    test(`it does not come back after ${code}: ${phase}`, async () => {
      const ana = await room.live(ANA);
      room.server.closeAll(code, { message: "Because." });
      await room.pass(120_000);
      assert.equal(ana.session.status.phase, phase);
      assert.equal(ana.session.status.message, "Because.");
      assert.equal(room.server.connections.size, 0);
    });
  }

  for (const code of [1000, 1006, 1011, 4108, 4110, 4113, 4114, 4129, 4150, 4200]) {
    test(`it comes back after ${code}`, async () => {
      const ana = await room.live(ANA);
      room.server.closeAll(code);
      await room.pass(100);
      assert.equal(ana.session.status.phase, code === 4200 ? "live" : "reconnecting");
      await room.pass(3_000);
      assert.equal(ana.session.status.phase, "live");
    });
  }

  test("a server that restarts is given the time it asked for", async () => {
    const ana = await room.live(ANA);
    room.server.closeAll(4112, { after: 4_000, spread: 8_000 });
    await room.pass(4_000);
    assert.equal(ana.session.status.phase, "reconnecting");
    await room.pass(8_200);
    assert.equal(ana.session.status.phase, "live");
  });

  test("a new version of the page is said in the spread that was asked for", async () => {
    const ana = await room.live(ANA);
    room.server.closeAll(4112, { after: 1_000, spread: 2_000, reload: true });
    await room.pass(900);
    assert.equal(ana.session.status.phase, "reconnecting");
    await room.pass(2_200);
    assert.equal(ana.session.status.phase, "reload");
  });

  test("a ticket that has run out is changed for a fresh one, by the session if need be", async () => {
    const ana = await room.live(ANA);
    const expired = ana.session.tickets.current;
    room.server.expired = (ticket) => ticket === expired;
    room.server.closeAll(4001);
    await room.pass(2_000);
    assert.equal(ana.session.status.phase, "live");
    assert.deepEqual([room.server.asked.tickets, room.server.asked.rejoins], [1, 1]);
  });

  test("whose seat is gone stays out", async () => {
    const ana = await room.live(ANA);
    room.server.expired = () => true;
    room.server.stranger = true;
    room.server.closeAll(4001);
    await room.pass(60_000);
    assert.equal(ana.session.status.phase, "gone");
  });

  test("a dead line is noticed after 35 s of silence", async () => {
    const ana = await room.live(ANA);
    const [mute] = room.server.connections;
    mute.say = () => {};
    room.server.commit("chat.posted", TEA.id, { text: "unheard" });
    await room.pass(34_000);
    assert.ok(room.server.connections.has(mute));
    await room.pass(2_500);
    assert.ok(!room.server.connections.has(mute));
    assert.equal(ana.session.status.phase, "live");
    room.agree();
  });

  test("a first try comes within `retry`, the later ones within a growing window, and 30 s live begin anew", async () => {
    const ana = await room.live(ANA);
    const waits = [];
    const opened = ana.transport.open;
    let lost = 0;
    ana.transport.open = (listener) => {
      waits.push(room.clock.now() - lost);
      lost = room.clock.now() + 20;
      return opened(listener);
    };
    room.server.offline = true;
    lost = room.clock.now();
    room.cut();
    await room.pass(200_000);
    assert.ok(waits[0] >= 200 && waits[0] <= 1_000, `${waits[0]}`);
    waits.slice(1).forEach((wait, n) => assert.ok(wait <= Math.min(30_000, 500 * 2 ** (n + 1)), `${n}: ${wait}`));
    assert.ok(Math.max(...waits) > 5_000 && waits.length > 8 && waits.length < 60, `${waits}`);
    room.server.offline = false;
    await room.pass(65_000);
    assert.equal(ana.session.status.phase, "live");
    waits.length = 0;
    lost = room.clock.now();
    room.cut();
    await room.pass(1_100);
    assert.ok(waits[0] >= 200 && waits[0] <= 1_000, `${waits[0]}`);
  });

  test("the network's return ends the waiting", async () => {
    const waker = new EventTarget();
    const ana = await room.live(ANA, { wakers: [waker] });
    room.server.offline = true;
    room.cut();
    await room.pass(60_000);
    room.server.offline = false;
    waker.dispatchEvent(new Event("online"));
    await room.pass(100);
    assert.equal(ana.session.status.phase, "live");
  });

  test("a page that wakes from an hour's sleep does not wait for its dead line", async () => {
    const waker = new EventTarget();
    const ana = await room.live(ANA, { wakers: [waker] });
    room.clock.jump(3_600_000);
    const before = [...room.server.connections][0];
    waker.dispatchEvent(new Event("pageshow"));
    await room.pass(100);
    assert.equal(ana.session.status.phase, "live");
    assert.ok(!room.server.connections.has(before));
  });

  test("a page that was only hidden for a moment keeps its line", async () => {
    const waker = new EventTarget();
    await room.live(ANA, { wakers: [waker] });
    const [before] = room.server.connections;
    waker.dispatchEvent(new Event("visibilitychange"));
    await room.pass(100);
    assert.ok(room.server.connections.has(before));
  });

  test("a lesson that ends is ended, and stays so when the line goes", async () => {
    const ana = await room.live(ANA);
    room.server.commit("lesson.ended", TEA.id, {});
    await room.pass(100);
    assert.equal(ana.session.status.phase, "ended");
    room.server.closeAll(4004);
    await room.pass(60_000);
    assert.equal(ana.session.status.phase, "ended");
    assert.equal(room.server.connections.size, 0);
  });

  test("a frame of a kind that nobody knows, and one that nobody can read, do no harm", async () => {
    const ana = await room.live(ANA);
    const [connection] = room.server.connections;
    connection.say({ type: "weather", sun: true });
    connection.later(() => connection.listener.heard("{"));
    connection.later(() => connection.listener.heard("null"));
    room.server.commit("weather.changed", TEA.id, { sun: true });
    await room.pass(100);
    assert.equal(ana.session.status.phase, "live");
    room.agree();
  });
});

describe("who is here, and what passes", () => {
  test("the roster is whole at first, then told by what changes", async () => {
    const ana = await room.live(ANA);
    const [connection] = room.server.connections;
    assert.deepEqual([...ana.session.presence.people.keys()], ["u1"]);
    connection.say({ type: "presence", count: 2, here: [BEN], left: [] });
    await room.pass(50);
    assert.deepEqual([...ana.session.presence.people.keys()], ["u1", "u2"]);
    connection.say({ type: "presence", count: 1, here: [], left: ["u2"] });
    await room.pass(50);
    assert.deepEqual([...ana.session.presence.people.keys()], ["u1"]);
    connection.say({ type: "presence", count: 250 });
    await room.pass(50);
    assert.deepEqual([ana.session.presence.count, ana.session.presence.named], [250, false]);
  });

  test("one hears others' signals, not one's own", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    const heard = { ana: [], ben: [] };
    ana.session.onSignals((signals) => heard.ana.push(...signals));
    ben.session.onSignals((signals) => heard.ben.push(...signals));
    ana.session.signal("cursor", { page: "p1", at: [1, 2], tool: "pen" });
    await room.pass(100);
    assert.deepEqual(heard, { ana: [], ben: [{ kind: "cursor", by: "u1", data: { page: "p1", at: [1, 2], tool: "pen" } }] });
  });

  test("signals keep the pace; between, the newest wins, and what is gathered is gathered late", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    const heard = [];
    ben.session.onSignals((signals) => heard.push(...signals.map(({ data }) => data)));
    let points = 0;
    for (let n = 0; n < 100; n += 1) {
      points += 1;
      ana.session.signal("cursor", { n });
      ana.session.signal("ink", () => (points ? { points: points - (points = 0) } : null));
      await room.pass(10);
    }
    await room.pass(200);
    const cursors = heard.filter(({ n }) => n !== undefined);
    const ink = heard.filter((data) => data.points);
    assert.ok(cursors.length >= 8 && cursors.length <= 12, `${cursors.length} cursors`);
    assert.equal(cursors.at(-1).n, 99);
    assert.ok(ink.length >= 12 && ink.length <= 21, `${ink.length} ink`);
    assert.equal(ink.reduce((sum, data) => sum + data.points, 0), 100);
    assert.ok(heard.length <= 22 * 1.2 + 45);
  });
});

describe("tabs", () => {
  test("a tab closed without a line: another of the same person sends what it drew, once", async () => {
    const factory = new IDBFactory();
    room.server.offline = true;
    const closed = room.enter(ANA, { factory });
    const open = room.enter(ANA, { factory });
    await until(() => closed.outbox.durable && open.outbox.durable);
    await room.pass(100);
    const theirs = closed.session.propose("board.edit", { page: "p1", edits: [["add", closed.session.newItem(), "box", { at: [1, 1], box: [2, 2], style: STYLE }]] });
    const mine = open.session.propose("board.edit", { page: "p1", edits: [["add", open.session.newItem(), "box", { at: [1, 1], box: [2, 2], style: STYLE }]] });
    await closed.outbox.renew();
    await open.outbox.renew();
    room.people.splice(room.people.indexOf(closed), 1);
    closed.outbox.renew = async () => {}; // the process is gone
    closed.session.link.stop();
    room.clock.jump(16_000);
    await open.outbox.renew();
    assert.deepEqual(open.store.pending.map(({ id }) => id), [mine, theirs]);
    room.server.offline = false;
    await room.pass(60_000);
    assert.deepEqual(opIds(room.server), [mine, theirs]);
    room.agree();
  });

  test("a duplicated tab has a client of its own, and each stroke happens once", async () => {
    const factory = new IDBFactory();
    const one = await room.live(ANA, { factory });
    const two = await room.live(ANA, { factory });
    assert.notEqual(one.outbox.client, two.outbox.client);
    await until(() => one.outbox.durable && two.outbox.durable);
    const ids = [draw(one), draw(two), draw(one)];
    await room.pass(200);
    await one.outbox.renew();
    await two.outbox.renew();
    assert.deepEqual(one.store.items("p1").map(({ id }) => id).sort(), ids.sort());
    assert.equal(opIds(room.server).length, 3);
    room.agree();
  });

  test("a tab that slept while another adopted its ops: both send them, each happens once and in order", async () => {
    const factory = new IDBFactory();
    room.server.offline = true;
    const sleeper = room.enter(ANA, { factory });
    await until(() => sleeper.outbox.durable);
    const id = draw(sleeper);
    for (let n = 0; n < 10; n += 1) move(sleeper, id, [n, n]);
    await sleeper.outbox.renew();
    room.clock.jump(16_000);
    const other = room.enter(ANA, { factory });
    await until(() => other.store.pending.length === 11);
    room.server.offline = false;
    await room.pass(60_000);
    await sleeper.outbox.renew();
    assert.deepEqual(opIds(room.server), Array.from({ length: 11 }, (_, n) => `${opIds(room.server)[0].split(":")[0]}:${n + 1}`));
    assert.deepEqual(other.store.item("p1", id).values.at, [9, 9]);
    room.agree();
  });
});

test("a phone that slept over the end sees the ended lesson, and what it drew meanwhile is in the tray", async () => {
  const room = new Room();
  const ana = await room.live(ANA);
  room.server.offline = true;
  room.server.closeAll(1006);
  await room.pass(5_000);
  draw(ana);
  const late = { at: [1, 1], box: [2, 2], style: { color: "#000000" } };
  room.server.commit("board.edited", TEA.id, { page: "p1", edits: [["add", `${TEA.id}.c.1`, "box", late]] });
  room.server.commit("lesson.ended", TEA.id, {});
  await room.pass(40_000);
  room.server.offline = false;
  await room.pass(60_000);
  assert.equal(ana.session.status.phase, "ended");
  assert.equal(ana.store.applied, room.server.head);
  assert.deepEqual([ana.store.pending.length, ana.store.tray.map(({ code }) => code)], [0, ["ended"]]);
});
