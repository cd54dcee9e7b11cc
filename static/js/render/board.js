// The board on the screen: one page at a time, all its layers, one animation frame for whatever changed.
// @ts-check

import { byId } from "../dom.js";
import { OthersInk, OwnInk } from "./wet.js";
import { Scene } from "./scene.js";
import { SlideLayer } from "./slide.js";
import { Surface } from "./surface.js";
import { Tags } from "./tags.js";
import { pageSize, viewOf } from "./view.js";

/** @typedef {import("../store.js").Store} Store */
/** @typedef {import("../store.js").Change} Change */

export class Board {
  /** @type {string|null} */
  #page = null;
  #asked = false;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #later;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.element  the page's rectangle
   * @param {Record<import("./surface.js").LayerName, HTMLCanvasElement>} parts.canvases
   * @param {HTMLImageElement} parts.image
   * @param {HTMLElement} parts.overlay
   * @param {Store} parts.store
   * @param {(by: string) => {name: string, mark: string, color: string}|null} parts.person  for name tags
   * @param {(state: "loading"|"there"|"failed"|"none") => void} parts.onSlide
   * @param {(by: string, item: import("../store.js").ShownItem) => boolean} parts.mayChange
   * @param {number} [parts.within]  ms in which the neighbours' pictures are fetched: those who turn the pages do not wait
   */
  constructor({ element, canvases, image, overlay, store, person, onSlide, mayChange, within }) {
    this.mayChange = mayChange;
    this.within = within;
    const clock = { now: () => performance.now() };
    this.element = element;
    this.store = store;
    this.clock = clock;
    this.surface = new Surface(canvases);
    this.tags = new Tags(overlay, this.surface, person, clock);
    this.scene = new Scene(this.surface, clock);
    this.others = new OthersInk(this.surface, this.tags, clock);
    this.own = new OwnInk(this.surface, () => this.#wake());
    this.slide = new SlideLayer(image, { onState: onSlide });
    this.reduced = matchMedia("(prefers-reduced-motion: reduce)");
    new ResizeObserver(() => this.#fit()).observe(element);
    store.subscribe((change) => this.#take(change));
    this.#turn();
  }

  /** The page that is shown; null before there is one. */
  get page() {
    return this.#page;
  }

  /** CSS pixels per unit. */
  get scale() {
    return this.surface.view.scale;
  }

  /** Where on the page, in units. @param {{clientX: number, clientY: number}} event @returns {[number, number]} */
  pointAt({ clientX, clientY }) {
    const box = this.element.getBoundingClientRect();
    return [(clientX - box.left) / this.scale, (clientY - box.top) / this.scale];
  }

  /** Others' ink in the making, and what they hold. @param {import("../session.js").Signal[]} signals @param {number} pace ms */
  receive(signals, pace) {
    for (const signal of signals) {
      if (signal.kind === "ink") this.others.receive(signal, pace);
      else if (signal.kind === "drag") this.#hold(signal);
    }
    this.#wake();
  }

  /** Others' items in their hands, those alone that they may change. @param {import("../session.js").Signal} signal */
  #hold({ by, data }) {
    if (data.page !== this.#page) return;
    const items = data.items.map((/** @type {string} */ id) => this.store.item(data.page, id));
    this.scene.hold(items.filter((/** @type {any} */ item) => item && !item.kept && this.mayChange(by, item)), data.at);
  }

  /** Show these, that the eraser is over, nearly gone. @param {ReadonlySet<string>} ids */
  fade(ids) {
    this.scene.fade(ids);
    this.#wake();
  }

  /** @param {Change} change */
  #take(change) {
    for (const [page, ids] of change.items) this.others.settle(ids === "all" ? this.store.items(page).map(({ id }) => id) : ids);
    if (this.store.page !== this.#page || change.topics.has("pages")) this.#turn();
    const page = this.#page;
    const ids = page === null ? undefined : change.items.get(page);
    if (page === null || !ids) return;
    if (ids === "all") this.scene.show(this.store.items(page));
    else this.scene.change(this.store.items(page), ids);
    this.#correct(change, page);
    this.#wake();
  }

  /** @param {Change} change @param {string} page */
  #correct(change, page) {
    const view = { scale: this.scale, across: Math.min(this.element.clientWidth, this.element.clientHeight), reduced: this.reduced.matches };
    for (const correction of change.corrections) {
      if (correction.page === page) this.scene.motions.correct(correction, this.store.item(page, correction.id), this.clock.now(), view);
    }
  }

  /** Turn to the page that the store looks at. */
  #turn() {
    const pages = this.store.shown?.pages ?? [];
    const index = pages.findIndex((/** @type {any} */ page) => page.id === this.store.page);
    const page = pages[index];
    const turned = (page?.id ?? null) !== this.#page;
    this.#page = page?.id ?? null;
    const { width, height } = pageSize(page);
    this.element.style.setProperty("--ratio", String(width / height));
    if (page) this.element.removeAttribute("data-early");
    this.slide.show(page?.slide, this.#across());
    this.slide.prepare([pages[index + 1]?.slide, pages[index + 2]?.slide, pages[index - 1]?.slide], this.#across(), this.within);
    if (!turned) return;
    this.tags.clear();
    this.#fit(true);
  }

  /** Fit the layers to the element. @param {boolean} [always]  also when the size is the same: another page */
  #fit(always = false) {
    const box = this.element.getBoundingClientRect();
    const page = this.store.shown?.pages.find((/** @type {any} */ one) => one.id === this.#page);
    const view = viewOf(pageSize(page), box, devicePixelRatio);
    const { width, height, scale } = this.surface.view;
    if (view.width !== width || view.height !== height || view.scale !== scale) {
      this.surface.resize(view);
      this.own.renew();
      this.slide.show(page?.slide, this.#across());
    } else if (!always) return;
    this.scene.show(this.#page === null ? [] : this.store.items(this.#page));
    this.#paint(); // now: the next frame would show cleared canvases
  }

  /** Device pixels across the page. */
  #across() {
    return this.element.clientWidth * Math.min(devicePixelRatio, 2);
  }

  #wake() {
    if (this.#asked) return;
    this.#asked = true;
    clearTimeout(this.#later);
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#paint();
    });
  }

  #paint() {
    const busy = this.scene.frame();
    this.own.frame();
    const wait = this.#page === null ? null : this.others.frame(this.#page);
    clearTimeout(this.#later);
    if (busy || wait === 0) this.#wake();
    else if (this.tags.busy || wait !== null || this.scene.motions.holding) this.#later = setTimeout(() => this.#wake(), Math.min(wait ?? 100, 100));
  }
}

/** The elements of the board, which every page that has one calls alike. */
export const layersOfPage = () => ({
  element: byId("board"),
  canvases: { highlights: byId("board-highlights"), ink: byId("board-ink"), wet: byId("board-wet"), own: byId("board-own") },
  image: byId("board-slide"),
  overlay: byId("board-overlay"),
});
