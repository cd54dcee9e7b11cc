// Undo, redo and clear: buttons, keys, and a word where something could not be taken back.
// @ts-check

import { byId, write } from "../dom.js";
import { t } from "../i18n.js";
import { mayDraw } from "../tools/rights.js";
import { say } from "./announce.js";
import { close } from "./dialogs.js";
import { toast } from "./notice.js";
import { numberOf } from "./pager.js";
import { everybody } from "./people.js";
import { watch } from "./watch.js";

/** @param {{store: import("../store.js").Store, session: import("../session.js").Session}} app */
export function undo({ store, session }) {
  const [back, again] = [byId("undo"), byId("redo")];
  const take = (/** @type {"undo"|"redo"} */ what) => {
    const side = what === "undo" ? "done" : "undone";
    if (store.page === null || !mayDraw(store) || !session.undo.has(store.page, side)) return;
    session.undo[what](store.page);
    say(what === "undo" ? t("Undone") : t("Done again"));
  };
  back.addEventListener("click", () => take("undo"));
  again.addEventListener("click", () => take("redo"));
  document.addEventListener("keydown", (event) => {
    const what = wanted(event);
    if (!what) return;
    event.preventDefault();
    take(what);
  });
  session.undo.say = ({ what, by }) => toast(words(what, by === null ? null : (everybody({ store, session }).get(by)?.label ?? null)));
  const draw = () => {
    back.disabled = !session.undo.has(store.page, "done");
    again.disabled = !session.undo.has(store.page, "undone");
  };
  session.undo.onChange(draw);
  watch(store, ["page", "pages", "status"], draw);
  clearing(store, session);
}

/** @param {import("../store.js").Store} store @param {import("../session.js").Session} session */
function clearing(store, session) {
  const dialog = document.getElementById("clear-page");
  if (!dialog) return;
  let page = "";
  dialog.addEventListener("toggle", () => {
    if (!store.shown || store.page === null) return;
    page = store.page;
    write(byId("clear-title"), t("Clear page {n}?", { n: numberOf(store.shown, page) }));
  });
  byId("clear-now").addEventListener("click", () => {
    if (store.items(page).length) session.propose("page.clear", { page });
    close("clear-page");
  });
}

/** @param {"changed"|"gone"|"forgotten"} what @param {string|null} name */
function words(what, name) {
  if (what === "changed") return name === null ? t("Somebody changed this since, so it stays.") : t("{name} changed this since, so it stays.", { name });
  if (what === "gone") return t("There is nothing left of it to undo.");
  return t("That was too long ago to undo.");
}

/** Ctrl+Z, Ctrl+Shift+Z, Ctrl+Y; a field that is written in has its own. @param {KeyboardEvent} event @returns {"undo"|"redo"|null} */
function wanted(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (!(event.ctrlKey || event.metaKey) || event.altKey || target.closest("input, textarea, dialog")) return null;
  const key = event.key.toLowerCase();
  if (key === "y" && !event.shiftKey) return "redo";
  if (key !== "z") return null;
  return event.shiftKey ? "redo" : "undo";
}
