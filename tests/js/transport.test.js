// The WebSocket and the HTTP doors, as far as they go without a browser.
import assert from "node:assert/strict";
import { test } from "node:test";

import { DoorError, Doors } from "../../static/js/transport/doors.js";
import { SocketTransport } from "../../static/js/transport/socket.js";

class FakeSocket extends EventTarget {
  static OPEN = 1;
  readyState = 0;
  sent = [];

  constructor(url, protocol) {
    super();
    Object.assign(this, { url, protocol });
    FakeSocket.last = this;
  }

  send(text) {
    this.sent.push(text);
  }

  close(code) {
    this.closed = code;
  }
}

function connect(href = "https://school.example/lessons/7/") {
  const heard = [];
  const transport = new SocketTransport("/live/lessons/7/socket/", { location: { href }, Socket: FakeSocket });
  const connection = transport.open({ opened: () => heard.push("open"), heard: (text) => heard.push(text), closed: (code) => heard.push(code) });
  return { heard, connection, socket: FakeSocket.last };
}

const message = (data) => Object.assign(new Event("message"), { data });
const close = (code) => Object.assign(new Event("close"), { code });

test("the socket is as safe as its page, and speaks our protocol", () => {
  assert.equal(connect().socket.url, "wss://school.example/live/lessons/7/socket/");
  assert.equal(connect("http://192.168.0.4:8000/lessons/7/").socket.url, "ws://192.168.0.4:8000/live/lessons/7/socket/");
  assert.equal(connect().socket.protocol, "lectern.1");
});

test("texts go both ways while it is open", () => {
  const { heard, connection, socket } = connect();
  connection.send("too early");
  socket.readyState = 1;
  socket.dispatchEvent(new Event("open"));
  connection.send("up");
  socket.dispatchEvent(message("down"));
  socket.dispatchEvent(close(4112));
  assert.deepEqual(socket.sent, ["up"]);
  assert.deepEqual(heard, ["open", "down", 4112]);
});

test("a dropped connection is not heard any more", () => {
  const { heard, connection, socket } = connect();
  connection.drop();
  socket.dispatchEvent(message("late"));
  socket.dispatchEvent(close(4006));
  assert.deepEqual([heard, socket.closed], [[], 1000]);
});

const json = (data, status = 200) => new Response(JSON.stringify(data), { status });

function doors(answer) {
  const asked = [];
  const fetcher = async (url, init) => {
    asked.push({ url, ...init });
    return answer();
  };
  return { asked, doors: new Doors({ lesson: 7, state: "/live/lessons/7/state/" }, { csrf: "token", fetcher }) };
}

test("the state is asked for with the ticket in a header, never in the address", async () => {
  const { asked, doors: door } = doors(() => json({ seq: 3 }));
  assert.deepEqual(await door.state({ ticket: "t:1", boards: "u3.x.1", atLeast: 41 }), { seq: 3 });
  assert.equal(asked[0].url, "/live/lessons/7/state/?boards=u3.x.1&at_least=41");
  assert.equal(asked[0].headers.Authorization, "Ticket t:1");
});

test("a ticket and a seat are asked for by POST, with the CSRF token", async () => {
  const { asked, doors: door } = doors(() => json({ ticket: "fresh" }));
  await door.ticket("t:1");
  await door.rejoin();
  assert.deepEqual(asked.map(({ method, url }) => [method, url]), [["POST", "/api/lessons/7/ticket/"], ["POST", "/api/lessons/7/join/"]]);
  assert.ok(asked.every(({ headers }) => headers["X-CSRFToken"] === "token"));
});

test("a refusal keeps its code and its time", async () => {
  const { doors: door } = doors(() => json({ code: "slow_down", message: "Wait.", after: 900 }, 429));
  await assert.rejects(door.rejoin(), new DoorError(429, "slow_down", "Wait.", 900));
});

test("no answer, or one that nobody can read, is status 0", async () => {
  const none = doors(() => {
    throw new TypeError("network");
  });
  await assert.rejects(none.doors.rejoin(), ({ status }) => status === 0);
  const page = doors(() => new Response("<html>", { status: 200 }));
  await assert.rejects(page.doors.rejoin(), ({ status }) => status === 0);
  const error = doors(() => new Response("<html>", { status: 502 }));
  await assert.rejects(error.doors.rejoin(), ({ status }) => status === 502);
});
