// People and chat behind two tabs.
// @ts-check

import { byId, write } from "../dom.js";
import { arrowKeys, mark } from "./radios.js";

const NAMES = ["people", "chat"];

export class Tabs {
  #on = "people";
  /** @type {Set<() => void>} */
  #listeners = new Set();

  constructor() {
    for (const name of NAMES) byId(`tab-${name}`).addEventListener("click", () => this.show(name));
    arrowKeys(byId("tab-people").parentElement, "tab");
  }

  get on() {
    return this.#on;
  }

  /** @param {string} name */
  show(name) {
    this.#on = name;
    mark(byId("tab-people").parentElement, (tab) => tab.id === `tab-${name}`, "tab", "aria-selected");
    for (const one of NAMES) byId(one).hidden = one !== name;
    for (const fn of this.#listeners) fn();
  }

  /** @param {() => void} fn */
  onShow(fn) {
    this.#listeners.add(fn);
  }

  /** What waits behind a tab. @param {string} name @param {number|string} count @param {string} meaning  for those who hear it */
  badge(name, count, meaning) {
    const badge = byId(`tab-${name}`).querySelector(".badge");
    badge.hidden = count === 0;
    write(badge, String(count));
    badge.setAttribute("aria-label", meaning);
  }
}
