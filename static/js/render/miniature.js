// A page as a small picture: its slide, and the ink on it.
// @ts-check

import { el } from "../dom.js";
import { paint } from "./paint.js";
import { pictureFor } from "./slide.js";
import { PAGE_WIDTH, pageSize } from "./view.js";

export class Miniature {
  #address = "";

  /** @param {HTMLElement} element  takes the form of the page */
  constructor(element) {
    this.element = element;
    this.image = el("img", { alt: "", decoding: "async", hidden: true });
    this.image.addEventListener("error", () => {
      this.#address = ""; // the next time it is asked for again
      this.image.hidden = true;
    });
    this.canvas = el("canvas", {});
    element.append(this.image, this.canvas);
  }

  /** @param {import("../lesson.js").Page} page @param {readonly import("../store.js").ShownItem[]} items  in paint order */
  draw(page, items) {
    const { width, height } = pageSize(page);
    this.element.style.setProperty("--ratio", String(width / height));
    const across = Math.max(1, Math.round(this.element.clientWidth * Math.min(devicePixelRatio, 2)));
    this.#show(page.slide ? (pictureFor(page.slide.images, across) ?? "") : "");
    const scale = across / PAGE_WIDTH;
    this.canvas.width = across;
    this.canvas.height = Math.max(1, Math.round(height * scale));
    const pen = this.canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    const under = items.filter(({ kind }) => kind === "highlight"); // they lie under all other ink
    for (const item of [...under, ...items.filter(({ kind }) => kind !== "highlight")]) paint(pen, item);
  }

  /** @param {string} address  "" for none */
  #show(address) {
    if (address === this.#address) return;
    this.#address = address;
    this.image.hidden = address === "";
    if (address) this.image.src = address;
    else this.image.removeAttribute("src");
  }
}
