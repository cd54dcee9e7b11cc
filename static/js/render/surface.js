// The canvases of the board, all of one size: highlights (multiplied), ink, others' wet ink, own wet ink.
// @ts-check

/** @typedef {import("./view.js").View} View */
/** @typedef {"highlights"|"ink"|"wet"|"own"} LayerName */

export class Surface {
  /** @param {Record<LayerName, HTMLCanvasElement>} canvases */
  constructor(canvases) {
    this.canvases = canvases;
    /** @type {Record<LayerName, CanvasRenderingContext2D>} */
    this.contexts = /** @type {any} */ (Object.fromEntries(Object.entries(canvases).map(([name, canvas]) => [name, context(name, canvas)])));
    /** Where a rectangle is painted before it is copied to its place. */
    this.scratch = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
    /** @type {View} */
    this.view = { scale: 1, density: 1, width: 1, height: 1 };
  }

  /** Fit all canvases to the view; what they held is gone. @param {View} view */
  resize(view) {
    this.view = view;
    this.scratch.canvas.width = view.width;
    this.scratch.canvas.height = view.height;
    for (const name of /** @type {LayerName[]} */ (Object.keys(this.canvases))) {
      const canvas = this.canvases[name];
      canvas.width = view.width;
      canvas.height = view.height;
      this.#toUnits(name);
    }
  }

  /** @param {LayerName} name @param {[number, number, number, number]} [rectangle]  device pixels; default all */
  clear(name, rectangle) {
    const { width, height } = this.view;
    const pen = this.contexts[name];
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(...(rectangle ?? /** @type {[number, number, number, number]} */ ([0, 0, width, height])));
    this.#toUnits(name);
  }

  /**
   * Paint a rectangle anew. A clip would shift the edges of lines by a shade, and two people's boards would differ by how
   * they came about; so what touches the rectangle is painted whole beside, and the rectangle is copied.
   * @param {LayerName} name @param {[number, number, number, number]} rectangle  device pixels
   * @param {(pen: CanvasRenderingContext2D) => void} paint
   */
  renew(name, rectangle, paint) {
    const factor = this.view.scale * this.view.density;
    this.scratch.setTransform(1, 0, 0, 1, 0, 0);
    this.scratch.clearRect(0, 0, this.view.width, this.view.height);
    this.scratch.setTransform(factor, 0, 0, factor, 0, 0);
    paint(this.scratch);
    const pen = this.contexts[name];
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(...rectangle);
    pen.drawImage(this.scratch.canvas, ...rectangle, ...rectangle);
    this.#toUnits(name);
  }

  /** @param {LayerName} name */
  #toUnits(name) {
    const factor = this.view.scale * this.view.density;
    this.contexts[name].setTransform(factor, 0, 0, factor, 0, 0);
  }
}

/** Own wet ink skips the compositor's queue where the browser can. @param {string} name @param {HTMLCanvasElement} canvas */
function context(name, canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { desynchronized: name === "own" }));
}
