// Undo and redo of one's own work, page by page: a gesture is taken back as the log has it, and nobody else's work with it.
// @ts-check
import { touchedIds } from "./ops.js";

/**
 * What an op is to be answered with, to have it undone.
 * @typedef {{kind: string, data: any}} Op
 *
 * An op of a gesture. `back` is known once its own event was applied: from the confirmed state just before it.
 * @typedef {{op: string, seq: number|null, back: Op[]|null}} Step
 *
 * A gesture: all ops that it made, in order. `again`: it was withdrawn before it was sent, and this is what to propose anew.
 * `wanted`: somebody asked to take it back while it was on its way.
 * @typedef {{gesture: string, steps: Step[], again: Op[]|null, wanted: boolean}} Entry
 *
 * @typedef {"done"|"undone"} Side
 * @typedef {import("./board.js").Board} Board
 * @typedef {import("./lesson.js").LessonEvent} LessonEvent
 */

const MOST = 100; // gestures a page
const MOST_EDITS = 50; // of an op (protocol.md section 5)
const UNDOABLE = new Set(["board.edit", "page.clear", "page.unclear"]);

export class Undo {
  /** @type {Map<string, Record<Side, Entry[]>>} */
  #pages = new Map();
  /** Where an op belongs. @type {Map<string, {page: string, entry: Entry, step: Step}>} */
  #steps = new Map();
  /** The entry that is being filled with what takes another one back. @type {Entry|null} */
  #filling = null;
  #task = 0;
  #inTask = false;
  #telling = false;
  #epoch = "";
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /**
   * @param {object} parts
   * @param {(kind: string, data: any) => string} parts.propose
   * @param {(id: string) => Op|null} parts.withdraw  take back an op that was never sent; null: too late
   * @param {() => string} parts.epoch  of the log
   * @param {(page: string) => Board|undefined} parts.board  confirmed
   * @param {Pick<Storage, "getItem"|"setItem">|null} [parts.storage]  a tab's own, kept over a reload; null where nothing is kept
   * @param {string} [parts.key]
   */
  constructor({ propose, withdraw, epoch, board, storage = null, key = "" }) {
    this.propose = propose;
    this.withdraw = withdraw;
    this.epoch = epoch;
    this.board = board;
    /** Why something was not undone. changed: by somebody else since, and that is kept; gone: there is nothing left of it; forgotten:
     * nobody knows what was before it. @type {(word: {what: "changed"|"gone"|"forgotten", by: string|null}) => void} */
    this.say = () => {};
    this.storage = storage;
    this.key = key;
    this.#recall();
  }

  /** @param {string|null} page @param {Side} side  done: whether there is something to undo; undone: to redo */
  has(page, side) {
    return page !== null && (this.#side(page, side).some(({ wanted }) => !wanted) || this.#asked(page, other(side)).length > 0);
  }

  /** @param {() => void} fn  what can be undone has changed */
  onChange(fn) {
    this.#listeners.add(fn);
  }

  /** Take the newest gesture on a page back; where it is still on its way, once it has arrived. @param {string} page */
  undo(page) {
    this.#take(page, "done");
  }

  /** @param {string} page */
  redo(page) {
    this.#take(page, "undone");
  }

  // ---- told by the session

  /** An op of one's own was made. @param {{id: string, kind: string, data: any}} op */
  proposed({ id, kind, data }) {
    if (!UNDOABLE.has(kind)) return;
    const entry = this.#filling ?? this.#gesture(data);
    const step = { op: id, seq: null, back: null };
    entry.steps.push(step);
    this.#steps.set(id, { page: data.page, entry, step });
    this.#changed();
  }

  /** An event of one's own is about to be folded. @param {LessonEvent} event @returns {((took: boolean) => void)|null} to be called when it has been */
  witness(event) {
    const known = this.#steps.get(event.op ?? "");
    if (!known) return null;
    const before = copyOf(this.board(event.data.page), event);
    return (took) => {
      known.step.seq = event.seq;
      const board = this.board(event.data.page);
      known.step.back = took && board && before ? inverse(event, before, board) : [];
      if (board && event.data.guard !== undefined) this.#tellKept(event, board);
      this.#settle(known.page, known.entry);
    };
  }

  /** An op has its outcome. Without its event (refused, or swallowed by a state) nobody knows what was before it. @param {string} id */
  settled(id) {
    const known = this.#steps.get(id);
    if (!known || known.step.back) return;
    known.entry.steps = known.entry.steps.filter((step) => step !== known.step);
    this.#steps.delete(id);
    if (known.entry.wanted) this.say({ what: "forgotten", by: null });
    this.#settle(known.page, known.entry);
  }

  // ---- gestures

  /** The entry that an op belongs to: a long stroke is one group, what is proposed in one task is one sweep. @param {any} data @returns {Entry} */
  #gesture(data) {
    const group = (data.edits ?? []).find((/** @type {any[]} */ edit) => edit[0] === "add" && edit[3]?.group)?.[3].group;
    if (!this.#inTask) {
      this.#inTask = true;
      this.#task += 1;
      queueMicrotask(() => void (this.#inTask = false));
    }
    const gesture = group ?? `task:${this.#task}`;
    const done = this.#side(data.page, "done");
    const newest = done.at(-1);
    this.#drop(data.page, "undone", this.#side(data.page, "undone"));
    if (newest && newest.gesture === gesture && !newest.wanted) return newest;
    const entry = { gesture, steps: [], again: null, wanted: false };
    this.#push(data.page, "done", entry);
    return entry;
  }

  /** @param {string} page @param {Side} side */
  #take(page, side) {
    const [last] = this.#asked(page, other(side));
    if (last) {
      last.wanted = false; // it was asked for and has not happened yet: now it is not asked for
      return this.#changed();
    }
    const entry = this.#side(page, side).filter(({ wanted }) => !wanted).at(-1);
    if (!entry) return;
    if (entry.again) this.#again(page, side, entry);
    else if (!this.#withdrawn(page, side, entry)) {
      entry.wanted = true;
      this.#settle(page, entry);
    }
  }

  /** What was asked for and waits for the log, the last asked first. @param {string} page @param {Side} side */
  #asked(page, side) {
    return this.#side(page, side).filter(({ wanted }) => wanted);
  }

