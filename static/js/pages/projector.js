// The lesson on the wall: follows the class, shows nobody's name, needs no hand, and comes back by itself.
// @ts-check

import { byId, set, write } from "../dom.js";
import { t } from "../i18n.js";
import { Outbox } from "../outbox.js";
import { slideText } from "../panels/slide_text.js";
import { watch } from "../panels/watch.js";
import { Board, layersOfPage } from "../render/board.js";
import { Session } from "../session.js";
import { mayChange } from "../tools/rights.js";
import { systemClock, systemRandom } from "../clock.js";
import { Store } from "../store.js";

const KEY = "lectern.projector.code";
/** Nobody is told of a line that is back sooner, ms. */
const WAIT_AFTER = 3_000;
/** Between two tries of what only a fresh page can mend, ms, with as much again by chance. */
const AGAIN = 5_000;
/** The pointer and the button are seen this long after a hand moved, ms. */
const STIR = 2_500;
/** Phases that a fresh page may mend; the end of the lesson is none. */
const STUCK = new Set(["removed", "replaced", "gone", "too_many_tabs", "reload"]);

const csrf = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="csrf-token"]')).content;
const pause = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

/** @param {string} words  "" for nothing */
function say(words) {
  const wait = byId("wait");
  wait.hidden = words === "";
  write(wait, words);
}

/** The seat of who opened the page, asked for until it is had: a wall has nobody who presses a button. @returns {Promise<any>} */
async function seat() {
  for (;;) {
    const asked = { method: "POST", headers: { "X-CSRFToken": csrf, "Content-Type": "application/json" }, body: "{}" };
    const response = await fetch(`/api/lessons/${document.body.dataset.lesson}/join/`, asked).catch(() => null);
    const answer = await response?.json().catch(() => null);
    if (response?.ok && answer) return answer;
    say(answer?.message ?? t("Connecting again …"));
    await pause(AGAIN * (1 + Math.random()));
    if (response) await fresh();
  }
}

/** Load the page anew, once there is a server that has it: an error page would stay on the wall for good. */
async function fresh() {
  const answer = await fetch(location.href, { credentials: "same-origin" }).catch(() => null);
  if (answer?.ok && answer.url === location.href) location.reload();
}

/** @param {any} pass */
function open(pass) {
  const store = new Store(pass.participant);
  // It has nothing to send, and shall take nothing over from the teacher's own tabs: nothing is kept, nothing adopted.
  const outbox = new Outbox({ lesson: pass.lesson, participant: pass.participant.id }, { factory: null, clock: systemClock, random: systemRandom });
  const session = new Session({ pass, store, csrf, outbox, storage: null, mirror: true });
  const board = new Board({
    ...layersOfPage(),
    store,
    person: () => null,
    mayChange: (by, item) => mayChange(store, by, item),
    onSlide: slideText({ store, quiet: true }),
    within: 300,
  });
  session.onSignals((signals) => board.receive(signals, session.pace));
  let mending = false;
  const draw = () => {
    const { phase, since } = session.status;
    const ended = phase === "ended" || store.ended;
    const lost = !ended && phase !== "live" && session.clock.now() - since > WAIT_AFTER;
    say(ended ? t("The lesson has ended") : lost ? t("Connecting again …") : "");
    byId("join").toggleAttribute("data-over", ended);
    if (mending || ended || !STUCK.has(phase)) return;
    mending = true;
    void pause(AGAIN * (1 + Math.random())).then(fresh).finally(() => (mending = false));
  };
  watch(store, ["status", "pages"], draw);
  setInterval(draw, 1_000); // what depends on time alone, and the next try
  session.start();
  Object.assign(window, { lectern: { session, store } }); // for the operator's console and the browser stories
}

/** The code beside the slide: there until somebody hides it, remembered on this machine. */
function wireCode() {
  const [join, button] = [byId("join"), byId("code-button")];
  const show = (/** @type {boolean} */ shown) => {
    join.hidden = !shown;
    set(button, "aria-expanded", String(shown));
    write(button.querySelector("span"), shown ? t("Hide the code") : t("Show the code"));
  };
  const turn = () => {
    show(join.hidden);
    keep(join.hidden ? "hidden" : "shown");
  };
  show(kept() !== "hidden");
  button.addEventListener("click", turn);
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "c" && !event.ctrlKey && !event.metaKey && !event.altKey) turn();
  });
  let still = 0;
  document.addEventListener("pointermove", () => {
    clearTimeout(still);
    document.body.toggleAttribute("data-stir", true);
    still = window.setTimeout(() => document.body.toggleAttribute("data-stir", false), STIR);
  });
}

/** localStorage throws where a browser keeps nothing. */
function kept() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** @param {string} choice */
function keep(choice) {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // it lasts as long as the page
  }
}

/** A wall shall not go to sleep; where the browser cannot promise that (plain http), its owner has to. */
async function stayAwake() {
  if (document.visibilityState === "visible") await navigator.wakeLock?.request("screen").catch(() => null);
}

wireCode();
void stayAwake();
document.addEventListener("visibilitychange", () => void stayAwake());
open(await seat());
