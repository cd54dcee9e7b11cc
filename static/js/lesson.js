// Pure fold of a lesson: events in, state out, and the verdict on an op before it is sent. Twin: classrooms/lesson.py.
// @ts-check

import { applyBoard, freshBoard, isNumber, isObject } from "./board.js";
import { MAX_ITEMS, suits } from "./items.js";
import { dropAllDead, KEPT_POSTS, watch } from "./lesson_state.js";

export { digests, fresh, fromJSON, loadBoard, toJSON } from "./lesson_state.js";

/**
 * @typedef {import("./board.js").Board} Board
 * @typedef {import("./lesson_state.js").LessonState} LessonState
 * @typedef {import("./lesson_state.js").LessonEvent} LessonEvent
 * @typedef {import("./lesson_state.js").Person} Person
 * @typedef {import("./lesson_state.js").Page} Page
 * @typedef {import("./lesson_state.js").Post} Post
 * @typedef {import("./lesson_state.js").Policy} Policy
 * @typedef {import("./lesson_state.js").Role} Role
 */

/** @type {Map<string, readonly any[]>} */
const POLICY_VALUES = new Map(/** @type {[string, any[]][]} */ ([
  ["draw", ["everyone", "chosen", "staff"]],
  ["edit", ["own", "shared"]],
  ["roam", [true, false]],
  ["chat", [true, false]],
  ["door", ["open", "locked"]],
]));

const ROLES = ["instructor", "assistant", "student"];
const INSTRUCTORS_ONLY = new Set(["remove_instructor", "roles"]);

/** Whether a role has a capability (classrooms/roles.py). Null is the server, which may everything. @param {Role|null} role @param {string} capability */
export function may(role, capability) {
  if (role === null || role === "instructor") return true;
  return role === "assistant" && !INSTRUCTORS_ONLY.has(capability);
}

/**
 * Fold the next event into `state` and say whether anything took effect; an edit of a board that is not loaded, or that
 * holds the event already, counts as if it had. Throws RangeError when `event` is not the next one, and nothing else
 * whatever its data: what cannot be read is void.
 * @param {LessonState} state @param {LessonEvent} event @returns {boolean}
 */
export function apply(state, event) {
  if (event.seq !== state.seq + 1) throw new RangeError(`event ${event.seq} cannot follow ${state.seq}`);
  state.seq = event.seq;
  state.at = event.at;
  if (event.seq >= state.nextDrop) dropAllDead(state);
  const rule = RULES.get(event.kind);
  if (!rule || state.status === "ended" || !isObject(event.data)) return false;
  /** @type {Role|null} */
  let role = null;
  if (event.by !== null) {
    const person = state.people.get(event.by);
    if (!person || person.removed) return false;
    role = person.role;
  }
  return rule.check(state, event.by, role, event.data) === null && rule.fold(state, event, role);
}

/**
 * Why an event of `kind` by `by` would be refused now, or null. Somebody not yet in `people` is a student. Whether an
 * item exists or lives is the fold's business: such an op is logged, and void.
 * @param {LessonState} state @param {string|null} by @param {string} kind  of the event @param {any} data @returns {string|null}
 */
export function permit(state, by, kind, data) {
  if (state.status === "ended") return "ended";
  const person = by === null ? undefined : state.people.get(by);
  if (person?.removed) return "removed";
  const rule = RULES.get(kind);
  if (!rule) return "unknown_kind";
  const role = by === null ? null : person?.role ?? "student";
  const code = rule.check(state, by, role, data);
  if (code !== null || kind !== "board.edited") return code;
  return room(state.boards.get(data.page), by, data.edits);
}

/** Whether what `edits` add bears its author's name and finds room, and what they set belongs there. The fold has no such limits. @param {Board|undefined} board @param {string|null} by @param {any[]} edits */
function room(board, by, edits) {
  const added = edits.filter((edit) => edit[0] === "add").map((edit) => edit[1]);
  if (by !== null && added.some((id) => !id.startsWith(by + "."))) return "not_allowed";
  const kinds = new Map(edits.filter((edit) => edit[0] === "add").map((edit) => [edit[1], edit[2]]));
  for (const [verb, id, fields] of edits) {
    const kind = board?.items.get(id)?.kind ?? kinds.get(id);
    if (verb === "set" && kind !== undefined && !suits(kind, fields)) return "bad_frame";
  }
  return board && added.length > 0 && board.live + added.length > MAX_ITEMS ? "too_many_items" : null;
}

