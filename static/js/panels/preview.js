// What comes next, for staff: a small picture of the page behind this one, with its ink; a press turns to it.
// @ts-check

import { byId, set, write } from "../dom.js";
import { t } from "../i18n.js";
import { Miniature } from "../render/miniature.js";
import { amStaff } from "../tools/rights.js";
import { numberOf, pageWords } from "./pager.js";
import { neighbour, turnTo } from "./turning.js";
import { watch } from "./watch.js";

/** Where the filmstrip is folded away the picture stands beside the button that goes on. */
const NARROW = "(max-width: 1180px)";

/** @param {{store: import("../store.js").Store, session: import("../session.js").Session}} app */
export function preview({ store, session }) {
  const button = document.getElementById("preview");
  if (!button) return;
  const wide = /** @type {HTMLElement} */ (button.parentElement);
  const miniature = new Miniature(/** @type {HTMLElement} */ (button.querySelector(".picture")));
  const folded = matchMedia(NARROW);
  button.addEventListener("click", () => {
    const next = neighbour(store, 1);
    if (next !== null) turnTo(store, session, next);
  });
  let wanted = "";
  let drawn = "";
  store.subscribe(({ items }) => {
    if (items.has(wanted)) drawn = "";
  });

  const draw = () => {
    const lesson = store.shown;
    const page = lesson?.pages.find(({ id }) => id === neighbour(store, 1));
    button.hidden = !page || !amStaff(store);
    if (!lesson || !page || button.hidden) return;
    if (wanted !== page.id) session.want([page.id]);
    wanted = page.id;
    set(button, "aria-label", t("Next: {page}", { page: pageWords(lesson, page.id) }));
    write(/** @type {Element} */ (button.querySelector(".label")), page.title ? t("Next: {page}", { page: page.title }) : t("Next: page {n}", { n: numberOf(lesson, page.id) }));
    const now = `${page.id} ${button.clientWidth}`;
    if (drawn !== now) miniature.draw(page, store.items(page.id));
    drawn = now;
  };
  const place = () => {
    if (folded.matches) byId("next").before(button);
    else wide.prepend(button);
    draw();
  };
  folded.addEventListener("change", place);
  watch(store, ["pages", "page", "items", "me", "status"], draw);
  place();
  new ResizeObserver(draw).observe(button);
}
