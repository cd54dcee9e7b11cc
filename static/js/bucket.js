// How fast one may go: a bucket of tokens that fills by itself.
// @ts-check

export class Bucket {
  /** @param {{now: () => number}} clock @param {number} rate  tokens a second @param {number} burst  tokens when full */
  constructor(clock, rate, burst) {
    this.clock = clock;
    this.rate = rate;
    this.burst = burst;
    this.tokens = burst;
    this.at = clock.now();
  }

  /** Other limits; what was spent stays spent. @param {number} rate @param {number} burst */
  tune(rate, burst) {
    this.#fill();
    this.tokens = Math.max(0, burst - (this.burst - this.tokens));
    this.rate = rate;
    this.burst = burst;
  }

  /** @returns {boolean} whether there was one */
  take() {
    this.#fill();
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }

  /** ms until there is one; 0 when there is @returns {number} */
  get wait() {
    this.#fill();
    return this.tokens >= 1 ? 0 : Math.ceil(((1 - this.tokens) / this.rate) * 1000);
  }

  /** The other side counts differently: begin from nothing. */
  empty() {
    this.#fill();
    this.tokens = 0;
  }

  #fill() {
    const now = this.clock.now();
    // A clock that was set back fills nothing, and does not stop the bucket from filling afterwards.
    this.tokens = Math.min(this.burst, this.tokens + (Math.max(0, now - this.at) / 1000) * this.rate);
    this.at = now;
  }
}
