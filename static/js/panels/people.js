// The people tab: who may draw, hands in order, who is here, who was removed.
// @ts-check

import { byId, el, icon, initials, keyed, set, write } from "../dom.js";
import { t, tn } from "../i18n.js";
import { readableOn } from "../render/colors.js";
import { amStaff, lessonOf, mayDraw, roleOf } from "../tools/rights.js";
import { say } from "./announce.js";
import { arrowKeys, mark } from "./radios.js";
import { found, known, possible, present, removed } from "./roster.js";
import { watch } from "./watch.js";

/** @typedef {import("./roster.js").Entry} Entry */
/** @typedef {{store: import("../store.js").Store, session: import("../session.js").Session}} Core */
/** @typedef {Core & {openPerson: (entry: Entry) => void, askReadmit: (id: string) => void, writers: import("./writers.js").Writers}} App */

/** So many rows at most: a room of 8,000 is searched, not scrolled. */
const ROWS = 200;

/** @param {App} app */
export function people(app) {
  const { store, session } = app;
  wireDraw(app);
  wireShut(app);
  wireFind(() => draw());
  document.getElementById("lower-all")?.addEventListener("click", () => {
    const { hands, called } = lessonOf(store);
    for (const participant of called === null ? hands : [called, ...hands]) session.propose("hand.lower", { participant });
  });
  const draw = () => {
    if (!store.shown) return;
    drawHands(app);
    drawHere(app);
    drawRemoved(app);
  };
  watch(store, ["people", "presence", "hands", "policy", "me", "status"], draw);
  app.writers.onChange(draw);
  byId("turn-done").addEventListener("click", () => session.propose("hand.lower", {}));
  announceHands(app);
}

/** @param {App} app */
function wireDraw({ store, session }) {
  const group = document.getElementById("draw-switch");
  if (!group) return;
  arrowKeys(group, "radio");
  group.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    const draw = /** @type {HTMLElement} */ (event.target).closest("button")?.dataset.draw;
    if (draw && draw !== store.shown?.policy.draw) session.propose("policy.set", { draw });
  });
  watch(store, ["policy"], () => {
    const draw = store.shown?.policy.draw;
    mark(group, (button) => button.dataset.draw === draw);
    byId("draw-hint").hidden = draw !== "chosen";
  });
}

/** @param {() => void} changed */
function wireFind(changed) {
  const [button, find] = [byId("find-button"), byId("find")];
  const input = find.querySelector("input");
  const toggle = (/** @type {boolean} */ open) => {
    find.hidden = !open;
    set(button, "aria-expanded", String(open));
    if (!open) input.value = "";
    changed();
    if (open) input.focus();
  };
  button.addEventListener("click", () => toggle(find.hidden));
  input.addEventListener("input", changed);
  input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    toggle(false);
    button.focus();
  });
}

/** @param {App} app */
function drawHands(app) {
  const { store, session } = app;
  const lesson = lessonOf(store);
  const names = everybody(app);
  const { called } = lesson;
  byId("turn").hidden = called !== store.me.id || lesson.status === "ended";
  byId("hands").hidden = lesson.hands.length === 0 && called === null;
  // Whose turn it is stands first; a hand that went up again meanwhile waits behind it.
  const waiting = lesson.hands.filter((id) => id !== called);
  const entries = /** @type {Entry[]} */ ([called, ...waiting].map((id) => names.get(id ?? "")).filter(Boolean));
  keyed(byId("hand-rows"), entries, (entry) => entry.id, (entry) => {
    const propose = (/** @type {string} */ kind) => () => session.propose(kind, { participant: entry.id });
    const call = el("button", { class: "btn", type: "button", "data-calls": true, onclick: propose("hand.call") }, t("Call on"));
    const lower = el("button", { class: "quiet", type: "button", "data-lowers": true, onclick: propose("hand.lower") }, icon("close"));
    return row(entry, el("span", { class: "place" }), penToggle(app, entry), amStaff(store) && call, amStaff(store) && lower);
  }, (element, entry) => {
    updateRow(store, element, entry);
    const speaks = entry.id === called, { label: name } = entry;
    const place = /** @type {HTMLElement} */ (element.querySelector(".place"));
    element.toggleAttribute("data-called", speaks);
    place.hidden = speaks;
    write(place, String(waiting.indexOf(entry.id) + 1));
    const away = session.presence.named && !session.presence.people.has(entry.id);
    if (speaks || away) write(/** @type {Element} */ (element.querySelector(".name small")), speaks ? t("called on") : t("away"));
    const [call, lower] = ["data-calls", "data-lowers"].map((mark) => /** @type {HTMLElement|null} */ (element.querySelector(`[${mark}]`)));
    if (!call || !lower) return;
    if (speaks && document.activeElement === call) lower.focus(); // what was pressed goes; the keyboard stays in the row
    call.hidden = speaks;
    set(call, "aria-label", t("Call on {name}", { name }));
    const words = speaks ? t("End the turn of {name}", { name }) : t("Lower the hand of {name}", { name });
    set(lower, "aria-label", words);
    set(lower, "title", words);
  });
}

