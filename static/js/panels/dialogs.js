// Dialogs of the template: opened by `data-opens`, closed by `data-closes`, Escape, or a press beside them.
// @ts-check

import { byId } from "../dom.js";

/** @param {string} id */
export function open(id) {
  for (const other of document.querySelectorAll("dialog[open]")) /** @type {HTMLDialogElement} */ (other).close();
  const dialog = byId(id);
  if (!dialog.open) dialog.showModal();
}

/** @param {string} id */
export function close(id) {
  byId(id).close();
}

export function wireDialogs() {
  document.addEventListener("click", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const opener = target.closest("[data-opens]");
    if (opener) open(/** @type {HTMLElement} */ (opener).dataset.opens ?? "");
    else if (target.closest("[data-closes]")) target.closest("dialog")?.close();
    else if (target instanceof HTMLDialogElement && outside(target, event)) target.close();
  });
}

/** A press on the backdrop arrives at the dialog itself. @param {HTMLDialogElement} dialog @param {MouseEvent} event */
function outside(dialog, { clientX, clientY }) {
  const box = dialog.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}
