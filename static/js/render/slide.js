// The picture under the ink: the smallest one that is sharp, another until it has come whole, the neighbours ahead of time.
// @ts-check

/** Pictures of the next pages are fetched at a random moment within this, ms: a class must not ask at once. */
const AHEAD = 20_000;
/** A picture that failed is asked for again after this, ms. */
const AGAIN = 3_000;

/** A picture may be a tenth larger than its file: that is not seen. */
const SLACK = 0.9;

/** @typedef {{images: Record<string, string>, text?: string, alt?: string}} Slide */

/**
 * The address of the smallest picture that is at least `pixels` wide, else of the widest.
 * @param {Record<string, string>} images  width -> address @param {number} pixels  device pixels @returns {string|undefined}
 */
export function pictureFor(images, pixels) {
  const widths = Object.keys(images).map(Number).sort((a, b) => a - b);
  const width = widths.find((one) => one >= pixels) ?? widths[widths.length - 1];
  return width === undefined ? undefined : images[width];
}

/** A picture of its own, beside the one that is shown. @typedef {{src: string, fetchPriority: string, complete: boolean, naturalWidth: number, onload: any, onerror: any}} Loader */
/** @typedef {{address: string, width: number}} Picture  width: of the file, 0 for none */

/** @type {Picture} */
const NONE = { address: "", width: 0 };

export class SlideLayer {
  /** The address of its smallest picture stands for the slide; "" is a blank sheet. */
  #slide = "";
  #wanted = NONE;
  #shown = NONE;
  #failed = false;
  /** What is fetched ahead of time, and whether any of it did not come. */
  #near = { addresses: /** @type {string[]} */ ([]), missed: false };
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #ahead;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #again;

  /**
   * @param {HTMLImageElement} image  shows only what has come whole: a picture that fails takes no other's place
   * @param {{onState: (state: "loading"|"there"|"failed"|"none") => void, random?: () => number, make?: () => Loader, waker?: EventTarget}} parts
   *   waker: where `online` happens
   */
  constructor(image, { onState, random = Math.random, make = () => new Image(), waker = window }) {
    this.image = image;
    this.onState = onState;
    this.random = random;
    this.make = make;
    waker.addEventListener("online", () => this.#back());
  }

  /** @param {Slide|null|undefined} slide  null: a blank sheet @param {number} pixels  device pixels across */
  show(slide, pixels) {
    const images = slide?.images ?? {};
    const [address, thumbnail] = [pictureFor(images, pixels * SLACK) ?? "", pictureFor(images, 1) ?? ""];
    if (thumbnail !== this.#slide) this.#change(thumbnail);
    if (address === this.#wanted.address) return;
    clearTimeout(this.#again);
    this.#failed = false;
    this.#wanted = { address, width: widthOf(images, address) };
    if (this.#wanted.width <= this.#shown.width) return this.onState("there"); // what is shown is sharp enough
    if (this.#shown === NONE) this.onState("loading");
    this.#load(this.#wanted);
    if (this.#shown === NONE && thumbnail !== address) this.#small(thumbnail);
  }

  /** Fetch the pictures of pages that are near. @param {(Slide|null|undefined)[]} slides @param {number} pixels @param {number} [within]  ms */
  prepare(slides, pixels, within = AHEAD) {
    clearTimeout(this.#ahead);
    const addresses = slides.map((slide) => slide && pictureFor(slide.images, pixels * SLACK)).filter((address) => typeof address === "string");
    this.#near = { addresses, missed: false };
    this.#ahead = setTimeout(() => this.#prepare(), this.random() * within);
  }

  #prepare() {
    const near = this.#near;
    near.missed = false;
    for (const address of near.addresses) this.#fetch(address, () => {}, () => (near.missed = true), "low");
  }

  /** Another slide: nothing of the last one stays under this one's ink. @param {string} thumbnail */
  #change(thumbnail) {
    clearTimeout(this.#again);
    this.#slide = thumbnail;
    this.#wanted = this.#shown = NONE;
    this.image.hidden = true;
    if (thumbnail !== "") return;
    this.image.removeAttribute("src");
    this.onState("none");
  }

  /** @param {Picture} picture */
  #load(picture) {
    this.#failed = false;
    this.#fetch(picture.address, () => this.#wanted === picture && this.#put(picture), () => {
      if (this.#wanted !== picture) return;
      this.#failed = true;
      if (this.#shown === NONE) this.onState("failed");
      this.#again = setTimeout(() => this.#load(picture), AGAIN);
    });
  }

  /** The thumbnail stands in until the picture has come. @param {string} thumbnail */
  #small(thumbnail) {
    this.#fetch(thumbnail, () => this.#slide === thumbnail && this.#shown === NONE && this.#put({ address: thumbnail, width: 1 }));
  }

  /** @param {string} address @param {() => unknown} there @param {() => unknown} [failed] @param {"high"|"low"} [urgency]  a picture that stands on no page is the browser's last care, if nothing is said */
  #fetch(address, there, failed, urgency = "high") {
    const loader = this.make();
    loader.fetchPriority = urgency;
    loader.src = address;
    if (loader.complete && loader.naturalWidth > 0) return void there(); // it was at hand: no frame without it
    loader.onload = there;
    loader.onerror = failed ?? null;
  }

  /** @param {Picture} picture */
  #put(picture) {
    this.#shown = picture;
    this.image.src = picture.address;
    this.image.hidden = false;
    this.onState("there");
  }

  /** The network is back: nobody waits for the next try. */
  #back() {
    if (this.#near.missed) this.#prepare();
    if (!this.#failed) return;
    clearTimeout(this.#again);
    this.#load(this.#wanted);
  }
}

/** @param {Record<string, string>} images @param {string} address */
const widthOf = (images, address) => Number(Object.keys(images).find((width) => images[width] === address) ?? 0);
