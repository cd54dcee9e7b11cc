// The bar: the lesson's name, hands that wait, how many are here.
// @ts-check

import { byId, write } from "../dom.js";
import { tn } from "../i18n.js";
import { watch } from "./watch.js";

/** @param {{store: import("../store.js").Store, session: import("../session.js").Session, tabs: import("./tabs.js").Tabs}} app */
export function bar({ store, session, tabs }) {
  const [title, hands, here] = [byId("title"), byId("hands-chip"), byId("here-chip")];
  hands.addEventListener("click", () => {
    tabs.show("people");
    byId("people").scrollTop = 0;
    byId("people").focus();
  });
  watch(store, ["hands", "presence", "pages", "status"], () => {
    const lesson = store.shown;
    if (lesson?.title) write(title, lesson.title);
    const up = lesson?.hands.length ?? 0;
    hands.hidden = up === 0;
    write(hands.querySelector("b"), String(up));
    write(hands.querySelector(".word"), tn(up, "hand", "hands"));
    tabs.badge("people", up, tn(up, "{n} hand up", "{n} hands up"));
    here.toggleAttribute("data-early", session.presence.count === 0);
    write(here.querySelector("b"), String(session.presence.count));
  });
}
