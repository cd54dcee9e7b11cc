// Who is here: everybody at first, then who came and who left; in a large room the count alone.
// @ts-check

/**
 * @typedef {{id: string, name: string, role: string, color: string}} Person
 * @typedef {{count: number, people: Map<string, Person>, named: boolean}} Presence  named: false in large rooms, `people` is empty
 */

export class Roster {
  /** @type {Presence} */
  presence = { count: 0, people: new Map(), named: false };
  #whole = true;

  /** A new connection: the next frame tells everybody. Until then those stay who were here. */
  begin() {
    this.#whole = true;
  }

  /** @param {{count: number, here?: Person[], left?: string[]}} frame */
  hear({ count, here, left }) {
    const people = this.#whole || !here ? new Map() : new Map(this.presence.people);
    for (const person of here ?? []) people.set(person.id, person);
    for (const id of left ?? []) people.delete(id);
    this.#whole = !here;
    this.presence = { count, people, named: Boolean(here) };
  }
}
