// Which tool is in hand, and how each one's ink looks: chosen once, remembered on this device.
// @ts-check

/** @typedef {import("./contract.js").Tool} Tool */
/** @typedef {import("./contract.js").Style} Style */

const KEY = "lectern.tools";

export class Toolbox {
  #open = false;
  /** @type {Map<string, {color: string, width: number}>} */
  #styles = new Map();
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /** @param {Tool[]} tools  in the order of the toolbar @param {Storage|null} [storage]  null where the browser keeps nothing */
  constructor(tools, storage = null) {
    this.tools = tools;
    this.storage = storage;
    this.chosen = tools[0];
    /** The tool whose colours are offered: the newest chosen that has any. */
    this.inking = tools[0];
    const kept = this.#read();
    for (const { name, palette } of tools) {
      if (!palette) continue;
      const color = palette.colors.find(({ value }) => value === kept[name]?.color) ?? palette.colors[0];
      const width = palette.widths.find(({ value }) => value === kept[name]?.width) ?? palette.widths[Math.min(1, palette.widths.length - 1)];
      this.#styles.set(name, { color: color.value, width: width.value });
    }
  }

  /** The tool in hand; null while this person may not draw. */
  get tool() {
    return this.#open ? this.chosen : null;
  }

  /** @param {string} name @returns {Tool|null} */
  named(name) {
    return this.#open ? (this.tools.find((tool) => tool.name === name) ?? null) : null;
  }

  /** @param {boolean} open  whether this person may draw */
  allow(open) {
    if (open === this.#open) return;
    this.#open = open;
    this.#tell();
  }

  /** @param {string} name */
  choose(name) {
    this.chosen = this.tools.find((tool) => tool.name === name) ?? this.chosen;
    if (this.chosen.palette) this.inking = this.chosen;
    this.#tell();
  }

  /** @param {Tool} tool @returns {Style} */
  styleOf({ name, palette }) {
    const style = this.#styles.get(name) ?? { color: "#1d1c1a", width: 4 };
    return palette?.opacity ? { ...style, opacity: palette.opacity } : { ...style };
  }

  /** Change the ink of the tool whose colours are offered, and take it in hand: who picks a colour wants to draw.
   * @param {Partial<{color: string, width: number}>} change */
  restyle(change) {
    Object.assign(this.#styles.get(this.inking.name) ?? {}, change);
    this.#write();
    this.choose(this.inking.name);
  }

  /** @param {() => void} fn */
  onChange(fn) {
    this.#listeners.add(fn);
  }

  #tell() {
    for (const fn of this.#listeners) fn();
  }

  /** @returns {Record<string, {color: string, width: number}>} */
  #read() {
    try {
      return JSON.parse(this.storage?.getItem(KEY) ?? "{}") ?? {};
    } catch {
      return {};
    }
  }

  #write() {
    try {
      this.storage?.setItem(KEY, JSON.stringify(Object.fromEntries(this.#styles)));
    } catch {
      // a full or forbidden storage: remembered until the page closes
    }
  }
}
