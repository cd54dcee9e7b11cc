// How the connection stands: the chip in the bar, the word in the pager, the card when it is over for good.
// @ts-check

import { byId, set, swapIcon, write } from "../dom.js";
import { t, tn } from "../i18n.js";
import { alarm, say } from "./announce.js";
import { hold, toast } from "./notice.js";
import { watch } from "./watch.js";

/** Own work without an answer is not mentioned before this, ms; a lost connection not before that. */
const UNSENT_AFTER = 1_000;
const BANNER_AFTER = 3_000;

/** @typedef {import("../session.js").Status} Status */

/** What stands in the bar. @param {Status} status @param {number} now @returns {{state: string, words: string, number: string}} */
export function chipOf({ phase, roundTrip, unsent, oldest }, now) {
  if (FINAL.has(phase)) return { state: "stopped", words: phase === "ended" ? t("Ended") : t("Stopped"), number: "" };
  if (unsent > 0 && oldest !== null && now - oldest > UNSENT_AFTER) return { state: "unsent", words: tn(unsent, "{n} not sent", "{n} not sent"), number: "" };
  if (phase === "live") return { state: "live", words: t("Live"), number: roundTrip === null ? "" : t("{n} ms", { n: Math.round(roundTrip) }) };
  return { state: "waiting", words: phase === "connecting" ? t("Connecting") : t("Reconnecting"), number: "" };
}

const FINAL = new Set(["ended", "removed", "replaced", "gone", "too_many_tabs", "reload"]);

/** The card for each way a lesson ends for this tab; `action` is on its button, "look" closes the card. @type {Map<string, {icon: string, tone: string, title: string, text: string, action: string, does: "look"|"load"}>} */
const CARDS = new Map([
  ["ended", { icon: "check", tone: "", title: "The lesson has ended", text: "All pages and drawings are kept.", action: "Look at the board", does: "look" }],
  ["removed", { icon: "leave", tone: "no", title: "You were removed from the lesson", text: "If that was a mistake, ask your teacher to let you in again, then press the button.", action: "Try again", does: "load" }],
  ["replaced", { icon: "sheet", tone: "waits", title: "The lesson is open somewhere else", text: "This copy of the page has stopped, so that nothing is drawn twice.", action: "Use it here", does: "load" }],
  ["too_many_tabs", { icon: "sheet", tone: "waits", title: "Open in too many tabs", text: "Close the lesson in another tab or on another device first.", action: "Try again", does: "load" }],
  ["reload", { icon: "again", tone: "waits", title: "Lectern was renewed", text: "Load the page once; what you drew is kept.", action: "Load again", does: "load" }],
  ["gone", { icon: "away", tone: "no", title: "This lesson cannot be reached any more", text: "Your pass ran out, or the lesson is gone. Join again with its code.", action: "Load again", does: "load" }],
]);

/** @param {{store: import("../store.js").Store, session: import("../session.js").Session}} app */
export function link({ store, session }) {
  let lost = false;
  let card = "";
  const draw = () => {
    const status = session.status;
    const now = session.clock.now();
    showChip(chipOf(status, now));
    const long = status.phase === "reconnecting" && now - status.since > BANNER_AFTER;
    hold(long ? t("Reconnecting, your drawing is kept") : status.durable ? "" : unkept(status));
    if (long !== lost) announce(long, status);
    lost = long;
    const over = store.lesson?.status === "ended" ? "ended" : FINAL.has(status.phase) ? status.phase : "";
    document.body.toggleAttribute("data-ended", over === "ended");
    if (over !== card) showCard(over, status);
    card = over;
  };
  watch(store, ["status", "pending", "pages"], draw);
  setInterval(draw, 500); // what depends on time alone: "not sent" after 1 s, the banner after 3 s
  byId("over-do").addEventListener("click", () => {
    if (CARDS.get(card)?.does === "look") cover(byId("over"), false);
    else location.reload();
  });
  store.subscribe(({ notices }) => { for (const notice of notices) toast(wordsOf(notice)); });
}

/** @param {import("../store.js").Notice} notice */
function wordsOf({ kind, code, message, tray }) {
  if (kind === "board.edit" && code === "not_allowed") return tray ? t("Drawing was closed. Yours waits in the tray.") : t("Drawing was closed.");
  return message;
}

/** @param {{state: string, words: string, number: string}} chip */
function showChip({ state, words, number }) {
  const chip = byId("link-chip");
  set(chip, "data-state", state);
  write(chip.querySelector("span"), words);
  write(chip.querySelector("b"), number);
}

/** @param {Status} status */
function unkept({ unsent, phase }) {
  return unsent > 0 && phase !== "live" ? t("Keep this page open until your drawing is sent") : "";
}

/** @param {boolean} long @param {Status} status */
function announce(long, { phase }) {
  alarm(long ? t("Connection lost. Your drawing is kept and will be sent.") : "");
  if (!long && phase === "live") say(t("Connected again."));
}

/** Show or hide the card; what is under it cannot be reached meanwhile. @param {HTMLElement} over @param {boolean} covered */
function cover(over, covered) {
  over.hidden = !covered;
  for (const part of document.querySelectorAll("body > :is(header, nav, main, aside)")) /** @type {HTMLElement} */ (part).inert = covered;
}

/** @param {string} phase  "" for none @param {Status} status */
function showCard(phase, { message }) {
  const card = CARDS.get(phase);
  const over = byId("over");
  cover(over, card !== undefined);
  if (!card) return;
  const picture = over.querySelector(".picture");
  picture.className = `picture ${card.tone}`.trim();
  swapIcon(picture, card.icon);
  write(byId("over-title"), t(card.title));
  write(byId("over-text"), phase === "gone" && message ? message : t(card.text));
  write(byId("over-do"), t(card.action));
  byId("over-do").hidden = false;
  for (const dialog of document.querySelectorAll("dialog[open]")) /** @type {HTMLDialogElement} */ (dialog).close();
  byId("over-title").focus();
}