  /** Propose a withdrawn gesture anew. @param {string} page @param {Side} side @param {Entry} entry */
  #again(page, side, entry) {
    this.#drop(page, side, [entry]);
    this.#fill(page, side, () => {
      for (const { kind, data } of entry.again ?? []) this.propose(kind, data);
    });
  }

  /** Take back what was never sent, all of it or nothing. @param {string} page @param {Side} side @param {Entry} entry */
  #withdrawn(page, side, entry) {
    const [only] = entry.steps;
    const op = entry.steps.length === 1 && !only.back ? this.withdraw(only.op) : null;
    if (!op) return false;
    this.#drop(page, side, [entry]);
    this.#push(page, other(side), { gesture: "", steps: [], again: [op], wanted: false });
    return true;
  }

  /** Do what was asked for, as soon as all of a gesture is known. @param {string} page @param {Entry} entry */
  #settle(page, entry) {
    const side = this.#side(page, "done").includes(entry) ? "done" : "undone";
    const known = entry.steps.every(({ back }) => back);
    const empty = known && entry.steps.every(({ back }) => back?.length === 0);
    if (empty && !entry.again) {
      if (entry.wanted && entry.steps.length) this.say({ what: "gone", by: null });
      this.#drop(page, side, [entry]);
    } else if (known && entry.wanted) {
      this.#drop(page, side, [entry]);
      this.#fill(page, side, () => {
        for (const { back } of [...entry.steps].reverse()) for (const { kind, data } of back ?? []) this.propose(kind, data);
      });
    }
    this.#changed();
  }

  /** What is proposed now takes back an entry of this side, so it goes to the other. @param {string} page @param {Side} side @param {() => void} act */
  #fill(page, side, act) {
    this.#filling = { gesture: "", steps: [], again: null, wanted: false };
    this.#push(page, other(side), this.#filling);
    act();
    this.#filling = null;
  }

  /** Say whose later change was kept. @param {LessonEvent} event @param {Board} board */
  #tellKept(event, board) {
    for (const [verb, id, fields] of event.data.edits ?? []) {
      const item = board.items.get(id);
      const names = verb === "set" ? Object.keys(fields) : ["alive"];
      const kept = names.map((name) => item?.fields.get(name)).find((register) => register && register[2] !== event.seq && register[1] !== event.by);
      if (kept) return this.say({ what: "changed", by: kept[1] });
    }
  }

  // ---- stacks

  /** @param {string} page @param {Side} side @returns {Entry[]} */
  #side(page, side) {
    if (this.#epoch !== this.epoch()) {
      if (this.#epoch) this.#forget();
      this.#epoch = this.epoch();
    }
    return this.#pages.get(page)?.[side] ?? [];
  }

  /** @param {string} page @param {Side} side @param {Entry} entry */
  #push(page, side, entry) {
    const stacks = this.#pages.get(page) ?? { done: [], undone: [] };
    this.#pages.set(page, stacks);
    stacks[side].push(entry);
    if (stacks[side].length > MOST) this.#drop(page, side, [stacks[side][0]]);
    this.#changed();
  }

  /** @param {string} page @param {Side} side @param {Entry[]} entries */
  #drop(page, side, entries) {
    const stacks = this.#pages.get(page);
    if (!stacks || !entries.length) return;
    const gone = new Set(entries);
    stacks[side] = stacks[side].filter((entry) => !gone.has(entry));
    for (const { steps } of gone) for (const { op } of steps) this.#steps.delete(op);
    this.#changed();
  }

  #forget() {
    this.#pages.clear();
    this.#steps.clear();
    this.#changed();
  }

  // ---- kept over a reload

  #changed() {
    if (this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      this.#keep();
      for (const fn of this.#listeners) fn();
    });
  }

  #keep() {
    try {
      this.storage?.setItem(this.key, JSON.stringify({ epoch: this.#epoch, pages: [...this.#pages] }));
    } catch {
      // a full or forbidden storage: what is made now can be undone until the page closes
    }
  }

  #recall() {
    try {
      const kept = JSON.parse(this.storage?.getItem(this.key) ?? "null");
      if (!kept) return;
      this.#epoch = kept.epoch;
      this.#pages = new Map(kept.pages);
      for (const [page, stacks] of this.#pages) {
        for (const entry of [...stacks.done, ...stacks.undone]) {
          entry.gesture = ""; // it is over: tasks are counted anew, and none of them goes on with it
          for (const step of entry.steps) this.#steps.set(step.op, { page, entry, step });
        }
      }
    } catch {
      this.#forget();
    }
  }
}

