// The picture under the ink: what is shown stays until something better has come whole.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { SlideLayer } from "../../static/js/render/slide.js";

const deck = (name) => ({ images: { 320: `/${name}-320`, 800: `/${name}-800`, 1600: `/${name}-1600` } });

/** A network that answers when it is told to, and a browser that keeps what came. */
class Network {
  kept = new Set();
  asked = [];
  states = [];
  waker = new EventTarget();
  image = { hidden: true, src: "", removeAttribute() { this.src = ""; } };

  constructor() {
    const parts = { onState: (state) => this.states.push(state), random: () => 0, waker: this.waker, make: () => this.make() };
    this.layer = new SlideLayer(this.image, parts);
  }

  make() {
    const { kept, asked } = this;
    return {
      complete: false, naturalWidth: 0, fetchPriority: "", onload: null, onerror: null,
      set src(address) {
        this.address = address;
        if (kept.has(address)) Object.assign(this, { complete: true, naturalWidth: 1 });
        else asked.push(this);
      },
    };
  }

  /** Answer everything that was asked for. @param {boolean} good */
  answer(good, asked = this.asked.splice(0)) {
    for (const one of asked) {
      if (good) this.kept.add(one.address);
      (good ? one.onload : one.onerror)?.();
    }
    return asked.map(({ address }) => address);
  }

  get visible() {
    return this.image.hidden ? "" : this.image.src;
  }
}

let net;
beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  net = new Network();
});

test("a larger picture takes the place of a smaller one only when it has come", () => {
  net.layer.show(deck("a"), 700);
  net.answer(true);
  assert.equal(net.visible, "/a-800");
  net.layer.show(deck("a"), 1500);
  assert.equal(net.visible, "/a-800");
  net.answer(false);
  assert.equal(net.visible, "/a-800", "a failed one breaks nothing");
  assert.ok(!net.states.includes("failed"), "and nobody is told while there is a picture");
  mock.timers.tick(3_000);
  assert.deepEqual(net.answer(true), ["/a-1600"]);
  assert.equal(net.visible, "/a-1600");
});

test("a smaller window keeps the sharper picture and asks for nothing", () => {
  net.layer.show(deck("a"), 1500);
  net.answer(true);
  net.layer.show(deck("a"), 300);
  assert.deepEqual([net.visible, net.asked], ["/a-1600", []]);
});

test("another slide shows nothing of the last: its thumbnail first, then itself", () => {
  net.layer.show(deck("a"), 700);
  net.answer(true);
  net.kept.add("/b-320");
  net.layer.show(deck("b"), 700);
  assert.equal(net.visible, "/b-320", "at hand: without a frame between");
  net.answer(true);
  assert.equal(net.visible, "/b-800");
  net.layer.show(deck("c"), 700);
  assert.equal(net.visible, "");
  net.layer.show(null, 700);
  assert.deepEqual([net.visible, net.states.at(-1)], ["", "none"]);
  net.answer(true);
  assert.equal(net.visible, "", "what comes too late is not shown");
});

test("what failed is asked for again at once when the network is back, what lies ahead too", () => {
  net.layer.show(deck("a"), 700);
  net.layer.prepare([deck("b"), null], 700);
  mock.timers.tick(1);
  net.answer(false);
  assert.equal(net.states.at(-1), "failed");
  net.waker.dispatchEvent(new Event("online"));
  assert.deepEqual(net.answer(true).sort(), ["/a-800", "/b-800"]);
  assert.equal(net.visible, "/a-800");
  net.waker.dispatchEvent(new Event("online"));
  assert.deepEqual(net.asked, [], "once is enough");
});

test("what is looked at is urgent, what lies ahead is not", () => {
  net.layer.show(deck("a"), 700);
  net.layer.prepare([deck("b")], 700);
  mock.timers.tick(60_000);
  assert.deepEqual(net.asked.map(({ address, fetchPriority }) => [address, fetchPriority]), [["/a-800", "high"], ["/a-320", "high"], ["/b-800", "low"]]);
});
