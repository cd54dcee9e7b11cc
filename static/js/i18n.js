// The words that scripts show: English is the source text, the page's catalogue stands in front of it.
// @ts-check

/** Source text -> text in the page's language, or its plural forms in order. @type {Map<string, string|string[]>} */
const catalogue = new Map();
const page = globalThis.document;
/** The order of plural forms in a catalogue is that of their names here. */
const FORMS = ["zero", "one", "two", "few", "many", "other"];
const rules = new Intl.PluralRules(page?.documentElement.lang || "en");
const forms = FORMS.filter((form) => rules.resolvedOptions().pluralCategories.includes(/** @type {any} */ (form)));

/** @param {Record<string, string|string[]>} texts  source text -> translation */
export function learn(texts) {
  for (const [source, text] of Object.entries(texts)) catalogue.set(source, text);
}

const words = page?.getElementById("words")?.textContent;
if (words) learn(JSON.parse(words));

/**
 * The text in the page's language, with `{name}` filled in. Values are inserted as they are: show the result through
 * textContent only. `source` stands here as it is, for the catalogues are gathered from these calls.
 * @param {string} source @param {Record<string, string|number>} [values] @returns {string}
 */
export function t(source, values) {
  return filled(translated(source) ?? source, values);
}

/**
 * One of two texts by number; `{n}` is the number.
 * @param {number} n @param {string} one @param {string} many @returns {string}
 */
export function tn(n, one, many) {
  const known = catalogue.get(one);
  const form = Array.isArray(known) ? known[forms.indexOf(rules.select(n))] : undefined;
  return filled(form ?? (n === 1 ? one : many), { n });
}

/** A sentence of the server's own, in the page's language where its catalogue has it. @param {string} sentence @returns {string} */
export function told(sentence) {
  return translated(sentence) ?? sentence;
}

/** @param {string} source */
function translated(source) {
  const known = catalogue.get(source);
  return Array.isArray(known) ? known[0] : known;
}

/** @param {string} text @param {Record<string, string|number>} [values] */
function filled(text, values) {
  return values ? text.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole)) : text;
}
