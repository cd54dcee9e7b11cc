// The pages as thumbnails, with a mark where there is ink; staff open a page's menu there.
// @ts-check

import { byId, el, icon, keyed, set, write } from "../dom.js";
import { t } from "../i18n.js";
import { pictureFor } from "../render/slide.js";
import { pageSize } from "../render/view.js";
import { pageWords } from "./pager.js";
import { turnTo } from "./turning.js";
import { watch } from "./watch.js";

/** @param {{store: import("../store.js").Store, session: import("../session.js").Session, menu: import("./page_menu.js").PageMenu|null}} app */
export function filmstrip({ store, session, menu }) {
  const thumbs = byId("thumbs");
  let looked = store.page;
  thumbs.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const page = pageOf(event);
    if (page && menu?.key(event, page)) event.preventDefault();
    else walk(event);
  });
  thumbs.addEventListener("contextmenu", (/** @type {Event} */ event) => {
    const page = pageOf(event);
    if (!page || !menu) return;
    event.preventDefault();
    menu.open(page);
  });
  const fold = wireFold();

  watch(store, ["pages", "page", "items", "status"], () => {
    const lesson = store.shown;
    if (!lesson) return;
    const focused = /** @type {HTMLElement|null} */ (document.activeElement);
    keyed(thumbs, lesson.pages, (page) => page.id, (page) => make(page), (element, page) => update(element, page, lesson));
    if (looked !== store.page) thumbs.querySelector('[aria-current="page"]')?.scrollIntoView({ block: "nearest" });
    looked = store.page;
    if (focused !== document.activeElement && focused && thumbs.contains(focused)) focused.focus(); // a page that moves takes it along
  });

  /** @param {any} page */
  function make(page) {
    const image = page.slide ? pictureFor(page.slide.images, 240) : undefined;
    const picture = el("span", { class: "picture" }, image ? el("img", { src: image, alt: "", loading: "lazy", decoding: "async", width: 320, height: Math.round((320 * page.slide.height) / page.slide.width) }) : icon("sheet"));
    const { width, height } = pageSize(page);
    picture.style.setProperty("--ratio", String(width / height));
    const foot = el("span", { class: "foot" }, el("span", { class: "number" }), el("span", { class: "title", dir: "auto" }), el("span", { class: "live", hidden: true }, t("live")), el("span", { class: "has-ink", hidden: true }, icon("pen")));
    const thumb = el("button", { class: "thumb", type: "button", onclick: () => {
      fold();
      turnTo(store, session, page.id);
    } }, picture, foot);
    const more = menu && el("button", { class: "quiet page-more while-live", type: "button", onclick: () => menu.open(page.id) }, icon("more"));
    return el("li", {}, thumb, more);
  }

  /** @param {HTMLElement} element @param {any} page @param {any} lesson */
  function update(element, page, lesson) {
    const button = /** @type {HTMLElement} */ (element.firstElementChild);
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (button.querySelector(name));
    const inked = store.inked(page.id);
    const live = page.id === lesson.current && store.page !== lesson.current;
    const words = pageWords(lesson, page.id);
    write(part(".number"), String(lesson.pages.indexOf(page) + 1));
    write(part(".title"), page.title);
    part(".live").hidden = !live;
    part(".has-ink").hidden = !inked;
    button.tabIndex = page.id === store.page ? 0 : -1; // one stop for Tab; arrows walk
    set(button, "aria-current", page.id === store.page ? "page" : null);
    set(button, "aria-label", [words, inked && t("with drawings"), live && t("live")].filter(Boolean).join(", "));
    const more = /** @type {HTMLElement|null} */ (element.querySelector(".page-more"));
    if (!more) return;
    more.tabIndex = button.tabIndex;
    set(more, "aria-label", t("Menu of page {n}", { n: lesson.pages.indexOf(page) + 1 }));
    set(more, "title", t("Menu of this page"));
  }
}

/** @param {Event} event @returns {string|undefined} the page whose thumbnail it happened on */
const pageOf = (event) => /** @type {HTMLElement} */ (event.target).closest("#thumbs > li")?.getAttribute("data-key") ?? undefined;

/** Where there is no room for it the filmstrip lies folded behind a button, and opens over the page. @returns {() => void} folds it again */
function wireFold() {
  const [film, button] = [byId("film"), byId("film-button")];
  const unfold = (/** @type {boolean} */ open) => {
    document.body.toggleAttribute("data-film", open);
    set(button, "aria-expanded", String(open));
    const current = /** @type {HTMLElement|null} */ (film.querySelector('[aria-current="page"]'));
    if (open) current?.focus();
    if (open) current?.scrollIntoView({ block: "center" });
  };
  const isOpen = () => document.body.hasAttribute("data-film");
  button.addEventListener("click", () => unfold(!isOpen()));
  document.addEventListener("pointerdown", (event) => {
    if (isOpen() && !(/** @type {Element} */ (event.target).closest("#film, #film-button"))) unfold(false);
  });
  film.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !isOpen()) return;
    unfold(false);
    button.focus();
  });
  return () => {
    if (isOpen()) unfold(false);
  };
}

const STEPS = new Map([["ArrowDown", 1], ["ArrowRight", 1], ["ArrowUp", -1], ["ArrowLeft", -1]]);

/** Arrows, Home and End move the focus; Enter turns to the page. @param {KeyboardEvent} event */
function walk(event) {
  const buttons = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#thumbs .thumb")]);
  const here = buttons.indexOf(/** @type {HTMLElement} */ (event.target));
  const step = STEPS.get(event.key);
  const next = event.key === "Home" ? buttons[0] : event.key === "End" ? buttons[buttons.length - 1] : step && buttons[here + step];
  if (here < 0 || !next) return;
  event.preventDefault();
  next.focus();
}
