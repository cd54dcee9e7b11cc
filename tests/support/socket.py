"""A bare socket at the live door, for tests that say what no client of ours would."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.server import Server

Frame = dict[str, Any]


class Socket:
    """One connection. `received` keeps every frame that came, in order."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.received: list[Frame] = []

    async def say(self, *frames: Frame) -> None:
        """Send frames as one message."""
        await self.connection.send(json.dumps(frames[0] if len(frames) == 1 else frames))

    async def hear(self, kind: str, **fields: Any) -> Frame:
        """Return the next frame of this type with these values."""
        while True:
            frame: Frame = json.loads(await asyncio.wait_for(self.connection.recv(), 10))
            self.received.append(frame)
            if frame["type"] == kind and all(frame.get(name) == value for name, value in fields.items()):
                return frame

    async def events(self, until: int) -> list[Frame]:
        """Return the events that come, up to the seq `until`."""
        heard: list[Frame] = []
        while not heard or heard[-1]["seq"] < until:
            heard += (await self.hear("events"))["events"]
        return heard

    async def closed(self) -> tuple[int | None, Frame | None]:
        """Return the close code, and the `bye` that came before it."""
        bye = None
        with contextlib.suppress(ConnectionClosed):
            while True:
                frame = json.loads(await asyncio.wait_for(self.connection.recv(), 10))
                self.received.append(frame)
                bye = frame if frame["type"] == "bye" else bye
        return self.connection.close_code, bye


def hello(ticket: str, **fields: Any) -> Frame:
    """Return a `hello` of a fresh client, with other fields if given."""
    fresh = {
        "protocol": [1],
        "ticket": ticket,
        "client": secrets.token_hex(4),
        "epoch": None,
        "since": None,
        "at": None,
    }
    return {"type": "hello"} | fresh | fields


@contextlib.asynccontextmanager
async def opened(server: Server, lesson: int, **options: Any) -> AsyncIterator[Socket]:
    """A socket that has said nothing yet."""
    address = f"ws://127.0.0.1:{server.port}/live/lessons/{lesson}/socket/"
    usual: dict[str, Any] = {"subprotocols": ["lectern.1"], "compression": None, "max_size": None, "proxy": None}
    async with connect(address, **usual | {"ping_interval": None} | options) as connection:
        yield Socket(connection)


@contextlib.asynccontextmanager
async def seated(server: Server, seat: Frame, **fields: Any) -> AsyncIterator[Socket]:
    """A socket that has said hello with a pass's ticket and, unless told otherwise, has its cursor at the head."""
    async with opened(server, seat["lesson"]) as socket:
        await socket.say(hello(seat["ticket"], **fields))
        welcome = await socket.hear("welcome")
        if welcome["mode"] == "snapshot":
            _, state = await asyncio.to_thread(server.request, "GET", seat["state"], ticket=seat["ticket"])
            await socket.say({"type": "sync", "since": state["seq"], "at": state["at"]})
        yield socket


PAGE = "p1"
STYLE = {"color": "#17694f", "width": 4}


def add(item: str) -> list[Any]:
    """Return the edit that draws a short line."""
    return ["add", item, "line", {"at": [10, 10], "box": [40, 0], "style": STYLE}]


def edit(*edits: Any, page: str = PAGE) -> Frame:
    """Return the data of `board.edit`."""
    return {"page": page, "edits": list(edits)}


def op(number: int, kind: str, data: Frame | None = None, client: str = "9f3a01c2") -> Frame:
    """Return an op of a client that counts its own."""
    return {"type": "op", "id": f"{client}:{number}", "kind": kind, "data": data or {}}
