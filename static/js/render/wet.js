// Ink that is still wet: others' on one canvas with name tags at the tip, one's own on the topmost.
// @ts-check

import { decode } from "../points.js";
import { drawStrokes, inkStrokes, paint } from "./paint.js";
import { Playback } from "./playback.js";
import { pressedWidth } from "./curve.js";

export class OthersInk {
  #playback = new Playback();
  #empty = true;

  /** @param {import("./surface.js").Surface} surface @param {import("./tags.js").Tags} tags @param {{now: () => number}} clock */
  constructor(surface, tags, clock) {
    this.surface = surface;
    this.tags = tags;
    this.clock = clock;
  }

  /** @param {{by: string, data: any}} signal  of kind `ink` @param {number} pace ms */
  receive(signal, pace) {
    let points;
    try {
      points = decode(signal.data.ink);
    } catch {
      return; // the server checks ink; what slips through is dropped like any lost signal
    }
    this.#playback.receive(signal, points, this.clock.now(), pace);
  }

  /** @param {Iterable<string>} items  that are on the board now */
  settle(items) {
    for (const item of items) this.#playback.settle(item, this.clock.now());
  }

  /** @param {string} page @returns {number|null} ms until the next frame is needed; null: none */
  frame(page) {
    const now = this.clock.now();
    const visible = this.#playback.visible(page, now);
    if (visible.length > 0 || !this.#empty) this.surface.clear("wet");
    this.#empty = visible.length === 0;
    const pen = this.surface.contexts.wet;
    for (const { stroke, points, opacity } of visible) {
      if (points.length === 0) continue;
      pen.globalAlpha = opacity * (stroke.style?.opacity ?? 1);
      drawStrokes(pen, inkStrokes(points, stroke.style?.width ?? 4), stroke.style ?? {});
    }
    pen.globalAlpha = 1;
    this.tags.show(visible.filter(({ points }) => points.length > 0).map(({ stroke, points }) => ({ by: stroke.by, at: points[points.length - 1] })));
    return this.#playback.nextChange(page, now);
  }
}

export class OwnInk {
  /** @type {{style: any, points: (readonly number[])[], painted: number}|null} */
  #stroke = null;
  /** Shapes in the making, or in somebody's hand. @type {import("./geometry.js").Drawn[]} */
  #drafts = [];
  #dropping = false;

  /** @param {import("./surface.js").Surface} surface @param {() => void} wake  asks for a frame */
  constructor(surface, wake) {
    this.surface = surface;
    this.wake = wake;
  }

  /** @param {any} style @param {boolean} multiply  a highlighter's ink darkens what is under it */
  begin(style, multiply) {
    this.#clear();
    this.surface.canvases.own.style.mixBlendMode = multiply ? "multiply" : "";
    this.#stroke = { style, points: [], painted: 0 };
  }

  /** @param {(readonly number[])[]} points  more of the stroke, page units */
  extend(points) {
    this.#stroke?.points.push(...points);
    this.wake();
  }

  /** Show shapes as they would be now. @param {...import("./geometry.js").Drawn} items  the lowest first */
  draft(...items) {
    this.surface.canvases.own.style.mixBlendMode = "";
    this.#dropping = false;
    this.#drafts = items;
    this.wake();
  }

  /** The stroke is committed or gone: the wet one goes in the frame that paints the other. */
  drop() {
    this.#dropping = true;
    this.wake();
  }

  frame() {
    if (this.#dropping) this.#clear();
    if (this.#drafts.length) {
      this.surface.clear("own");
      for (const item of this.#drafts) paint(this.surface.contexts.own, item);
    }
    const stroke = this.#stroke;
    if (!stroke || stroke.painted === stroke.points.length) return;
    if ((stroke.style.opacity ?? 1) < 1) this.#paintWhole(stroke);
    else this.#paintRest(stroke);
    stroke.painted = stroke.points.length;
  }

  /** The canvas was resized: paint it all again. */
  renew() {
    if (this.#stroke) this.#stroke.painted = 0;
  }

  #clear() {
    this.#dropping = false;
    this.#stroke = null;
    this.#drafts = [];
    this.surface.clear("own");
  }

  /** Translucent ink must not overlap itself. @param {{style: any, points: (readonly number[])[]}} stroke */
  #paintWhole({ style, points }) {
    this.surface.clear("own");
    const pen = this.surface.contexts.own;
    pen.globalAlpha = style.opacity;
    drawStrokes(pen, inkStrokes(points, style.width), style);
    pen.globalAlpha = 1;
  }

  /** Opaque ink: only the new segments. @param {{style: any, points: (readonly number[])[], painted: number}} stroke */
  #paintRest({ style, points, painted }) {
    const pen = this.surface.contexts.own;
    pen.strokeStyle = style.color;
    pen.lineCap = pen.lineJoin = "round";
    for (let i = Math.max(1, painted); i < points.length; i += 1) {
      const [a, b] = [points[i - 1], points[i]];
      pen.lineWidth = pressedWidth(style.width, b[2]);
      pen.beginPath();
      pen.moveTo(a[0], a[1]);
      pen.lineTo(b[0], b[1]);
      pen.stroke();
    }
    if (points.length === 1) drawStrokes(pen, inkStrokes(points, style.width), style);
  }
}
