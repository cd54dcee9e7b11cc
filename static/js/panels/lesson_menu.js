// The menu of the lesson: door, chat, own name, the end.
// @ts-check

import { byId, swapIcon, write } from "../dom.js";
import { t } from "../i18n.js";
import { close } from "./dialogs.js";
import { everybody } from "./people.js";
import { watch } from "./watch.js";

/** @param {{store: import("../store.js").Store, session: import("../session.js").Session, rename: (entry: import("./roster.js").Entry) => void}} app */
export function lessonMenu({ store, session, rename }) {
  byId("rename-me").addEventListener("click", () => rename(/** @type {import("./roster.js").Entry} */ (everybody({ store, session }).get(store.me.id))));
  document.getElementById("end-now")?.addEventListener("click", () => {
    session.propose("lesson.end", {});
    close("end-lesson");
  });
  const [door, pause] = [document.getElementById("door"), document.getElementById("pause-chat")];
  if (!door || !pause) return;
  door.addEventListener("click", () => session.propose("policy.set", { door: store.shown?.policy.door === "locked" ? "open" : "locked" }));
  pause.addEventListener("click", () => session.propose("policy.set", { chat: !store.shown?.policy.chat }));
  watch(store, ["policy"], () => {
    const policy = store.shown?.policy;
    if (!policy) return;
    const locked = policy.door === "locked";
    write(/** @type {Element} */ (door.querySelector("span")), locked ? t("Unlock the door") : t("Lock the door: nobody new comes in"));
    swapIcon(door, locked ? "unlock" : "lock");
    write(/** @type {Element} */ (pause.querySelector("span")), policy.chat ? t("Pause the chat for students") : t("Open the chat again"));
  });
}
