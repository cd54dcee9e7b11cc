// Buttons of which one is on: one stop for Tab, arrows move and choose.
// @ts-check

import { set } from "../dom.js";

const STEPS = new Map([["ArrowRight", 1], ["ArrowDown", 1], ["ArrowLeft", -1], ["ArrowUp", -1]]);

/**
 * Arrow keys within a group of buttons.
 * @param {HTMLElement} group @param {string} role  of the buttons: radio, tab
 */
export function arrowKeys(group, role) {
  group.addEventListener("keydown", (event) => {
    const step = STEPS.get(event.key);
    const buttons = seen(group, role);
    const here = buttons.indexOf(/** @type {HTMLElement} */ (event.target));
    if (step === undefined || here < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = buttons[(here + step + buttons.length) % buttons.length];
    next.focus();
    next.click();
  });
}

/**
 * Mark the one that is on.
 * @param {HTMLElement} group @param {(button: HTMLElement) => boolean} isOn @param {string} [role] @param {string} [state]
 */
export function mark(group, isOn, role = "radio", state = "aria-checked") {
  const buttons = /** @type {HTMLElement[]} */ ([...group.querySelectorAll(`[role="${role}"]`)]);
  const on = buttons.find(isOn);
  const reachable = seen(group, role);
  const stop = on && reachable.includes(on) ? on : (reachable[0] ?? on ?? buttons[0]);
  for (const button of buttons) {
    set(button, state, String(button === on));
    button.tabIndex = button === stop ? 0 : -1;
  }
}

/** The buttons of a group that are not folded away. @param {HTMLElement} group @param {string} role @returns {HTMLElement[]} */
function seen(group, role) {
  return /** @type {HTMLElement[]} */ ([...group.querySelectorAll(`[role="${role}"]`)]).filter((button) => button.offsetParent !== null);
}
