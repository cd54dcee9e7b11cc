// Pure fold of one page's board: items made of registers, last write wins by seq. Twin: whiteboard/board.py.
// @ts-check

/**
 * One field's value: [value, by, seq, foreign]. `foreign` is the newest seq by anybody other than `by`; 0 for none.
 * @typedef {[any, string|null, number, number]} Register
 *
 * One thing on a board. `seq` and `n`: its add, and the place of that edit in its event. `mark`: hash of "item|".
 * @typedef {{kind: string, by: string|null, seq: number, n: number, fields: Map<string, Register>, mark: number}} Item
 *
 * A page's board. `digest` covers every register; `version` grows with each change; `live` counts what is alive;
 * `deaths` are (seq, item) in order; events at or below `seq` are in it already.
 * @typedef {object} Board
 * @property {Map<string, Item>} items
 * @property {Map<string, number>} cleared
 * @property {number} digest
 * @property {number} version
 * @property {number} live
 * @property {{seq: number, id: string}[]} deaths
 * @property {number} seq
 *
 * What an author may touch. `free`: everything; else items of `students`, and with `own` only the author's.
 * @typedef {{free: boolean, own: boolean, students: Set<string|null>}} Rights
 *
 * @typedef {{seq: number, kind: string, by: string|null, data: any}} BoardEvent
 */

/** Events that a dead item stays restorable; then it is dropped, from the digest too. */
export const KEPT_DEAD = 2000;
export const WRITE_ONCE = new Set(["ink", "image"]);

const OFFSET = 2166136261, PRIME = 16777619; // FNV-1a-32
const ASCII = /^[\x00-\x7f]*$/;

/** @param {number} [seq] @returns {Board} */
export function freshBoard(seq = 0) {
  return { items: new Map(), cleared: new Map(), digest: 0, version: 0, live: 0, deaths: [], seq };
}

/**
 * Fold one event of this page into `board` and say whether anything took effect. Never throws.
 * @param {Board} board @param {BoardEvent} event @param {Rights} rights
 */
export function applyBoard(board, event, rights) {
  const fold = FOLDS.get(event.kind);
  if (!fold || !fold(board, event, rights)) return false;
  board.version++;
  return true;
}

/** Drop the items that have been dead for 2,000 events when event `seq` comes. @param {Board} board @param {number} seq */
export function dropDead(board, seq) {
  let due = 0;
  for (; due < board.deaths.length && board.deaths[due].seq <= seq - KEPT_DEAD; due++) {
    const death = board.deaths[due];
    const item = board.items.get(death.id);
    if (!item || isAlive(item) || alive(item)[2] !== death.seq) continue;
    board.items.delete(death.id);
    for (const [field, register] of item.fields) board.digest = (board.digest - digestOf(item, field, register[2])) >>> 0;
    board.version++;
  }
  if (due) board.deaths.splice(0, due);
}

/** The ids of the live items, the lowest first. @param {Board} board */
export function paintOrder(board) {
  const live = [...board.items.entries()].filter(([, item]) => isAlive(item));
  return live.sort(([a, itemA], [b, itemB]) => height(itemA) - height(itemB) || itemA.n - itemB.n || (a < b ? -1 : 1)).map(([id]) => id);
}

/** Where an item lies: its `top` if set, else the seq of its add. @param {Item} item @returns {number} */
export function height(item) {
  return item.fields.get("top")?.[0] ?? item.seq;
}

/** @param {Item} item */
export function isAlive(item) {
  return alive(item)[0] === true;
}

/** The digest computed from nothing: what `board.digest` must always be equal to. @param {Board} board */
export function recomputedDigest(board) {
  let sum = 0;
  for (const [id, item] of board.items) {
    for (const [field, register] of item.fields) sum = (sum + hash(`${id}|${field}|${register[2]}`, OFFSET)) >>> 0;
  }
  return sum;
}

