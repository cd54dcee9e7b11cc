// Undo and redo: of one's own work, as the log has it, and never over what somebody else did since.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { seeded } from "./support/clock.js";
import { Room, STYLE, draw, erase, move, shownOf } from "./support/room.js";
import { ANA, BEN, TEA } from "./support/server.js";

let room;
beforeEach(() => {
  room = new Room();
});

/** A tab's storage. */
function shelf() {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => void kept.set(key, text) };
}

const undo = ({ session }, page = "p1") => session.undo.undo(page);
const redo = ({ session }, page = "p1") => session.undo.redo(page);
const has = ({ session }, page = "p1") => [session.undo.has(page, "done"), session.undo.has(page, "undone")];
const at = ({ store }, id) => store.item("p1", id)?.values.at;
const boxes = (who) => shownOf(who.store, "p1").map(({ id }) => id);
const told = (who) => {
  const words = [];
  who.session.undo.say = (word) => words.push(word);
  return words;
};

describe("taking back", () => {
  test("what was drawn goes, and comes again", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    const id = draw(ana);
    await room.pass(100);
    assert.deepEqual(has(ana), [true, false]);
    undo(ana);
    await room.pass(100);
    assert.deepEqual([boxes(ana), boxes(ben), has(ana)], [[], [], [false, true]]);
    redo(ana);
    await room.pass(100);
    assert.deepEqual([boxes(ana), boxes(ben), has(ana)], [[id], [id], [true, false]]);
    room.agree();
  });

  test("redo takes back an undo that waits for the log, and undo such a redo", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    const id = draw(ana);
    await room.pass(5); // sent, and not answered yet
    undo(ana);
    assert.deepEqual(has(ana), [false, true]);
    redo(ana);
    assert.deepEqual(has(ana), [true, false]);
    await room.pass(200);
    assert.deepEqual([boxes(ana), boxes(ben), has(ana)], [[id], [id], [true, false]]);
    undo(ana);
    await room.pass(5);
    redo(ana);
    undo(ana);
    await room.pass(200);
    assert.deepEqual([boxes(ana), boxes(ben), has(ana)], [[], [], [false, true]]);
    room.agree();
  });

  test("what was erased comes back with what others did to it", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    const id = draw(ana);
    await room.pass(100);
    move(ben, id, [7, 7]);
    await room.pass(100);
    erase(ana, [id]);
    await room.pass(100);
    undo(ana);
    await room.pass(100);
    assert.deepEqual(at(ben, id), [7, 7]);
    room.agree();
  });

  test("a field goes back to what it was just before, not to what it was when the gesture began", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    const id = draw(ana);
    await room.pass(100);
    move(ben, id, [2, 2]);
    move(ana, id, [1, 1]);
    await room.pass(100);
    undo(ana);
    await room.pass(100);
    assert.deepEqual(at(ana, id), [2, 2]);
    room.agree();
  });

  test("an optional field that was not there is unset", async () => {
    const ana = await room.live(ANA);
    const id = draw(ana);
    await room.pass(100);
    ana.session.propose("board.edit", { page: "p1", edits: [["set", id, { turn: 30, top: "front" }]] });
    await room.pass(100);
    undo(ana);
    await room.pass(100);
    assert.equal(ana.store.item("p1", id).values.turn, undefined);
    room.agree();
  });

  test("a sweep of a hundred and a stroke in parts are one gesture each", async () => {
    const ana = await room.live(ANA);
    const ids = [];
    for (let n = 0; n < 70; n += 1) {
      ids.push(draw(ana));
      await room.pass(150);
    }
    for (let i = 0; i < ids.length; i += 50) ana.session.propose("board.edit", { page: "p1", edits: ids.slice(i, i + 50).map((id) => ["remove", id]) });
    await room.pass(300);
    assert.deepEqual(boxes(ana), []);
    undo(ana);
    await room.pass(300);
    assert.equal(boxes(ana).length, 70);
    for (const part of ["1", "2"]) {
      const id = ana.session.newItem();
      ana.session.propose("board.edit", { page: "p1", edits: [["add", id, "box", { at: [1, 1], box: [5, 5], style: STYLE, group: "u1.long" }]] });
      await room.pass(100);
      assert.equal(boxes(ana).length, 70 + Number(part));
    }
    undo(ana);
    await room.pass(100);
    assert.equal(boxes(ana).length, 70);
    room.agree();
  });

  test("a clear is undone, and its redo removes what came back and nothing else", async () => {
    const [tea, ben] = [await room.live(TEA), await room.live(BEN)];
    const old = draw(ben);
    await room.pass(100);
    tea.session.propose("page.clear", { page: "p1" });
    await room.pass(100);
    assert.deepEqual(boxes(ben), []);
    undo(tea);
    await room.pass(100);
    assert.deepEqual(boxes(ben), [old]);
    const fresh = draw(ben);
    await room.pass(100);
    redo(tea);
    await room.pass(100);
    assert.deepEqual(boxes(ben), [fresh]);
    undo(tea);
    await room.pass(100);
    assert.deepEqual(boxes(ben).toSorted(), [old, fresh].toSorted());
    room.agree();
  });
});

