// The card over everything when this page can do no more: why, and what to do about it.
// @ts-check

import { byId, swapIcon, write } from "../dom.js";
import { t } from "../i18n.js";

/** @typedef {{icon: string, tone: string, title: string, text: string, action: string, looks?: boolean}} Card  texts are English sources; `looks`: the button shows the board instead of loading the page */

/** Phases of the session, and what the door may answer before there is one. @type {Map<string, Card>} */
const CARDS = new Map(/** @type {[string, Card][]} */ ([
  ["ended", { icon: "check", tone: "", title: "The lesson has ended", text: "Pages and drawings can be looked at here for {days} days.", action: "Look at the board", looks: true }],
  ["removed", { icon: "leave", tone: "no", title: "You were removed from the lesson", text: "If that was a mistake, ask your teacher to let you in again, then press the button.", action: "Try again" }],
  ["replaced", { icon: "sheet", tone: "waits", title: "The lesson is open somewhere else", text: "This copy of the page has stopped, so that nothing is drawn twice.", action: "Use it here" }],
  ["too_many_tabs", { icon: "sheet", tone: "waits", title: "Open in too many tabs", text: "Close the lesson in another tab or on another device first.", action: "Try again" }],
  ["reload", { icon: "again", tone: "waits", title: "Lectern was renewed", text: "Load the page once; what you drew is kept.", action: "Load again" }],
  ["gone", { icon: "away", tone: "no", title: "This lesson cannot be reached any more", text: "Your pass ran out, or the lesson is gone. Join again with its code.", action: "Load again" }],
]));

/** Whatever else the door may say; its own sentence stands below. @type {Card} */
const SHUT = { icon: "lock", tone: "waits", title: "The lesson does not open", text: "", action: "Try again" };

/**
 * Show the card, or with "" none. What lies under it cannot be reached meanwhile.
 * @param {string} why  a final phase, or a refusal code
 * @param {{message: string, board: boolean}} about  the server's sentence; whether there is a board to look at
 */
export function showCard(why, { message, board }) {
  cover(why !== "");
  document.body.toggleAttribute("data-ended", why === "ended");
  if (why === "") return;
  const card = CARDS.get(why) ?? SHUT;
  const picture = byId("over").querySelector(".picture");
  picture.className = `picture ${card.tone}`.trim();
  swapIcon(picture, card.icon);
  write(byId("over-title"), t(card.title));
  write(byId("over-text"), message && (card === SHUT || why === "gone") ? message : t(card.text, { days: document.body.dataset.retention ?? "" }));
  const button = byId("over-do");
  write(button, t(card.action));
  button.hidden = Boolean(card.looks) && !board;
  button.onclick = () => (card.looks ? cover(false) : location.reload());
  for (const dialog of document.querySelectorAll("dialog[open]")) /** @type {HTMLDialogElement} */ (dialog).close();
  byId("over-title").focus();
}

/** @param {boolean} covered */
function cover(covered) {
  byId("over").hidden = !covered;
  for (const part of document.querySelectorAll("body > :is(header, nav, main, aside)")) /** @type {HTMLElement} */ (part).inert = covered;
}
