// What staff do with a page: rename, move, remove, a blank sheet behind it; from the filmstrip, from the menu, by keys.
// @ts-check

import { byId, el, icon, write } from "../dom.js";
import { t, tn } from "../i18n.js";
import { amStaff, lessonOf } from "../tools/rights.js";
import { say } from "./announce.js";
import { close, open } from "./dialogs.js";
import { numberOf, pageWords } from "./pager.js";
import { watch } from "./watch.js";

/** @typedef {import("../store.js").Store} Store */
/** @typedef {import("../session.js").Session} Session */
/** @typedef {{open: (page: string) => void, key: (event: KeyboardEvent, page: string) => boolean}} PageMenu */

/** What a key does with the page that has the focus in the filmstrip. @param {KeyboardEvent} event @returns {"earlier"|"later"|"rename"|"remove"|null} */
function meant({ key, altKey, ctrlKey, metaKey, shiftKey }) {
  if (ctrlKey || metaKey || shiftKey) return null;
  if (altKey) return key === "ArrowUp" || key === "ArrowLeft" ? "earlier" : key === "ArrowDown" || key === "ArrowRight" ? "later" : null;
  return key === "F2" ? "rename" : key === "Delete" ? "remove" : null;
}

/**
 * Where a page goes: `after` of `page.move`; undefined at the ends.
 * @param {readonly {id: string}[]} pages @param {string} page @param {-1|1} by @returns {string|null|undefined}
 */
export function placeFor(pages, page, by) {
  const here = pages.findIndex(({ id }) => id === page);
  if (here < 0 || here + by < 0 || here + by >= pages.length) return undefined;
  return by > 0 ? pages[here + 1].id : (pages[here - 2]?.id ?? null);
}

/** @param {{store: Store, session: Session}} app @returns {PageMenu|null} null for students, whose page has no such dialogs */
export function pageMenu({ store, session }) {
  if (!document.getElementById("page-menu")) return null;
  /** The page that the dialogs are about: the class may turn meanwhile. @type {string|null} */
  let about = null;
  const pages = () => store.shown?.pages ?? [];
  const title = () => pages().find(({ id }) => id === about)?.title ?? "";
  const may = () => amStaff(store) && lessonOf(store).status !== "ended";

  /** @param {string} page @param {-1|1} by @returns {boolean} */
  function move(page, by) {
    const after = placeFor(pages(), page, by);
    if (after === undefined) return false;
    session.propose("page.move", { page, after });
    say(t("Moved to place {n} of {all}", { n: numberOf(lessonOf(store), page), all: pages().length }));
    return true;
  }

  function askName() {
    const field = byId("page-title");
    write(byId("page-rename-title"), t("Title of page {n}", { n: numberOf(lessonOf(store), about) }));
    field.value = title();
    open("page-rename");
    field.select();
  }

  function askRemove() {
    if (about !== null) session.want([...store.near.filter((page) => page !== about), about]);
    drawRemove();
    open("page-remove");
  }

  function drawRemove() {
    if (about === null) return;
    write(byId("page-remove-title"), t("Remove page {n}?", { n: numberOf(lessonOf(store), about) }));
    const ink = store.items(about).filter(({ kept }) => !kept).length;
    const words = ink ? tn(ink, "One drawing or text on it goes with it, for everyone.", "{n} drawings and texts on it go with it, for everyone.") : t("Nothing is drawn on it.");
    write(byId("page-remove-text"), store.loaded(about) ? `${words} ${t("This cannot be undone.")}` : t("Counting what is drawn on it …"));
  }

  function drawMenu() {
    const menu = byId("page-menu-rows");
    if (about === null) return;
    const page = about;
    write(byId("page-menu-title"), pageWords(lessonOf(store), page));
    const focused = /** @type {HTMLElement|null} */ (document.activeElement?.closest("[data-does]"))?.dataset.does;
    const [first, last] = [placeFor(pages(), page, -1) === undefined, placeFor(pages(), page, 1) === undefined];
    menu.replaceChildren(
      row("rename", "text", t("Rename"), "F2", askName),
      row("earlier", "earlier", t("Move earlier"), "Alt+↑", () => move(page, -1), first),
      row("later", "later", t("Move later"), "Alt+↓", () => move(page, 1), last),
      row("add", "plus", t("Add a blank page behind it"), "", () => addPage(store, session, page)),
      row("remove", "bin", pages().length > 1 ? t("Remove the page") : t("The only page stays"), "Del", askRemove, pages().length < 2, "danger"),
    );
    const again = /** @type {HTMLElement|null} */ (menu.querySelector(`[data-does="${focused ?? ""}"]`));
    if (again) again.focus();
  }

  byId("page-rename-form").addEventListener("submit", () => {
    const words = byId("page-title").value.trim();
    if (about !== null && words !== title() && may()) session.propose("page.rename", { page: about, title: words });
  });
  byId("page-remove-now").addEventListener("click", () => {
    if (about !== null && numberOf(lessonOf(store), about) > 0 && pages().length > 1) {
      say(t("Page {n} removed", { n: numberOf(lessonOf(store), about) }));
      session.propose("page.remove", { page: about });
    }
    close("page-remove");
  });
  for (const button of document.querySelectorAll("[data-page-menu]")) button.addEventListener("click", () => store.page !== null && show(store.page));
  for (const button of document.querySelectorAll("[data-adds-page]")) button.addEventListener("click", () => addPage(store, session, store.page));
  watch(store, ["pages", "items", "status"], () => {
    if (about === null || !store.shown) return;
    const there = numberOf(store.shown, about) > 0 && may();
    for (const id of ["page-menu", "page-remove", "page-rename"]) if (!there && byId(id).open) close(id);
    if (!there) about = null;
    else if (byId("page-menu").open) drawMenu();
    else if (byId("page-remove").open) drawRemove();
  });

  /** @param {string} page */
  function show(page) {
    if (!may()) return;
    about = page;
    drawMenu();
    open("page-menu");
  }

  return {
    open: show,
    key(event, page) {
      const what = meant(event);
      if (!what || !may()) return false;
      about = page;
      if (what === "rename") askName();
      else if (what === "remove" && pages().length > 1) askRemove();
      else if (what === "earlier" || what === "later") move(page, what === "earlier" ? -1 : 1);
      return true;
    },
  };
}

/** @param {string} does @param {string} picture @param {string} words @param {string} key @param {() => void} act @param {boolean} [off] @param {string} [tone] */
function row(does, picture, words, key, act, off = false, tone = "") {
  const hint = key && el("kbd", { "aria-hidden": "true" }, key);
  return el("button", { class: `item ${tone}`.trim(), type: "button", "data-does": does, "aria-disabled": off ? "true" : null, onclick: () => off || act() }, icon(picture), el("span", {}, words), hint);
}

/** A blank sheet behind a page, and everybody turns to it. @param {Store} store @param {Session} session @param {string|null} behind */
function addPage(store, session, behind) {
  const page = session.newItem();
  for (const dialog of document.querySelectorAll("dialog[open]")) /** @type {HTMLDialogElement} */ (dialog).close();
  session.propose("page.add", { page, kind: "blank", title: "", after: behind });
  session.propose("page.show", { page });
  store.follow();
}
