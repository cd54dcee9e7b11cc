// Turning pages by hand: two fingers, or one that has no stroke to draw. Pure but for `swiping`, which listens.
// @ts-check

/** The second finger comes this soon after the first, ms, or the first was drawing. */
const TOGETHER = 150;
/** A swipe is over after this, ms, and went so far, CSS pixels, and at least so many times as far across as down. */
const LONGEST = 600;
const LEAST = 56;
const FLAT = 2;
/** Fingers that close or open more than this were pinching, CSS pixels. */
const SPREAD = 40;

/** @typedef {{x: number, y: number}} Finger */

export class Swipe {
  /** @type {{at: number, fingers: number, from: Finger, to: Finger, spread: number}|null} */
  #way = null;

  /** Another finger came down. @param {Finger[]} fingers  all that are down @param {number} now ms */
  down(fingers, now) {
    const soon = fingers.length === 2 && this.#way?.fingers === 1 && now - this.#way.at <= TOGETHER;
    if (fingers.length !== 1 && !soon) return this.cancel();
    const from = middle(fingers);
    this.#way = { at: fingers.length === 1 ? now : /** @type {any} */ (this.#way).at, fingers: fingers.length, from, to: from, spread: spread(fingers) };
  }

  /** @param {Finger[]} fingers */
  move(fingers) {
    const way = this.#way;
    if (!way) return;
    if (fingers.length !== way.fingers || Math.abs(spread(fingers) - way.spread) > SPREAD) return this.cancel();
    way.to = middle(fingers);
  }

  /** The first finger went up. @param {number} now ms @returns {{step: -1|0|1, fingers: number}}  1: on, to the left; 0: no swipe */
  up(now) {
    const way = this.#way;
    this.#way = null;
    if (!way || now - way.at > LONGEST) return { step: 0, fingers: 0 };
    const [x, y] = [way.to.x - way.from.x, way.to.y - way.from.y];
    if (Math.abs(x) < LEAST || Math.abs(x) < FLAT * Math.abs(y)) return { step: 0, fingers: way.fingers };
    return { step: x < 0 ? 1 : -1, fingers: way.fingers };
  }

  cancel() {
    this.#way = null;
  }
}

/** @param {Finger[]} fingers @returns {Finger} */
function middle(fingers) {
  const sum = (/** @type {"x"|"y"} */ axis) => fingers.reduce((all, finger) => all + finger[axis], 0) / fingers.length;
  return { x: sum("x"), y: sum("y") };
}

/** @param {Finger[]} fingers */
const spread = ([a, b]) => (b ? Math.hypot(a.x - b.x, a.y - b.y) : 0);

/**
 * @param {HTMLElement} surface  on which fingers come down
 * @param {{alone: () => boolean, turn: (step: -1|1) => void}} parts  alone: whether one finger has no other work there
 */
export function swiping(surface, { alone, turn }) {
  const swipe = new Swipe();
  let free = true;
  const fingers = (/** @type {TouchEvent} */ event) => [...event.targetTouches].map(({ clientX, clientY }) => ({ x: clientX, y: clientY }));
  const zoomed = () => (window.visualViewport?.scale ?? 1) > 1.01; // then a finger moves the page
  surface.addEventListener("touchstart", (event) => {
    if (event.targetTouches.length === 1) free = alone();
    if (zoomed()) swipe.cancel();
    else swipe.down(fingers(event), event.timeStamp);
  }, { passive: true });
  surface.addEventListener("touchmove", (event) => {
    free &&= alone();
    swipe.move(fingers(event));
  }, { passive: true });
  surface.addEventListener("touchcancel", () => swipe.cancel());
  surface.addEventListener("touchend", (event) => {
    const { step, fingers: count } = swipe.up(event.timeStamp);
    if (step !== 0 && (count === 2 || free)) turn(step);
  });
}
