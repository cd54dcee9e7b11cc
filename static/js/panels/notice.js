// The one place for a word about the connection or about own work that did not come to pass: the middle of the pager.
// @ts-check

import { byId, swapIcon, write } from "../dom.js";

/** A passing word stays this long, ms. */
const STAYS = 6_000;

let lasting = "";
let passing = "";
/** @type {ReturnType<typeof setTimeout>|undefined} */
let timer;

/** A word that stays until it is taken back with "". @param {string} text */
export function hold(text) {
  if (lasting === text) return;
  lasting = text;
  draw();
}

/** A word that goes by itself. @param {string} text */
export function toast(text) {
  passing = text;
  clearTimeout(timer);
  timer = setTimeout(() => {
    passing = "";
    draw();
  }, STAYS);
  draw();
}

function draw() {
  const [notice, pager] = [byId("notice"), byId("pager")];
  const text = lasting || passing;
  notice.hidden = text === "";
  pager.toggleAttribute("data-notice", text !== "");
  write(notice.querySelector("span"), text);
  swapIcon(notice, lasting ? "away" : "warning");
}
