// The HTTP doors that a lesson needs besides its live one: the state, a fresh ticket, coming in again.
// @ts-check

/**
 * @typedef {{lesson: number, participant: {id: string, name: string, role: string, color: string}, ticket: string,
 *            live: {socket: string, stream?: string, poll?: string, send?: string}, state: string}} Pass
 * @typedef {{epoch: string, seq: number, at: number, digest: Record<string, number>, state: any}} Snapshot
 */

const PATIENCE = 20_000; // ms for an answer; a state of 3 MB over a slow phone takes a while

/** An answer that is none: `status` 0 when there was no answer at all. */
export class DoorError extends Error {
  /** @param {number} status @param {string} code  of the closed list, or "" @param {string} message @param {number} after ms */
  constructor(status, code = "", message = "", after = 0) {
    super(message);
    this.status = status;
    this.code = code;
    this.after = after;
  }
}

export class Doors {
  /**
   * @param {{lesson: number, state: string}} pass
   * @param {{csrf?: string, fetcher?: (url: string, init: RequestInit) => Promise<Response>}} [parts]
   *   csrf: for members of staff, who have a session
   */
  constructor(pass, { csrf = "", fetcher = (url, init) => fetch(url, init) } = {}) {
    this.pass = pass;
    this.csrf = csrf;
    this.fetcher = fetcher;
  }

  /** @param {{ticket: string, boards: string, atLeast: number|null}} what  boards: `current` or a page @returns {Promise<Snapshot>} */
  state({ ticket, boards, atLeast }) {
    const query = new URLSearchParams({ boards });
    if (atLeast) query.set("at_least", String(atLeast));
    return this.#ask(`${this.pass.state}?${query}`, { headers: { Authorization: `Ticket ${ticket}` } });
  }

  /** A fresh ticket for a still valid one. @param {string} ticket @returns {Promise<{ticket: string}>} */
  ticket(ticket) {
    return this.#post("ticket", { Authorization: `Ticket ${ticket}` });
  }

  /** Come in again by one's session. @returns {Promise<Pass>} */
  rejoin() {
    return this.#post("join", {});
  }

  /** @param {string} verb @param {Record<string, string>} headers */
  #post(verb, headers) {
    return this.#ask(`/api/lessons/${this.pass.lesson}/${verb}/`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": this.csrf, ...headers },
      body: "{}",
    });
  }

  /** @param {string} url @param {RequestInit} init @returns {Promise<any>} */
  async #ask(url, init) {
    const patience = new AbortController(); // `AbortSignal.timeout` is younger than some phones in the room
    const timer = setTimeout(() => patience.abort(), PATIENCE);
    let response;
    try {
      response = await this.fetcher(url, { ...init, signal: patience.signal });
      if (response.ok) return await response.json();
    } catch (error) {
      throw new DoorError(0, "", String(error));
    } finally {
      clearTimeout(timer);
    }
    const said = await response.json().catch(() => ({}));
    throw new DoorError(response.status, said.code, said.message, said.after);
  }
}
