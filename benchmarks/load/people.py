"""Who is in a room of the load: clients, those of them who give messages, and what the room's bytes mean."""

import socket
import struct
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from benchmarks.load import wire
from benchmarks.load.speech import SLOTS, Digests, Read, Seat

if TYPE_CHECKING:
    from benchmarks.load.worker import Worker

KNOWN = 8192  # chunks, and frames, whose meaning is remembered
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closed at once, nothing stays behind in TIME_WAIT
MOMENT = 0.002  # s after which a rota looks again for somebody who may give
HOLD = 0.1  # s before what was refused goes again, unless the refusal says longer


class Book:
    """What the bytes of one room mean: chunks and frames that were read before."""

    def __init__(self, worker: "Worker") -> None:
        self.chunks: dict[bytes, tuple[Read, bytes]] = {}
        self.digests: Digests = {}
        self._frames: dict[bytes, Read] = {}
        self._sent: dict[int, list[float]] = {}
        self._own: dict[int, dict[int, list[int]]] = {}
        self._worker = worker

    def forget(self) -> None:
        """Forget what is remembered for speed: another window is about to be measured."""
        self.chunks.clear()
        self._frames.clear()
        self._sent.clear()
        self._own.clear()

    def understand(self, data: bytes) -> tuple[Read, bytes]:
        """Return what a chunk says and what is left over of it. Raises ValueError at what no server should send."""
        if len(self.chunks) >= KNOWN or len(self._frames) >= KNOWN:
            self.forget()
        whole, end = Read(), 0
        for opcode, start, stop in wire.walk(data):
            whole.add(self._frame(opcode, data[start:stop]))
            end = stop
        known = self.chunks[data] = (whole, data[end:])
        return known

    def _frame(self, opcode: int, payload: bytes) -> Read:
        if opcode == wire.TEXT:
            read = self._frames.get(payload)
            if read is None:
                read = self._frames[payload] = self._worker.speech.read(payload, self.digests)
            return read
        if opcode == wire.PING:
            return Read(words=[("control", payload)])
        if opcode == wire.CLOSE:
            return Read(words=[("closed", int.from_bytes(payload[:2]))])
        raise ValueError(f"a frame of kind {opcode}")

    def window(self, read: Read) -> list[float]:
        """Return when those messages of a chunk were sent that were sent while it is measured."""
        found = self._sent.get(id(read))
        if found is None:
            worker = self._worker
            since, until = worker.window
            slots = [slot for slot in read.ops if slot < worker.inks]  # others in the room are no part of the load
            if not read.events:
                slots = [worker.inks + slot for slot in read.inks if slot < worker.inks]
            found = self._sent[id(read)] = [sent for slot in slots if since <= (sent := worker.sent[slot]) < until]
        return found

    def own(self, read: Read, client: int) -> Iterable[int]:
        """Return the counts of a client's own messages in a chunk."""
        found = self._own.get(id(read))
        if found is None:
            found = self._own[id(read)] = {}
            for slot in read.ops:
                found.setdefault(slot // SLOTS, []).append(slot % SLOTS)
        return found.get(client, ())


class Client:
    """One client: its socket, and its account of what it has applied."""

    __slots__ = (
        "at", "author", "base", "book", "code", "count", "farewell", "faults", "fd", "fetch", "head", "level", "live",
        "measured", "open_", "pace", "rest", "retry", "seat", "seq", "snapshots", "sock", "total", "tries", "unsent",
    )  # fmt: skip

    sock: socket.socket

    def __init__(self, seat: Seat, book: Book) -> None:
        self.seat = seat
        self.book = book
        self.fd = -1
        self.open_ = self.live = self.measured = False
        self.rest = b""
        self.base = self.seq = self.at = self.count = self.total = 0
        self.head = 0  # the newest event, as the last welcome told
        self.author: Author | None = None
        self.faults: list[str] = []
        self.retry = (200, 1000)  # ms
        self.pace = 0.05  # s between two signals, as the server wants it now
        self.farewell: tuple[int, int] | None = None  # ms to wait, and to spread
        self.code = 0
        self.tries = 0
        self.snapshots = 0
        self.level = 0.0  # when it had caught up, monotonic seconds
        self.unsent = ""
        self.fetch: Callable[[Client], None] | None = None  # how a newcomer gets the state

    def open(self, port: int, request: bytes) -> None:
        """Connect and ask for a WebSocket."""
        self.open_ = False
        self.rest = b""
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.sock.setblocking(False)
        self.fd = self.sock.fileno()
        self.sock.send(request)

    def shut(self) -> None:
        """Close the socket at once."""
        self.sock.close()
        self.live = self.open_ = False
        self.rest = b""

    def hear(self, worker: "Worker", word: str, what: Any) -> None:
        """Take what was said to this client alone."""
        match word:
            case "welcome":
                self._welcomed(worker, what)
            case "ping":
                self.pace = what.get("pace", 1000 * self.pace) / 1000
                worker.say(self, b'{"type":"pong","applied":%d}' % self.seq)
            case "reply":
                worker.say(self, what)
            case "greet":
                worker.say(self, worker.speech.greeting(self.seat))
            case "control":
                worker.say(self, what, wire.PONG)
            case "live":
                worker.is_live(self)
            case "refused" | "done":
                if self.author is not None:
                    self.author.answered(what)
                else:
                    self.faults.append(f"was told {what}")
            case "bye":
                self.code = what["code"]
                self.farewell = (what.get("after", 0), what.get("spread", 0))
            case "closed":
                self.code = what
            case "presence":
                pass
            case _:
                self.faults.append(f"was told {what}")

    def _welcomed(self, worker: "Worker", welcome: dict[str, Any]) -> None:
        self.head = welcome["head"]
        self.retry = tuple(welcome["retry"])
        self.pace = welcome["pace"] / 1000
        self.seat.ticket = welcome["ticket"]
        if welcome["mode"] != "resume":
            self.snapshots += 1
            if self.fetch is None:
                self.faults.append(f"holds {self.seq} and was sent to the snapshot")
            else:
                self.fetch(self)
        worker.is_live(self)
        if self.author is not None:
            self.author.again()


class Rota:
    """Authors who take turns, so that `window` messages of all of them together are under way."""

    def __init__(self, authors: list["Author"], worker: "Worker", window: int, stop: float) -> None:
        self._authors = authors
        self._worker = worker
        self._window = window
        self._stop = stop
        self._next = 0
        self._out = 0
        self._waiting = False

    def came_back(self, messages: int) -> None:
        """So many messages have come back to their authors."""
        self._out -= messages
        self.fill()

    def fill(self) -> None:
        """Have messages given until enough are under way; where nobody may, look again in a moment."""
        now = time.monotonic()
        while now < self._stop and self._out < self._window:
            for _ in self._authors:
                author = self._authors[self._next]
                self._next = (self._next + 1) % len(self._authors)
                if author.may_give(now):
                    self._out += 1
                    author.give(now)
                    break
            else:
                if not self._waiting:
                    self._waiting = True
                    self._worker.later(now + MOMENT, self._look_again)
                return

    def _look_again(self) -> None:
        self._waiting = False
        self.fill()


class Author:
    """Gives messages in a client's name, at fixed times or when its rota says so, never faster than it may."""

    def __init__(self, client: Client, worker: "Worker") -> None:
        self.client = client
        self.given = 0
        self.inked = 0
        self.refusals = 0
        self.unanswered: dict[int, bytes] = {}
        self._worker = worker
        self._what = "move"
        self._stop = 0.0
        self._rate = 0.0
        self._rota: Rota | None = None
        self._running = self._held = False
        self._tokens = float(worker.speech.burst)
        self._counted = time.monotonic()

    @property
    def over(self) -> bool:
        """Whether it gives nothing more and has an answer to everything."""
        return not self._running and not self.unanswered

    def begin(self, what: str, start: float, stop: float, rate: float) -> None:
        """Give from `start` to `stop`, so many a second."""
        self._what, self._stop, self._rate = what, stop, rate
        self._rota = None
        self._running = True
        self._worker.later(start, lambda: self._keep_time(start))

    def hush(self) -> None:
        """Give nothing more."""
        self._stop = 0.0
        self._running = False

    def join(self, rota: "Rota", what: str) -> None:
        """Give when this rota says so."""
        self._rota, self._what = rota, what

    def _keep_time(self, due: float) -> None:
        now = time.monotonic()
        if now >= self._stop:
            self._running = False
            return
        self.give(now)
        due += self.client.pace if self._what == "ink" else 1 / self._rate
        self._worker.later(due, lambda: self._keep_time(due))

    def may_give(self, now: float) -> bool:
        """Take one of what the server lets an author send, if there is one and nothing is held back."""
        rate, burst = self._worker.speech.rate, self._worker.speech.burst
        if self._held or not self.client.live:
            return False
        if not rate:
            return True
        self._tokens = min(burst, self._tokens + (now - self._counted) * rate)
        self._counted = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def give(self, now: float) -> None:
        """Give one message."""
        worker, seat = self._worker, self.client.seat
        if self._what == "ink":
            self.inked += 1
            worker.sent[worker.inks + seat.client * SLOTS + self.inked % SLOTS] = now
            worker.say(self.client, worker.speech.op(seat, self.inked % SLOTS, "ink"))
            return
        self.given += 1
        if self.given >= SLOTS:
            self.client.faults.append("has given more than there is room for")
            self._running = False
            return
        text = worker.speech.op(seat, self.given, self._what)
        worker.sent[seat.client * SLOTS + self.given] = now
        self.unanswered[self.given] = text
        if self.client.live and not self._held:
            worker.say(self.client, text)

    # --- answers -------------------------------------------------------------------------------------------------

    def see(self, own: Iterable[int]) -> None:
        """Its own messages have come back."""
        before = len(self.unanswered)
        for n in own:
            self.unanswered.pop(n, None)
        if self._rota is not None and len(self.unanswered) < before:
            self._rota.came_back(before - len(self.unanswered))

    def answered(self, frame: dict[str, Any]) -> None:
        """The server has said what became of a message."""
        if frame["type"] == "done":
            return  # its event is on its way, or here already
        if not frame.get("retry"):
            self.client.faults.append(f"was refused: {frame}")
            return
        self.refusals += 1
        if not self._held:
            self._held = True
            self._worker.later(time.monotonic() + max(HOLD, frame.get("after", 0) / 1000), self._release)

    def _release(self) -> None:
        self._held = False
        self.again()

    def again(self) -> None:
        """Send everything that is not answered, in order."""
        if self.client.live and not self._held:
            for text in list(self.unanswered.values()):
                self._worker.say(self.client, text)
