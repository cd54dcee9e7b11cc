"""A client of the live door in Python: it speaks the protocol, folds what it applies, and forgives no hole."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from classrooms import lesson as fold
from tests.support.server import Server
from tests.support.waiting import until_async

Frame = dict[str, Any]


class Client:
    """One page load of one participant.

    state      the confirmed fold; `applied` are the events of it, in order, that came over the socket
    outcomes   {op id: its `done` or `refused` frame, or its own event}
    frames     everything else that came, by type
    repeats    events at or below `seq` that came again (a resume may bring them, a connection never twice)
    """

    def __init__(self, server: Server, seat: dict[str, Any], *, port: int | None = None) -> None:
        """`port` is a proxy's, if the socket shall run through one; HTTP never does."""
        self.server = server
        self.seat = seat
        self.id: str = seat["participant"]["id"]
        self.ticket: str = seat["ticket"]
        self.port = port or server.port
        self.client = secrets.token_hex(4)
        self.epoch: str | None = None
        self.state = fold.fresh()
        self.applied: list[Frame] = []
        self.outcomes: dict[str, Frame] = {}
        self.unanswered: dict[str, Frame] = {}
        self.frames: dict[str, list[Frame]] = {}
        self.repeats = 0
        self.live = False
        self.close_code: int | None = None
        self.broken: BaseException | None = None
        self._count = 0
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    @classmethod
    async def guest(cls, server: Server, name: str, *, port: int | None = None) -> Self:
        """Join by code as a guest; not connected yet."""
        return cls(server, await asyncio.to_thread(server.join, name), port=port)

    @classmethod
    async def staff(cls, server: Server, lesson: int, *, as_: str = "teacher", port: int | None = None) -> Self:
        """Join as a member of staff; not connected yet."""
        return cls(server, await asyncio.to_thread(server.join_staff, lesson, as_=as_), port=port)

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.disconnect()
        if error is None and self.broken is not None:
            raise self.broken

    # --- the link ----------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Connect, say hello with the last applied event, send unanswered ops again; return when live."""
        address = f"ws://127.0.0.1:{self.port}{self.seat['live']['socket']}"
        self._socket = await connect(
            address, subprotocols=["lectern.1"], compression=None, max_size=None, ping_interval=None, proxy=None  # type: ignore[list-item]
        )  # fmt: skip
        self.close_code = None
        self._reader = asyncio.ensure_future(self._read(self._socket))
        hello = {"type": "hello", "protocol": [1], "ticket": self.ticket, "client": self.client, "epoch": self.epoch}
        await self.send(hello | self._last())
        await until_async(lambda: self.live or self.close_code or self.broken, timeout=20, saying="a welcome")
        self._check()
        assert self.live, f"closed with {self.close_code} before the welcome"

    async def reconnect(self, timeout: float = 20) -> None:
        """Connect again, as often as it takes."""

        async def succeeded() -> bool:
            with contextlib.suppress(OSError, ConnectionClosed, InvalidHandshake, AssertionError):
                await self.disconnect()
                await self.connect()
                return True
            return False

        await until_async(succeeded, timeout=timeout, saying=f"{self.id} is live again")

    async def disconnect(self) -> None:
        """Close the socket, if there is one."""
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            await self._reader
        self._socket = self._reader = None
        self.live = False

    def local_port(self) -> int:
        """Return the port of our end of the connection."""
        assert self._socket is not None
        return int(self._socket.local_address[1])

    def drop(self) -> None:
        """Cut the connection without a word."""
        assert self._socket is not None
        self._socket.transport.abort()

    async def send(self, *frames: Frame) -> None:
        """Send frames as one message."""
        assert self._socket is not None, "not connected"
        await self._socket.send(json.dumps(frames[0] if len(frames) == 1 else frames))

    # --- doing -------------------------------------------------------------------------------------------------

    def new_op(self, kind: str, data: Frame) -> Frame:
        """Return a fresh op frame, to be sent by `send_ops`."""
        self._count += 1
        return {"type": "op", "id": f"{self.client}:{self._count}", "kind": kind, "data": data}

    async def send_ops(self, *ops: Frame) -> None:
        """Send ops in one message; they stay in `unanswered` until they are confirmed or finally refused."""
        self.unanswered |= {op["id"]: op for op in ops}
        with contextlib.suppress(ConnectionClosed):  # reconnecting sends them again
            await self.send(*ops)

    async def propose(self, kind: str, data: Frame | None = None) -> Frame:
        """Send one op and return its own event, `done` or `refused`."""
        op = self.new_op(kind, data or {})
        await self.send_ops(op)
        return await self.outcome(op["id"])

    async def outcome(self, op: str, timeout: float = 15) -> Frame:
        """Return the own event, `done` or `refused` of an op."""
        await self.wait_until(lambda: op in self.outcomes, timeout=timeout, saying=f"an answer to {op}")
        return self.outcomes[op]

    async def draw(self, page: str, start: tuple[float, float], end: tuple[float, float]) -> str:
        """Draw a straight line and return its item id; AssertionError when it is refused."""
        op = self.new_op("board.edit", {})
        item = f"{self.id}.{self.client}.{self._count}"
        fields = {"at": start, "box": [end[0] - start[0], end[1] - start[1]], "style": {"color": "#17694f", "width": 4}}
        op["data"] = {"page": page, "edits": [["add", item, "line", fields]]}
        await self.send_ops(op)
        outcome = await self.outcome(op["id"])
        assert outcome.get("type") != "refused", outcome
        return item

    # --- seeing ------------------------------------------------------------------------------------------------

    async def wait_until(self, what: Callable[[], object], *, timeout: float = 10, saying: str = "") -> None:
        """Wait for something to be true of this client; a failure of its reader ends the wait."""
        await until_async(lambda: self.broken or what(), timeout=timeout, saying=saying or f"{what}")
        self._check()

    async def reach(self, seq: int, timeout: float = 10) -> None:
        """Wait until event `seq` is applied."""
        await self.wait_until(lambda: self.state.seq >= seq, timeout=timeout, saying=f"{self.id} applied {seq}")

    def reconcile(self, log: list[Frame]) -> None:
        """AssertionError unless what was applied equals the log from its first event to the same end, in order."""
        if self.applied:
            first, last = self.applied[0]["seq"], self.applied[-1]["seq"]
            assert self.applied == log[first - 1 : last]
        assert [op for op, answer in self.outcomes.items() if not self._in(log, op, answer)] == []

    def _in(self, log: list[Frame], op: str, answer: Frame) -> bool:
        if answer.get("type") == "refused" or answer.get("seq") is None:
            return True
        return [event["seq"] for event in log if event["by"] == self.id and event["op"] == op] == [answer["seq"]]

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken

    def _last(self) -> Frame:
        seen = self.epoch is not None and self.state.seq > 0
        return {"since": self.state.seq if seen else None, "at": self.state.at if seen else None}

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                frames = json.loads(text)
                for frame in frames if isinstance(frames, list) else [frames]:
                    await self._handle(frame)
        except ConnectionClosed:
            pass
        except BaseException as error:  # noqa: BLE001 - carried over to whoever waits
            self.broken = error
        self.live = False
        self.close_code = socket.close_code or 1006

    async def _handle(self, frame: Frame) -> None:
        match frame["type"]:
            case "welcome":
                await self._welcomed(frame)
            case "events":
                for event in frame["events"]:
                    self._apply(event)
            case "done" | "refused":
                self._answered(frame)
            case "ping":
                await self.send({"type": "pong", "applied": self.state.seq})
        self.frames.setdefault(frame["type"], []).append(frame)

    async def _welcomed(self, frame: Frame) -> None:
        self.ticket = frame["ticket"]
        if frame["mode"] == "snapshot":
            path = f"{self.seat['state']}?at_least={self.state.seq if frame['epoch'] == self.epoch else 0}"
            status, body = await asyncio.to_thread(self.server.request, "GET", path, ticket=self.ticket)
            assert status == 200, body
            self.state = fold.from_json(body["state"], body["seq"], body["at"])
            self.epoch = body["epoch"]
            self.applied = []
            await self.send({"type": "sync"} | self._last())
        self.live = True
        if self.unanswered:
            await self.send(*self.unanswered.values())

    def _apply(self, event: Frame) -> None:
        if event["seq"] <= self.state.seq:
            self.repeats += 1
            return
        assert event["seq"] == self.state.seq + 1, f"{self.id} holds {self.state.seq} and was sent {event['seq']}"
        fold.apply(self.state, fold.Event(**event))
        self.applied.append(event)
        if event["by"] == self.id and event["op"] in self.unanswered:
            del self.unanswered[event["op"]]
            self.outcomes[event["op"]] = event

    def _answered(self, frame: Frame) -> None:
        op = frame["id"]
        if op is None:
            return
        if frame["type"] == "refused" and frame.get("retry"):
            return  # it stays unanswered, and goes again with the next connection or `send_ops`
        if frame["type"] == "refused" or frame.get("seq") is None or frame["seq"] <= self.state.seq:
            self.unanswered.pop(op, None)
            self.outcomes[op] = frame
