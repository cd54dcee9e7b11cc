// What stands on the page in words: the slide's text for those who hear it, and the note when there is no picture yet.
// @ts-check

import { byId, swapIcon, write } from "../dom.js";
import { t } from "../i18n.js";
import { pageWords } from "./pager.js";
import { watch } from "./watch.js";

/** @param {{store: import("../store.js").Store}} app @returns {(state: "loading"|"there"|"failed"|"none") => void}  how the picture does */
export function slideText({ store }) {
  const note = byId("board-note");
  /** @type {string} */
  let picture = "none";
  const draw = () => {
    const lesson = store.shown;
    const page = lesson?.pages.find((one) => one.id === store.page);
    write(byId("slide-text"), page ? [pageWords(lesson, page.id), page.slide?.alt, page.slide?.text].filter(Boolean).join(". ") : "");
    const words = noteWords(lesson, page, picture);
    note.hidden = words === "";
    write(note.querySelector("span"), words);
    swapIcon(note, picture === "failed" ? "away" : lesson && !page ? "sheet" : "clock");
  };
  watch(store, ["pages", "page", "status"], draw);
  return (state) => {
    picture = state;
    draw();
  };
}

/** @param {any} lesson @param {any} page @param {string} picture */
function noteWords(lesson, page, picture) {
  if (!lesson) return t("Opening the lesson");
  if (!page) return t("There is no page yet. Add a blank page, or start the lesson with a deck.");
  return picture === "failed" ? t("The picture of this page did not come. Trying again.") : "";
}
