// A join code as people write it down, read it off a wall, and paste it: what of it is meant.
// @ts-check

export const CODE_LENGTH = 6;

/** No code has one of these, for they are mistaken for each other (CODE_ALPHABET in classrooms/models.py). */
const MISTAKABLE = /[01OIL]/;

/** Case, spaces and dashes do not matter. @param {string} text @returns {string} at most CODE_LENGTH letters and digits */
export function tidy(text) {
  return text.normalize("NFKC").replace(/[^0-9a-z]/gi, "").toUpperCase().slice(0, CODE_LENGTH);
}

/** The code in a pasted text: in the address of a door, with words around it, or alone. @param {string} text @returns {string} */
export function pasted(text) {
  const door = /\/j\/([^/?#\s]+)/.exec(text);
  if (door) return tidy(door[1]);
  const alone = tidy(text);
  if (text.replace(/[^0-9a-z]/gi, "").length <= CODE_LENGTH) return alone;
  const words = text.match(/(?<![0-9A-Za-z])(?=[0-9A-Za-z]{6}(?![0-9A-Za-z]))[2-9A-HJKMNP-Z]{6}/g) ?? [];
  return words.at(-1) ?? alone;
}

/** The first letter or digit that stands in no code, "" where there is none. @param {string} code @returns {string} */
export function mistaken(code) {
  return MISTAKABLE.exec(code)?.[0] ?? "";
}