describe("others", () => {
  test("what somebody changed since is kept, and it is said who", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    const words = told(ana);
    const id = draw(ana);
    await room.pass(100);
    move(ana, id, [1, 1]);
    await room.pass(100);
    move(ben, id, [2, 2]);
    await room.pass(100);
    undo(ana);
    await room.pass(100);
    assert.deepEqual(at(ana, id), [2, 2]);
    assert.deepEqual(words, [{ what: "changed", by: BEN.id }]);
    assert.deepEqual(ana.seen.notices, []);
    room.agree();
  });

  test("their work does not clear what can be redone; one's own does", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    draw(ana);
    await room.pass(100);
    undo(ana);
    await room.pass(100);
    draw(ben);
    await room.pass(100);
    assert.deepEqual(has(ana), [false, true]);
    draw(ana);
    await room.pass(100);
    assert.deepEqual(has(ana), [true, false]);
  });

  test("a second undo of the same field does not overwrite what came between", async () => {
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    const id = draw(ana);
    await room.pass(100);
    move(ana, id, [1, 1]);
    await room.pass(100);
    move(ben, id, [2, 2]);
    await room.pass(100);
    move(ana, id, [3, 3]);
    await room.pass(100);
    undo(ana);
    await room.pass(100);
    assert.deepEqual(at(ana, id), [2, 2]);
    undo(ana);
    await room.pass(100);
    assert.deepEqual(at(ana, id), [2, 2]);
    room.agree();
  });
});