/** @param {App} app */
function drawHere(app) {
  const { store, session } = app;
  const { count, named, people: here } = session.presence;
  const all = named ? present(here.keys(), everybody(app), lessonOf(store).people) : [];
  const shown = found(all, byId("find").querySelector("input").value);
  byId("here").hidden = false;
  write(byId("here-label"), t("Here, {n}", { n: count }));
  byId("find-button").hidden = all.length < 8 && byId("find").hidden;
  keyed(byId("people-rows"), shown.slice(0, ROWS), (entry) => entry.id, (entry) => {
    const more = el("button", { class: "quiet", type: "button", onclick: () => app.openPerson(everybody(app).get(entry.id) ?? entry) }, icon("more"));
    return row(entry, el("span", { class: "state" }), penToggle(app, entry), more);
  }, (element, entry) => {
    updateRow(store, element, entry);
    updateState(app, element, entry);
  });
  const empty = byId("people-empty");
  const words = emptyWords(store, named, all, shown);
  empty.hidden = words === "";
  write(/** @type {Element} */ (empty.querySelector("span")), words);
  const share = empty.querySelector("button");
  if (share) share.hidden = !named || all.length !== 1;
}

/** @param {import("../store.js").Store} store @param {boolean} named @param {Entry[]} all @param {Entry[]} shown */
function emptyWords(store, named, all, shown) {
  if (!named) return t("In a class this large, names are shown to the teachers only.");
  if (shown.length > ROWS) return t("And {n} more. Use Find to reach somebody.", { n: shown.length - ROWS });
  if (all.length > 0 && shown.length === 0) return t("Nobody here has a name like that.");
  if (all.length === 1 && amStaff(store)) return t("You are alone so far. Show your students how to join.");
  if (all.length === 1) return t("You are the first one here. Look through the pages, or draw on this one.");
  return "";
}

/** @param {App} app */
function drawRemoved(app) {
  const { store, askReadmit } = app;
  const gone = amStaff(store) ? removed(everybody(app), lessonOf(store).people) : [];
  byId("removed").hidden = gone.length === 0;
  keyed(byId("removed-rows"), gone, (entry) => entry.id, (entry) => {
    const back = el("button", { class: "btn", type: "button", onclick: () => askReadmit(entry.id) }, t("Readmit"));
    const element = row(entry, back);
    element.classList.add("gone");
    return element;
  }, (element, entry) => {
    updateRow(store, element, entry);
    set(/** @type {Element} */ (element.querySelector(".btn")), "aria-label", t("Readmit {name}", { name: entry.label }));
  });
}

/** Staff see what is shut for students, the door and the chat, and open it. @param {App} app */
function wireShut({ store, session }) {
  const shut = /** @type {[string, (policy: import("../lesson_state.js").Policy) => boolean, Record<string, unknown>][]} */ ([
    ["door-hint", ({ door }) => door === "locked", { door: "open" }],
    ["chat-hint", ({ chat }) => !chat, { chat: true }],
  ]);
  for (const [id, is, opens] of shut) {
    const hint = document.getElementById(id);
    if (!hint) continue;
    hint.querySelector("button")?.addEventListener("click", () => session.propose("policy.set", opens));
    watch(store, ["policy", "status"], () => {
      hint.hidden = !store.shown || store.shown.status === "ended" || !is(store.shown.policy);
    });
  }
}

/** @param {Entry} entry @param {...(Node|false|null)} rest @returns {HTMLElement} */
function row(entry, ...rest) {
  const avatar = el("span", { class: "avatar", "aria-hidden": "true" });
  avatar.style.setProperty("--c", entry.color);
  avatar.style.setProperty("--c-ink", readableOn(entry.color));
  return el("li", { class: "row" }, avatar, el("span", { class: "name" }, el("span"), el("i"), el("small")), ...rest);
}

