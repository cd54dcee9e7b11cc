// The chat: what was said, what is on its way, who answers whom, and the field to say something; hands go up beside it.
// @ts-check

import { byId, el, icon, keyed, set, write } from "../dom.js";
import { t, tn } from "../i18n.js";
import { KEPT_POSTS } from "../lesson_state.js";
import { amStaff, lessonOf, mayChat } from "../tools/rights.js";
import { close, open } from "./dialogs.js";
import { nameOf } from "./people.js";
import { keepPlace } from "./place.js";
import { watch } from "./watch.js";

/** @typedef {import("./people.js").Core & {tabs: import("./tabs.js").Tabs}} App */
/** @typedef {{key: string, seq: number|null, by: string, at: number, text: string, reply: number|null}} Line */

/** So much of an answered message is shown, characters. */
const EXCERPT = 80;
/** Unread messages are counted this far. */
const MANY = 99;

/** @param {App} app */
export function chat(app) {
  const { store, tabs } = app;
  let seen = lastSeq(store);
  let first = true;
  const form = wireForm(app);
  const ask = wireRemove(app);
  const place = keepPlace(byId("chat"), byId("messages"), form.aim);
  const draw = () => {
    if (!store.shown) return;
    if (first) seen = lastSeq(store); // what was said before I came is not unread
    first = false;
    drawLines(app, { reply: form.reply, remove: ask });
    form.draw();
    if (tabs.on === "chat") seen = lastSeq(store);
    const unread = store.shown.chat.filter((post) => post.seq > seen && post.by !== store.me.id).length;
    tabs.badge("chat", unread > MANY ? `${MANY}+` : unread, tn(unread, "{n} unread", "{n} unread"));
  };
  watch(store, ["chat", "pending", "people", "presence", "policy", "status"], draw);
  tabs.onShow(() => {
    draw();
    place.toEnd();
  });
  walkByArrows(byId("messages"));
}

/** @param {import("../store.js").Store} store */
function lastSeq(store) {
  const posts = store.shown?.chat ?? [];
  return posts.length ? posts[posts.length - 1].seq : 0;
}

/** @param {App} app @param {{reply: (seq: number) => void, remove: (seq: number) => void}} acts */
function drawLines(app, acts) {
  const { store } = app;
  const { chat: posts, status } = lessonOf(store);
  const bySeq = new Map(posts.map((post) => [post.seq, post]));
  const said = posts.map((post) => ({ ...post, key: String(post.seq), by: post.by ?? "" }));
  const waiting = store.pending.filter((op) => op.kind === "chat.post").map((op) => ({ key: op.id, seq: null, by: store.me.id, at: 0, text: op.data.text, reply: op.data.reply ?? null }));
  /** @type {Line[]} */
  const lines = [...said, ...waiting];
  const [staff, open] = [amStaff(store), mayChat(store)];
  byId("chat-limit").hidden = posts.length < KEPT_POSTS;
  keyed(byId("messages"), lines, (line) => line.key, (line) => make(line, acts), (element, line) => {
    const name = nameOf(app, line.by);
    element.classList.toggle("pending", line.seq === null);
    write(part(element, ".by"), name);
    write(part(element, "time"), line.seq === null ? t("sending") : clockTime(line.at));
    write(part(element, ".text"), line.text);
    const quote = /** @type {HTMLElement|null} */ (element.querySelector(".quote"));
    if (quote && line.reply !== null) {
      const to = bySeq.get(line.reply);
      quote.toggleAttribute("disabled", !to);
      write(quote, to ? `${nameOf(app, to.by)}: ${excerpt(to.text)}` : t("A message that is no longer here"));
    }
    const [reply, remove] = [part(element, "[data-replies]"), part(element, "[data-removes]")];
    reply.hidden = line.seq === null || !open;
    set(reply, "aria-label", t("Answer {name}", { name }));
    remove.hidden = line.seq === null || !(staff || line.by === store.me.id) || status === "ended";
    set(remove, "aria-label", t("Remove the message of {name}", { name }));
  });
  drawEmpty(store, lines.length === 0);
}

/** @param {Line} line @param {{reply: (seq: number) => void, remove: (seq: number) => void}} acts @returns {HTMLElement} */
function make({ seq, reply }, acts) {
  const act = (/** @type {string} */ mark, /** @type {string} */ picture, /** @type {string} */ title, /** @type {(seq: number) => void} */ does) =>
    el("button", { class: "quiet", type: "button", [mark]: true, title, hidden: true, onclick: () => seq !== null && does(seq) }, icon(picture, "small"));
  return el("li", { class: "message", tabindex: -1 },
    el("span", { class: "by", dir: "auto" }), el("time"),
    reply !== null && el("button", { class: "quote", type: "button", dir: "auto", onclick: () => show(reply) }),
    el("p", { class: "text", dir: "auto" }),
    el("span", { class: "acts" }, act("data-replies", "reply", t("Answer"), acts.reply), act("data-removes", "bin", t("Remove"), acts.remove)));
}

/** @param {Element} element @param {string} which @returns {HTMLElement} */
const part = (element, which) => /** @type {HTMLElement} */ (element.querySelector(which));

/** The beginning of a message, in one line; a letter of several code points is not cut. @param {string} text */
function excerpt(text) {
  const line = text.replace(/\s+/g, " ").trim();
  if (line.length <= EXCERPT) return line;
  return `${line.slice(0, EXCERPT).replace(/[\p{M}\p{Cf}\p{Cs}]+$/u, "")}…`;
}