// --- checks: the right to an event, and its objects. The code is for `permit`; to the fold any of them means void ----

/**
 * @typedef {(state: LessonState, by: string|null, role: Role|null, data: any) => string|null} Check
 * @typedef {(state: LessonState, event: LessonEvent, role: Role|null) => boolean} Fold
 */

/** The check for a kind that needs a capability, and a page or a participant that is there. @param {string} capability @param {"page"|"participant"} [object] @returns {Check} */
function needs(capability, object) {
  return (state, _by, role, data) => {
    if (!may(role, capability)) return "not_allowed";
    if (object === "page" && !hasPage(state, data.page)) return "unknown_page";
    if (object === "participant" && !state.people.has(data.participant)) return "unknown_participant";
    return null;
  };
}

/** @param {LessonState} state @param {any} page */
function hasPage(state, page) {
  return state.boards.has(page) || state.pages.some((one) => one.id === page);
}

/** @type {Check} */
const server = (_state, by) => (by === null ? null : "not_allowed");

/** @type {Check} */
function mayDraw(state, by, role, data) {
  const { draw, chosen } = state.policy;
  if (draw !== "everyone" && !may(role, "draw") && (draw !== "chosen" || !chosen.includes(/** @type {string} */ (by)))) return "not_allowed";
  return hasPage(state, data.page) ? null : "unknown_page";
}

/** @type {Check} */
function serverOnPage(_state, by, _role, data) {
  if (by !== null) return "not_allowed";
  return hasPage(_state, data.page) ? null : "unknown_page";
}

/** @type {Check} */
function mayChange(state, by, role, data) {
  const whose = data.participant, becomes = data.role ?? null;
  if (!state.people.has(whose)) return "unknown_participant";
  if (becomes !== null && !may(role, "roles")) return "not_allowed";
  if (whose !== by && !may(role, "names")) return "not_allowed";
  const demotes = becomes !== null && becomes !== "instructor";
  return by !== null && demotes && isLastInstructor(state, whose) ? "not_allowed" : null;
}

/** @type {Check} */
function mayRemove(state, by, role, data) {
  if (!may(role, "remove")) return "not_allowed";
  const person = state.people.get(data.participant);
  if (!person) return "unknown_participant";
  if (person.role === "instructor" && !may(role, "remove_instructor")) return "not_allowed";
  return by !== null && isLastInstructor(state, data.participant) ? "not_allowed" : null;
}

/** @param {LessonState} state @param {string} whose */
function isLastInstructor(state, whose) {
  const there = [...state.people].filter(([, person]) => person.role === "instructor" && !person.removed);
  return there.length === 1 && there[0][0] === whose;
}

/** @type {Check} */
function mayLower(_state, by, role, data) {
  const whose = data.participant ?? null;
  return whose === null || whose === by || may(role, "hands") ? null : "not_allowed";
}

/** @type {Check} */
const mayPost = (state, _by, role) => (state.policy.chat || may(role, "chat") ? null : "not_allowed");

/** @type {Check} */
function mayUnpost(state, by, role, data) {
  const post = postOf(state, data.seq);
  return !post || post.by === by || may(role, "posts") ? null : "not_allowed";
}

/** @param {LessonState} state @param {any} seq */
function postOf(state, seq) {
  return state.chat.find((post) => post.seq === seq);
}

/** @type {Check} */
const free = () => null;

// --- folds: what a permitted event does. False: it found nothing to act on, or could not be read ---------------------

/** @type {Fold} */
function started(state, { seq, data }) {
  if (seq !== 1 || typeof data.title !== "string" || !isObject(data.policy) || !Array.isArray(data.pages)) return false;
  state.title = data.title;
  setPolicy(state, data.policy);
  if (Array.isArray(data.policy.chosen)) state.policy.chosen = data.policy.chosen.filter((/** @type {any} */ one) => typeof one === "string");
  for (const page of data.pages) if (isObject(page)) addPage(state, page);
  return true;
}

