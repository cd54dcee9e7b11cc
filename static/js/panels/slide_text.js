// What stands on the page in words: the slide's text for those who hear it, and the note when there is no picture yet.
// @ts-check

import { byId, swapIcon, write } from "../dom.js";
import { t } from "../i18n.js";
import { amStaff, mayDraw } from "../tools/rights.js";
import { pageWords } from "./pager.js";
import { watch } from "./watch.js";

/** @param {{store: import("../store.js").Store, quiet?: boolean}} app  quiet: nothing is said that somebody should do @returns {(state: "loading"|"there"|"failed"|"none") => void}  how the picture does */
export function slideText({ store, quiet = false }) {
  const note = byId("board-note");
  /** @type {string} */
  let picture = "none";
  const draw = () => {
    const lesson = store.shown;
    const page = lesson?.pages.find((one) => one.id === store.page);
    write(byId("slide-text"), page ? [pageWords(lesson, page.id), page.slide?.alt, page.slide?.text].filter(Boolean).join(". ") : "");
    const bare = Boolean(lesson && page && !quiet && isBare(store, lesson, page));
    const words = bare ? bareWords(store) : noteWords(lesson, page, picture);
    note.hidden = words === "";
    write(note.querySelector("span"), words);
    swapIcon(note, picture === "failed" ? "away" : bare || (lesson && !page) ? "sheet" : "clock");
  };
  watch(store, ["pages", "page", "status", "items", "me"], draw);
  return (state) => {
    picture = state;
    draw();
  };
}

/** Whether the lesson is as bare as it can be: one sheet with nothing on it. @param {import("../store.js").Store} store @param {any} lesson @param {any} page */
function isBare(store, lesson, page) {
  return lesson.status === "live" && lesson.pages.length === 1 && !page.slide && store.loaded(page.id) && !store.inked(page.id);
}

/** What to do about that. @param {import("../store.js").Store} store */
function bareWords(store) {
  if (amStaff(store)) return t("There are no slides in this lesson. Draw on this sheet, or add a blank page.");
  return mayDraw(store) ? t("There are no slides yet. Wait for your teacher, or draw here.") : t("There are no slides yet. Wait for your teacher.");
}

/** @param {any} lesson @param {any} page @param {string} picture */
function noteWords(lesson, page, picture) {
  if (!lesson) return t("Opening the lesson");
  if (!page) return t("There is no page yet.");
  return picture === "failed" ? t("The picture of this page did not come. Trying again.") : "";
}
