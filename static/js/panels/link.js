// How the connection stands: the chip in the bar and the word in the pager; when it is over for good, the card.
// @ts-check

import { byId, set, write } from "../dom.js";
import { t, tn, told } from "../i18n.js";
import { alarm, say } from "./announce.js";
import { hold, toast } from "./notice.js";
import { showCard } from "./over.js";
import { whyRefused } from "./tray.js";
import { watch } from "./watch.js";

/** Own work without an answer is not mentioned before this, ms; a lost connection not before that. */
const UNSENT_AFTER = 1_000;
const BANNER_AFTER = 3_000;
/** Nor a first connection that is quickly there. */
const CONNECTING_AFTER = 1_000;

/** @typedef {import("../session.js").Status} Status */

/** What stands in the bar. @param {Status} status @param {number} now @returns {{state: string, words: string, number: string}} */
export function chipOf({ phase, roundTrip, unsent, oldest }, now) {
  if (FINAL.has(phase)) return { state: "stopped", words: phase === "ended" ? t("Ended") : t("Stopped"), number: "" };
  if (unsent > 0 && oldest !== null && now - oldest > UNSENT_AFTER) return { state: "unsent", words: tn(unsent, "{n} not sent", "{n} not sent"), number: "" };
  if (phase === "live") return { state: "live", words: t("Live"), number: roundTrip === null ? "" : t("{n} ms", { n: Math.round(roundTrip) }) };
  return { state: "waiting", words: phase === "connecting" ? t("Connecting") : t("Reconnecting"), number: "" };
}

const FINAL = new Set(["ended", "removed", "replaced", "gone", "too_many_tabs", "reload"]);

/** @param {{store: import("../store.js").Store, session: import("../session.js").Session, tabs: import("./tabs.js").Tabs}} app */
export function link({ store, session, tabs }) {
  let lost = false;
  const born = document.body.hasAttribute("data-ended"); // the page was opened to read an ended lesson: no card is in the way
  let card = born ? "ended" : "";
  const draw = () => {
    const status = session.status;
    const now = session.clock.now();
    if (status.phase !== "connecting" || now - status.since > CONNECTING_AFTER) showChip(chipOf(status, now));
    const long = status.phase === "reconnecting" && now - status.since > BANNER_AFTER;
    hold(long ? t("Reconnecting, your drawing is kept") : status.durable ? "" : unkept(status));
    if (long !== lost) announce(long, status);
    lost = long;
    const over = store.lesson?.status === "ended" ? "ended" : FINAL.has(status.phase) ? status.phase : born ? "ended" : "";
    if (over === "ended" && tabs.on !== "chat") tabs.show("chat"); // nobody is here any more
    if (over !== card) showCard(over, { message: status.message, board: store.lesson !== null });
    card = over;
  };
  watch(store, ["status", "pending", "pages"], draw);
  setInterval(draw, 500); // what depends on time alone: "not sent" after 1 s, the banner after 3 s
  store.subscribe(({ notices }) => { for (const notice of notices) toast(wordsOf(store, notice)); });
}

/** @param {import("../store.js").Store} store @param {import("../store.js").Notice} notice */
function wordsOf(store, notice) {
  const entry = store.tray.find(({ id }) => id === notice.op);
  const [why] = whyRefused(store, entry ?? notice);
  return notice.tray && why !== told(notice.message) ? `${why} ${t("Yours waits in the tray.")}` : why;
}

/** @param {{state: string, words: string, number: string}} chip */
function showChip({ state, words, number }) {
  const chip = byId("link-chip");
  chip.removeAttribute("data-early");
  set(chip, "data-state", state);
  write(chip.querySelector("span"), words);
  const small = chip.querySelector("b");
  write(small, number);
  small.hidden = state === "stopped";
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
