// Name tags beside ink that is being drawn, on the overlay above the canvases.
// @ts-check

import { el, write } from "../dom.js";
import { readableOn } from "./colors.js";

/** A tag stays this long after its person's last stroke, ms. */
const LINGER = 1_200;

export class Tags {
  /** @type {Map<string, {element: HTMLElement, until: number}>} */
  #tags = new Map();

  /**
   * @param {HTMLElement} overlay @param {import("./surface.js").Surface} surface
   * @param {(by: string) => {name: string, mark: string, color: string}|null} person  null where names are not known (large rooms)
   * @param {{now: () => number}} clock
   */
  constructor(overlay, surface, person, clock) {
    this.overlay = overlay;
    this.surface = surface;
    this.person = person;
    this.clock = clock;
  }

  /** @param {{by: string, at: readonly number[]}[]} tips  where people draw at this moment */
  show(tips) {
    const now = this.clock.now();
    for (const { by, at } of tips) {
      const tag = this.#tags.get(by) ?? this.#make(by);
      if (!tag) continue;
      tag.until = now + LINGER;
      this.#place(tag.element, at);
    }
    for (const [by, tag] of this.#tags) {
      tag.element.style.opacity = now > tag.until ? "0" : "1";
      if (now > tag.until + 300) this.#remove(by, tag.element);
    }
  }

  /** Whether a tag waits to disappear. */
  get busy() {
    return this.#tags.size > 0;
  }

  clear() {
    for (const [by, tag] of this.#tags) this.#remove(by, tag.element);
  }

  /** @param {string} by */
  #make(by) {
    const person = this.person(by);
    if (!person) return null;
    const [name, mark] = [el("span"), el("i")];
    write(name, person.name);
    write(mark, person.mark);
    const element = el("span", { class: "tag" }, name, person.mark && mark);
    element.style.setProperty("--c", person.color);
    element.style.setProperty("--c-ink", readableOn(person.color));
    this.overlay.append(element);
    const tag = { element, until: 0 };
    this.#tags.set(by, tag);
    return tag;
  }

  /** Beside the tip, and inside the page. @param {HTMLElement} element @param {readonly number[]} at */
  #place(element, at) {
    const { scale } = this.surface.view;
    const left = Math.min(at[0] * scale + 10, this.overlay.clientWidth - element.offsetWidth - 2);
    const top = Math.max(2, Math.min(at[1] * scale - 12, this.overlay.clientHeight - element.offsetHeight - 2));
    element.style.transform = `translate(${Math.max(2, left)}px, ${top}px)`;
  }

  /** @param {string} by @param {HTMLElement} element */
  #remove(by, element) {
    element.remove();
    this.#tags.delete(by);
  }
}
