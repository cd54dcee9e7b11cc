// Who is in the lesson: presence (who is here) and the fold (names, roles, rights) put together. Pure.
// @ts-check

/**
 * @typedef {object} Entry
 * @property {string} id
 * @property {string} name
 * @property {string} role
 * @property {string} color
 *
 * @typedef {{role: string, name: string, color: string, removed?: boolean}} FoldPerson
 */

const ORDER = new Map([["instructor", 0], ["assistant", 1], ["student", 2]]);

/**
 * Those who are here, staff first, then by name. The fold's name and role win: presence may be older.
 * @param {Iterable<Entry>} here @param {ReadonlyMap<string, FoldPerson>} people @returns {Entry[]}
 */
export function present(here, people) {
  const found = [];
  for (const entry of here) {
    const known = people.get(entry.id);
    if (!known?.removed) found.push(known ? { id: entry.id, name: known.name, role: known.role, color: known.color } : entry);
  }
  return sorted(found);
}

/** Those whom staff removed. @param {ReadonlyMap<string, FoldPerson>} people @returns {Entry[]} */
export function removed(people) {
  return sorted([...people].filter(([, person]) => person.removed).map(([id, { name, role, color }]) => ({ id, name, role, color })));
}

/** @param {Entry[]} entries @returns {Entry[]} */
function sorted(entries) {
  const rank = (/** @type {Entry} */ entry) => ORDER.get(entry.role) ?? 3;
  return entries.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1));
}

/** Those whose name has the words in it, accents and case aside. @param {Entry[]} entries @param {string} words @returns {Entry[]} */
export function found(entries, words) {
  const wanted = plain(words.trim());
  return wanted === "" ? entries : entries.filter(({ name }) => plain(name).includes(wanted));
}

/** @param {string} text */
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase();

/**
 * What staff may do with somebody.
 * @param {{role: string, id: string}} me @param {Entry} other @param {ReadonlyMap<string, FoldPerson>} people
 * @returns {{rename: boolean, remove: boolean, allow: boolean}}
 */
export function possible(me, other, people) {
  const staff = me.role === "instructor" || me.role === "assistant";
  const instructors = [...people.values()].filter((person) => person.role === "instructor" && !person.removed).length;
  const mayRemove = other.role !== "instructor" || (me.role === "instructor" && instructors > 1);
  return { rename: staff || me.id === other.id, remove: staff && other.id !== me.id && mayRemove, allow: staff && other.role === "student" };
}
