// What this person sees of the lesson: the confirmed fold, with their own pending ops laid over it.
// @ts-check
import { alike } from "./display.js";
import { apply, fromJSON, loadBoard, permit } from "./lesson.js";
import { BOARD_OPS, TOPICS, adds, carriesWork, dependants, isVoid, touchedIds } from "./ops.js";
import { PENDING } from "./overlay.js";
import { predict } from "./predict.js";
import { OPS, SENTENCES } from "./protocol.js";
import { Views } from "./views.js";

/**
 * An own op between the gesture and its event.
 * @typedef {object} PendingOp
 * @property {string} id           op id, `client:n`
 * @property {string} kind         op kind, `board.edit`
 * @property {any} data            op data as proposed; never changed afterwards
 * @property {"queued"|"sent"|"logged"} state  waiting to be sent; sent and unanswered; `done` came, its event has not
 * @property {number} born         ms, own clock
 * @property {number|null} seq     known once `logged`
 * @property {boolean} frozen      it was sent once, by this page load or another: the server may have it
 * @property {number} rank         its predicted seq, above all that the log will reach
 * @property {Rights|null|undefined} rights  on boards, as they were when it was made, and for good: it stays on screen until
 *   the log or the door says otherwise, whatever rule changes meanwhile; null: none; undefined: not known yet
 *
 * An item as it is displayed. Frozen; a new object whenever anything of it changes, so `===` tells.
 * @typedef {object} ShownItem
 * @property {string} id
 * @property {string} kind
 * @property {string} by           participant who added it
 * @property {Record<string, any>} values  field -> value; `alive` and `top` are told by being there, and where
 * @property {boolean} pending     true while an own op on it waits for its event
 * @property {boolean} kept        true for refused ink kept to oneself: nobody else sees it
 *
 * Refused (or void) work that was taken off the board: one entry for an op with all that depended on it.
 * @typedef {object} TrayEntry
 * @property {string} id           op id of the refused op, the handle for retry, keep and discard
 * @property {string} kind
 * @property {any} data
 * @property {string} code         refusal code, or `void`
 * @property {string} message      a sentence for people
 * @property {{id: string, kind: string, data: any}[]} dependants  later own ops that make no sense without it, in order
 *
 * Own work of which something did not come to pass; for a toast. Everything that was made is in the tray as well.
 * @typedef {object} Notice
 * @property {string} op
 * @property {string} kind
 * @property {"refused"|"void"} outcome  the door said no; or the log has it and the fold let (part of) it fall
 * @property {string} code         refusal code, or `void`
 * @property {string} message      a sentence for people
 * @property {boolean} tray        the work waits in the tray
 *
 * An item that is shown elsewhere than was predicted: tween from `from`, or fade when `item(page, id)` is gone now.
 * @typedef {{page: string, id: string, kind: string, from: Record<string, any>}} Correction
 *
 * @typedef {"items"|"pages"|"people"|"policy"|"hands"|"chat"|"pending"|"tray"|"status"|"me"|"page"|"presence"} Topic
 *
 * All that changed since the last call.
 * @typedef {object} Change
 * @property {Set<Topic>} topics
 * @property {Map<string, Set<string> | "all">} items  page -> ids whose display changed; `all` after a snapshot, a load or a clear
 * @property {Correction[]} corrections
 * @property {Notice[]} notices
 *
 * @typedef {import("./board.js").Rights} Rights
 * @typedef {import("./lesson.js").LessonState} LessonState
 * @typedef {import("./lesson.js").LessonEvent} LessonEvent
 * @typedef {{id: string, kind: string, data: any, born: number}} Op
 */

const STAFF = new Set(["instructor", "assistant"]);
const VOID = "Somebody else was first: this change had no effect.";

