"""Pure: the frames of the wire, protocol 1: reading hostile ones, writing ready bytes. Twin: static/js/protocol.js."""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final, TypedDict

import msgspec
from msgspec import UNSET, Raw, UnsetType

from classrooms import kinds
from classrooms.closes import SENTENCES as FAREWELLS
from classrooms.closes import Close
from classrooms.kinds import clean_name
from classrooms.refusals import Code, Refused
from classrooms.roles import Role
from whiteboard import items, points

__all__ = [
    "LIMITS", "PROTOCOL", "STAFF_LIMITS", "SUBPROTOCOL", "Bye", "Close", "Done", "Draft", "Frame", "Hello",
    "Op", "Person", "Ping", "Pong", "Presence", "RefusedFrame", "Signal", "Sync", "Time", "TimeAnswer", "Unreadable",
    "Welcome", "clean_name", "draft", "encode", "event_bytes", "events_frame", "limits", "read", "read_op",
    "read_signal", "schema", "signal_bytes", "signals_frame", "state_body",
]  # fmt: skip

PROTOCOL: Final = 1
SUBPROTOCOL: Final = "lectern.1"
MAX_EVENTS_IN_FRAME: Final = 200
MAX_FRAME_OUT: Final = 128 * 1024  # bytes
MAX_FRAMES_IN: Final = 1000  # of one message: 32,000 numbers fit into 64 KiB, and each costs as much as a frame

LIMITS: Final[dict[str, int]] = {  # of a participant, as `welcome.limits` tells them
    "frame": 64 * 1024,  # bytes of a text message
    "data": 16 * 1024,  # bytes of an op's data
    "ops": 10,  # a second
    "ops_burst": 40,
    "signals": 25,  # a second
    "signals_burst": 50,
    "connections": 5,
    "text": items.MAX_TEXT,
    "points": points.MAX_POINTS,
    "edits": items.MAX_EDITS,
    "items": items.MAX_ITEMS,
}
STAFF_LIMITS: Final[dict[str, int]] = {**LIMITS, "ops": 50, "ops_burst": 200}

_OP_ID = re.compile(items.ID_PATTERN[1:-1])
_CLIENT = re.compile(r"[0-9a-f]{8}")


def limits(role: str) -> dict[str, int]:
    """Return what `welcome.limits` tells a participant of this role."""
    return LIMITS if role == Role.STUDENT else STAFF_LIMITS


# --- frames that come up ---------------------------------------------------------------------------------------------


class Hello(msgspec.Struct, tag="hello"):
    """The first frame of a socket. `since`, `at`: the last applied event, or null."""

    protocol: list[int]
    ticket: str
    client: str
    epoch: str | None = None
    since: int | None = None
    at: int | None = None

    def __post_init__(self) -> None:
        if not _CLIENT.fullmatch(self.client):
            raise ValueError("client")


class Op(msgspec.Struct, tag="op"):
    """A request to make an event. `id` is `client:n`."""

    id: str
    kind: str
    data: Raw

    def __post_init__(self) -> None:
        if not _OP_ID.fullmatch(self.id):
            raise ValueError("id")


class Signal(msgspec.Struct, tag="signal"):
    """A passing message, never logged and never answered."""

    kind: str
    data: Raw


class Pong(msgspec.Struct, tag="pong"):
    """The answer to a ping: the seq of the last applied event."""

    applied: int | None = None


class Time(msgspec.Struct, tag="time"):
    """A question for the server's clock; `t` is the asker's own and comes back."""

    t: float


class Sync(msgspec.Struct, tag="sync"):
    """Go on from `since`, whose time was `at`."""

    since: int | None = None
    at: int | None = None


class Unreadable(msgspec.Struct, frozen=True):
    """A frame that could not be read; `id` when it was an op whose id could."""

    id: str | None
    code: Code


Frame = Hello | Op | Signal | Pong | Time | Sync

_frame: Final[msgspec.json.Decoder[Frame]] = msgspec.json.Decoder(Frame)
_one: Final = msgspec.json.Decoder(Raw)
_many: Final = msgspec.json.Decoder(list[Raw])


class _Trace(msgspec.Struct):
    id: Any = None


_trace: Final = msgspec.json.Decoder(_Trace)
_UNREADABLE: Final = (msgspec.MsgspecError, RecursionError, UnicodeError)


def read(text: str | bytes) -> list[Frame | Unreadable]:
    """Return the frames of a text message (an object or an array of them), in order. Never raises."""
    try:
        message = text.encode() if isinstance(text, str) else bytes(text)
    except UnicodeError:
        return [Unreadable(None, Code.BAD_FRAME)]
    if len(message) > LIMITS["frame"]:
        return [Unreadable(None, Code.TOO_LARGE)]
    try:
        frames = _many.decode(message) if message.lstrip()[:1] == b"[" else [_one.decode(message)]
    except _UNREADABLE:
        return _read_apart(message)
    if len(frames) > MAX_FRAMES_IN:
        return [Unreadable(None, Code.TOO_LARGE)]
    return [_read_one(frame) for frame in frames]


