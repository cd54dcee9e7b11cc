// A classroom on Socket.IO with its Redis adapter: whoever is in a room hears what one of them says.
//
//     node socketio.mjs PORT REDIS_URL BATCH_MS
//
// BATCH_MS 0: each message is a broadcast of its own. Otherwise messages of a room are gathered for so long and go out as
// one. Settings as the documentation advises for many sockets: WebSocket alone, no compression, bufferutil installed, the
// request of the handshake let go of. GET /lag answers the delay of the event loop, in ms, since it was last asked.
import { createServer } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";

import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const [port, redis, batch] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4])];

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();

const http = createServer((request, response) => {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6 }));
  delay.reset();
});

const publisher = createClient({ url: redis });
const subscriber = publisher.duplicate();
await Promise.all([publisher.connect(), subscriber.connect()]);

const io = new Server(http, {
  adapter: createAdapter(publisher, subscriber),
  transports: ["websocket"],
  serveClient: false,
  perMessageDeflate: false,
  httpCompression: false,
});

io.engine.on("connection", (raw) => {
  raw.request = null;
});

/** @type {Map<string, unknown[]>} */
const waiting = new Map();

function gather(room, message) {
  const others = waiting.get(room);
  if (others) {
    others.push(message);
    return;
  }
  waiting.set(room, [message]);
  setTimeout(() => {
    const messages = waiting.get(room);
    waiting.delete(room);
    io.to(room).emit("events", messages);
  }, batch);
}

io.on("connection", (socket) => {
  const room = socket.handshake.auth.room;
  socket.join(room);
  socket.on("event", batch ? (message) => gather(room, message) : (message) => io.to(room).emit("event", message));
});

http.listen({ port, host: "127.0.0.1", backlog: 4096 }, () => console.log("listening"));
