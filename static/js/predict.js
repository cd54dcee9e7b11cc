// Pure: the lesson as it will be when one's own ops that wait have been folded; boards are overlay.js's.
// @ts-check
import { apply } from "./lesson.js";
import { BOARD_OPS } from "./ops.js";
import { OPS } from "./protocol.js";

/**
 * @typedef {import("./lesson.js").LessonState} LessonState
 * @typedef {{id: string, name: string, role: string, color: string}} Me
 */

/** A post shown before its time would have a seq, a time and a place that it does not keep. */
const NOT_PREDICTED = new Set(["chat.post", "chat.remove", "lesson.end", ...BOARD_OPS]);

/**
 * The lesson with pending ops laid over it; the very lesson when none of them is about it.
 * @param {LessonState} lesson @param {{id: string, kind: string, data: any}[]} pending @param {Me} me @returns {LessonState}
 */
export function predict(lesson, pending, me) {
  const ops = pending.filter(({ kind }) => !NOT_PREDICTED.has(kind));
  if (!ops.length) return lesson;
  const state = copyOf(lesson, me);
  for (const { id, kind, data } of ops) {
    apply(state, { seq: state.seq + 1, kind: OPS.get(kind) ?? kind, by: me.id, at: state.at, op: id, data });
  }
  return state;
}

/** A copy whose every changing part is its own, but the boards. @param {LessonState} lesson @param {Me} me @returns {LessonState} */
function copyOf(lesson, me) {
  const people = new Map([...lesson.people].map(([id, person]) => [id, { ...person }]));
  // One's first op brings `person.joined` with it.
  if (!people.has(me.id)) people.set(me.id, { name: me.name, role: /** @type {any} */ (me.role), color: me.color, removed: false });
  return {
    ...lesson,
    policy: { ...lesson.policy, chosen: [...lesson.policy.chosen] },
    people,
    pages: [...lesson.pages],
    hands: [...lesson.hands],
    boards: new Map(lesson.boards),
    students: new Set(lesson.students),
    nextDrop: Infinity, // nothing is dropped from boards that are not ours to change
  };
}
