// Between the screen and the page: sizes, scale and density. Page units are those of board.md section 1.
// @ts-check

/** Every page is so many units wide. */
export const PAGE_WIDTH = 1600;
/** What is shown of a blank sheet (its board reaches much further). */
const SHEET_HEIGHT = 900;
/** More device pixels than these per CSS pixel are not seen, and cost four layers each. */
const MAX_DENSITY = 2;
/** Safari on a phone refuses a larger canvas. */
const MAX_PIXELS = 16_000_000;

/** @typedef {{width: number, height: number}} Size */

/**
 * A page's size in units.
 * @param {{slide?: {width: number, height: number}|null}|undefined|null} page @returns {Size}
 */
export function pageSize(page) {
  const slide = page?.slide;
  return { width: PAGE_WIDTH, height: slide ? (PAGE_WIDTH * slide.height) / slide.width : SHEET_HEIGHT };
}

/**
 * Device pixels per CSS pixel for canvases of this CSS size.
 * @param {Size} css @param {number} devicePixelRatio @returns {number}
 */
export function density(css, devicePixelRatio) {
  const area = Math.max(1, css.width * css.height);
  return Math.min(devicePixelRatio, MAX_DENSITY, Math.sqrt(MAX_PIXELS / area));
}

/**
 * @typedef {object} View
 * @property {number} scale    CSS pixels per unit
 * @property {number} density  device pixels per CSS pixel
 * @property {number} width    device pixels
 * @property {number} height   device pixels
 *
 * @param {Size} page  in units @param {Size} css  of the page's element @param {number} devicePixelRatio @returns {View}
 */
export function viewOf(page, css, devicePixelRatio) {
  const dense = density(css, devicePixelRatio);
  return {
    scale: css.width / page.width,
    density: dense,
    width: Math.max(1, Math.floor(css.width * dense)),
    height: Math.max(1, Math.floor(css.height * dense)),
  };
}

/**
 * The device-pixel rectangle that covers `bounds`, a pixel wider for antialiasing, cut to the canvas; null if outside.
 * @param {import("./geometry.js").Bounds} bounds  in units @param {View} view @returns {[number, number, number, number]|null}  x, y, width, height
 */
export function deviceRectangle(bounds, view) {
  const factor = view.scale * view.density;
  const left = Math.max(0, Math.floor(bounds[0] * factor) - 1);
  const top = Math.max(0, Math.floor(bounds[1] * factor) - 1);
  const right = Math.min(view.width, Math.ceil(bounds[2] * factor) + 1);
  const bottom = Math.min(view.height, Math.ceil(bounds[3] * factor) + 1);
  return right > left && bottom > top ? [left, top, right - left, bottom - top] : null;
}
