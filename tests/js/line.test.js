// A line that breaks, loses and disorders: nothing is lost, doubled or left out.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { Room, draw, erase, move, opIds } from "./support/room.js";
import { ANA, BEN, TEA } from "./support/server.js";

let room;
beforeEach(() => {
  room = new Room();
});

describe("a line that breaks", () => {
  test("an op whose answer was lost happens once", async () => {
    const ana = await room.live(ANA);
    const id = draw(ana);
    await room.pass(25); // it is in the log, and its event on the way
    assert.equal(room.server.head, 4);
    room.cut();
    assert.equal(ana.session.status.phase, "reconnecting");
    assert.equal(ana.session.status.unsent, 1);
    await room.pass(2_000);
    assert.deepEqual(ana.store.items("p1").map((item) => item.id), [id]);
    assert.equal(opIds(room.server).length, 1);
    room.agree();
  });

  test("what is drawn without a line is sent when it is back", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    room.server.offline = true;
    room.cut(ANA);
    const ids = [draw(ana), draw(ana)];
    draw(ben);
    await room.pass(10_000);
    assert.equal(ana.session.status.unsent, 2);
    assert.equal(ana.store.items("p1").length, 2);
    room.server.offline = false;
    await room.pass(30_000);
    assert.deepEqual(ben.store.items("p1").map(({ id }) => id).slice(1), ids);
    room.agree();
  });

  test("an outbox of 500 ops with dependants is confirmed in order, within the limits and the window", async () => {
    const ana = await room.live(ANA);
    room.server.offline = true;
    room.cut(ANA);
    for (let n = 0; n < 100; n += 1) {
      const id = draw(ana);
      for (let step = 0; step < 3; step += 1) move(ana, id, [step, n]);
      erase(ana, [id]);
    }
    room.server.offline = false;
    let most = 0;
    ana.store.subscribe(() => (most = Math.max(most, ana.store.pending.filter(({ state }) => state === "sent").length)));
    await room.pass(70_000);
    assert.equal(opIds(room.server).length, 500);
    assert.equal(room.server.limited ?? 0, 0);
    assert.ok(most > 10 && most <= 20, `${most} in flight`);
    assert.deepEqual(opIds(room.server), Array.from({ length: 500 }, (_, n) => `${ana.outbox.client}:${n + 1}`));
    room.agree();
  });

  test("an op that vanished on a line that lives is sent again after a while", async () => {
    const ana = await room.live(ANA);
    let swallowed = 0;
    room.server.faults.swallow = () => swallowed++ < 1;
    draw(ana);
    await room.pass(14_000);
    assert.equal(ana.store.pending.length, 1);
    await room.pass(2_000);
    room.agree();
  });

  test("`done` with a seq keeps the op on the board until that seq is applied", async () => {
    const ana = await room.live(ANA);
    const id = draw(ana);
    room.server.faults.lose = () => true;
    await room.pass(100);
    for (const connection of room.server.connections) connection.say({ type: "done", id: `${ana.outbox.client}:1`, seq: room.server.head });
    await room.pass(100);
    assert.equal(ana.store.pending[0].state, "logged");
    assert.equal(ana.store.item("p1", id).pending, true);
    room.server.faults.lose = () => false;
    await room.pass(5_000);
    room.agree();
  });

  test("an op that is stored and not logged is through with `done`", async () => {
    const ana = await room.live(ANA);
    room.server.faults.swallow = () => true;
    const id = ana.session.propose("poll.vote", { poll: "u3.x.1", choice: 1 });
    for (const connection of room.server.connections) connection.say({ type: "done", id, seq: null });
    await room.pass(100);
    assert.deepEqual(ana.store.pending, []);
  });
});

