// The WebSocket: one connection at a time, texts in both directions. What the texts say is not known here.
// @ts-check

/**
 * Hears one connection; after `closed`, or after the connection was dropped, nothing more comes.
 * @typedef {object} Listener
 * @property {() => void} opened
 * @property {(text: string) => void} heard  a frame or an array of frames
 * @property {(code: number) => void} closed
 *
 * One connection of any transport.
 * @typedef {object} Connection
 * @property {(text: string) => void} send
 * @property {() => void} drop  close it and hear no more of it
 *
 * @typedef {{open: (listener: Listener) => Connection}} Transport
 */

const SUBPROTOCOL = "lectern.1";

/** @implements {Transport} */
export class SocketTransport {
  /**
   * @param {string} path  of the live door, from the pass
   * @param {{location?: {href: string}, Socket?: typeof WebSocket}} [browser]
   */
  constructor(path, { location = globalThis.location, Socket = globalThis.WebSocket } = {}) {
    const url = new URL(path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.url = url.href;
    this.Socket = Socket;
  }

  /** @param {Listener} listener @returns {Connection} */
  open(listener) {
    const socket = new this.Socket(this.url, SUBPROTOCOL);
    const ears = new AbortController();
    const { signal } = ears;
    socket.addEventListener("open", () => listener.opened(), { signal });
    socket.addEventListener("message", ({ data }) => listener.heard(data), { signal });
    socket.addEventListener("close", ({ code }) => listener.closed(code), { signal });
    return {
      send: (text) => {
        if (socket.readyState === this.Socket.OPEN) socket.send(text);
      },
      drop: () => {
        ears.abort();
        socket.close(1000);
      },
    };
  }
}