/** @param {Side} side @returns {Side} */
const other = (side) => (side === "done" ? "undone" : "done");

/** The registers that an event may write, as they are before it. @param {Board|undefined} board @param {LessonEvent} event @returns {Map<string, Map<string, any>>|null} */
function copyOf(board, event) {
  if (!board) return null;
  const ids = touchedIds(event.data) ?? board.items.keys();
  return new Map([...ids].filter((id) => board.items.has(id)).map((id) => [id, new Map(board.items.get(id)?.fields)]));
}

/**
 * The ops that take an event back: of what it changed, to what was before, and only as far as nobody else has changed it since.
 * @param {LessonEvent} event @param {Map<string, Map<string, any>>} before @param {Board} board  as the event left it @returns {Op[]}
 */
export function inverse({ kind, seq, data }, before, board) {
  if (kind === "page.cleared") return [{ kind: "page.unclear", data: { page: data.page, seq } }];
  const edits = kind === "page.uncleared" ? returned(seq, before, board) : backwards(seq, data.edits, before, board);
  const ops = [];
  for (let i = 0; i < edits.length; i += MOST_EDITS) ops.push({ kind: "board.edit", data: { page: data.page, edits: edits.slice(i, i + MOST_EDITS), guard: seq } });
  return ops;
}

/** The items that an unclear brought back go again, and no others. @param {number} seq @param {Map<string, Map<string, any>>} before @param {Board} board */
function returned(seq, before, board) {
  const back = [...board.items].filter(([id, item]) => {
    const alive = item.fields.get("alive");
    return alive?.[0] && alive[2] === seq && !before.get(id)?.get("alive")?.[0];
  });
  return back.map(([id]) => ["remove", id]);
}

/** @param {number} seq @param {any[][]} edits @param {Map<string, Map<string, any>>} before @param {Board} board */
function backwards(seq, edits, before, board) {
  const back = [];
  const made = new Set();
  for (const [verb, id, fields] of edits) {
    const item = board.items.get(id);
    const wrote = (/** @type {string} */ name) => item?.fields.get(name)?.[2] === seq;
    if (!item || made.has(id)) continue;
    if (verb === "add" && item.seq === seq) {
      made.add(id);
      back.push(["remove", id]);
    } else if (verb === "remove" && wrote("alive")) back.push(["restore", id]);
    else if (verb === "restore" && wrote("alive")) back.push(["remove", id]);
    else if (verb === "set") {
      const old = Object.keys(fields).filter(wrote).map((name) => [name, before.get(id)?.get(name)?.[0] ?? null]);
      if (old.length) back.push(["set", id, Object.fromEntries(old)]);
    }
  }
  return back.reverse();
}
