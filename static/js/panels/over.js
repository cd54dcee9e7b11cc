// The card over everything when this page can do no more: why, and what to do about it.
// @ts-check

import { byId, swapIcon, write } from "../dom.js";
import { t, told } from "../i18n.js";

/** @typedef {{icon: string, tone: string, title: string, text: string, action: string, looks?: boolean}} Card  `looks`: the button shows the board instead of loading the page */

/** The card of a phase of the session, or of what the door answered before there is one. @param {string} why @param {string} message  the server's own sentence @returns {Card} */
function cardOf(why, message) {
  switch (why) {
    case "ended":
      return {
        icon: "check", tone: "", title: t("The lesson has ended"), looks: true, action: t("Look at the board"),
        text: document.body.dataset.role === "student"
          ? t("Pages and drawings can be looked at here for {days} days.", { days: document.body.dataset.retention ?? "" })
          : t("Students can look at the pages and drawings for {days} days; you can at any time.", { days: document.body.dataset.retention ?? "" }),
      };
    case "removed":
      return {
        icon: "leave", tone: "no", title: t("You were removed from the lesson"), action: t("Try again"),
        text: t("If that was a mistake, ask your teacher to let you in again, then press the button."),
      };
    case "replaced":
      return {
        icon: "sheet", tone: "waits", title: t("The lesson is open somewhere else"), action: t("Use it here"),
        text: t("This copy of the page has stopped, so that nothing is drawn twice."),
      };
    case "too_many_tabs":
      return {
        icon: "sheet", tone: "waits", title: t("Open in too many tabs"), action: t("Try again"),
        text: t("Close the lesson in another tab or on another device first."),
      };
    case "reload":
      return { icon: "again", tone: "waits", title: t("Lectern was renewed"), text: t("Load the page once; what you drew is kept."), action: t("Load again") };
    case "gone":
      return {
        icon: "away", tone: "no", title: t("This lesson cannot be reached any more"), action: t("Load again"),
        text: message ? told(message) : t("Your pass ran out, or the lesson is gone. Join again with its code."),
      };
    default:
      return { icon: "lock", tone: "waits", title: t("The lesson does not open"), text: told(message), action: t("Try again") };
  }
}

/**
 * Show the card, or with "" none. What lies under it cannot be reached meanwhile.
 * @param {string} why  a final phase, or a refusal code
 * @param {{message: string, board: boolean}} about  the server's sentence; whether there is a board to look at
 */
export function showCard(why, { message, board }) {
  cover(why !== "");
  document.body.toggleAttribute("data-ended", why === "ended");
  if (why === "") return;
  const card = cardOf(why, message);
  const picture = byId("over").querySelector(".picture");
  picture.className = `picture ${card.tone}`.trim();
  swapIcon(picture, card.icon);
  write(byId("over-title"), card.title);
  write(byId("over-text"), card.text);
  const button = byId("over-do");
  write(button, card.action);
  button.hidden = Boolean(card.looks) && !board;
  const who = document.getElementById("over-who");
  if (who) who.hidden = why !== "ended";
  button.onclick = () => (card.looks ? cover(false) : location.reload());
  for (const dialog of document.querySelectorAll("dialog[open]")) /** @type {HTMLDialogElement} */ (dialog).close();
  byId("over-title").focus();
}

/** @param {boolean} covered */
function cover(covered) {
  byId("over").hidden = !covered;
  for (const part of document.querySelectorAll("body > :is(header, nav, main, aside)")) /** @type {HTMLElement} */ (part).inert = covered;
}