/** @type {Fold} */
function ended(state) {
  state.status = "ended";
  return true;
}

/** @type {Fold} */
function joined(state, { data }) {
  const { participant, name, role, color } = data;
  if (typeof participant !== "string" || typeof name !== "string" || typeof color !== "string") return false;
  if (!ROLES.includes(role) || state.people.has(participant)) return false;
  state.people.set(participant, { name, role, color, removed: false });
  if (role === "student") state.students.add(participant);
  return true;
}

/** @type {Fold} */
function changed(state, { data }) {
  const name = data.name ?? null, role = data.role ?? null;
  if ((name === null && role === null) || !(name === null || typeof name === "string")) return false;
  if (role !== null && !ROLES.includes(role)) return false;
  const person = /** @type {Person} */ (state.people.get(data.participant));
  if (name !== null) person.name = name;
  if (role !== null) {
    person.role = role;
    if (role === "student") state.students.add(data.participant);
    else state.students.delete(data.participant);
  }
  return true;
}

/** @type {Fold} */
function removed(state, { data }) {
  const person = /** @type {Person} */ (state.people.get(data.participant));
  if (person.removed) return false;
  person.removed = true;
  lower(state, data.participant);
  return true;
}

/** @type {Fold} */
function readmitted(state, { data }) {
  const person = /** @type {Person} */ (state.people.get(data.participant));
  const was = person.removed;
  person.removed = false;
  return was;
}

/** @type {Fold} */
const pageAdded = (state, { data }) => addPage(state, data);

/** @param {LessonState} state @param {any} data */
function addPage(state, data) {
  const { page, kind, title } = data, slide = data.slide ?? null;
  if (typeof page !== "string" || hasPage(state, page) || typeof kind !== "string" || typeof title !== "string") return false;
  if (!(slide === null || isObject(slide))) return false;
  state.pages.splice(placeOf(state, data), 0, { id: page, kind, title, slide });
  state.boards.set(page, freshBoard());
  if (state.current === null) state.current = page;
  return true;
}

/** The index that `after` means: behind a page, first when it is null, last when absent or unknown. @param {LessonState} state @param {any} data */
function placeOf(state, data) {
  if (!Object.hasOwn(data, "after")) return state.pages.length;
  if (data.after === null) return 0;
  const at = state.pages.findIndex((page) => page.id === data.after);
  return at < 0 ? state.pages.length : at + 1;
}

/** @type {Fold} */
function pageShown(state, { data }) {
  state.current = data.page;
  return true;
}

/** @type {Fold} */
function pageRenamed(state, { data }) {
  if (typeof data.title !== "string") return false;
  const at = state.pages.findIndex((one) => one.id === data.page);
  state.pages[at] = { ...state.pages[at], title: data.title }; // a new one: predictions share the pages
  return true;
}

/** @type {Fold} */
function pageDescribed(state, { data: { page, text, alt } }) {
  const at = state.pages.findIndex((one) => one.id === page);
  const { slide } = state.pages[at];
  if (slide === null || typeof text !== "string" || typeof alt !== "string") return false;
  state.pages[at] = { ...state.pages[at], slide: { ...slide, text, alt } };
  return true;
}

/** @type {Fold} */
function pageMoved(state, { data }) {
  if (data.after === data.page) return false;
  const [page] = state.pages.splice(state.pages.findIndex((one) => one.id === data.page), 1);
  state.pages.splice(placeOf(state, data), 0, page);
  return true;
}

/** @type {Fold} */
function pageRemoved(state, { data }) {
  if (state.pages.length === 1) return false;
  const at = state.pages.findIndex((one) => one.id === data.page);
  state.pages.splice(at, 1);
  state.boards.delete(data.page);
  if (state.current === data.page) state.current = state.pages[Math.min(at, state.pages.length - 1)].id;
  return true;
}

