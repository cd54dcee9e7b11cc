// The home page: code and name become a seat; when the lesson has not begun the page waits at its door.
// @ts-check

import { byId, write } from "../dom.js";
import { t } from "../i18n.js";

const CODE_LENGTH = 6;
const NAME_KEY = "lectern.name";
/** How long one question at the waiting door stays open, s; and the pause after a failed one, ms. */
const WAIT = 25;
const PAUSE = 3_000;

const csrf = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="csrf-token"]')).content;
const [code, name] = [byId("code"), byId("name")];
const submit = byId("join-form").querySelector('[type="submit"]');
/** @type {AbortController|null} while waiting */
let waiting = null;

/** Spaces and dashes are how people write six letters down. @param {string} text */
const tidy = (text) => text.replace(/[^0-9a-z]/gi, "").toUpperCase().slice(0, CODE_LENGTH);

/** @param {string} field  "code", "name", or "" for the form as a whole @param {string} message */
function complain(field, message) {
  const line = byId(field ? `${field}-wrong` : "wrong");
  line.hidden = message === "";
  write(line.querySelector("span"), message);
  if (!field) return;
  byId(field).setAttribute("aria-invalid", String(message !== ""));
  if (message) byId(field).focus();
}

function clearComplaints() {
  for (const field of ["", "code", "name"]) complain(field, "");
}

/** @returns {boolean} whether both fields can be sent */
function check() {
  clearComplaints();
  if (name.value.trim() === "") complain("name", t("Type the name that the class shall see."));
  if (tidy(code.value).length < CODE_LENGTH) complain("code", t("The code has six letters or digits."));
  return !document.querySelector('[aria-invalid="true"]');
}

/** @returns {Promise<void>} */
async function join() {
  submit.disabled = true;
  const { status, body } = await ask();
  submit.disabled = false;
  if (status === 201) return remember(body.lesson);
  if (body?.code === "not_live") return void wait(tidy(code.value));
  leaveWaiting();
  const message = body?.message ?? t("The server cannot be reached. Check your connection and try again.");
  if (body?.code === "unknown_code") complain("code", message);
  else complain("", message);
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

/** Stay at the door until a lesson begins. @param {string} letters */
async function wait(letters) {
  if (waiting) return;
  waiting = new AbortController();
  const { signal } = waiting;
  byId("join").hidden = true;
  byId("waiting").hidden = false;
  byId("waiting").querySelector("h1").focus();
  while (!signal.aborted) {
    const begun = await atTheDoor(letters, signal);
    if (!begun) continue;
    say(t("The lesson begins."), false);
    await pause(Math.random() * begun.spread, signal);
    if (!signal.aborted) {
      leaveWaiting();
      return join();
    }
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
  say(t("No connection to the server. Trying again."), true);
  await pause(PAUSE + Math.random() * PAUSE, signal);
  return null;
}

/** @param {string} text @param {boolean} lost */
function say(text, lost) {
  const line = byId("waiting-state");
  line.classList.toggle("lost", lost);
  write(line, text);
}

function leaveWaiting() {
  waiting?.abort();
  waiting = null;
  byId("waiting").hidden = true;
  byId("join").hidden = false;
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
for (const field of ["code", "name"]) byId(field).addEventListener("input", () => complain(field, ""));
byId("join-form").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  if (check()) void join();
});
byId("stop-waiting").addEventListener("click", () => {
  leaveWaiting();
  code.focus();
});
