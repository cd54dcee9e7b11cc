// The tray: own work that the class did not get. Nothing in it is lost until its author says so.
// @ts-check

import { byId, el, icon, keyed, write } from "../dom.js";
import { t, tn, told } from "../i18n.js";
import { paintedBounds, union } from "../render/geometry.js";
import { paint } from "../render/paint.js";
import { mayDraw } from "../tools/rights.js";
import { close } from "./dialogs.js";
import { watch } from "./watch.js";

/** @typedef {import("../store.js").TrayEntry} TrayEntry */
/** @typedef {import("../render/geometry.js").Drawn} Drawn */

/** The little picture of an entry, CSS pixels. */
const WIDTH = 88;
const HEIGHT = 56;

/** @param {{store: import("../store.js").Store, session: import("../session.js").Session}} app */
export function tray({ store, session }) {
  const button = byId("tray-button");
  watch(store, ["tray"], () => {
    const count = store.tray.length;
    button.hidden = count === 0;
    byId("tools").toggleAttribute("data-tray", count > 0);
    write(button.querySelector("span"), tn(count, "{n} not taken", "{n} not taken"));
    keyed(byId("tray-rows"), store.tray, (entry) => entry.id, (entry) => row({ store, session }, entry), () => {});
    if (count === 0 && byId("tray").open) close("tray");
  });
}

/**
 * What happened, and what can be done, in words of what one did: the server's are about ops.
 * @param {import("../store.js").Store} store @param {{kind: string, data?: any, code: string, message: string}} refused @returns {string[]}
 */
export function whyRefused(store, { kind, data, code, message }) {
  const lesson = store.shown;
  const closed = code === "not_allowed" || (code === "void" && !mayDraw(store)); // it may have been closed on the way
  const gone = code === "unknown_page" || (code === "void" && data && !lesson?.pages.some(({ id }) => id === data.page));
  if (code === "ended" || lesson?.status === "ended") return [t("The lesson had ended before it arrived.")];
  if (code === "removed") return [t("You had been removed from the lesson.")];
  if (kind === "chat.post" && code === "not_allowed") return [t("The chat was paused."), t("Send it again when it is open.")];
  if (kind !== "board.edit") return [told(message)];
  if (gone) return [t("The page was removed."), t("It cannot be sent to another one.")];
  if (closed) return mayDraw(store) ? [t("Drawing was closed at that moment."), t("You may draw again now.")] : [t("Drawing was closed."), t("Send it again when you may draw.")];
  return [told(message)];
}

/** @param {{store: import("../store.js").Store, session: import("../session.js").Session}} app @param {TrayEntry} entry @returns {HTMLElement} */
function row({ store, session }, entry) {
  const made = added(entry);
  const say = el("p");
  write(say, [...whyRefused(store, entry)].join(" "));
  const act = (/** @type {string} */ words, /** @type {() => void} */ does, tone = "") => el("button", { class: `btn ${tone}`.trim(), type: "button", onclick: does }, words);
  return el("li", { class: "refused" }, made.length > 0 ? picture(made) : icon("tray"), say, el("div", { class: "actions" },
    act(t("Discard"), () => session.discard(entry.id), "danger"),
    made.length > 0 && act(t("Keep to myself"), () => session.keep(entry.id)),
    act(t("Send again"), () => session.retry(entry.id), "primary")));
}

/** The items that an entry would add, with what depends on it. @param {TrayEntry} entry @returns {Drawn[]} */
export function added({ kind, data, dependants }) {
  return [{ kind, data }, ...dependants].filter((op) => op.kind === "board.edit").flatMap((op) =>
    op.data.edits.filter((/** @type {any[]} */ edit) => edit[0] === "add").map((/** @type {any[]} */ edit) => ({ kind: edit[2], values: edit[3] })));
}

/** @param {Drawn[]} items */
function picture(items) {
  const canvas = el("canvas", { role: "img", "aria-label": t("Your drawing") });
  const density = Math.min(2, devicePixelRatio);
  canvas.width = WIDTH * density;
  canvas.height = HEIGHT * density;
  const [left, top, right, bottom] = items.map(paintedBounds).reduce((all, one) => union(all, one));
  const scale = Math.min(WIDTH / (right - left), HEIGHT / (bottom - top), 0.5) * density;
  const pen = canvas.getContext("2d");
  pen.translate(canvas.width / 2, canvas.height / 2);
  pen.scale(scale, scale);
  pen.translate(-(left + right) / 2, -(top + bottom) / 2);
  for (const item of items) paint(pen, item);
  return canvas;
}
