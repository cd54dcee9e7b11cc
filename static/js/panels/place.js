// The reader's place in a list that grows at its end: whatever is resized or comes in, the end stays the end for those who
// read it, and who reads further up goes on reading there.
// @ts-check

/** Nearer to the end than this, the list goes on following it, CSS pixels. */
const NEAR_END = 60;

/**
 * @param {HTMLElement} scroller @param {HTMLElement} list  its entries are in it
 * @param {() => void} settled  called when the place was kept, before it is painted: what must be in view is brought there
 * @returns {{toEnd: () => void}}
 */
export function keepPlace(scroller, list, settled) {
  let atEnd = true;
  let size = "";
  /** @type {{entry: Element, part: number}|null} what lies at the upper edge, and how much of it lies above */
  let place = null;

  const measure = () => `${scroller.clientWidth} ${scroller.clientHeight} ${scroller.scrollHeight}`;
  const note = () => {
    atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END;
    const { top } = scroller.getBoundingClientRect();
    const entry = atEnd ? undefined : firstBelow(list.children, top);
    const box = entry?.getBoundingClientRect();
    place = entry && box ? { entry, part: (top - box.top) / Math.max(1, box.height) } : null;
  };
  const restore = () => {
    if (atEnd) scroller.scrollTop = scroller.scrollHeight;
    if (!place?.entry.isConnected) return;
    const box = place.entry.getBoundingClientRect();
    scroller.scrollTop += box.top + place.part * box.height - scroller.getBoundingClientRect().top;
  };

  scroller.addEventListener("scroll", () => {
    const now = measure();
    if (now === size) note(); // else what moved it was the resizing, and the reader is where they were
    size = now;
  });
  const observer = new ResizeObserver(() => {
    if (scroller.clientHeight === 0) return; // behind the other tab
    size = measure();
    restore();
    settled();
    note();
  });
  for (const part of [scroller, ...scroller.children]) observer.observe(part);

  return {
    toEnd() {
      atEnd = true;
      place = null;
      scroller.scrollTop = scroller.scrollHeight;
    },
  };
}

/** The first of entries below one another that reaches below `top`. @param {HTMLCollection} entries @param {number} top @returns {Element|undefined} */
function firstBelow(entries, top) {
  let [low, high] = [0, entries.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle].getBoundingClientRect().bottom > top) high = middle;
    else low = middle + 1;
  }
  return entries[low];
}
