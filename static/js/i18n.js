// The words that scripts show: English is the source text, a catalogue may stand in front of it.
// @ts-check

/** @type {Map<string, string>} source text -> text in the page's language */
const catalogue = new Map();

/** @param {Record<string, string>} texts  source text -> translation */
export function learn(texts) {
  for (const [source, text] of Object.entries(texts)) catalogue.set(source, text);
}

/**
 * The text in the page's language, with `{name}` filled in. Values are inserted as they are: show the result through
 * textContent only.
 * @param {string} source @param {Record<string, string|number>} [values] @returns {string}
 */
export function t(source, values) {
  const text = catalogue.get(source) ?? source;
  return values ? text.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole)) : text;
}

/**
 * One of two texts by number; `{n}` is the number.
 * @param {number} n @param {string} one @param {string} many @returns {string}
 */
export function tn(n, one, many) {
  return t(n === 1 ? one : many, { n });
}
