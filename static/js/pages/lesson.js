// The lesson page: takes the pass, shows the board, then brings the tools and panels around it. Nothing is decided here.
// @ts-check

import { byId } from "../dom.js";
import { t } from "../i18n.js";
import { Session } from "../session.js";
import { Store } from "../store.js";
import { showCard } from "../panels/over.js";
import { slideText } from "../panels/slide_text.js";
import { Board, layersOfPage } from "../render/board.js";
import { amStaff, mayChange } from "../tools/rights.js";

const csrf = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="csrf-token"]')).content;

/** The pass that the page brought; staff who open the page first ask for theirs. @returns {Promise<any>} null when it is refused (said on the page) */
async function takePass() {
  const brought = JSON.parse(byId("pass").textContent ?? "null");
  if (brought) return brought;
  const asked = { method: "POST", headers: { "X-CSRFToken": csrf, "Content-Type": "application/json" }, body: "{}" };
  const response = await fetch(`/api/lessons/${document.body.dataset.lesson}/join/`, asked).catch(() => null);
  const answer = await response?.json().catch(() => null);
  if (response?.ok) return answer;
  byId("link-chip").hidden = true;
  showCard(answer?.code ?? "shut", { message: answer?.message ?? t("The server did not answer. Wait a moment and try again."), board: false });
  return null;
}

/** @param {any} pass */
async function open(pass) {
  const store = new Store(pass.participant);
  const session = new Session({ pass, store, csrf });
  /** Who somebody is: nobody is tagged before the list of people is there. @type {(id: string) => import("../panels/roster.js").Entry|null} */
  let person = () => null;
  const board = new Board({
    ...layersOfPage(),
    store,
    person: (id) => person(id),
    onSlide: slideText({ store }),
    mayChange: (by, item) => mayChange(store, by, item),
    within: amStaff(store) ? 300 : undefined,
  });
  session.onSignals((signals) => board.receive(signals, session.pace));
  session.start();
  // The slide is what everybody waits for. What stands around it is fetched in its shadow (`modulepreload`).
  const furniture = await import("../panels/furniture.js").catch(() => null);
  if (furniture === null) return showCard("shut", { message: t("The page did not come whole. Check your connection and try again."), board: false });
  person = furniture.furnish({ store, session, board });
  // For the operator's console and the browser stories, which wait for states and compare digests. Pages read nothing here.
  Object.assign(window, { lectern: { session, store } });
}

const pass = await takePass();
if (pass) await open(pass);
