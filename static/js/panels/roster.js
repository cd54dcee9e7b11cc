// Who is in the lesson: presence (who is here) and the fold (names, roles, rights) put together. Pure.
// @ts-check

/**
 * Somebody as all panels show them.
 * @typedef {object} Entry
 * @property {string} id
 * @property {string} name   as they gave it; for changing it
 * @property {string} mark   what tells them from others of that name, "(7)"; else ""
 * @property {string} label  name and mark, wherever somebody is named
 * @property {string} role
 * @property {string} color
 *
 * @typedef {{name: string, role: string, color: string}} Person
 * @typedef {Person & {removed?: boolean}} FoldPerson
 */

const ORDER = new Map([["instructor", 0], ["assistant", 1], ["student", 2]]);

/**
 * Everybody who is known, by id: who is here, whom the fold has met, and oneself. The fold's name and role win: presence
 * may be older.
 * @param {ReadonlyMap<string, Person>} here @param {ReadonlyMap<string, FoldPerson>} people @param {Person & {id: string}} me
 * @returns {Map<string, Entry>}
 */
export function known(here, people, me) {
  /** @type {Map<string, Entry>} */
  const all = new Map();
  for (const some of [[[me.id, me]], here, people]) {
    for (const [id, { name, role, color }] of /** @type {Iterable<[string, Person]>} */ (some)) all.set(id, { id, name, mark: "", label: name, role, color });
  }
  tellApart(all);
  return all;
}

/**
 * Who share a name bear a mark, the number in their id: it is the same at every client, whomever else that one has heard
 * of, and stays when others come, go or change their names. A name that reads like somebody's mark is marked itself.
 * @param {ReadonlyMap<string, Entry>} all
 */
function tellApart(all) {
  /** @type {Map<string, Entry[]>} */
  const alike = new Map();
  const keys = new Map();
  for (const entry of all.values()) {
    const key = look(entry.name);
    keys.set(entry, key);
    const group = alike.get(key);
    if (group) group.push(entry);
    else alike.set(key, [entry]);
  }
  const shared = [...alike.values()].filter((group) => group.length > 1).flat();
  for (const entry of shared) { // grows meanwhile
    if (entry.mark) continue;
    entry.mark = `(${entry.id.replace(/\D/g, "")})`;
    entry.label = `${entry.name.trim()} ${entry.mark}`;
    for (const other of alike.get(`${keys.get(entry)} ${entry.mark}`) ?? []) shared.push(other);
  }
}

/** How a name looks to a reader in a hurry: the same in every locale. @param {string} name */
function look(name) {
  if (/^[\x21-\x7e]+$/.test(name)) return name.toLowerCase();
  return name.normalize("NFKC").replace(/\p{Cf}/gu, "").replace(/\s+/g, " ").trim().toLowerCase();
}

/**
 * Those who are here, staff first, then by name.
 * @param {Iterable<string>} here  ids @param {ReadonlyMap<string, Entry>} all @param {ReadonlyMap<string, FoldPerson>} people @returns {Entry[]}
 */
export function present(here, all, people) {
  return pick([...here].filter((id) => !people.get(id)?.removed), all);
}

/** Those whom staff removed. @param {ReadonlyMap<string, Entry>} all @param {ReadonlyMap<string, FoldPerson>} people @returns {Entry[]} */
export function removed(all, people) {
  return pick([...people].filter(([, person]) => person.removed).map(([id]) => id), all);
}

/** @param {string[]} ids @param {ReadonlyMap<string, Entry>} all @returns {Entry[]} */
const pick = (ids, all) => sorted(/** @type {Entry[]} */ (ids.map((id) => all.get(id)).filter(Boolean)));

/** @param {Entry[]} entries @returns {Entry[]} */
function sorted(entries) {
  const rank = (/** @type {Entry} */ entry) => ORDER.get(entry.role) ?? 3;
  return entries.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name) || a.id.length - b.id.length || (a.id < b.id ? -1 : 1));
}

/** Those whose name has the words in it, accents and case aside. @param {Entry[]} entries @param {string} words @returns {Entry[]} */
export function found(entries, words) {
  const wanted = plain(words.trim());
  return wanted === "" ? entries : entries.filter(({ label }) => plain(label).includes(wanted));
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