def _read_apart(message: bytes) -> list[Frame | Unreadable]:
    """Read a message that msgspec refuses as a whole, for half an emoji or NaN somewhere: each frame by itself."""
    try:
        found = json.loads(message)
        frames = found if isinstance(found, list) else [found]
        if len(frames) > MAX_FRAMES_IN:
            return [Unreadable(None, Code.TOO_LARGE)]
        raws = [Raw(json.dumps(frame).encode()) for frame in frames]  # recurses one deeper than reading does
    except (ValueError, RecursionError):
        return [Unreadable(None, Code.BAD_FRAME)]
    return [
        _read_one(raw, frame.get("id") if isinstance(frame, dict) else None)
        for raw, frame in zip(raws, frames, strict=True)
    ]


def _read_one(frame: Raw, traced: object = None) -> Frame | Unreadable:
    try:
        return _frame.decode(frame)
    except _UNREADABLE:
        pass
    with suppress(*_UNREADABLE):
        traced = _trace.decode(frame).id
    return Unreadable(traced if isinstance(traced, str) and _OP_ID.fullmatch(traced) else None, Code.BAD_FRAME)


# --- ops become drafts of events -------------------------------------------------------------------------------------


class Draft(msgspec.Struct, frozen=True):
    """An event before it has a number. `text` is the JSON of `data`: the very bytes that are stored and sent."""

    kind: str
    op: str
    data: dict[str, Any]
    text: str


def read_op(op: Op) -> Draft:
    """Return the event that `op` asks for, its data normal and without unknown fields. Raises Refused."""
    kind = kinds.OPS.get(op.kind)
    if kind is None:
        raise Refused(Code.UNKNOWN_KIND)
    if len(bytes(op.data)) > LIMITS["data"]:
        raise Refused(Code.TOO_LARGE)
    written = _write(kinds.decode(op.data, kind.data))
    if len(written) > LIMITS["data"]:
        raise Refused(Code.TOO_LARGE)
    return Draft(kind.event, op.id, msgspec.json.decode(written), written.decode())


def draft(kind: str, op: str, data: dict[str, Any]) -> Draft:
    """Return an event of the server's own; `kind` is the event's. Raises Refused when `data` is not of that kind."""
    written = _write(kinds.convert(data, kinds.EVENTS[kind]))
    return Draft(kind, op, msgspec.json.decode(written), written.decode())


def read_signal(signal: Signal) -> bytes:
    """Return the JSON of a signal's data, normal. Raises Refused."""
    as_type = kinds.SIGNALS.get(signal.kind)
    if as_type is None:
        raise Refused(Code.UNKNOWN_KIND)
    if len(bytes(signal.data)) > LIMITS["data"]:
        raise Refused(Code.TOO_LARGE)
    return _write(kinds.decode(signal.data, as_type))


# --- frames that go down ---------------------------------------------------------------------------------------------


class Person(TypedDict):
    """A participant as the frames name one."""

    id: str
    name: str
    role: str
    color: str


class Welcome(msgspec.Struct, tag="welcome", kw_only=True):
    """The first answer. `mode`: `resume` (events follow) or `snapshot` (fetch the state, then `sync`)."""

    protocol: int = PROTOCOL
    epoch: str
    head: int
    mode: str
    me: Person
    ticket: str
    limits: dict[str, int]
    pace: int
    retry: tuple[int, int]
    now: int


class Done(msgspec.Struct, tag="done"):
    """An op is through: its event's seq, or null when it left none."""

    id: str
    seq: int | None


class RefusedFrame(msgspec.Struct, tag="refused", omit_defaults=True):
    """An op is refused; `id` is null when the frame could not be read. `after`: ms to wait before a retry."""

    id: str | None
    code: Code
    message: str
    retry: bool | UnsetType = UNSET
    after: int | UnsetType = UNSET

    @classmethod
    def of(cls, op: str | None, refused: Refused) -> "RefusedFrame":
        """Return the frame of a refusal."""
        after = UNSET if refused.after is None else refused.after
        return cls(op, refused.code, refused.message, refused.retry, after)


class Presence(msgspec.Struct, tag="presence", omit_defaults=True):
    """How many are here; who came and who left, where names are told."""

    count: int
    here: list[Person] | UnsetType = UNSET
    left: list[str] | UnsetType = UNSET