describe("on the way", () => {
  test("what was never sent is withdrawn, leaves no trace in the log, and can be redone", async () => {
    const ana = await room.live(ANA);
    const head = room.server.head;
    room.cut();
    const id = draw(ana);
    undo(ana);
    assert.deepEqual([boxes(ana), ana.store.pending, has(ana)], [[], [], [false, true]]);
    redo(ana);
    assert.deepEqual(boxes(ana), [id]);
    undo(ana);
    await room.pass(3_000);
    assert.equal(room.server.head, head);
    room.agree();
  });

  test("what was sent and is not answered is undone when its event is there", async () => {
    const ana = await room.live(ANA);
    const id = draw(ana);
    await room.pass(1);
    assert.equal(ana.store.pending[0].state, "sent");
    undo(ana);
    assert.deepEqual(boxes(ana), [id]);
    await room.pass(300);
    assert.deepEqual(boxes(ana), []);
    room.agree();
  });

  test("it is kept over a reload, with what was still unsent", async () => {
    const storage = shelf();
    const ana = await room.live(ANA, { storage });
    const id = draw(ana);
    await room.pass(100);
    move(ana, id, [9, 9]);
    await room.pass(100);
    ana.session.stop();
    room.people = [];
    const again = await room.live(ANA, { storage });
    undo(again);
    await room.pass(100);
    assert.deepEqual(at(again, id), [10, 20]);
    undo(again);
    await room.pass(100);
    assert.deepEqual(boxes(again), []);
    room.agree();
  });

  test("what is made after a reload is a gesture of its own", async () => {
    const storage = shelf();
    const ana = await room.live(ANA, { storage });
    const first = draw(ana);
    await room.pass(100);
    ana.session.stop();
    room.people = [];
    const again = await room.live(ANA, { storage });
    draw(again);
    await room.pass(100);
    undo(again);
    await room.pass(100);
    assert.deepEqual([boxes(again), has(again)], [[first], [true, true]]);
  });

  test("a refused gesture is nothing to undo", async () => {
    const [ana, tea] = [await room.live(ANA), await room.live(TEA)];
    tea.session.propose("policy.set", { draw: "staff" });
    await room.pass(100);
    draw(ana);
    await room.pass(200);
    assert.deepEqual(has(ana), [false, false]);
  });

  test("a storage that throws or holds nonsense harms nothing", async () => {
    const broken = { getItem: () => "{", setItem: () => { throw new Error("full"); } };
    const ana = await room.live(ANA, { storage: broken });
    draw(ana);
    await room.pass(100);
    undo(ana);
    await room.pass(100);
    assert.deepEqual(boxes(ana), []);
  });

  test("a page keeps a hundred gestures", async () => {
    const ana = await room.live(ANA);
    for (let n = 0; n < 105; n += 1) {
      draw(ana);
      await room.pass(150);
    }
    for (let n = 0; n < 105; n += 1) {
      undo(ana);
      await room.pass(150);
    }
    assert.equal(boxes(ana).length, 5);
    room.agree();
  });
});

/** What one does by chance on a page: mostly to what is there. */
function doSomething(who, chance) {
  const items = boxes(who);
  const some = items[Math.floor(chance() * items.length)];
  const what = chance();
  if (what < 0.4 || !some) draw(who, { at: [Math.floor(chance() * 800), Math.floor(chance() * 600)] });
  else if (what < 0.75) move(who, some, [Math.floor(chance() * 800), Math.floor(chance() * 600)]);
  else erase(who, [some]);
}

for (let seed = 1; seed <= 25; seed += 1) {
  test(`undone and redone by oneself alone, all is as it was (${seed})`, async () => {
    const chance = seeded(seed);
    const ana = await room.live(ANA);
    const pictures = [shownOf(ana.store, "p1")];
    for (let n = 0; n < 8; n += 1) {
      doSomething(ana, chance);
      await room.pass(200);
      pictures.push(shownOf(ana.store, "p1"));
    }
    for (let n = 7; n >= 0; n -= 1) {
      undo(ana);
      await room.pass(200);
      assert.deepEqual(shownOf(ana.store, "p1"), pictures[n]);
    }
    for (let n = 1; n <= 8; n += 1) {
      redo(ana);
      await room.pass(200);
      assert.deepEqual(shownOf(ana.store, "p1"), pictures[n]);
    }
    room.agree();
  });

  test(`undo never touches what another wrote last (${seed})`, async () => {
    const chance = seeded(1_000 + seed);
    const [ana, ben] = [await room.live(ANA), await room.live(BEN)];
    for (let n = 0; n < 30; n += 1) {
      const turn = chance();
      const before = new Map([...ana.store.lesson.boards.get("p1").items].map(([id, item]) => [id, new Map(item.fields)]));
      if (turn < 0.35) doSomething(ana, chance);
      else if (turn < 0.6) doSomething(ben, chance);
      else {
        (turn < 0.85 ? undo : redo)(ana);
        await room.pass(200);
        for (const [id, fields] of before) {
          for (const [name, register] of fields) {
            const now = ana.store.lesson.boards.get("p1").items.get(id).fields.get(name);
            // Of what died, others' later changes come back with it; a life is Ana's to end or give only where she wrote it last.
            if (register[1] === BEN.id) assert.deepEqual(now, register, `${id} ${name}`);
          }
        }
      }
      await room.pass(200);
    }
    room.agree();
  });
}
