// The desk: pointer events on the board become gestures of the tool in hand.
// @ts-check

import { el } from "../dom.js";
import { Crosshair } from "./crosshair.js";
import { Arbiter } from "./pointer.js";

/** @typedef {import("./contract.js").Tool} Tool */
/** @typedef {import("./contract.js").Gesture} Gesture */
/** @typedef {import("./contract.js").Point} Point */

/** The bit of `buttons` that a pen's far end sets. */
const ERASER_END = 32;

export class Desk {
  #arbiter = new Arbiter();
  /** @type {Gesture|null} */
  #gesture = null;
  /** @type {string|null} the page that the gesture is on */
  #page = null;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.surface  the topmost layer: pointer events arrive here
   * @param {HTMLElement} parts.overlay  for the eraser's ring
   * @param {import("../store.js").Store} parts.store
   * @param {import("../session.js").Session} parts.session
   * @param {import("../render/board.js").Board} parts.board
   * @param {import("./toolbox.js").Toolbox} parts.toolbox
   * @param {(words: string) => void} parts.say  to a screen reader, politely
   */
  constructor({ surface, overlay, store, session, board, toolbox, say }) {
    this.surface = surface;
    this.store = store;
    this.session = session;
    this.board = board;
    this.toolbox = toolbox;
    this.say = say;
    this.ring = el("span", { class: "ring", hidden: true });
    overlay.append(this.ring);
    const hand = {
      busy: () => this.#gesture !== null,
      begin: (/** @type {Point} */ point) => this.#beginByKey(point),
      extend: (/** @type {Point} */ point) => this.#gesture?.extend([point]),
      end: (/** @type {boolean} */ whole) => this.#stop(whole),
    };
    this.crosshair = new Crosshair({ overlay, board, toolbox, hand, say });
    this.#listen();
    store.subscribe(({ topics }) => topics.has("page") && this.#leave());
  }

  /** A stroke that is under way ends without a trace: the right to draw went, or the lesson ended. */
  interrupt() {
    this.#stop(false);
  }

  /** The class turned the page under the pen: what was drawn belongs to the page just left, and is kept. */
  #leave() {
    if (this.#page === this.store.page) return;
    this.#finishOpen();
    this.#stop(true);
  }

  #finishOpen() {
    for (const tool of this.toolbox.tools) tool.leave?.();
  }

  #listen() {
    const on = (/** @type {string} */ type, /** @type {(event: PointerEvent) => void} */ act) => this.surface.addEventListener(type, /** @type {any} */ (act));
    on("pointerdown", (event) => this.#down(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#end(event, true));
    on("pointercancel", (event) => this.#end(event, this.#arbiter.drew(event.pointerId, event.timeStamp)));
    on("pointerleave", () => { this.ring.hidden = true; });
    // A long press selects text and opens menus on phones; the board wants neither.
    this.surface.addEventListener("contextmenu", (event) => { if (this.toolbox.tool) event.preventDefault(); });
    // Two fingers are the browser's, which enlarges and moves the page; not where a hand lies beside what is being drawn.
    for (const type of ["touchstart", "touchmove"]) this.surface.addEventListener(type, (event) => { if (event.cancelable && this.#arbiter.settled(event.timeStamp)) event.preventDefault(); }, { passive: false });
    // The mouse that a browser makes up behind a finger would take the focus from the words just begun.
    this.surface.addEventListener("touchend", (event) => { if (event.cancelable && this.toolbox.tool) event.preventDefault(); }, { passive: false });
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const tool = event.buttons & ERASER_END ? this.toolbox.named("eraser") : this.toolbox.tool;
    const page = this.board.page;
    if (!tool || page === null || (event.pointerType === "mouse" && event.button !== 0)) return;
    const { begins, cancels } = this.#arbiter.down(event.pointerId, event.pointerType, event.timeStamp, event.isPrimary);
    if (cancels) this.#drop();
    if (!begins) return;
    this.surface.setPointerCapture(event.pointerId);
    this.#drop(); // begun by keys
    this.crosshair.hide();
    this.#begin(tool, page, this.#point(event), event.pointerType === "touch");
    this.#showRing(tool, event);
  }

  /** @param {Point} point */
  #beginByKey(point) {
    const { tool } = this.toolbox;
    if (tool && this.board.page !== null) this.#begin(tool, this.board.page, point, false);
  }

  /** @param {Tool} tool @param {string} page @param {Point} point @param {boolean} doubtful */
  #begin(tool, page, point, doubtful) {
    const { store, session, board, say } = this;
    this.#finishOpen();
    this.#page = page;
    this.#gesture = tool.begin({ store, session, board, page, style: this.toolbox.styleOf(tool), doubtful, now: () => performance.now(), say }, point);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    this.#showRing(this.toolbox.tool, event);
    const events = coalesced(event);
    if (this.#arbiter.move(event.pointerId, events.length)) this.#gesture?.extend(events.map((one) => this.#point(one)), event.shiftKey);
  }

  /** @param {PointerEvent} event @param {boolean} whole */
  #end(event, whole) {
    if (event.pointerType !== "mouse") this.ring.hidden = true;
    if (this.#arbiter.up(event.pointerId)) this.#stop(whole);
  }

  /** End the gesture, if there is one. @param {boolean} whole  false: without a trace */
  #stop(whole) {
    const gesture = this.#gesture;
    this.#gesture = null;
    this.#arbiter.rest();
    if (whole) gesture?.finish();
    else gesture?.cancel();
  }

  /** A palm or a pinch: the pointer that draws is another one now, or none. */
  #drop() {
    this.#gesture?.cancel();
    this.#gesture = null;
  }

  /** @param {PointerEvent} event @returns {Point} */
  #point(event) {
    const [x, y] = this.board.pointAt(event);
    return event.pointerType === "pen" ? [x, y, Math.round(event.pressure * 255)] : [x, y];
  }

  /** @param {Tool|null} tool @param {PointerEvent} event */
  #showRing(tool, event) {
    this.ring.hidden = !tool?.reach || (event.pointerType === "touch" && event.buttons === 0);
    if (this.ring.hidden || !tool?.reach) return;
    const [x, y] = this.board.pointAt(event).map((units) => units * this.board.scale);
    this.ring.style.width = this.ring.style.height = `${2 * tool.reach}px`;
    this.ring.style.transform = `translate(${x - tool.reach}px, ${y - tool.reach}px)`;
  }
}

/** Every position since the last event; browsers keep them to themselves on plain http. @param {PointerEvent} event @returns {PointerEvent[]} */
function coalesced(event) {
  const events = event.getCoalescedEvents?.() ?? [];
  return events.length > 0 ? events : [event];
}