class Ping(msgspec.Struct, tag="ping", omit_defaults=True):
    """A sign of life. `digest`: a page and its board's digest at `head`."""

    head: int
    digest: tuple[str, int] | UnsetType = UNSET
    pace: int | UnsetType = UNSET


class TimeAnswer(msgspec.Struct, tag="time"):
    """The server's clock, ms since 1970."""

    t: float
    now: int


class Bye(msgspec.Struct, tag="bye", omit_defaults=True):
    """The end of a connection. Come back after `after` ms and a random part of `spread` ms; `reload` the page first."""

    code: int
    message: str
    after: int | UnsetType = UNSET
    spread: int | UnsetType = UNSET
    reload: bool | UnsetType = UNSET

    @classmethod
    def of(cls, code: Close, *, after: int = 0, spread: int = 0, reload: bool = False) -> "Bye":
        """Return the frame that goes before a close; what is zero is left out."""
        return cls(code, FAREWELLS[code], after or UNSET, spread or UNSET, reload or UNSET)


class EventJSON(msgspec.Struct):
    """An event on the wire."""

    seq: int
    kind: str
    by: str | None
    at: int
    op: str | None
    data: dict[str, Any]


class SignalJSON(msgspec.Struct):
    """A signal on the wire, of somebody else."""

    kind: str
    by: str
    data: dict[str, Any]


class Events(msgspec.Struct, tag="events"):
    """Events in order, without a hole: at most 200 and 128 KiB."""

    events: list[EventJSON]


class Signals(msgspec.Struct, tag="signals"):
    """What others are doing right now."""

    signals: list[SignalJSON]


DownFrame = Welcome | Done | RefusedFrame | Presence | Ping | TimeAnswer | Bye

_encoder: Final = msgspec.json.Encoder()
_write: Final = _encoder.encode


def encode(frame: DownFrame) -> bytes:
    """Return the bytes of a frame."""
    return _write(frame)


def event_bytes(seq: int, kind: str, by: str | None, at: int, op: str | None, text: str) -> bytes:
    """Return the bytes of one event for `events_frame`; `text` is its data's JSON as stored."""
    head = f'{{"seq":{seq},"kind":"{kind}","by":{_quoted(by)},"at":{at},"op":{_quoted(op)},"data":{text}}}'
    return head.encode()


def _quoted(name: str | None) -> str:
    return "null" if name is None else f'"{name}"'  # ids need no escapes


def events_frame(events: Iterable[bytes]) -> bytes:
    """Return the frame that carries these events."""
    return b'{"type":"events","events":[' + b",".join(events) + b"]}"


def signals_frame(signals: Iterable[bytes]) -> bytes:
    """Return the frame that carries these signals."""
    return b'{"type":"signals","signals":[' + b",".join(signals) + b"]}"


def signal_bytes(kind: str, by: str, data: bytes) -> bytes:
    """Return the bytes of one signal for `signals_frame`."""
    return b'{"kind":"%b","by":"%b","data":%b}' % (kind.encode(), by.encode(), data)


def state_body(epoch: str, seq: int, at: int, digests: dict[str, int], state: bytes) -> bytes:
    """Return the answer of the state door; `state` comes from `lesson.encode_state`."""
    head = _write({"epoch": epoch, "seq": seq, "at": at, "digest": digests})
    return head[:-1] + b',"state":' + state + b"}"


# --- the schema ------------------------------------------------------------------------------------------------------

UP: Final[tuple[type[msgspec.Struct], ...]] = (Hello, Op, Signal, Pong, Time, Sync)
DOWN: Final[tuple[type[msgspec.Struct], ...]] = (
    Welcome, Events, Done, RefusedFrame, Signals, Presence, Ping, TimeAnswer, Bye,
)  # fmt: skip


def schema() -> dict[str, Any]:
    """Return the JSON Schema of every frame and of the data of every kind: docs/protocol.schema.json."""
    named = [*kinds.EVENTS.values(), *(kind.data for kind in kinds.OPS.values()), *kinds.SIGNALS.values()]
    types = list(dict.fromkeys([*UP, *DOWN, *named]))
    refs, definitions = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    ref = dict(zip(types, refs, strict=True))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Lectern, protocol 1",
        "description": "A text message is one frame or an array of frames.",
        "frames": {
            "up": {"oneOf": [ref[frame] for frame in UP]},
            "down": {"oneOf": [ref[frame] for frame in DOWN]},
        },
        "ops": {kind: {"event": op.event, "data": ref[op.data]} for kind, op in kinds.OPS.items()},
        "events": {kind: ref[data] for kind, data in kinds.EVENTS.items()},
        "signals": {kind: ref[data] for kind, data in kinds.SIGNALS.items()},
        "refusals": [code.value for code in Code],
        "limits": LIMITS,
        "$defs": definitions,
    }
