// What this person may do now, as the fold would judge it: tools and panels ask before they offer.
// @ts-check

/** @typedef {import("../store.js").Store} Store */

/** The lesson as this person sees it, for those who are called only once there is one. @param {Store} store @returns {import("../lesson.js").LessonState} */
export function lessonOf(store) {
  if (!store.shown) throw new Error("asked for the lesson before the first state came");
  return store.shown;
}

/** The participant's role by the fold; somebody who has not acted yet is not in it. @param {Store} store @param {string} id @returns {string|null} */
export function roleOf(store, id) {
  return store.shown?.people.get(id)?.role ?? (id === store.me.id ? store.me.role : null);
}

/** @param {string|null} role */
export const isStaffRole = (role) => role === "instructor" || role === "assistant";

/** @param {Store} store */
export const amStaff = (store) => isStaffRole(roleOf(store, store.me.id));

/** May this participant draw? @param {Store} store @param {string} [id] */
export function mayDraw(store, id = store.me.id) {
  const lesson = store.shown;
  if (!lesson || lesson.status === "ended") return false;
  const { draw, chosen } = lesson.policy;
  return isStaffRole(roleOf(store, id)) || draw === "everyone" || (draw === "chosen" && chosen.includes(id));
}

/** May I remove this item? @param {Store} store @param {import("../store.js").ShownItem} item */
export const mayErase = (store, item) => mayChange(store, store.me.id, item);

/** May this participant change an item? @param {Store} store @param {string} id @param {import("../store.js").ShownItem} item */
export function mayChange(store, id, item) {
  if (!mayDraw(store, id)) return false;
  if (isStaffRole(roleOf(store, id)) || item.by === id) return true;
  return roleOf(store, item.by) === "student" && lessonOf(store).policy.edit === "shared";
}

/** May I look at another page than the class? @param {Store} store */
export const mayRoam = (store) => amStaff(store) || Boolean(store.shown?.policy.roam);

/** May I write to the class? @param {Store} store */
export function mayChat(store) {
  const lesson = store.shown;
  return lesson !== null && lesson.status !== "ended" && (amStaff(store) || lesson.policy.chat);
}