/** @param {import("../store.js").Store} store @param {HTMLElement} element @param {Entry} entry */
function updateRow(store, element, entry) {
  write(/** @type {Element} */ (element.querySelector(".avatar")), initials(entry.name));
  const name = /** @type {HTMLElement} */ (element.querySelector(".name span"));
  write(name, entry.name);
  set(name, "title", entry.label);
  write(/** @type {Element} */ (element.querySelector(".name i")), entry.mark);
  const role = entry.id === store.me.id ? t("you") : entry.role === "instructor" ? t("instructor") : entry.role === "assistant" ? t("assistant") : "";
  write(/** @type {Element} */ (element.querySelector(".name small")), role);
  const pen = /** @type {HTMLElement|null} */ (element.querySelector("[data-allows]"));
  if (!pen) return;
  const { policy } = lessonOf(store);
  const chosen = policy.chosen.includes(entry.id);
  pen.hidden = policy.draw !== "chosen";
  set(pen, "aria-pressed", String(chosen));
  set(pen, "aria-label", t("Let {name} draw", { name: entry.label }));
}

/** @param {App} app @param {HTMLElement} element @param {Entry} entry */
function updateState({ store, writers }, element, entry) {
  const { hands, called } = lessonOf(store);
  const hand = called === entry.id ? t("called on") : hands.includes(entry.id) ? t("hand up") : "";
  write(/** @type {Element} */ (element.querySelector(".state")), writers.now.has(entry.id) ? t("drawing") : hand);
  const more = /** @type {HTMLElement} */ (element.querySelector(".quiet:not([data-allows])"));
  const { rename, remove } = possible({ id: store.me.id, role: roleOf(store, store.me.id) ?? "student" }, entry, lessonOf(store).people);
  more.hidden = lessonOf(store).status === "ended" || (!rename && !remove);
  set(more, "aria-label", t("More about {name}", { name: entry.label }));
}

/** The pen beside a name: one press lets this person draw, or no longer. @param {App} app @param {Entry} entry */
function penToggle({ store, session }, entry) {
  if (!amStaff(store) || entry.role !== "student") return null;
  return el("button", { class: "quiet", type: "button", "data-allows": true, hidden: true, onclick: () => {
    session.propose("draw.allow", { participant: entry.id, allowed: !lessonOf(store).policy.chosen.includes(entry.id) });
  } }, icon("pen"));
}

/** @type {import("../store.js").Topic[]} */
const NAMING = ["people", "presence", "me"];

/** What is known of everybody, until something of it changes. @type {WeakMap<import("../store.js").Store, Map<string, Entry>|null>} */
const lists = new WeakMap();

/** @param {Core} app @returns {ReadonlyMap<string, Entry>} everybody known: here or not */
export function everybody({ store, session }) {
  const list = lists.get(store);
  if (list) return list;
  if (list === undefined) {
    store.subscribe(({ topics }) => {
      if (NAMING.some((topic) => topics.has(topic))) lists.set(store, null);
    });
  }
  const all = known(session.presence.people, store.shown?.people ?? new Map(), store.me);
  lists.set(store, all);
  return all;
}

/** How somebody is named everywhere. @param {Core} app @param {string|null|undefined} id */
export const nameOf = (app, id) => everybody(app).get(id ?? "")?.label ?? t("Somebody");

/** Say whose turn it is, to everybody; who raised a hand, to staff; that it was lowered, to whose it is. @param {App} app */
function announceHands(app) {
  const { store } = app;
  const me = store.me.id;
  let before = new Set(store.shown?.hands ?? []);
  /** @type {string|null} */
  let spoke = null;
  watch(store, ["hands"], () => {
    if (!store.shown) return;
    const now = new Set(store.shown.hands), { called } = store.shown;
    if (called !== spoke) say(turnWords(app, called, spoke));
    else if (before.has(me) && !now.has(me)) say(t("Your hand is down."));
    spoke = called;
    const raised = [...now].filter((id) => !before.has(id) && id !== store.me.id);
    if (amStaff(store) && raised.length > 0) {
      const name = nameOf(app, raised[raised.length - 1]);
      say(`${t("{name} raised a hand.", { name })} ${tn(now.size, "{n} hand up.", "{n} hands up.")}`);
    }
    before = now;
  });
}

/** To whom is called on and may not draw. */
export const closedTurn = () => t("You are called on to speak. You cannot draw now.");

/** @param {App} app @param {string|null} called @param {string|null} before */
function turnWords(app, called, before) {
  const { id: me } = app.store.me;
  if (called === me) return mayDraw(app.store) ? t("You are called on.") : closedTurn();
  if (called !== null) return t("It is the turn of {name}.", { name: nameOf(app, called) });
  return before === me ? t("Your turn is over.") : t("Nobody is called on any more.");
}
