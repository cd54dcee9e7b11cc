// What can be done with one person: draw, hand, name, ink, remove; each step that hurts asks first.
// @ts-check

import { byId, el, icon, initials, write } from "../dom.js";
import { t } from "../i18n.js";
import { readableOn } from "../render/colors.js";
import { amStaff, lessonOf, roleOf } from "../tools/rights.js";
import { say } from "./announce.js";
import { close, open } from "./dialogs.js";
import { numberOf } from "./pager.js";
import { everybody } from "./people.js";
import { possible } from "./roster.js";

/** @typedef {import("./roster.js").Entry} Entry */

/**
 * @param {{store: import("../store.js").Store, session: import("../session.js").Session}} app
 * @returns {{open: (entry: Entry) => void, rename: (entry: Entry) => void, askReadmit: (id: string) => void}}
 */
export function person(app) {
  const { store, session } = app;
  /** @type {Entry|null} whom the dialogs are about */
  let about = null;
  /** @type {string|null} the page whose ink is asked about: the class may turn it meanwhile */
  let page = null;

  byId("rename-form").addEventListener("submit", () => {
    const name = byId("rename-name").value.trim();
    if (about && name && name !== about.name) session.propose("person.change", { participant: about.id, name });
  });
  document.getElementById("remove-now")?.addEventListener("click", () => {
    if (about) session.propose("person.remove", { participant: about.id });
    close("remove-person");
  });

  document.getElementById("clear-ink-now")?.addEventListener("click", () => {
    if (about && page !== null && hasInk(about, page)) session.propose("page.clear", { page, only: about.id });
    close("clear-ink");
  });

  document.getElementById("readmit-now")?.addEventListener("click", () => {
    if (about) session.propose("person.readmit", { participant: about.id });
    close("readmit-person");
  });

  /** @param {string} id */
  function askReadmit(id) {
    about = everybody(app).get(id) ?? null;
    if (!about) return;
    write(byId("readmit-title"), t("Let {name} in again?", { name: about.label }));
    open("readmit-person");
  }

  /** What somebody drew last on a page, all of one gesture's event, with its seq. @param {Entry} entry @param {string|null} on */
  function lastOf(entry, on) {
    const board = on === null ? undefined : store.lesson?.boards.get(on);
    const alive = [...(board?.items ?? [])].filter(([, item]) => item.by === entry.id && item.fields.get("alive")?.[0]);
    const seq = Math.max(0, ...alive.map(([, item]) => item.seq));
    return { seq, ids: alive.filter(([, item]) => item.seq === seq).map(([id]) => id) };
  }

  /** Staff take back for somebody (board.md section 7): the inverse, guarded by that event. @param {Entry} entry */
  function undoFor(entry) {
    const { seq, ids } = lastOf(entry, store.page);
    if (store.page === null || !ids.length) return;
    session.propose("board.edit", { page: store.page, edits: ids.map((id) => ["remove", id]), guard: seq });
    say(t("Taken back: the last drawing of {name}.", { name: entry.label }));
  }

  /** @param {Entry} entry @param {string|null} on */
  const hasInk = (entry, on) => on !== null && store.items(on).some(({ by, kept }) => by === entry.id && !kept);

  /** @param {Entry} entry */
  function rename(entry) {
    about = entry;
    byId("rename-name").value = entry.name;
    open("rename");
    byId("rename-name").select();
  }

  /** @param {Entry} entry */
  function askRemove(entry) {
    about = entry;
    write(byId("remove-title"), t("Remove {name}?", { name: entry.label }));
    open("remove-person");
  }

  /** @param {Entry} entry */
  function askClear(entry) {
    about = entry;
    page = store.page;
    if (page === null) return;
    write(byId("clear-ink-title"), t("Clear {name}’s ink on page {n}?", { name: entry.label, n: numberOf(lessonOf(store), page) }));
    open("clear-ink");
  }

  /** @param {Entry} entry */
  function choices(entry) {
    const { policy, hands, called, people } = lessonOf(store);
    const { rename: mayRename, remove, allow } = possible({ id: store.me.id, role: roleOf(store, store.me.id) ?? "student" }, entry, people);
    const chosen = policy.chosen.includes(entry.id);
    return [
      allow && policy.draw === "chosen" && choice("pen", chosen ? t("Stop drawing") : t("Let draw"), () => session.propose("draw.allow", { participant: entry.id, allowed: !chosen })),
      allow && called !== entry.id && choice("hand", t("Call on"), () => session.propose("hand.call", { participant: entry.id })),
      allow && (called === entry.id || hands.includes(entry.id)) && choice("close", called === entry.id ? t("End the turn") : t("Lower the hand"), () => session.propose("hand.lower", { participant: entry.id })),
      mayRename && choice("person", t("Change name"), () => rename(entry), true),
      amStaff(store) && lessonOf(store).status !== "ended" && hasInk(entry, store.page) && choice("undo", t("Undo their last drawing"), () => undoFor(entry)),
      amStaff(store) && lessonOf(store).status !== "ended" && hasInk(entry, store.page) && choice("bin", t("Clear their ink on this page"), () => askClear(entry), true),
      remove && choice("leave", t("Remove from the lesson"), () => askRemove(entry), true, "danger"),
    ].filter(Boolean);
  }

  return {
    rename,
    askReadmit,
    open: (entry) => {
      write(byId("person-title"), entry.label);
      const avatar = byId("person-avatar");
      write(avatar, initials(entry.name));
      avatar.style.setProperty("--c", entry.color);
      avatar.style.setProperty("--c-ink", readableOn(entry.color));
      byId("person-menu").replaceChildren(...choices(entry));
      open("person");
    },
  };
}

/** @param {string} picture @param {string} words @param {() => void} act @param {boolean} [goesOn]  opens another dialog @param {string} [tone] */
function choice(picture, words, act, goesOn = false, tone = "") {
  return el("button", { class: `item ${tone}`.trim(), type: "button", onclick: () => {
    if (!goesOn) close("person");
    act();
  } }, icon(picture), words);
}
