"""What is said on a socket: the protocol of Lectern and those of its rivals, each as one dialect.

Every message that a client gives has an id, `client:n`, which is the same in all dialects: client, 8 hex digits, is
the number of the one who gave it, n counts from 1. Its *slot* is client × SLOTS + n: where the moment of its sending
stands.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Raw, Struct

from whiteboard.points import encode

SLOTS = 16384  # messages of one client
SIZE = 150  # bytes of a message, and about those of an event
INK = encode([(3 * n, 20 * (n % 7)) for n in range(80)], False)
WET = encode([(3 * n, 2 * n) for n in range(5)], False)
STYLE = {"color": "#2f5fd0", "width": 4}

Digests = dict[int, bytes]


@dataclass(slots=True)
class Read:
    """What one frame says, or several together.

    frames  how many brought events; `events` how many, numbered `first` to `last` (0 where the server gives no number)
    at      the time of the last event, as the server wrote it
    total   the sum of their slots; `ops` are their slots, `inks` those of signals
    words   everything else, for the client alone
    """

    frames: int = 0
    events: int = 0
    first: int = 0
    last: int = 0
    at: int = 0
    total: int = 0
    ops: list[int] = field(default_factory=list)
    inks: list[int] = field(default_factory=list)
    words: list[tuple[str, Any]] = field(default_factory=list)

    def add(self, other: "Read") -> None:
        """Take in what the next frame says. Raises ValueError where its numbers do not follow."""
        if other.events:
            if self.events and other.first != self.last + (other.first > 0):
                raise ValueError(f"{other.first} follows {self.last} in one chunk")
            self.first = self.first if self.events else other.first
            self.last, self.at = other.last, other.at
        self.frames += other.frames
        self.events += other.events
        self.total += other.total
        self.ops += other.ops
        self.inks += other.inks
        self.words += other.words


@dataclass(slots=True)
class Seat:
    """Where a client sits: its number among all, its room, and what the server wants to know of it."""

    client: int
    room: int
    path: str = "/"
    participant: str = ""
    ticket: str = ""
    epoch: str = ""

    @property
    def name(self) -> str:
        """The client in 8 hex digits."""
        return f"{self.client:08x}"


class Speech(ABC):
    """One dialect."""

    subprotocol = ""
    numbered = False  # whether the server numbers events
    rate: float = 0.0  # messages of one author a second, that the server takes; 0: any
    burst = 0

    @abstractmethod
    def read(self, payload: bytes, digests: Digests) -> Read:
        """Read a text frame; what it says of events that are numbered goes into `digests`."""

    @abstractmethod
    def op(self, seat: Seat, n: int, what: str) -> bytes:
        """Return the text of an author's message number n; `what` is move, stroke or ink."""

    def opened(self, seat: Seat, since: int, at: int) -> list[bytes] | None:
        """Return what to say when the socket is open; None when the client is live without a word."""
        return None

    def greeting(self, seat: Seat) -> bytes:
        """Return what to say to a server that has spoken first."""
        return b""


def slot_of(op: str) -> int:
    """Return the slot of an id."""
    client, _, n = op.partition(":")
    return int(client, 16) * SLOTS + int(n)


class _Event(Struct):
    seq: int
    kind: str
    by: str | None
    at: int
    op: str | None
    data: Raw


class _InkData(Struct):
    item: str = ""
    offset: int = 0


class _Signal(Struct):
    kind: str
    data: _InkData


class _Events(Struct):
    type: str
    events: list[_Event] = []
    signals: list[_Signal] = []


_events = msgspec.json.Decoder(_Events).decode
_any = msgspec.json.Decoder(dict[str, Any]).decode


def digest(seq: int, kind: str, by: str | None, at: int, op: str | None, data: bytes) -> bytes:
    """Return 8 bytes that stand for an event, to be compared with those of the same event elsewhere."""
    return blake2b(f"{seq}|{kind}|{by or ''}|{at}|{op}|".encode() + data, digest_size=8).digest()


