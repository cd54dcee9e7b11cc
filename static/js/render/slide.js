// The picture under the ink: the smallest one that is sharp, its thumbnail until it has come, the next two ahead of time.
// @ts-check

/** Pictures of the next pages are fetched at a random moment within this, ms: a class must not ask at once. */
const AHEAD = 20_000;
/** A picture that failed is asked for again after this, ms. */
const AGAIN = 3_000;

/** @typedef {{images: Record<string, string>, text?: string}} Slide */

/**
 * The address of the smallest picture that is at least `pixels` wide, else of the widest.
 * @param {Record<string, string>} images  width -> address @param {number} pixels  device pixels @returns {string|undefined}
 */
export function pictureFor(images, pixels) {
  const widths = Object.keys(images).map(Number).sort((a, b) => a - b);
  const width = widths.find((one) => one >= pixels) ?? widths[widths.length - 1];
  return width === undefined ? undefined : images[width];
}

export class SlideLayer {
  #address = "";
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #ahead;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #again;

  /** @param {HTMLImageElement} image @param {{onState: (state: "loading"|"there"|"failed"|"none") => void, random?: () => number}} parts */
  constructor(image, { onState, random = Math.random }) {
    this.image = image;
    this.onState = onState;
    this.random = random;
    image.addEventListener("load", () => this.onState("there"));
    image.addEventListener("error", () => this.#failed());
  }

  /** @param {Slide|null|undefined} slide  null: a blank sheet @param {number} pixels  device pixels across */
  show(slide, pixels) {
    const address = slide ? pictureFor(slide.images, pixels * 0.9) : undefined; // a tenth larger than its file is not seen
    if (!address) {
      this.#address = "";
      this.image.hidden = true;
      this.image.removeAttribute("src");
      this.onState("none");
      return;
    }
    if (address === this.#address) return;
    clearTimeout(this.#again);
    this.#address = address;
    const thumbnail = slide && pictureFor(slide.images, 1);
    this.image.style.background = thumbnail && thumbnail !== address ? `#fff 0 0 / 100% 100% url("${encodeURI(thumbnail)}")` : "";
    this.onState("loading");
    this.image.hidden = false;
    this.image.src = address;
  }

  /** Fetch the pictures of the pages that come next. @param {(Slide|null|undefined)[]} slides @param {number} pixels */
  prepare(slides, pixels) {
    clearTimeout(this.#ahead);
    this.#ahead = setTimeout(() => {
      for (const slide of slides) if (slide) new Image().src = pictureFor(slide.images, pixels * 0.9) ?? "";
    }, this.random() * AHEAD);
  }

  #failed() {
    if (!this.#address) return;
    this.onState("failed");
    clearTimeout(this.#again);
    this.#again = setTimeout(() => {
      const address = this.#address;
      this.image.src = "";
      this.image.src = address;
    }, AGAIN);
  }
}
