// Panels redraw once a frame, and only for the topics they show.
// @ts-check

/** @typedef {import("../store.js").Topic} Topic */

/**
 * Call `draw` now and in the next frame after any of the topics changed.
 * @param {import("../store.js").Store} store @param {Topic[]} topics @param {() => void} draw
 */
export function watch(store, topics, draw) {
  let asked = false;
  store.subscribe((change) => {
    if (asked || !topics.some((topic) => change.topics.has(topic))) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  });
  draw();
}
