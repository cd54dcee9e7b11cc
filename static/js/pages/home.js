// The home page: code and name become a seat; when the lesson has not begun the page waits at its door.
// @ts-check

import { CODE_LENGTH, mistaken, pasted, tidy } from "../codes.js";
import { byId, swapIcon, write } from "../dom.js";
import { t, told } from "../i18n.js";

const NAME_KEY = "lectern.name";
/** How long one question at the waiting door stays open, s; and the pause after a failed one, ms. */
const WAIT = 25;
const PAUSE = 3_000;
/** The field that a refusal is about. @type {Record<string, string>} */
const FIELDS = { unknown_code: "code", bad_frame: "name", too_long: "name" };
const CARDS = ["join", "waiting", "away"];

const csrf = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="csrf-token"]')).content;
const [code, name] = [byId("code"), byId("name")];
const submit = byId("join-form").querySelector('[type="submit"]');
const title = document.title;
/** @type {AbortController|null} while waiting */
let waiting = null;
let countdown = 0;

// --- the form ------------------------------------------------------------------------------------------------------

/** @param {string} field  "code", "name", or "" for the form as a whole @param {string} message */
function complain(field, message) {
  const line = byId(field ? `${field}-wrong` : "wrong");
  line.hidden = message === "";
  write(line.querySelector("span"), message);
  if (!field) return;
  byId(field).setAttribute("aria-invalid", String(message !== ""));
  if (message) byId(field).focus();
}

/** @returns {boolean} whether both fields can be sent */
function check() {
  for (const field of ["", "code", "name"]) complain(field, "");
  const letters = tidy(code.value);
  if (name.value.trim() === "") complain("name", t("Type the name that the class shall see."));
  if (letters.length < CODE_LENGTH) complain("code", t("The code has six letters or digits."));
  else if (mistaken(letters)) complain("code", t("No code has 0, O, 1, I or L in it: look at “{letter}” again.", { letter: mistaken(letters) }));
  return !document.querySelector('[aria-invalid="true"]');
}

/** A pasted address or message brings its code along. @param {ClipboardEvent} event */
function paste(event) {
  const letters = pasted(event.clipboardData?.getData("text") ?? "");
  if (letters.length < CODE_LENGTH) return;
  event.preventDefault();
  code.value = letters;
  complain("code", "");
  name.focus();
}

// --- joining -------------------------------------------------------------------------------------------------------

/** @returns {Promise<boolean>} whether there was an answer; without one whoever waits goes on waiting */
async function join() {
  submit.disabled = true;
  const { status, body } = await ask();
  submit.disabled = false;
  if (status === 201) {
    remember(body.lesson);
    return true;
  }
  if (waiting && (status === 0 || status >= 500)) return false;
  refused(body);
  return true;
}

/** Say on the page why nobody came in, and what to do. @param {any} body  a refusal; null: the server was not reached */
function refused(body) {
  const message = body?.message ? told(body.message) : t("The server cannot be reached. Check your connection and try again.");
  switch (body?.code) {
    case "not_live": return void wait(tidy(code.value), body.classroom ?? "");
    case "door_locked": return turnAway("lock", t("The door is locked"), message);
    case "removed": return turnAway("leave", t("You were removed"), message);
    case "full": return turnAway("people", t("The lesson is full"), message);
    case "slow_down": return turnAway("clock", t("Too many tries"), message, body.after ?? PAUSE);
  }
  show("join");
  complain(FIELDS[body?.code] ?? "", message);
}

/** @returns {Promise<{status: number, body: any}>} status 0: not reached */
async function ask() {
  try {
    const response = await fetch("/api/join/", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf },
      body: JSON.stringify({ code: tidy(code.value), name: name.value.trim() }),
    });
    return { status: response.status, body: await response.json().catch(() => null) };
  } catch {
    return { status: 0, body: null };
  }
}

/** @param {number} lesson */
function remember(lesson) {
  try {
    localStorage.setItem(NAME_KEY, name.value.trim());
  } catch {
    // a private window: the name is typed again next time
  }
  location.assign(`/lessons/${lesson}/`);
}

// --- which card ----------------------------------------------------------------------------------------------------

/** Show one of the cards, and no longer do what another did. @param {string} card */
function show(card) {
  waiting?.abort();
  waiting = null;
  clearInterval(countdown);
  const changes = byId(card).hidden;
  for (const id of CARDS) byId(id).hidden = id !== card;
  document.title = card === "join" ? title : `${byId(card).querySelector("h1").textContent} · Lectern`;
  if (changes) byId(card).querySelector("h1").focus();
}

/** The lesson is there, and this person is not let in. @param {string} picture @param {string} heading @param {string} message @param {number} [after]  ms until it is worth trying again */
function turnAway(picture, heading, message, after = 0) {
  const again = byId("again");
  swapIcon(byId("away"), picture);
  write(byId("away").querySelector("h1"), heading);
  write(byId("away-text"), message);
  show("away");
  const until = Date.now() + after;
  const tell = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    again.disabled = left > 0;
    write(again, left > 0 ? t("Try again in {seconds} s", { seconds: left }) : t("Try again"));
    if (left <= 0) clearInterval(countdown);
  };
  countdown = setInterval(tell, 1000);
  tell();
}

// --- waiting -------------------------------------------------------------------------------------------------------

/** Stay at the door until a lesson begins. @param {string} letters @param {string} classroom */
async function wait(letters, classroom) {
  write(byId("waiting-room"), classroom);
  show("waiting");
  waiting = new AbortController();
  const { signal } = waiting;
  while (!signal.aborted) {
    const begun = await atTheDoor(letters, signal);
    if (!begun) continue;
    say(t("The lesson begins."), false);
    await pause(Math.random() * begun.spread, signal);
    if (signal.aborted || (await join())) return;
    await lost(signal);
  }
}

/** One question at the door. @param {string} letters @param {AbortSignal} signal @returns {Promise<{spread: number}|null>} */
async function atTheDoor(letters, signal) {
  try {
    say(t("{name}, waiting with code {code}", { name: name.value.trim(), code: letters }), false);
    const response = await fetch(`/live/waiting/${letters}/?wait=${WAIT}`, { signal });
    if (response.status === 200) return await response.json();
    if (response.status === 204) return null;
  } catch {
    if (signal.aborted) return null;
  }
  await lost(signal);
  return null;
}

/** Say that the server is away, and give it time. @param {AbortSignal} signal */
async function lost(signal) {
  say(t("No connection to the server. Trying again."), true);
  await pause(PAUSE + Math.random() * PAUSE, signal);
}

/** @param {string} text @param {boolean} lost */
function say(text, lost) {
  const line = byId("waiting-state");
  line.classList.toggle("lost", lost);
  write(line, text);
}

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

try {
  name.value ||= localStorage.getItem(NAME_KEY) ?? "";
} catch {
  // nothing was kept
}
(tidy(code.value).length === CODE_LENGTH ? name : code).focus();
code.addEventListener("change", () => { code.value = tidy(code.value); });
code.addEventListener("paste", paste);
for (const field of ["code", "name"]) byId(field).addEventListener("input", () => complain(field, ""));
byId("join-form").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  if (check()) void join();
});
byId("again").addEventListener("click", () => void join());
for (const id of ["stop-waiting", "change"]) {
  byId(id).addEventListener("click", () => {
    show("join");
    code.focus();
  });
}
