// From pointer events to gestures: which pointer draws, and when a stroke turns out to be a palm or a pinch. Pure.
// @ts-check

/** A second finger this soon after the first makes a pinch, ms. */
export const PINCH_TIME = 150;
/** … or while the stroke has fewer points than this. */
export const PINCH_POINTS = 10;

/** @typedef {"mouse"|"pen"|"touch"|string} PointerKind */

/**
 * Decides which pointer draws (board.md section 9): one at a time; once a pen was seen, fingers do not draw; a second
 * finger in time takes the first one's stroke back, and the browser pinches until all of them are up.
 */
export class Arbiter {
  /** Ids of the fingers that are down. @type {Set<number>} */
  #fingers = new Set();
  /** @type {{id: number, kind: PointerKind, since: number, points: number}|null} the pointer that draws */
  #drawing = null;
  #penSeen = false;

  /** The id of the pointer that draws; null if none. */
  get drawing() {
    return this.#drawing?.id ?? null;
  }

  /** Whether fingers are left to move the page. */
  get penSeen() {
    return this.#penSeen;
  }

  /**
   * A pointer came down.
   * @param {number} id @param {PointerKind} kind @param {number} now ms
   * @param {boolean} [alone]  no finger was down anywhere, even if the end of one was missed
   * @returns {{begins: boolean, cancels: boolean}}
   */
  down(id, kind, now, alone = false) {
    if (kind === "pen") this.#penSeen = true;
    if (alone) this.#fingers.clear();
    if (kind === "touch") this.#fingers.add(id);
    const before = this.#drawing;
    if (!before) {
      if (kind === "touch" && (this.#penSeen || this.#fingers.size > 1)) return { begins: false, cancels: false };
      this.#drawing = { id, kind, since: now, points: 1 };
      return { begins: true, cancels: false };
    }
    if (kind === "pen" && before.kind === "touch") {
      this.#drawing = { id, kind, since: now, points: 1 }; // the palm lay down before the pen
      return { begins: true, cancels: true };
    }
    const pinch = kind === "touch" && before.kind === "touch" && young(before, now);
    if (pinch) this.#drawing = null;
    return { begins: false, cancels: pinch };
  }

  /** @param {number} id @param {number} points  how many came @returns {boolean} whether they belong to the stroke */
  move(id, points) {
    if (this.#drawing?.id !== id) return false;
    this.#drawing.points += points;
    return true;
  }

  /** Whether a pointer that the system takes away has drawn: a palm and a pinch are young, a call comes to a stroke.
   * @param {number} id @param {number} now ms @returns {boolean} */
  drew(id, now) {
    const one = this.#drawing;
    return one?.id === id && !young(one, now);
  }

  /** Whether what is drawn goes on whatever else touches the page: it can be no pinch. @param {number} now ms */
  settled(now) {
    const one = this.#drawing;
    return one !== null && (one.kind !== "touch" || !young(one, now));
  }

  /** The stroke is over, though its pointer may still be down. */
  rest() {
    this.#drawing = null;
  }

  /** The pointer went up or was taken away. @param {number} id @returns {boolean} whether it was the one that draws */
  up(id) {
    this.#fingers.delete(id);
    if (this.#drawing?.id !== id) return false;
    this.#drawing = null;
    return true;
  }
}

/** Whether a stroke may still turn out to be something else. @param {{since: number, points: number}} stroke @param {number} now */
const young = ({ since, points }, now) => now - since <= PINCH_TIME || points < PINCH_POINTS;
