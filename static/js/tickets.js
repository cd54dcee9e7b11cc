// The pass to the live doors, and getting a fresh one when it has run out.
// @ts-check
import { DoorError } from "./transport/doors.js";

/** @typedef {Pick<import("./transport/doors.js").Doors, "state"|"ticket"|"rejoin">} LessonDoors */

export class Tickets {
  /** @type {Promise<boolean>|null} */
  #asking = null;

  /** @param {LessonDoors} doors @param {string} ticket  the pass's, later each welcome's @param {string} participant */
  constructor(doors, ticket, participant) {
    this.doors = doors;
    this.current = ticket;
    this.participant = participant;
  }

  /** Get a fresh one, once for all who ask meanwhile. @returns {Promise<boolean>} false: there is none to be had; throws when nobody answers */
  renew() {
    this.#asking ??= this.#renew().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #renew() {
    return (await this.#ask(() => this.doors.ticket(this.current))) || this.#ask(() => this.#rejoin());
  }

  async #rejoin() {
    const { participant, ticket } = await this.doors.rejoin();
    // Somebody else uses this browser now: their pass is not ours, and our ops are not theirs.
    if (participant.id !== this.participant) throw new DoorError(403);
    return { ticket };
  }

  /** @param {() => Promise<{ticket: string}>} ask */
  async #ask(ask) {
    try {
      this.current = (await ask()).ticket;
      return true;
    } catch (error) {
      const status = error instanceof DoorError ? error.status : 0;
      if (status === 0 || status === 429 || status >= 500) throw error;
      return false;
    }
  }
}
