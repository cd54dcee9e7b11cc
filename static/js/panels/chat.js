// The chat: what was said, what is on its way, and the field to say something; hands go up beside it.
// @ts-check

import { byId, el, icon, keyed, set, write } from "../dom.js";
import { t, tn } from "../i18n.js";
import { amStaff, lessonOf, mayChat } from "../tools/rights.js";
import { say } from "./announce.js";
import { everybody } from "./people.js";
import { watch } from "./watch.js";

/** @typedef {import("./people.js").Core & {tabs: import("./tabs.js").Tabs}} App */
/** @typedef {{key: string, seq: number|null, by: string, at: number, text: string}} Line */

/** Nearer to the end than this, the list goes on following it, CSS pixels. */
const NEAR_END = 60;

/** @param {App} app */
export function chat(app) {
  const { store, tabs } = app;
  const scroller = byId("chat");
  let seen = lastSeq(store);
  let first = true;
  const draw = () => {
    if (!store.shown) return;
    if (first) seen = lastSeq(store); // what was said before I came is not unread
    first = false;
    const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END;
    drawLines(app);
    if (tabs.on === "chat") {
      seen = lastSeq(store);
      if (atEnd) scroller.scrollTop = scroller.scrollHeight;
    }
    const unread = store.shown.chat.filter((post) => post.seq > seen && post.by !== store.me.id).length;
    tabs.badge("chat", unread, tn(unread, "{n} unread", "{n} unread"));
  };
  watch(store, ["chat", "pending", "people", "presence", "policy", "status"], draw);
  tabs.onShow(() => {
    draw();
    scroller.scrollTop = scroller.scrollHeight;
  });
  wireForm(app);
}

/** @param {import("../store.js").Store} store */
function lastSeq(store) {
  const posts = store.shown?.chat ?? [];
  return posts.length ? posts[posts.length - 1].seq : 0;
}

/** @param {App} app */
function drawLines(app) {
  const { store, session } = app;
  const names = everybody(app);
  const said = lessonOf(store).chat.map((post) => ({ key: String(post.seq), seq: post.seq, by: post.by ?? "", at: post.at, text: post.text }));
  const waiting = store.pending.filter((op) => op.kind === "chat.post").map((op) => ({ key: op.id, seq: null, by: store.me.id, at: 0, text: op.data.text }));
  /** @type {Line[]} */
  const lines = [...said, ...waiting];
  keyed(byId("messages"), lines, (line) => line.key, (line) => {
    const remove = el("button", { class: "quiet", type: "button", hidden: true, onclick: () => session.propose("chat.remove", { seq: line.seq }) }, icon("bin", "small"));
    return el("li", { class: "message" }, el("span", { class: "by" }), el("time"), el("p"), remove);
  }, (element, line) => {
    const name = names.get(line.by)?.name ?? t("Somebody");
    element.classList.toggle("pending", line.seq === null);
    write(/** @type {Element} */ (element.querySelector(".by")), name);
    write(/** @type {Element} */ (element.querySelector("time")), line.seq === null ? t("sending") : clockTime(line.at));
    write(/** @type {Element} */ (element.querySelector("p")), line.text);
    const remove = /** @type {HTMLElement} */ (element.querySelector("button"));
    remove.hidden = line.seq === null || !(amStaff(store) || line.by === store.me.id) || lessonOf(store).status === "ended";
    set(remove, "aria-label", t("Remove the message of {name}", { name }));
  });
  drawEmpty(store, lines.length === 0);
}

/** @param {import("../store.js").Store} store @param {boolean} none */
function drawEmpty(store, none) {
  const empty = byId("chat-empty");
  empty.hidden = !none;
  const key = mayChat(store) ? "open" : "shut";
  if (!none || empty.dataset.key === key) return;
  empty.dataset.key = key;
  const text = el("span");
  write(text, mayChat(store) ? t("Write the first message below. Everybody in the lesson reads it.") : t("The chat is paused. Raise your hand to be heard."));
  empty.replaceChildren(icon("chat"), text);
}

/** @param {number} at ms since 1970 */
const clockTime = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** @param {App} app */
function wireForm({ store, session, tabs }) {
  const [form, text, send] = [byId("say"), byId("say-text"), byId("say").querySelector('[type="submit"]')];
  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (words === "" || !mayChat(store)) return;
    session.propose("chat.post", { text: words });
    text.value = "";
    tabs.show("chat");
  });
  const raise = document.getElementById("raise");
  raise?.addEventListener("click", () => session.propose(handUp(store) ? "hand.lower" : "hand.raise", {}));
  let was = false;
  watch(store, ["policy", "people", "hands", "status"], () => {
    const open = mayChat(store);
    text.disabled = send.disabled = !open;
    text.placeholder = open || !store.shown ? t("Message to the class") : store.shown.status === "ended" ? t("The lesson has ended") : t("The chat is paused");
    if (!raise) return;
    const up = handUp(store);
    set(raise, "aria-pressed", String(up));
    write(/** @type {Element} */ (raise.querySelector(".spoken")), up ? t("Lower hand") : t("Raise hand"));
    raise.title = up ? t("Lower hand") : t("Raise hand");
    set(raise, "disabled", store.shown?.status === "ended");
    if (was && !up) say(t("Your hand is down."));
    was = up;
  });
}

/** @param {import("../store.js").Store} store */
const handUp = (store) => Boolean(store.shown?.hands.includes(store.me.id));