/** Go to a message. @param {number} seq */
function show(seq) {
  const message = /** @type {HTMLElement|null} */ (byId("messages").querySelector(`[data-key="${seq}"]`));
  message?.focus();
  message?.scrollIntoView({ block: "nearest" });
}

/** One stop for Tab among all messages: arrows go from one to the next. @param {HTMLElement} list */
function walkByArrows(list) {
  const STEPS = new Map([["ArrowUp", -1], ["ArrowDown", 1], ["Home", -Infinity], ["End", Infinity]]);
  const stopAt = (/** @type {Element|null} */ one) => {
    for (const message of list.children) /** @type {HTMLElement} */ (message).tabIndex = message === one ? 0 : -1;
  };
  list.addEventListener("focusin", (event) => stopAt(/** @type {Element} */ (event.target).closest(".message")));
  list.addEventListener("keydown", (event) => {
    const step = STEPS.get(event.key), here = /** @type {Element} */ (event.target).closest(".message");
    if (step === undefined || !here) return;
    event.preventDefault();
    const at = [...list.children].indexOf(here);
    /** @type {HTMLElement} */ (list.children[Math.max(0, Math.min(list.children.length - 1, at + step))]).focus();
  });
  // Until somebody was there, the newest is the stop.
  new MutationObserver(() => {
    if (!list.contains(document.activeElement)) stopAt(list.lastElementChild);
  }).observe(list, { childList: true });
}

/** @param {import("../store.js").Store} store @param {boolean} none */
function drawEmpty(store, none) {
  const empty = byId("chat-empty");
  empty.hidden = !none;
  const key = store.ended ? "ended" : mayChat(store) ? "open" : "shut";
  if (!none || empty.dataset.key === key) return;
  empty.dataset.key = key;
  const text = el("span");
  if (store.ended) write(text, t("Nobody wrote anything in this lesson."));
  else write(text, mayChat(store) ? t("Write the first message below. Everybody in the lesson reads it.") : t("The chat is paused. Raise your hand to be heard."));
  empty.replaceChildren(icon("chat"), text);
}

/** @param {number} at ms since 1970 */
const clockTime = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** One's own message goes at once; another's after a question. @param {App} app @returns {(seq: number) => void} */
function wireRemove(app) {
  const { store, session } = app;
  /** @type {number|null} */
  let about = null;
  document.getElementById("remove-post-now")?.addEventListener("click", () => {
    if (about !== null) session.propose("chat.remove", { seq: about });
    close("remove-post");
  });
  return (seq) => {
    const post = lessonOf(store).chat.find((one) => one.seq === seq);
    if (!post) return;
    if (post.by === store.me.id) {
      session.propose("chat.remove", { seq });
      byId("say-text").focus(); // its button goes with the message
      return;
    }
    about = seq;
    write(byId("remove-post-title"), t("Remove the message of {name}?", { name: nameOf(app, post.by) }));
    write(byId("remove-post-text"), excerpt(post.text));
    open("remove-post");
  };
}

/** @param {App} app @returns {{reply: (seq: number) => void, draw: () => void, aim: () => void}} `aim`: bring what is being answered into view */
function wireForm(app) {
  const { store, session, tabs } = app;
  const [form, text, send, bar] = [byId("say"), byId("say-text"), byId("say").querySelector('[type="submit"]'), byId("reply")];
  /** @type {number|null} the message that is being answered */
  let answers = null;
  const drawBar = () => {
    const post = mayChat(store) ? store.shown?.chat.find(({ seq }) => seq === answers) : undefined;
    if (!post) answers = null;
    bar.hidden = !post;
    if (post) write(bar.querySelector("span"), t("To {name}: {text}", { name: nameOf(app, post.by), text: excerpt(post.text) }));
  };
  const aim = () => {
    if (answers !== null) byId("messages").querySelector(`[data-key="${answers}"]`)?.scrollIntoView({ block: "nearest" });
  };
  const answer = (/** @type {number|null} */ seq) => {
    answers = seq;
    drawBar(); // it takes room
    aim();
    text.focus();
  };
  byId("reply-off").addEventListener("click", () => answer(null));
  text.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape" && answers !== null) answer(null);
  });
  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (words === "" || !mayChat(store)) return;
    session.propose("chat.post", answers === null ? { text: words } : { text: words, reply: answers });
    text.value = "";
    answers = null;
    drawBar();
    tabs.show("chat");
  });
  const raise = document.getElementById("raise");
  raise?.addEventListener("click", () => session.propose(handUp(store) ? "hand.lower" : "hand.raise", {}));
  const draw = () => {
    const open = mayChat(store);
    text.disabled = send.disabled = !open;
    text.placeholder = open || !store.shown ? t("Message to the class") : store.shown.status === "ended" ? t("The lesson has ended") : t("The chat is paused");
    drawBar();
    if (!raise) return;
    const up = handUp(store);
    set(raise, "aria-pressed", String(up));
    write(/** @type {Element} */ (raise.querySelector(".spoken")), up ? t("Lower hand") : t("Raise hand"));
    raise.title = up ? t("Lower hand") : t("Raise hand");
    set(raise, "disabled", store.shown?.status === "ended");
  };
  watch(store, ["hands"], draw);
  return { reply: answer, draw, aim };
}

/** @param {import("../store.js").Store} store */
const handUp = (store) => Boolean(store.shown?.hands.includes(store.me.id));
