// A session against a server that speaks the protocol: what one draws is there at once, and in the end everywhere, once.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { IDBFactory } from "fake-indexeddb";

import { until } from "./support/clock.js";
import { Room, STYLE, draw, erase, move, shownOf } from "./support/room.js";
import { ANA, BEN, TEA } from "./support/server.js";

let room;
beforeEach(() => {
  room = new Room();
});

const opIds = (server) => server.log.filter(({ op }) => op && !op.startsWith("joined:")).map(({ op }) => op);

describe("drawing", () => {
  test("what one draws is shown at once, and at the others' after its commit", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    const id = draw(ana);
    assert.equal(ana.store.item("p1", id).pending, true);
    await room.pass(100);
    assert.equal(ana.store.item("p1", id).pending, false);
    assert.deepEqual(ben.store.item("p1", id).values.at, [10, 20]);
    room.agree();
  });

  test("the picture before and after confirmation is the same, to the quarter unit", async () => {
    const ana = await room.live(ANA);
    draw(ana, { at: [1.13, 2.9999] });
    const before = shownOf(ana.store, "p1");
    await room.pass(100);
    assert.deepEqual(shownOf(ana.store, "p1"), before);
    assert.deepEqual(ana.seen.corrections, []);
  });

  test("several ops of one task go in one text", async () => {
    const ana = await room.live(ANA);
    const texts = [];
    const { send } = ana.session.link;
    ana.session.link.send = (frames) => {
      texts.push(frames.map(({ type }) => type));
      send.call(ana.session.link, frames);
    };
    const id = draw(ana);
    move(ana, id, [1, 1]);
    erase(ana, [id]);
    await room.pass(100);
    assert.deepEqual(texts.filter(([type]) => type === "op"), [["op", "op", "op"]]);
  });

  test("two who move one thing see the same in the end, wherever their own events stand", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    const id = draw(ana);
    await room.pass(100);
    move(ana, id, [1, 1]);
    move(ben, id, [2, 2]);
    await room.pass(100);
    room.agree();
  });

  test("remote events never move a field that one holds", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    const id = draw(ana);
    await room.pass(100);
    room.server.faults.swallow = ({ id: op }) => op.startsWith(ana.outbox.client);
    move(ana, id, [1, 1]);
    ben.session.propose("board.edit", { page: "p1", edits: [["set", id, { at: [2, 2], turn: 30 }]] });
    await room.pass(100);
    assert.deepEqual(ana.store.item("p1", id).values.at, [1, 1]);
    assert.equal(ana.store.item("p1", id).values.turn, 30);
  });

  test("a lock that comes while one's ink is under way takes it off the board when the door has said so, not before", async () => {
    const ana = await room.live(ANA);
    const id = draw(ana);
    room.server.commit("policy.set", TEA.id, { draw: "staff" });
    await room.pass(30);
    assert.equal(ana.store.lesson.policy.draw, "staff");
    assert.ok(ana.store.item("p1", id));
    await room.pass(100);
    assert.equal(ana.store.item("p1", id), undefined);
    assert.deepEqual(ana.store.tray.map(({ code }) => code), ["not_allowed"]);
  });
});

