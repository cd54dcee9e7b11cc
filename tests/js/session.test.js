// A session against a server that speaks the protocol: what one draws is there at once, and in the end everywhere, once.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { Room, draw, erase, move, opIds, shownOf } from "./support/room.js";
import { ANA, BEN, TEA } from "./support/server.js";

let room;
beforeEach(() => {
  room = new Room();
});

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
    // The door lets it in, and in the log a lock stands before it.
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