/** The board of a snapshot. @param {any} json  `{items, cleared}` @param {number} seq @returns {Board} */
export function boardFromJSON(json, seq) {
  const board = freshBoard(seq);
  board.cleared = new Map(Object.entries(json.cleared));
  for (const [id, item] of Object.entries(json.items)) {
    const fields = new Map(Object.entries(item.fields));
    board.items.set(id, { kind: item.kind, by: item.by, seq: item.seq, n: item.n, fields, mark: hash(id + "|", OFFSET) });
    if (item.fields.alive[0] === true) board.live++;
    else board.deaths.push({ seq: item.fields.alive[2], id });
  }
  board.deaths.sort((a, b) => a.seq - b.seq);
  board.digest = recomputedDigest(board);
  return board;
}

/** `{items, cleared}` as the wire has them. @param {Board} board */
export function boardToJSON(board) {
  /** @type {[string, any][]} */
  const items = [];
  for (const [id, { kind, by, seq, n, fields }] of board.items) items.push([id, { kind, by, seq, n, fields: Object.fromEntries(fields) }]);
  return { items: Object.fromEntries(items), cleared: Object.fromEntries(board.cleared) };
}

/** Whether `value` is a number that both languages hold alike. @param {any} value */
export function isNumber(value) {
  return typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

/** @param {any} value */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {string} text @param {number} state */
function hash(text, state) {
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), PRIME);
  return state >>> 0;
}

/** @param {Item} item @param {string} field @param {number} seq */
function digestOf(item, field, seq) {
  return hash(String(seq), Math.imul(hash(field, item.mark) ^ 124, PRIME)); // 124: |
}

/** @param {Item} item @returns {Register} */
function alive(item) {
  return /** @type {Register} */ (item.fields.get("alive"));
}

// --- the events of a board -------------------------------------------------------------------------------------------

/** @param {Board} board @param {BoardEvent} event @param {Rights} rights */
function edited(board, event, rights) {
  const { by, seq, data } = event;
  const edits = data.edits, guard = data.guard ?? null;
  if (!Array.isArray(edits) || !(guard === null || isNumber(guard))) return false;
  let took = false;
  for (let n = 0; n < edits.length; n++) {
    const edit = edits[n];
    if (!Array.isArray(edit) || typeof edit[0] !== "string" || typeof edit[1] !== "string") continue;
    const id = edit[1];
    if (edit[0] === "add") {
      if (add(board, event, n, edit)) took = true;
      continue;
    }
    const item = board.items.get(id);
    if (!item || !mayTouch(item, by, rights)) continue;
    if (edit[0] === "set") {
      if (isAlive(item) && set(board, item, edit[2], event, guard)) took = true;
    } else if (edit[0] === "remove") {
      if (isAlive(item) && write(board, id, item, "alive", false, by, seq, guard)) took = true;
    } else if (edit[0] === "restore") {
      if (mayRestore(board, item, rights, guard) && write(board, id, item, "alive", true, by, seq, guard)) took = true;
    }
  }
  return took;
}

/** @param {Board} board @param {BoardEvent} event @param {number} n @param {any[]} edit */
function add(board, event, n, edit) {
  const [, id, kind, fields] = edit;
  if (typeof kind !== "string" || !isObject(fields)) return false;
  if (event.by !== null && !id.startsWith(event.by + ".")) return false; // the server may add under any id
  return place(board, id, kind, event.by, event.seq, n, fields);
}

/** @param {Board} board @param {string} id @param {string} kind @param {string|null} by @param {number} seq @param {number} n @param {any} fields */
function place(board, id, kind, by, seq, n, fields) {
  if (board.items.has(id) || !ASCII.test(id)) return false;
  /** @type {Item} */
  const item = { kind, by, seq, n, fields: new Map(), mark: hash(id + "|", OFFSET) };
  board.items.set(id, item);
  for (const field of Object.keys(fields)) writeField(board, item, field, fields[field], by, seq, null);
  return write(board, id, item, "alive", true, by, seq, null);
}

/** @param {Board} board @param {Item} item @param {any} fields @param {BoardEvent} event @param {number|null} guard */
function set(board, item, fields, event, guard) {
  if (!isObject(fields)) return false;
  let took = false;
  for (const field of Object.keys(fields)) {
    if (writeField(board, item, field, fields[field], event.by, event.seq, guard)) took = true;
  }
  return took;
}