describe("refusals", () => {
  test("a refusal restores exactly, and takes along what depended on it", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    const old = draw(ben);
    await room.pass(100);
    const before = shownOf(ana.store, "p1");
    room.server.faults.refuse = ({ data }) => (data.edits?.[0][0] === "add" ? { code: "too_many_items" } : null);
    const id = draw(ana);
    move(ana, id, [5, 5]);
    const mixed = ana.session.propose("board.edit", { page: "p1", edits: [["remove", id], ["set", old, { turn: 5 }]] });
    await room.pass(100);
    assert.equal(ana.store.tray.length, 1);
    assert.equal(ana.store.tray[0].dependants.length, 1);
    assert.equal(ana.store.tray[0].dependants[0].data.edits[0][0], "set");
    before[0].values.turn = 5; // the part of the last op that stood on its own
    assert.deepEqual(shownOf(ana.store, "p1"), before);
    assert.ok(opIds(room.server).includes(mixed));
    room.agree();
  });

  test("a page that is refused takes what was drawn on it along", async () => {
    const tea = await room.live(TEA);
    room.server.faults.refuse = ({ kind }) => (kind === "page.add" ? { code: "too_large" } : null);
    const page = tea.session.newItem();
    tea.session.propose("page.add", { page, kind: "blank", title: "" });
    tea.session.propose("page.show", { page });
    assert.equal(tea.store.page, page);
    draw(tea, { page });
    assert.equal(tea.store.items(page).length, 1);
    await room.pass(200);
    assert.equal(tea.store.page, "p1");
    assert.deepEqual(tea.store.tray[0].dependants.map(({ kind }) => kind), ["page.show", "board.edit"]);
    room.agree();
  });

  test("a refused move goes back, and the renderer hears from where", async () => {
    const ana = await room.live(ANA);
    const id = draw(ana);
    await room.pass(100);
    room.server.faults.refuse = () => ({ code: "not_allowed" });
    assert.equal(ana.store.items("p1").length, 1);
    move(ana, id, [500, 500]);
    await room.pass(100);
    assert.deepEqual(ana.store.item("p1", id).values.at, [10, 20]);
    assert.deepEqual(ana.seen.corrections.map(({ from }) => from.at), [[500, 500]]);
    assert.deepEqual(ana.store.tray, []);
    assert.deepEqual(ana.seen.notices.map(({ outcome, code, tray }) => [outcome, code, tray]), [["refused", "not_allowed", false]]);
  });

  test("refused chat is not lost", async () => {
    const ana = await room.live(ANA);
    room.server.commit("policy.set", TEA.id, { chat: false });
    ana.session.propose("chat.post", { text: "Is that the mitochondrion?" });
    await room.pass(100);
    assert.equal(ana.store.tray[0].data.text, "Is that the mitochondrion?");
  });

  test("an add that the log has and the fold let fall goes to the tray; what stood beside it stays", async () => {
    const ana = await room.live(ANA);
    const old = draw(ana);
    await room.pass(100);
    // Ana's op is in the log, but an add of the same id by her other tab stands before it.
    room.server.faults.swallow = ({ id, data }) => {
      room.server.commit("policy.set", TEA.id, { draw: "staff" });
      room.server.commit("board.edited", ANA.id, data, id);
      return true;
    };
    const id = draw(ana);
    move(ana, id, [7, 7]);
    await room.pass(100);
    assert.deepEqual(ana.store.tray.map(({ code, dependants }) => [code, dependants.length]), [["not_allowed", 1]]);
    assert.equal(ana.seen.notices[0].outcome, "void");
    assert.deepEqual(ana.store.items("p1").map((item) => item.id), [old]);
    room.agree();
  });

  test("an undo that somebody's later change stopped is said", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    const id = draw(ana);
    await room.pass(100);
    const guard = ana.store.applied;
    move(ben, id, [2, 2]);
    await room.pass(100);
    ana.session.propose("board.edit", { page: "p1", edits: [["set", id, { at: [0, 0] }]], guard });
    assert.deepEqual(ana.store.item("p1", id).values.at, [2, 2]);
    await room.pass(100);
    assert.deepEqual(ana.seen.notices.map(({ outcome, code }) => [outcome, code]), [["void", "void"]]);
    room.agree();
  });

  test("the tray proposes again, keeps to oneself, discards", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    room.server.faults.refuse = () => ({ code: "not_allowed" });
    const [one, two, three] = [draw(ana), draw(ana), draw(ana)];
    move(ana, two, [3, 3]);
    await room.pass(100);
    assert.equal(ana.store.tray.length, 3);
    room.server.faults.refuse = () => null;
    const [first, second, third] = ana.store.tray;
    ana.session.retry(first.id);
    ana.session.keep(second.id);
    ana.session.discard(third.id);
    await room.pass(100);
    assert.deepEqual(ana.store.tray, []);
    assert.deepEqual(ben.store.items("p1").map(({ id }) => id), [one]);
    assert.deepEqual(ana.store.items("p1").map(({ id, kept }) => [id, kept]), [[one, false], [two, true]]);
    assert.deepEqual(ana.store.item("p1", two).values.at, [3, 3]);
    assert.equal(ana.store.item("p1", three), undefined);
    room.agree();
  });

  test("what is to be tried again is, in order, and no sooner than was said", async () => {
    const ana = await room.live(ANA);
    let refusals = 1;
    room.server.faults.refuse = () => (refusals-- > 0 ? { code: "overloaded", retry: true, after: 800 } : null);
    const id = draw(ana);
    move(ana, id, [1, 1]);
    move(ana, id, [2, 2]);
    await room.pass(800);
    assert.deepEqual(opIds(room.server), []);
    await room.pass(200);
    assert.deepEqual(opIds(room.server), [1, 2, 3].map((n) => `${ana.outbox.client}:${n}`));
    assert.deepEqual(ana.store.item("p1", id).values.at, [2, 2]);
    room.agree();
  });

  test("ops that were sent behind one that must wait never overtake it", async () => {
    const ana = await room.live(ANA);
    let refusals = 3;
    room.server.faults.refuse = () => (room.random() < 0.3 && refusals-- > 0 ? { code: "try_again", retry: true } : null);
    const id = draw(ana);
    for (let n = 0; n < 30; n += 1) move(ana, id, [n, n]);
    await room.pass(10_000);
    assert.deepEqual(opIds(room.server), Array.from({ length: 31 }, (_, n) => `${ana.outbox.client}:${n + 1}`));
    room.agree();
  });

  test("the server hears again of an op that it postponed, though its event came another way", async () => {
    const ana = await room.live(ANA);
    room.server.faults.refuse = ({ id, kind, data }) => {
      room.server.faults.refuse = () => null;
      room.server.commit("board.edited", ANA.id, data, id); // her other tab had adopted it, and was faster
      return { code: "overloaded", retry: true, after: 300, kind };
    };
    draw(ana);
    await room.pass(30);
    draw(ana);
    await room.pass(2_000);
    assert.equal(ana.store.items("p1").length, 2);
    room.agree();
  });
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
    room.server.seen = room.server.connections;
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
    for (const connection of room.server.connections) connection.say = () => {};
    await room.pass(34_000);
    assert.equal(ana.session.status.phase, "live");
    await room.pass(13_000); // `time` was answered last, some seconds before
    assert.ok(room.server.connections.size === 1 && ana.session.status.phase === "live");
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
    closed.store.propose = closed.store.propose.bind(closed.store);
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
