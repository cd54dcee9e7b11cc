// Previous, next, where I am and whom I follow; the way back to the class.
// @ts-check

import { byId, el, set, write } from "../dom.js";
import { t } from "../i18n.js";
import { amStaff, lessonOf, mayRoam } from "../tools/rights.js";
import { say } from "./announce.js";
import { nameOf } from "./people.js";
import { neighbour, step } from "./turning.js";
import { watch } from "./watch.js";

/** @param {{store: import("../store.js").Store, session: import("../session.js").Session}} app */
export function pager({ store, session }) {
  const [previous, next, follow] = [byId("previous"), byId("next"), byId("follow")];
  previous.addEventListener("click", () => step(store, session, -1));
  next.addEventListener("click", () => step(store, session, 1));
  follow.addEventListener("click", () => store.follow());
  document.addEventListener("keydown", (event) => turnByKey(event, store, session));
  let spoken = store.page;

  watch(store, ["page", "pages", "people", "presence", "policy", "status"], () => {
    const lesson = store.shown;
    if (!lesson) return;
    const free = mayRoam(store) || lesson.status === "ended";
    previous.disabled = !free || neighbour(store, -1) === null;
    next.disabled = !free || neighbour(store, 1) === null;
    const away = store.page !== lesson.current && lesson.status !== "ended";
    follow.hidden = !away;
    const live = numberOf(lesson, lesson.current);
    write(follow.querySelector("span"), t("Live page {n}", { n: live }));
    set(follow, "aria-label", t("Back to live page {n}", { n: live }));
    describe(byId("where"), { store, session }, away);
    byId("where").removeAttribute("data-early");
    if (spoken !== store.page) say(pageWords(lesson, store.page));
    spoken = store.page;
  });
}

/** @param {HTMLElement} where @param {import("./people.js").Core} app @param {boolean} away */
function describe(where, app, away) {
  const { store } = app;
  const lesson = lessonOf(store);
  const title = titleOf(lesson, store.page);
  const number = el("b");
  write(number, String(numberOf(lesson, store.page)));
  const words = away ? t("Page {n}", { n: "\u0000" }) : t("Page {n} of {all}", { n: "\u0000", all: lesson.pages.length });
  const [before, after] = words.split("\u0000");
  const whom = away || amStaff(store) || lesson.status === "ended" ? "" : ` · ${following(app)}`;
  const titled = title ? el("span", { class: "titled" }, " · ", el("span", { class: "title", dir: "auto" }, title)) : "";
  if (where.textContent === before + number.textContent + after + (title && ` · ${title}`) + whom) return;
  where.replaceChildren(before, number, after, titled, whom);
}

/** @param {import("./people.js").Core} app */
function following(app) {
  const teachers = [...lessonOf(app.store).people].filter(([, person]) => person.role === "instructor" && !person.removed);
  return teachers.length === 1 ? t("following {name}", { name: nameOf(app, teachers[0][0]) }) : t("following the teacher");
}

/** @param {any} lesson @param {string|null} page @returns {number} from 1; 0 for none */
export function numberOf(lesson, page) {
  return lesson.pages.findIndex((/** @type {any} */ one) => one.id === page) + 1;
}

/** @param {any} lesson @param {string|null} page @returns {string} "" for none */
const titleOf = (lesson, page) => lesson.pages[numberOf(lesson, page) - 1]?.title ?? "";

/** "Page 4: Two stages" @param {any} lesson @param {string|null} page */
export function pageWords(lesson, page) {
  const number = numberOf(lesson, page);
  const title = titleOf(lesson, page);
  return title ? t("Page {n}: {title}", { n: number, title }) : t("Page {n}", { n: number });
}

const STEPS = new Map([["PageDown", 1], ["PageUp", -1], ["ArrowRight", 1], ["ArrowLeft", -1]]);

/** Arrows while the board or nothing has the focus; PageUp and PageDown, which presenters' remotes send, from anywhere but text and lists. */
function turnByKey(/** @type {KeyboardEvent} */ event, /** @type {import("../store.js").Store} */ store, /** @type {import("../session.js").Session} */ session) {
  const forward = STEPS.get(event.key);
  const target = /** @type {HTMLElement} */ (event.target);
  const onBoard = target === document.body || target.id === "board";
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
  const busy = target.closest("input, textarea, dialog, .scroll, .thumbs") !== null;
  if (forward === undefined || !plain || event.defaultPrevented || !(onBoard || (event.key.startsWith("Page") && !busy))) return;
  event.preventDefault();
  step(store, session, forward);
}
