// The crosshair: places on the board for those who draw by keyboard. Arrows move it, Enter sets a corner, Escape takes it back.
// @ts-check

import { el } from "../dom.js";
import { t } from "../i18n.js";

/** How far an arrow key moves it, in units; with Shift. */
const STEP = 8;
const STRIDE = 64;

/** @type {Map<string, [number, number]>} */
const ARROWS = new Map([["ArrowLeft", [-1, 0]], ["ArrowRight", [1, 0]], ["ArrowUp", [0, -1]], ["ArrowDown", [0, 1]]]);

/** @typedef {import("./contract.js").Point} Point */

/**
 * What the crosshair may do with gestures; the desk owns them.
 * @typedef {object} Hand
 * @property {() => boolean} busy  a gesture is under way
 * @property {(point: Point) => void} begin
 * @property {(point: Point) => void} extend
 * @property {(whole: boolean) => void} end  false: without a trace
 */

export class Crosshair {
  /** @type {[number, number]|null} in units; null: not used on this page yet */
  #at = null;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.overlay
   * @param {import("../render/board.js").Board} parts.board
   * @param {import("./toolbox.js").Toolbox} parts.toolbox
   * @param {Hand} parts.hand
   * @param {(words: string) => void} parts.say
   */
  constructor({ overlay, board, toolbox, hand, say }) {
    this.board = board;
    this.toolbox = toolbox;
    this.hand = hand;
    this.say = say;
    this.mark = el("span", { class: "crosshair", hidden: true });
    overlay.append(this.mark);
    board.element.addEventListener("keydown", (event) => this.#key(event));
    board.element.addEventListener("blur", () => this.#rest());
    let name = toolbox.tool?.name;
    toolbox.onChange(() => {
      if (name !== toolbox.tool?.name) this.#rest();
      name = toolbox.tool?.name;
    });
  }

  /** Whoever takes a pointer needs no crosshair. */
  hide() {
    this.mark.hidden = true;
  }

  /** The keyboard went elsewhere, or to another tool: what was begun by keys is not drawn. */
  #rest() {
    if (!this.mark.hidden) this.hand.end(false);
    this.hide();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.target !== this.board.element || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") this.#escape(event);
    const corners = this.toolbox.tool?.corners;
    if (!corners || this.board.page === null) return;
    const way = ARROWS.get(event.key);
    const sets = event.key === "Enter" || event.key === " ";
    if (!way && !sets) return;
    event.preventDefault();
    if (this.mark.hidden && this.hand.busy()) return; // the pointer draws
    if (way) this.#move(way, event.shiftKey ? STRIDE : STEP);
    else if (!event.repeat) this.#set(corners);
  }

  /** @param {KeyboardEvent} event */
  #escape(event) {
    if (!this.hand.busy() && this.mark.hidden) return;
    event.preventDefault();
    if (this.hand.busy()) this.say(t("Cancelled"));
    else this.hide();
    this.hand.end(false);
  }

  /** @param {[number, number]} way @param {number} step */
  #move([dx, dy], step) {
    const [wide, high] = this.#size();
    const [x, y] = this.#place();
    this.#at = [clamp(x + dx * step, wide), clamp(y + dy * step, high)];
    this.#show();
    if (this.hand.busy()) this.hand.extend(this.#at);
    this.say(t("{x} % from the left, {y} % from the top", { x: Math.round((100 * this.#at[0]) / wide), y: Math.round((100 * this.#at[1]) / high) }));
  }

  /** @param {number} corners  how many the tool wants */
  #set(corners) {
    const point = this.#place();
    this.#show();
    if (this.hand.busy()) {
      this.hand.end(true);
      return;
    }
    this.hand.begin(point);
    if (corners === 1) this.hand.end(true);
    else this.say(t("First corner set. Arrows move the other one, Enter sets it, Escape cancels."));
  }

  /** @returns {[number, number]} where it is; in the middle of the page to begin with */
  #place() {
    const [wide, high] = this.#size();
    const [x, y] = this.#at ?? [wide / 2, high / 2];
    this.#at = [clamp(x, wide), clamp(y, high)];
    return this.#at;
  }

  /** The page's width and height in units. @returns {[number, number]} */
  #size() {
    const { element, scale } = this.board;
    return [element.clientWidth / scale, element.clientHeight / scale];
  }

  #show() {
    const [wide, high] = this.#size();
    const [x, y] = this.#place();
    this.mark.hidden = false;
    this.mark.style.left = `${(100 * x) / wide}%`;
    this.mark.style.top = `${(100 * y) / high}%`;
  }
}

/** @param {number} value @param {number} most */
const clamp = (value, most) => Math.min(Math.max(value, 0), most);
