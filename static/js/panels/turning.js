// Turning pages: staff take the class along, students look by themselves where they may.
// @ts-check

import { amStaff, mayRoam } from "../tools/rights.js";

/** @typedef {import("../store.js").Store} Store */
/** @typedef {import("../session.js").Session} Session */

/** @param {Store} store @param {Session} session @param {string} page */
export function turnTo(store, session, page) {
  const lesson = store.shown;
  if (!lesson || page === store.page) return;
  if (amStaff(store) && lesson.status !== "ended") {
    session.propose("page.show", { page });
    store.follow();
  } else if (lesson.status === "ended" || mayRoam(store)) {
    if (page === lesson.current && lesson.status !== "ended") store.follow();
    else store.look(page);
  }
}

/** The page `step` further on; null at the ends. @param {Store} store @param {number} step @returns {string|null} */
export function neighbour(store, step) {
  const pages = store.shown?.pages ?? [];
  const here = pages.findIndex((/** @type {any} */ page) => page.id === store.page);
  return here < 0 ? null : (pages[here + step]?.id ?? null);
}

/** @param {Store} store @param {Session} session @param {number} step */
export function step(store, session, step) {
  const page = neighbour(store, step);
  if (page !== null) turnTo(store, session, page);
}
