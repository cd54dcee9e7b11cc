// Pure: what a lesson is after so many events, and its JSON (docs/protocol.md, "The state"). Twin: lesson_state.py.
// @ts-check

import { boardFromJSON, boardToJSON, dropDead, KEPT_DEAD } from "./board.js";

/**
 * @typedef {import("./board.js").Board} Board
 * @typedef {"instructor"|"assistant"|"student"} Role
 * @typedef {{name: string, role: Role, color: string, removed: boolean}} Person
 * @typedef {{id: string, kind: string, title: string, slide: any}} Page
 * @typedef {{seq: number, by: string|null, at: number, text: string, reply: number|null}} Post
 * @typedef {{draw: "everyone"|"chosen"|"staff", edit: "own"|"shared", roam: boolean, chat: boolean, door: "open"|"locked", chosen: string[]}} Policy
 *
 * A committed fact. `by` null is the server; `at` in ms since 1970.
 * @typedef {{seq: number, kind: string, by: string|null, at: number, op?: string|null, data: any}} LessonEvent
 *
 * Everything a lesson is after `seq` events. A board that is not loaded is absent from `boards`.
 * @typedef {object} LessonState
 * @property {string} title
 * @property {"live"|"ended"} status
 * @property {Policy} policy
 * @property {Map<string, Person>} people  the removed too, with their role: their ink keeps its protection
 * @property {Page[]} pages
 * @property {string|null} current
 * @property {Map<string, Board>} boards
 * @property {string[]} hands
 * @property {string|null} called  whose turn it is to speak
 * @property {Post[]} chat
 * @property {number} seq
 * @property {number} at
 * @property {number} nextDrop  the first seq at which a dead item is dropped
 * @property {Set<string|null>} students  whose role is student, the removed too
 */

export const KEPT_POSTS = 200;

/** The state before the first event. @returns {LessonState} */
export function fresh() {
  return {
    title: "",
    status: "live",
    policy: { draw: "everyone", edit: "shared", roam: true, chat: true, door: "open", chosen: [] },
    people: new Map(),
    pages: [],
    current: null,
    boards: new Map(),
    hands: [],
    called: null,
    chat: [],
    seq: 0,
    at: 0,
    nextDrop: Infinity,
    students: new Set(),
  };
}

/** Take note of when `board` has a dead item to drop. @param {LessonState} state @param {Board} board */
export function watch(state, board) {
  if (board.deaths.length > 0) state.nextDrop = Math.min(state.nextDrop, board.deaths[0].seq + KEPT_DEAD);
}

/** Drop what has been dead for 2,000 events at `state.seq`. @param {LessonState} state */
export function dropAllDead(state) {
  state.nextDrop = Infinity;
  for (const board of state.boards.values()) {
    dropDead(board, state.seq);
    watch(state, board);
  }
}

/** The state of a JSON; boards that it leaves out are not loaded. @param {any} json @param {number} seq @param {number} at @returns {LessonState} */
export function fromJSON(json, seq, at) {
  const state = fresh();
  state.title = json.title;
  state.status = json.status;
  state.policy = { ...json.policy, chosen: [...json.policy.chosen] };
  for (const [id, person] of Object.entries(json.people)) {
    state.people.set(id, { ...person });
    if (person.role === "student") state.students.add(id);
  }
  state.pages = json.pages.map((/** @type {Page} */ page) => ({ ...page }));
  state.current = json.current;
  state.hands = [...json.hands];
  state.called = json.called ?? null;
  state.chat = [...json.chat];
  state.seq = seq;
  state.at = at;
  for (const [page, board] of Object.entries(json.boards)) state.boards.set(page, boardFromJSON(board, seq));
  dropAllDead(state);
  return state;
}

/** The state's JSON, with the boards that are loaded. @param {LessonState} state */
export function toJSON(state) {
  const { title, status, policy, people, pages, current, boards, hands, called, chat } = state;
  return {
    title,
    status,
    policy: { ...policy },
    people: Object.fromEntries(people),
    pages,
    current,
    boards: Object.fromEntries([...boards].map(([page, board]) => [page, boardToJSON(board)])),
    hands,
    chat,
    ...(called === null ? {} : { called }), // came later than the others: absent while nobody is called
  };
}

/**
 * Take in the board of a page that was fetched at `seq`; until there, events skip it. False, and nothing done, when the
 * page is gone or `seq` is behind the state: fetch it again.
 * @param {LessonState} state @param {string} page @param {any} json @param {number} seq
 */
export function loadBoard(state, page, json, seq) {
  if (seq < state.seq || !state.pages.some((one) => one.id === page)) return false;
  const board = boardFromJSON(json, seq);
  state.boards.set(page, board);
  watch(state, board);
  return true;
}

/** The digest of each loaded board. @param {LessonState} state @returns {Map<string, number>} */
export function digests(state) {
  return new Map([...state.boards].map(([page, board]) => [page, board.digest]));
}