/** @type {Fold} */
function foldBoard(state, event, role) {
  const board = state.boards.get(event.data.page);
  if (!board || event.seq <= board.seq) return true;
  const rights = { free: role !== "student", own: state.policy.edit === "own", students: state.students };
  const took = applyBoard(board, event, rights);
  watch(state, board);
  return took;
}

/** @type {Fold} */
const policySet = (state, { data }) => setPolicy(state, data);

/** Set what is known of `data`; what a later version knows more is passed over. @param {LessonState} state @param {any} data */
function setPolicy(state, data) {
  let took = false;
  for (const [name, values] of POLICY_VALUES) {
    if (!Object.hasOwn(data, name) || !values.includes(data[name])) continue;
    /** @type {any} */ (state.policy)[name] = data[name];
    took = true;
  }
  return took;
}

/** @type {Fold} */
function allowed(state, { data }) {
  const { participant, allowed } = data, { chosen } = state.policy;
  if (typeof allowed !== "boolean" || chosen.includes(participant) === allowed) return false;
  if (allowed) chosen.push(participant);
  else take(chosen, participant);
  return true;
}

/** @type {Fold} */
function raised(state, { by }) {
  if (by === null || state.hands.includes(by)) return false;
  state.hands.push(by);
  return true;
}

/** @type {Fold} */
const lowered = (state, { by, data }) => lower(state, data.participant ?? by);

/** Take a hand down, and end the turn of somebody who was called on. @param {LessonState} state @param {any} whose */
function lower(state, whose) {
  const spoke = whose !== null && whose === state.called;
  if (spoke) state.called = null;
  return take(state.hands, whose) || spoke;
}

/** @type {Fold} */
function called(state, { data }) {
  const whose = data.participant;
  if (state.called === whose || state.people.get(whose)?.removed) return false;
  take(state.hands, whose);
  state.called = whose;
  return true;
}

/** Take the first `value` out of `list` and say whether it was there. @param {any[]} list @param {any} value */
function take(list, value) {
  const at = list.indexOf(value);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}

/** @type {Fold} */
function posted(state, { seq, by, at, data }) {
  const text = data.text, reply = data.reply ?? null;
  if (typeof text !== "string" || !(reply === null || (isNumber(reply) && Number.isInteger(reply)))) return false;
  state.chat.push({ seq, by, at, text, reply });
  if (state.chat.length > KEPT_POSTS) state.chat.shift();
  return true;
}

/** @type {Fold} */
const unposted = (state, { data }) => take(state.chat, postOf(state, data.seq));

/** @type {Map<string, {check: Check, fold: Fold}>} */
const RULES = new Map([
  ["lesson.started", { check: server, fold: started }],
  ["lesson.ended", { check: needs("end"), fold: ended }],
  ["person.joined", { check: server, fold: joined }],
  ["person.changed", { check: mayChange, fold: changed }],
  ["person.removed", { check: mayRemove, fold: removed }],
  ["person.readmitted", { check: mayRemove, fold: readmitted }],
  ["page.added", { check: needs("pages"), fold: pageAdded }],
  ["page.shown", { check: needs("show", "page"), fold: pageShown }],
  ["page.renamed", { check: needs("pages", "page"), fold: pageRenamed }],
  ["page.described", { check: serverOnPage, fold: pageDescribed }],
  ["page.moved", { check: needs("pages", "page"), fold: pageMoved }],
  ["page.removed", { check: needs("pages", "page"), fold: pageRemoved }],
  ["page.cleared", { check: needs("clear", "page"), fold: foldBoard }],
  ["page.uncleared", { check: needs("clear", "page"), fold: foldBoard }],
  ["board.edited", { check: mayDraw, fold: foldBoard }],
  ["board.seeded", { check: serverOnPage, fold: foldBoard }],
  ["policy.set", { check: needs("policy"), fold: policySet }],
  ["draw.allowed", { check: needs("allow", "participant"), fold: allowed }],
  ["hand.raised", { check: free, fold: raised }],
  ["hand.lowered", { check: mayLower, fold: lowered }],
  ["hand.called", { check: needs("hands", "participant"), fold: called }],
  ["chat.posted", { check: mayPost, fold: posted }],
  ["chat.removed", { check: mayUnpost, fold: unposted }],
]);