/** One who fails is heard of, and keeps nobody else from hearing. @param {(change: Change) => void} fn @param {Change} change */
function tell(fn, change) {
  try {
    fn(change);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

export class Store {
  #ranks = 0;
  /** @type {string|null} */
  #looked = null;
  /** @type {string|null} the page that subscribers know of */
  #told = null;
  /** @type {LessonState|null} */
  #shown = null;
  /** @type {Change|null} */
  #change = null;
  /** @type {Set<(change: Change) => void>} */
  #subscribers = new Set();

  /** @param {{id: string, name: string, role: string, color: string}} me  the pass's participant */
  constructor(me) {
    this.me = me;
    /** @type {LessonState|null} confirmed fold, read-only for everybody; null before the first snapshot */
    this.lesson = null;
    /** @type {PendingOp[]} own ops without an outcome, in order */
    this.pending = [];
    /** @type {TrayEntry[]} */
    this.tray = [];
    this.epoch = "";
    /** @type {string[]} pages whose boards are wanted besides that of the page looked at; set by `session.want` */
    this.near = [];
    /** seq of the newest applied event; 0 before the first snapshot */
    this.applied = 0;
    /** server's time of that event */
    this.at = 0;
    /** Told of own events before they are folded; what it returns is told whether they took. @type {(event: LessonEvent) => ((took: boolean) => void)|null} */
    this.witness = () => null;
    this.views = new Views(me.id, {
      board: (page) => this.lesson?.boards.get(page),
      loaded: (page) => this.loaded(page),
      rights: (op) => (op.rights === undefined ? (op.rights = this.#rights(op.kind)) : op.rights) ?? null,
      changed: (page, ids) => this.#report(page, ids),
    });
  }

  // ---- reading

  /** The lesson as this person sees it: `lesson` with own pending page, people, policy and hand ops laid over it (chat is
   * not: a post that waits stands in `pending`). The same object as `lesson` while nothing such waits. Boards: `items`. */
  get shown() {
    if (!this.#shown && this.lesson) this.#shown = predict(this.lesson, this.pending, this.me);
    return this.#shown;
  }

  /** @returns {string|null} the page looked at: follows `shown.current` until `look`, and again after `follow` */
  get page() {
    return this.following ? (this.shown?.current ?? null) : this.#looked;
  }

  /** @returns {boolean} */
  get following() {
    const { shown } = this;
    const roams = shown?.policy.roam || shown?.status === "ended" || STAFF.has(this.me.role);
    return !roams || !shown?.pages.some(({ id }) => id === this.#looked);
  }

  /** @returns {boolean} */
  get ended() {
    return this.lesson?.status === "ended";
  }

  /** Displayed items in paint order. The array is kept up to date in place: copy it to hold it over a task. @param {string} page @returns {readonly ShownItem[]} */
  items(page) {
    return this.views.display(page)?.list ?? [];
  }

  /** Whether there is ink on a page, its board loaded or not. @param {string} page @returns {boolean} */
  inked(page) {
    return this.views.inked(page);
  }

  /** @param {string} page @param {string} id @returns {ShownItem|undefined} */
  item(page, id) {
    return this.views.display(page)?.get(id);
  }

  /** False while a page's board is on its way (show a skeleton). @param {string} page @returns {boolean} */
  loaded(page) {
    return Boolean(this.shown?.boards.has(page));
  }

  /** The digest of a board at `applied`; null when it is not known. @param {string} page @returns {number|null} */
  digest(page) {
    const board = this.lesson?.boards.get(page);
    return board && board.seq <= this.applied ? board.digest : null;
  }

  // ---- looking

  /** Look at a page of one's own choice. @param {string} page */
  look(page) {
    this.#looked = page;
    this.touch("page");
  }

  /** Go with the lesson again. */
  follow() {
    this.#looked = null;
    this.touch("page");
  }

  /** Called once a microtask with all that changed. @param {(change: Change) => void} fn @returns {() => void} unsubscribe */
  subscribe(fn) {
    this.#subscribers.add(fn);
    return () => void this.#subscribers.delete(fn);
  }

  /** Something that subscribers want to know has changed. @param {Topic[]} topics */
  touch(...topics) {
    for (const topic of topics) this.#changing().topics.add(topic);
  }

  // ---- own ops; all below is the session's

  /** @param {Op} op */
  propose(op) {
    this.#add(op);
  }

  /** Ops of another tab of ours that is gone. @param {Op[]} ops */
  adopt(ops) {
    for (const op of ops) if (!this.pending.some(({ id }) => id === op.id)) this.#add(op, true);
  }

  /** @param {string} id @param {PendingOp["state"]} state */
  mark(id, state) {
    const op = this.pending.find((one) => one.id === id);
    if (!op || op.state === state) return;
    op.state = state;
    op.frozen ||= state === "sent";
    this.touch("pending");
  }

  /** Take back an op that no server can have heard of. @param {string} id @returns {PendingOp|null} null: it is too late */
  withdraw(id) {
    const op = this.pending.find((one) => one.id === id);
    if (!op || op.frozen) return null;
    this.#take(op);
    return op;
  }

  /** The server has the op: with a seq, its event is on its way or was in a state already; without, that was all.
   * @param {string} id @param {number|null} seq @returns {string[]} own ops that have their outcome by this */
  done(id, seq) {
    const op = this.pending.find((one) => one.id === id);
    if (!op) return [];
    if (seq === null) return this.#take(op);
    op.seq = seq;
    this.mark(id, "logged");
    return seq <= this.applied ? this.#resolve(op, seq, true) : [];
  }

  /** The door said no for good. @param {string} id @param {string} code @param {string} message @returns {string[]} as `done` */
  refuse(id, code, message) {
    const op = this.pending.find((one) => one.id === id);
    return op ? this.#lose(op, op.data, "refused", code, message) : [];
  }

  // ---- the log

  /** Fold the next event, one's own like any other's. @param {LessonEvent} event @returns {string[]} as `done` */
  confirm(event) {
    const lesson = /** @type {LessonState} */ (this.lesson);
    const told = event.by === this.me.id ? this.witness(event) : null;
    const took = apply(lesson, event);
    this.applied = event.seq;
    this.at = event.at;
    told?.(took);
    this.#mark(event);
    const op = event.by === this.me.id && this.pending.find(({ id }) => id === event.op);
    return op ? this.#resolve(op, event.seq, took) : [];
  }

  /** Begin anew from a state. @param {{epoch: string, seq: number, at: number, state: any, digest?: Record<string, number>}} snapshot @returns {string[]} as `done` */
  snapshot({ epoch, seq, at, state, digest = {} }) {
    if (epoch !== this.epoch) for (const op of this.pending) Object.assign(op, { state: "queued", seq: null });
    this.lesson = fromJSON(state, seq, at);
    Object.assign(this, { epoch, applied: seq, at });
    this.#shown = null;
    this.#meet();
    this.touch("pages", "people", "policy", "hands", "chat", "status", "pending");
    this.views.mark(digest);
    this.views.soilAll();
    const swallowed = this.pending.filter((op) => op.seq !== null && op.seq <= seq);
    return swallowed.flatMap((op) => this.#resolve(op, /** @type {number} */ (op.seq), true));
  }

  /** @param {string} page @param {any} json @param {number} seq @returns {boolean} false: it came too late, or its page is gone */
  loadBoard(page, json, seq) {
    if (!this.lesson || !loadBoard(this.lesson, page, json, seq)) return false;
    this.#shown = null;
    this.#soil(page, null);
    return true;
  }

  /** @param {{id: string, name: string, role: string, color: string}} me */
  setMe(me) {
    if (alike(me, this.me)) return;
    this.me = me;
    this.touch("me");
  }

  // ---- the tray

  /** @param {string} id @returns {TrayEntry|undefined} what was taken out of it */
  untray(id) {
    const entry = this.tray.find((one) => one.id === id);
    this.tray = this.tray.filter((one) => one !== entry);
    this.touch("tray");
    return entry;
  }

  /** Show refused ink to this person alone. @param {string} id */
  keep(id) {
    const entry = this.untray(id);
    for (const { kind, data } of entry ? [entry, ...entry.dependants] : []) {
      if (kind !== "board.edit") continue;
      this.views.keep(data.page, data, (this.#ranks += 1));
      this.touch("items");
    }
  }

  // ---- ops come and go

  /** @param {Op} op @param {boolean} [frozen] */
  #add(op, frozen = false) {
    /** @type {PendingOp} */
    const pending = { ...op, state: "queued", seq: null, frozen, rank: PENDING + (this.#ranks += 1), rights: this.#rights(op.kind) };
    this.pending.push(pending);
    if (BOARD_OPS.has(op.kind)) this.views.lay(pending);
    this.#disturb(pending);
  }

  /** Take an op off the overlay. @param {PendingOp} op @returns {string[]} its id */
  #take(op) {
    this.pending = this.pending.filter((one) => one !== op);
    if (BOARD_OPS.has(op.kind)) this.views.lift(op);
    this.#disturb(op);
    return [op.id];
  }

  /** What own ops are laid over changes its looks. @param {Op} op */
  #disturb({ kind }) {
    this.touch("pending");
    if (BOARD_OPS.has(kind)) return this.touch("items");
    this.#shown = null;
    this.touch(...(TOPICS.get(kind.split(".")[0]) ?? []));
  }

  /** The log has the op: see what became of it. @param {PendingOp} op @param {number} seq @param {boolean} took @returns {string[]} */
  #resolve(op, seq, took) {
    const board = this.lesson?.boards.get(op.data.page);
    const missing = adds(op).filter(([, id]) => !(board ? board.items.has(id) : took));
    const folded = board && board.seq < seq && seq === this.applied;
    const partly = folded && op.kind === "board.edit" && op.data.edits.some((/** @type {any[]} */ edit) => isVoid(edit, board, seq));
    const undoes = op.data.guard !== undefined; // what its guard keeps is somebody else's work, and undo.js says so
    if ((took && !missing.length && !partly) || undoes) return this.#take(op);
    const code = (!took && permit(/** @type {LessonState} */ (this.lesson), this.me.id, OPS.get(op.kind) ?? "", op.data)) || "void";
    const lost = missing.length ? { ...op.data, edits: missing } : took ? null : op.data;
    return this.#lose(op, lost, "void", code, SENTENCES.get(code) ?? VOID);
  }

  /**
   * An op came to nothing, or not to all that it should: say so, and put what somebody made into the tray with all that hangs on it.
   * @param {PendingOp} op @param {any} lost  data of what is missing now; null: nothing @param {Notice["outcome"]} outcome
   * @param {string} code @param {string} message @returns {string[]} ids of the ops that are pending no more
   */
  #lose(op, lost, outcome, code, message) {
    const later = this.pending.slice(this.pending.indexOf(op) + 1);
    const gone = { id: op.id, kind: op.kind, data: lost };
    const page = op.kind === "page.add" ? op.data.page : null;
    const hanging = lost ? dependants({ items: adds(gone).map(([, id]) => id), page }, later) : [];
    const tray = Boolean(lost) && this.#saves(gone, outcome, hanging);
    if (tray) {
      const rest = hanging.map(({ id, kind, data }) => ({ id, kind, data }));
      this.tray = [...this.tray, { ...gone, code, message, dependants: rest }];
      this.touch("tray");
    }
    this.#changing().notices.push({ op: op.id, kind: op.kind, outcome, code, message, tray });
    return [op, ...hanging].flatMap((one) => this.#take(one));
  }

  /** Whether there is something to save: what is void though its item is there has been overwritten, not lost.
   * @param {Op|any} gone @param {Notice["outcome"]} outcome @param {Op[]} hanging */
  #saves(gone, outcome, hanging) {
    const ops = outcome === "void" && gone.kind === "board.edit" && !this.#missing(gone) ? hanging : [gone, ...hanging];
    return ops.some(carriesWork);
  }

  /** @param {Op} op @returns {boolean} */
  #missing(op) {
    const board = this.lesson?.boards.get(op.data.page);
    return adds(op).some(([, id]) => !board?.items.has(id));
  }

  // ---- what an event changes

  /** @param {LessonEvent} event */
  #mark({ kind, data }) {
    this.touch(...(TOPICS.get(kind.split(".")[0]) ?? []));
    if (kind.startsWith("board.") || kind === "page.cleared" || kind === "page.uncleared") {
      if (typeof data.page === "string") this.#soil(data.page, touchedIds(data));
      return;
    }
    this.#shown = null;
    if (kind.startsWith("person.")) this.#meet();
    if (kind === "page.removed") this.#soil(data.page, null);
  }

  /** Who I am by the log. */
  #meet() {
    const person = this.lesson?.people.get(this.me.id);
    if (person) this.setMe({ id: this.me.id, name: person.name, role: person.role, color: person.color });
  }

  // ---- displays

  /** Items of a page are to be shown anew. @param {string} page @param {string[]|null} ids  null: all */
  #soil(page, ids) {
    this.touch("items");
    this.views.soil(page, ids);
  }

  /** What an own op may do to a board now. @param {string} kind @returns {Rights|null|undefined} undefined: not known yet */
  #rights(kind) {
    if (!this.shown) return undefined;
    const { policy, students } = this.shown;
    if (STAFF.has(this.me.role)) return { free: true, own: false, students };
    const draws = policy.draw === "everyone" || (policy.draw === "chosen" && policy.chosen.includes(this.me.id));
    if (!draws || kind !== "board.edit") return null;
    return { free: false, own: policy.edit === "own", students: new Set([...students, this.me.id]) };
  }

  // ---- telling

  #changing() {
    if (!this.#change) {
      this.#change = { topics: new Set(), items: new Map(), corrections: [], notices: [] };
      queueMicrotask(() => this.#tell());
    }
    return this.#change;
  }

  /** @param {string} page @param {string[]|null} ids */
  #report(page, ids) {
    const { items } = this.#changing();
    const known = items.get(page);
    if (!ids || known === "all") items.set(page, "all");
    else if (ids.length) items.set(page, new Set([...(known ?? []), ...ids]));
  }

  #tell() {
    const change = this.#changing();
    change.corrections = this.views.settle();
    if (this.page !== this.#told) change.topics.add("page");
    this.#told = this.page;
    this.#change = null;
    for (const fn of [...this.#subscribers]) tell(fn, change);
  }
}