describe("one cursor, no hole", () => {
  test("events that are lost, doubled and out of order are applied once and in order", async () => {
    const ana = await room.live(ANA);
    room.server.faults = { ...room.server.faults, lose: () => room.random() < 0.2, repeat: () => room.random() < 0.2, delay: () => room.random() * 200 };
    for (let n = 0; n < 60; n += 1) {
      room.server.commit("chat.posted", TEA.id, { text: String(n) });
      await room.pass(50);
    }
    await room.pass(3_000);
    assert.deepEqual(ana.seen.applied, Array.from({ length: ana.seen.applied.length }, (_, n) => ana.seen.applied[0] + n));
    room.agree();
  });

  test("a hole is given time, then asked for once", async () => {
    const ana = await room.live(ANA);
    room.server.synced = 0;
    room.server.faults.lose = ({ events }) => events[0].seq === 3;
    room.server.commit("chat.posted", TEA.id, { text: "lost" });
    for (let n = 0; n < 5; n += 1) room.server.commit("chat.posted", TEA.id, { text: "beyond" });
    await room.pass(170);
    assert.equal(room.server.synced, 0);
    assert.equal(ana.store.applied, 2);
    room.server.faults.lose = () => false;
    await room.pass(500);
    assert.equal(room.server.synced, 1);
    room.agree();
  });

  test("three questions without an answer end the connection", async () => {
    const ana = await room.live(ANA);
    room.server.faults.lose = () => true;
    room.server.commit("chat.posted", TEA.id, { text: "lost" });
    await room.pass(2_100 + 2_000 + 3 * 3_000);
    assert.equal(ana.session.status.phase, "reconnecting");
    room.server.faults.lose = () => false;
    await room.pass(3_000);
    room.agree();
  });

  test("a head that stays ahead for two seconds is asked for", async () => {
    const ana = await room.live(ANA);
    room.server.faults.lose = () => true;
    room.server.commit("chat.posted", TEA.id, { text: "lost" });
    room.server.faults.lose = () => false;
    await room.pass(2_100 + 1_900);
    assert.equal(ana.store.applied, 2);
    await room.pass(300);
    room.agree();
  });

  test("a wrong digest brings a fresh state, at most once in ten minutes", async () => {
    const [ana] = [await room.live(ANA)];
    draw(ana);
    await room.pass(100);
    [...ana.store.lesson.boards.get("p1").items.values()][0].fields.delete("style"); // a bug somewhere
    ana.store.lesson.boards.get("p1").digest += 1;
    room.server.asked.states.length = 0;
    await room.pass(30_000);
    assert.equal(ana.session.status.mismatches, 1);
    assert.equal(room.server.asked.states.length, 1);
    room.agree();
    room.server.lies = 1;
    await room.pass(300_000);
    assert.equal(room.server.asked.states.length, 1);
    await room.pass(330_000);
    assert.equal(room.server.asked.states.length, 2);
  });

  test("who was away too long gets a state, and keeps what they drew meanwhile", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    room.server.offline = true;
    room.cut(ANA);
    const mine = draw(ana);
    const theirs = draw(ben);
    await room.pass(5_000);
    room.server.ringFloor = room.server.head;
    room.server.offline = false;
    await room.pass(40_000);
    assert.deepEqual(ana.store.items("p1").map(({ id }) => id), [theirs, mine]);
    room.agree();
  });

  test("an op that a state had swallowed is neither doubled nor lost", async () => {
    const ana = await room.live(ANA);
    const id = draw(ana);
    await room.pass(25);
    room.cut();
    room.server.ringFloor = room.server.head;
    await room.pass(3_000);
    assert.deepEqual(ana.store.items("p1").map((item) => item.id), [id]);
    assert.deepEqual(ana.store.tray, []);
    room.agree();
  });

  test("an add that a state had swallowed without keeping it goes to the tray", async () => {
    const ana = await room.live(ANA);
    room.server.faults.swallow = ({ id, data }) => {
      room.server.commit("policy.set", TEA.id, { draw: "staff" });
      room.server.commit("board.edited", ANA.id, data, id);
      return true;
    };
    draw(ana);
    await room.pass(25);
    room.server.faults.swallow = () => false;
    room.cut();
    room.server.ringFloor = room.server.head;
    await room.pass(3_000);
    assert.equal(ana.store.tray.length, 1);
    room.agree();
  });

  test("an op that the lost part of the log had is sent again", async () => {
    const ana = await room.live(ANA);
    room.server.faults.lose = () => true;
    const id = draw(ana);
    await room.pass(30);
    for (const connection of room.server.connections) connection.say({ type: "done", id: `${ana.outbox.client}:1`, seq: room.server.head });
    await room.pass(30);
    assert.equal(ana.store.pending[0].state, "logged");
    room.server.faults.lose = () => false;
    room.server.lose(2);
    await room.pass(5_000);
    assert.deepEqual(ana.store.items("p1").map((item) => item.id), [id]);
    room.agree();
  });

  test("a state that comes when events have gone beyond it changes nothing", async () => {
    const ana = await room.live(ANA);
    const { state } = ana.session.snapshots.door;
    let deliver;
    ana.session.snapshots.door = { state: async (what) => { const old = await state(what); await new Promise((resolve) => (deliver = resolve)); return old; } };
    room.server.ringFloor = 9;
    room.cut();
    await room.pass(1_500); // a state is on its way, slowly
    room.server.ringFloor = 0;
    room.cut();
    await room.pass(3_000); // the next connection has no need of it
    room.server.commit("chat.posted", TEA.id, { text: "newer" });
    await room.pass(100);
    const before = ana.store.lesson;
    deliver();
    await room.pass(100);
    assert.equal(ana.store.lesson, before);
    room.agree();
  });

  test("another epoch is another history: nobody keeps phantoms, and what waits is sent", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    draw(ana);
    await room.pass(100);
    room.server.lose(2);
    const id = draw(ben);
    await room.pass(3_000);
    assert.deepEqual(ana.store.items("p1").map((item) => item.id), [id]);
    room.agree();
  });
});

describe("boards", () => {
  test("a page's board is fetched when it is looked at, and no event on it is missed meanwhile", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    draw(ben, { page: "p2" });
    await room.pass(100);
    assert.equal(ana.store.loaded("p2"), false);
    ana.store.look("p2");
    await room.pass(10);
    const ids = [];
    for (let n = 0; n < 5; n += 1) {
      ids.push(draw(ben, { page: "p2" }));
      await room.pass(13);
    }
    await room.pass(200);
    assert.equal(ana.store.items("p2").length, 6);
    room.agree();
  });

  test("a page that is shown is fetched, and followed", async () => {
    const [ana, tea] = [await room.live(ANA), await room.live(TEA)];
    tea.session.propose("page.show", { page: "p2" });
    assert.equal(tea.store.page, "p2");
    await room.pass(200);
    assert.equal(ana.store.page, "p2");
    assert.ok(ana.store.loaded("p2") && tea.store.loaded("p2"));
    assert.ok(room.server.asked.states.every(({ atLeast, boards }) => boards === "current" || atLeast > 0));
    room.agree();
  });

  test("a new page needs no fetching", async () => {
    const [ana, tea] = [await room.live(ANA), await room.live(TEA)];
    room.server.asked.states.length = 0;
    const page = tea.session.newItem();
    tea.session.propose("page.add", { page, kind: "blank", title: "" });
    tea.session.propose("page.show", { page });
    draw(tea, { page });
    await room.pass(200);
    assert.equal(ana.store.items(page).length, 1);
    assert.deepEqual(room.server.asked.states, []);
    room.agree();
  });
});
