// Painting one item of any kind onto a canvas whose units are the page's.
// @ts-check

import { relativeLuminance } from "./colors.js";
import { inkOf } from "./ink.js";
import { runs, trace } from "./curve.js";
import { frame, headLength, inkScale, middle } from "./geometry.js";

/** @typedef {import("./geometry.js").Drawn} Drawn */
/** @typedef {CanvasRenderingContext2D} Context */
/** @typedef {{path: Path2D, width: number}[]} Strokes */

export const FONT = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
/** Height of a line of text, in sizes. */
export const LEADING = 1.3;
/** Between a note's edge and its words, in units. */
export const NOTE_PADDING = 16;
const NOTE_PAPER = "#fff3c4";
/** Letters lighter than this (WCAG relative luminance) have less than 2:1 on white. */
const LIGHT = 0.47;
const EDGE = "#1d1c1a";

/** Paths of an item, by the item: ShownItems are frozen and replaced when anything changes. @type {WeakMap<object, Strokes>} */
const cache = new WeakMap();

/**
 * Paint an item. The context's own state is left as it was.
 * @param {Context} context @param {Drawn} item @param {number} [opacity]  on top of the item's own, 0-1
 */
export function paint(context, item, opacity = 1) {
  const { kind, values } = item;
  const style = values.style ?? {};
  context.save();
  context.globalAlpha = (style.opacity ?? 1) * opacity;
  if (values.turn) turnAboutMiddle(context, item);
  painters[kind]?.(context, item, style);
  context.restore();
}

/** @type {Record<string, (context: Context, item: Drawn, style: any) => void>} */
const painters = { stroke: paintInk, highlight: paintInk, line: paintLines, arrow: paintLines, box: paintShape, ellipse: paintShape, text: paintText, note: paintNote };

/** @param {Context} context @param {Drawn} item */
function turnAboutMiddle(context, item) {
  const [x, y] = middle(item);
  context.translate(x, y);
  context.rotate((item.values.turn * Math.PI) / 180);
  context.translate(-x, -y);
}

/** @param {Context} context @param {Drawn} item @param {any} style */
function paintInk(context, item, style) {
  const [sx, sy] = inkScale(item.values);
  context.translate(item.values.at[0], item.values.at[1]);
  drawStrokes(context, kept(item, () => inkStrokes(inkOf(item.values.ink).points, style.width ?? 4, sx, sy)), style);
}

/**
 * The paths of ink, one for each run of equal width.
 * @param {readonly (readonly number[])[]} points @param {number} width @param {number} sx @param {number} sy @returns {Strokes}
 */
export function inkStrokes(points, width, sx = 1, sy = 1) {
  const placed = sx === 1 && sy === 1 ? points : points.map(([x, y, ...rest]) => [x * sx, y * sy, ...rest]);
  return runs(placed, width).map((run) => {
    const path = new Path2D();
    trace(path, placed, run.from, run.to);
    return { path, width: run.width };
  });
}

/** @param {Context} context @param {Drawn} item @param {any} style */
function paintLines(context, item, style) {
  const { values, kind } = item;
  context.translate(values.at[0], values.at[1]);
  drawStrokes(context, kept(item, () => [{ path: linePath(values.box), width: style.width ?? 4 }]), style);
  if (kind === "arrow") drawHead(context, values.box, style);
}

/** @param {[number, number]} box */
function linePath([dx, dy]) {
  const path = new Path2D();
  path.moveTo(0, 0);
  path.lineTo(dx, dy);
  return path;
}

/** Two strokes back from the tip, never dashed. @param {Context} context @param {[number, number]} box @param {any} style */
function drawHead(context, [dx, dy], style) {
  const angle = Math.atan2(dy, dx);
  const length = Math.min(headLength(style.width ?? 4), Math.max(4, Math.hypot(dx, dy)));
  const path = new Path2D();
  for (const side of [-1, 1]) {
    path.moveTo(dx - length * Math.cos(angle + side * 0.5), dy - length * Math.sin(angle + side * 0.5));
    path.lineTo(dx, dy);
  }
  drawStrokes(context, [{ path, width: style.width ?? 4 }], { ...style, dash: "solid" });
}