/** @param {Item} item @param {string|null} by @param {Rights} rights */
function mayTouch(item, by, rights) {
  return rights.free || (rights.students.has(item.by) && (!rights.own || item.by === by));
}

/**
 * No undo pulls ink through a clear: not a student's, and nobody's whose guard is older than the clear.
 * @param {Board} board @param {Item} item @param {Rights} rights @param {number|null} guard
 */
function mayRestore(board, item, rights, guard) {
  const register = alive(item);
  if (register[0] === true) return false;
  const clear = Math.max(board.cleared.get("*") ?? 0, (item.by !== null && board.cleared.get(item.by)) || 0);
  return clear < register[2] || (rights.free && (guard === null || guard >= clear));
}

/**
 * Write a field that an event names. `alive` is not for the naming; `top` is stored as a height.
 * @param {Board} board @param {Item} item @param {string} field @param {any} value @param {string|null} by @param {number} seq
 * @param {number|null} guard
 */
function writeField(board, item, field, value, by, seq, guard) {
  if (field === "top") {
    if (value === "front") value = seq;
    else if (value === "back") value = -seq;
    else if (value !== null && !isNumber(value)) return false;
  } else if (field === "alive" || (WRITE_ONCE.has(field) && item.fields.has(field)) || !ASCII.test(field)) {
    return false;
  }
  return write(board, "", item, field, value, by, seq, guard);
}

/**
 * @param {Board} board @param {string} id  needed for `alive` alone @param {Item} item @param {string} field @param {any} value
 * @param {string|null} by @param {number} seq @param {number|null} guard
 */
function write(board, id, item, field, value, by, seq, guard) {
  const old = item.fields.get(field);
  let foreign = 0;
  if (old) {
    foreign = old[1] === by ? old[3] : old[2]; // the newest write by anybody but `by`
    if (guard !== null && foreign > guard) return false;
    board.digest = (board.digest - digestOf(item, field, old[2])) >>> 0;
  }
  item.fields.set(field, [value, by, seq, foreign]);
  board.digest = (board.digest + digestOf(item, field, seq)) >>> 0;
  if (field === "alive") {
    board.live += value ? 1 : -1;
    if (!value) board.deaths.push({ seq, id });
  }
  return true;
}

/** @param {Board} board @param {BoardEvent} event */
function cleared(board, event) {
  const only = event.data.only ?? null;
  if (!(only === null || typeof only === "string")) return false;
  let hit = false;
  for (const [id, item] of board.items) {
    if (!isAlive(item) || !(only === null || item.by === only)) continue;
    write(board, id, item, "alive", false, event.by, event.seq, null);
    hit = true;
  }
  if (hit) board.cleared.set(only ?? "*", event.seq);
  return hit;
}

/** @param {Board} board @param {BoardEvent} event */
function uncleared(board, event) {
  const seq = event.data.seq;
  const whose = isNumber(seq) ? [...board.cleared].find(([, clear]) => clear === seq)?.[0] : undefined;
  if (whose === undefined) return false;
  let hit = false;
  for (const [id, item] of board.items) {
    if (isAlive(item) || alive(item)[2] !== seq) continue;
    write(board, id, item, "alive", true, event.by, event.seq, null);
    hit = true;
  }
  if (hit) board.cleared.delete(whose);
  return hit;
}

/** @param {Board} board @param {BoardEvent} event */
function seeded(board, event) {
  const items = event.data.items;
  if (!isObject(items)) return false;
  let took = false, n = 0;
  for (const [id, seed] of Object.entries(items)) {
    if (!isObject(seed)) continue;
    const { kind, by, fields } = seed;
    // what is passed over here does not count in `n`: keys that look like numbers come out of their place
    if (typeof kind !== "string" || typeof by !== "string" || !isObject(fields) || !id.startsWith(by + ".")) continue;
    if (place(board, id, kind, by, event.seq, n, fields)) took = true;
    n++;
  }
  return took;
}

/** @type {Map<string, (board: Board, event: BoardEvent, rights: Rights) => boolean>} */
const FOLDS = new Map([
  ["board.edited", edited],
  ["page.cleared", cleared],
  ["page.uncleared", uncleared],
  ["board.seeded", seeded],
]);