class Lectern(Speech):
    """Protocol 1 (docs/protocol.md)."""

    subprotocol = "lectern.1"
    numbered = True
    rate = 48.0  # of staff; a little less than they may
    burst = 150

    def read(self, payload: bytes, digests: Digests) -> Read:
        if payload.startswith(b'{"type":"events"'):
            return self._read_events(_events(payload).events, digests)
        if payload.startswith(b'{"type":"signals"'):
            return Read(inks=[_ink_slot(one.data) for one in _events(payload).signals if one.kind == "ink"])
        frame = _any(payload)
        return Read(words=[(frame["type"], frame)])

    @staticmethod
    def _read_events(events: list[_Event], digests: Digests) -> Read:
        read = Read(frames=1, first=events[0].seq, last=events[-1].seq, at=events[-1].at, events=len(events))
        if read.last - read.first + 1 != len(events):
            raise ValueError(f"a frame has {len(events)} events from {read.first} to {read.last}")
        for event in events:
            own = digest(event.seq, event.kind, event.by, event.at, event.op, bytes(event.data))
            if digests.setdefault(event.seq, own) != own:
                raise ValueError(f"event {event.seq} came in two forms")
            if event.by is not None and event.op:
                read.ops.append(slot_of(event.op))
        read.total = sum(read.ops)
        return read

    def op(self, seat: Seat, n: int, what: str) -> bytes:
        item = f"{seat.participant}.{seat.name}"
        if what == "ink":
            data: dict[str, Any] = {"page": "p1", "item": f"{item}.1", "offset": n, "ink": WET, "style": STYLE}
            return msgspec.json.encode({"type": "signal", "kind": "ink", "data": data})
        edit: list[Any]
        if what == "stroke":
            edit = ["add", f"{item}.{n}", "stroke", {"at": [n % 800, n % 500], "ink": INK, "style": STYLE}]
        elif n == 1:
            edit = ["add", f"{item}.1", "line", {"at": [1, 1], "box": [90, 40], "style": STYLE}]
        else:
            edit = ["set", f"{item}.1", {"at": [100 + n % 700 + 0.25, 100 + n % 400 + 0.5]}]
        data = {"page": "p1", "edits": [edit]}
        return msgspec.json.encode({"type": "op", "id": f"{seat.name}:{n}", "kind": "board.edit", "data": data})

    def opened(self, seat: Seat, since: int, at: int) -> list[bytes] | None:
        hello = {
            "type": "hello", "protocol": [1], "ticket": seat.ticket, "client": seat.name, "epoch": seat.epoch or None,
            "since": since if since >= 0 else None, "at": at if since > 0 else None,
        }  # fmt: skip
        return [msgspec.json.encode(hello)]


def _ink_slot(data: _InkData) -> int:
    return int(data.item.split(".")[1], 16) * SLOTS + data.offset


class _Message(Struct):
    op: str


def _padded(seat: Seat, n: int) -> bytes:
    """Return a message of SIZE bytes as a rival passes it on."""
    bare = {"op": f"{seat.name}:{n}", "by": f"u{seat.client}", "kind": "board.edited", "data": ""}
    return msgspec.json.encode(bare | {"data": "x" * (SIZE - len(msgspec.json.encode(bare)))})


def _said(messages: list[_Message]) -> Read:
    ops = [slot_of(message.op) for message in messages]
    return Read(frames=1, events=len(ops), total=sum(ops), ops=ops)


class Plain(Speech):
    """JSON messages as a consumer of Channels passes them on: nothing but the message."""

    _decode = staticmethod(msgspec.json.Decoder(_Message).decode)

    def read(self, payload: bytes, digests: Digests) -> Read:
        return _said([self._decode(payload)])

    def op(self, seat: Seat, n: int, what: str) -> bytes:
        return _padded(seat, n)


class SocketIO(Speech):
    """Engine.IO 4 and Socket.IO 5 over a WebSocket, in the default namespace."""

    _one = staticmethod(msgspec.json.Decoder(tuple[str, _Message]).decode)
    _many = staticmethod(msgspec.json.Decoder(tuple[str, list[_Message]]).decode)

    def read(self, payload: bytes, digests: Digests) -> Read:
        if payload.startswith(b'42["events"'):
            return _said(self._many(payload[2:])[1])
        if payload.startswith(b"42"):
            return _said([self._one(payload[2:])[1]])
        if payload == b"2":
            return Read(words=[("reply", b"3")])
        if payload.startswith(b"0"):
            return Read(words=[("greet", None)])
        if payload.startswith(b"40"):
            return Read(words=[("live", None)])
        raise ValueError(f"Socket.IO says {payload[:80]!r}")

    def op(self, seat: Seat, n: int, what: str) -> bytes:
        return b'42["event",' + _padded(seat, n) + b"]"

    def opened(self, seat: Seat, since: int, at: int) -> list[bytes] | None:
        return []

    def greeting(self, seat: Seat) -> bytes:
        return b'40{"room":"%d"}' % seat.room


SPEECHES: dict[str, type[Speech]] = {"lectern": Lectern, "plain": Plain, "socketio": SocketIO}