/** @param {Context} context @param {Drawn} item @param {any} style */
function paintShape(context, item, style) {
  const [left, top, right, bottom] = frame(item);
  const strokes = kept(item, () => {
    const path = new Path2D();
    if (item.kind === "box") path.rect(left, top, right - left, bottom - top);
    else path.ellipse((left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2, 0, 0, 2 * Math.PI);
    return [{ path, width: style.width ?? 4 }];
  });
  if (style.fill && style.fill !== "none") {
    context.fillStyle = style.fill;
    context.fill(strokes[0].path);
  }
  drawStrokes(context, strokes, style);
}

/** @param {Context} context @param {Drawn} item @param {any} style */
function paintText(context, item, style) {
  const [left, top, right] = frame(item);
  context.fillStyle = style.color ?? "#1d1c1a";
  writeLines(context, item.values.text, left, top, right - left, style.size ?? 24, needsEdge(style.color));
}

/** Whether letters of a colour would be lost on white: they get a dark line around. @param {string|undefined} color */
export const needsEdge = (color) => color !== undefined && relativeLuminance(color) > LIGHT;

/** @param {Context} context @param {Drawn} item @param {any} style */
function paintNote(context, item, style) {
  const [left, top, right, bottom] = frame(item);
  const fold = Math.min(28, (right - left) / 4, (bottom - top) / 4);
  const paper = style.fill && style.fill !== "none" ? style.fill : NOTE_PAPER;
  context.fillStyle = paper;
  fillPolygon(context, [left, top, right, top, right, bottom - fold, right - fold, bottom, left, bottom]);
  context.fillStyle = "rgb(0 0 0 / .12)";
  fillPolygon(context, [right, bottom - fold, right - fold, bottom, right - fold, bottom - fold]);
  context.fillStyle = style.color ?? "#1d1c1a";
  writeLines(context, item.values.text, left + NOTE_PADDING, top + NOTE_PADDING, right - left - 2 * NOTE_PADDING, style.size ?? 24);
}

/** @param {Context} context @param {number[]} corners  x, y, x, y … */
function fillPolygon(context, corners) {
  context.beginPath();
  for (let i = 0; i < corners.length; i += 2) context.lineTo(corners[i], corners[i + 1]);
  context.closePath();
  context.fill();
}

/**
 * Lines break where the author saw them break; where this machine's font is wider, a line is pressed to fit.
 * @param {Context} context @param {string} text @param {number} x @param {number} y  of the block's top
 * @param {number} width @param {number} size @param {boolean} [edged]  with a dark line around the letters
 */
function writeLines(context, text, x, y, width, size, edged = false) {
  context.font = `500 ${size}px ${FONT}`;
  context.textBaseline = "alphabetic";
  const write = (/** @type {"fillText"|"strokeText"} */ how) => text.split("\n").forEach((line, i) => context[how](line, x, y + size * (i * LEADING + 1), Math.max(1, width)));
  if (edged) {
    context.strokeStyle = EDGE;
    context.lineWidth = Math.min(8, size * 0.12); // half of it lies outside, within the margin of paintedBounds
    context.lineJoin = "round";
    context.setLineDash([]);
    write("strokeText");
  }
  write("fillText");
}

/** @param {Drawn} item @param {() => Strokes} make @returns {Strokes} */
function kept(item, make) {
  let strokes = cache.get(item);
  if (!strokes) {
    strokes = make();
    cache.set(item, strokes);
  }
  return strokes;
}

/** @param {Context} context @param {Strokes} strokes @param {any} style */
export function drawStrokes(context, strokes, style) {
  context.strokeStyle = style.color ?? "#1d1c1a";
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const { path, width } of strokes) {
    context.lineWidth = width;
    context.setLineDash(dashes(style.dash, width));
    context.stroke(path);
  }
}

/** @param {string|undefined} dash @param {number} width @returns {number[]} */
function dashes(dash, width) {
  if (dash === "dashed") return [3 * width, 2.5 * width];
  if (dash === "dotted") return [0.01, 2.2 * width];
  return [];
}

