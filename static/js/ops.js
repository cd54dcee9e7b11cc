// Pure: what an op makes, touches and depends on, and what became of it.
// @ts-check

/**
 * @typedef {{id: string, kind: string, data: any}} Op
 * @typedef {import("./board.js").Board} Board
 */

/** First word of an event's kind -> what of the lesson it is about. @type {Map<string, import("./store.js").Topic[]>} */
export const TOPICS = new Map([
  ["lesson", ["pages", "policy", "status"]],
  ["person", ["people", "hands"]],
  ["page", ["pages"]],
  ["policy", ["policy"]],
  ["draw", ["policy"]],
  ["hand", ["hands"]],
  ["chat", ["chat"]],
]);

/** Ops on what lies on a page; their events are folded by the board. */
export const BOARD_OPS = new Set(["board.edit", "page.clear", "page.unclear"]);

/** The ids that a board's op or event is about; null: it may be any. @param {any} data @returns {string[]|null} */
export function touchedIds(data) {
  if (Array.isArray(data.edits)) return data.edits.map((/** @type {any[]} */ edit) => edit[1]);
  return data.items ? Object.keys(data.items) : null;
}

/** The adds among an op's edits. @param {Op} op @returns {any[][]} */
export function adds({ kind, data }) {
  return kind === "board.edit" ? data.edits.filter((/** @type {any[]} */ edit) => edit[0] === "add") : [];
}

/** Whether somebody's work would be lost with the op: ink, a text, a message. @param {Op} op */
export function carriesWork(op) {
  if (op.kind === "chat.post") return true;
  return op.kind === "board.edit" && op.data.edits.some((/** @type {any[]} */ [verb, , fields]) => verb === "add" || (verb === "set" && "text" in fields));
}

/**
 * Later ops that are nothing without what a lost op would have made, and without what they would have made themselves.
 * @template {Op} O
 * @param {{items: Iterable<string>, page: string|null}} lost @param {O[]} later  in order @returns {O[]}
 */
export function dependants(lost, later) {
  const items = new Set(lost.items);
  const pages = new Set(lost.page === null ? [] : [lost.page]);
  return later.filter((op) => {
    const hangs = pages.has(op.data.page) || (op.kind === "board.edit" && op.data.edits.every((/** @type {any[]} */ edit) => items.has(edit[1])));
    if (hangs) for (const [, id] of adds(op)) items.add(id);
    return hangs;
  });
}

/** Whether an edit left no trace, or not all that it should, though its event was folded. @param {any[]} edit @param {Board} board @param {number} seq  of the event */
export function isVoid([verb, id, fields], board, seq) {
  const item = board.items.get(id);
  if (!item) return true;
  if (verb === "add") return item.seq !== seq;
  const written = verb === "set" ? Object.keys(fields) : ["alive"];
  return written.some((field) => item.fields.get(field)?.[2] !== seq);
}
