// The keys: a map of them behind `?`, F6 from part to part, and the switch for those that are a single letter.
// @ts-check

import { byId, el, set, write } from "../dom.js";
import { t } from "../i18n.js";
import { amStaff, lessonOf, mayChat } from "../tools/rights.js";
import { say } from "./announce.js";
import { open } from "./dialogs.js";

/** @typedef {{store: import("../store.js").Store, session: import("../session.js").Session, toolbox: import("../tools/toolbox.js").Toolbox, tabs: import("./tabs.js").Tabs}} App */

const KEPT = "lectern.letters";
/** The parts of the page, in the order in which F6 goes through them. */
const PARTS = [".bar", ".film", "#pager", "#board", "#tools", ".panel"];
const FOCUSABLE = "button, a[href], input, textarea, [tabindex]";

/** @param {App} app @param {Storage|null} storage  null where the browser keeps nothing */
export function keys(app, storage) {
  const { toolbox } = app;
  const letters = new Letters(storage);
  const choice = byId("letters");
  const draw = () => {
    choice.checked = letters.on;
    document.body.toggleAttribute("data-no-letters", !letters.on);
    for (const { name, key } of toolbox.tools) {
      const button = byId("tools").querySelector(`[data-name="${name}"]`);
      if (button) set(button, "aria-keyshortcuts", letters.on ? key : null);
    }
  };
  choice.addEventListener("change", () => {
    letters.set(choice.checked);
    draw();
  });
  toolbox.onChange(draw);
  draw();
  fill(app);
  byId("keys").addEventListener("toggle", () => fill(app));
  byId("board").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => onBoard(event, app, letters.on), true);
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || /** @type {Element} */ (event.target).closest("dialog")) return;
    if (event.key === "F6" && !event.ctrlKey && !event.altKey && !event.metaKey) goOn(event);
    else if (event.key === "?" && letters.on && !writing(event.target)) showMap(event);
  });
}

/** Whether keys that are a single letter act at all (WCAG 2.1.4): a choice of this browser. */
class Letters {
  /** @param {Storage|null} storage */
  constructor(storage) {
    this.storage = storage;
    this.on = true;
    try {
      this.on = storage?.getItem(KEPT) !== "off";
    } catch {
      // nothing is kept here: they are on
    }
  }

  /** @param {boolean} on */
  set(on) {
    this.on = on;
    try {
      this.storage?.setItem(KEPT, on ? "on" : "off");
    } catch {
      // a full or forbidden storage: remembered until the page closes
    }
  }
}

/** A field in which `?` is a letter like any other. @param {EventTarget|null} target */
const writing = (target) => target instanceof Element && target.closest("input, textarea") !== null;

/** Comes before all who listen for letters. @param {KeyboardEvent} event @param {App} app @param {boolean} letters */
function onBoard(event, { store, session, tabs }, letters) {
  if (event.target !== event.currentTarget || event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!letters) return event.stopImmediatePropagation();
  const key = event.key.toLowerCase();
  if (key === "c" && mayChat(store)) {
    tabs.show("chat");
    byId("say-text").focus();
  } else if (key === "r" && store.shown && lessonOf(store).status !== "ended" && !amStaff(store)) {
    const up = lessonOf(store).hands.includes(store.me.id);
    session.propose(up ? "hand.lower" : "hand.raise", {});
    if (!up) say(t("Your hand is up."));
  } else return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** @param {KeyboardEvent} event */
function showMap(event) {
  event.preventDefault();
  open("keys");
}

/** To the next part of the page that is shown, with Shift to the one before. @param {KeyboardEvent} event */
function goOn(event) {
  event.preventDefault();
  const parts = PARTS.map((part) => /** @type {HTMLElement} */ (document.querySelector(part)));
  const here = parts.findIndex((part) => part.contains(document.activeElement));
  const step = event.shiftKey ? -1 : 1;
  const begin = here < 0 && step < 0 ? 0 : here;
  for (let n = 1; n <= parts.length; n += 1) {
    const stop = stopIn(parts[(begin + n * step + 2 * parts.length) % parts.length]);
    if (!stop) continue;
    stop.focus();
    return;
  }
}

/** Where Tab would stop first. @param {HTMLElement} part @returns {HTMLElement|undefined} */
function stopIn(part) {
  const all = /** @type {HTMLElement[]} */ ([part, ...part.querySelectorAll(FOCUSABLE)]);
  return all.find((one) => one.tabIndex >= 0 && one.matches(FOCUSABLE) && !one.matches(":disabled") && seen(one));
}

/** @param {Element} one */
const seen = (one) => one.getClientRects().length > 0 && getComputedStyle(one).visibility === "visible";

/** @typedef {[string[], string]} Row  keys, and what they do */

/** @param {App} app */
function fill({ store, toolbox }) {
  const staff = amStaff(store);
  /** @type {[string, (Row|false)[]][]} */
  const map = [
    [t("Everywhere"), [
      [["?"], t("This map")],
      [["F6"], t("On to the next part of the page; with Shift, back")],
      [["Page Up", "Page Down"], staff ? t("Turn the page for the class") : t("Look at the page before or after")],
      [["Ctrl Z", "Ctrl Shift Z"], t("Undo, redo")],
      [["Esc"], t("Close, cancel, leave")],
    ]],
    [t("On the board"), [
      ...toolbox.tools.map(({ key, label }) => /** @type {Row} */ ([[key.toUpperCase()], label])),
      !staff && [["R"], t("Raise or lower your hand")],
      [["C"], t("Write to the class")],
      [["←", "→"], t("Turn the page, unless the tool places something")],
    ]],
    [t("Placing a shape, a text or a note"), [
      [["←", "↑", "→", "↓"], t("Move the crosshair; with Shift, further")],
      [["Enter"], t("Set a corner; begin to write")],
      [["Ctrl Enter"], t("Finish writing")],
    ]],
    [t("Select"), [
      [["Tab"], t("The next thing on the page; with Shift, the one before")],
      [["←", "↑", "→", "↓"], t("Move it; with Shift, further")],
      [["+", "-"], t("Larger, smaller")],
      [["[", "]"], t("To the back, to the front")],
      [["Enter"], t("Colours and more")],
      [["Delete"], t("Delete it")],
    ]],
    [t("In a list"), [
      [["↑", "↓"], t("From page to page, from message to message")],
      staff && [["Alt ↑", "Alt ↓"], t("Move the page")],
      staff && [["F2"], t("Give the page a title")],
    ]],
  ];
  byId("keys-map").replaceChildren(...map.map(([title, rows]) => {
    const heading = el("h3");
    write(heading, title);
    return el("section", {}, heading, el("dl", {}, .../** @type {Row[]} */ (rows.filter(Boolean)).map(([pressed, does]) =>
      el("div", {}, el("dt", {}, ...pressed.map((key) => el("kbd", {}, key))), el("dd", {}, does)))));
  }));
}
