"""Plain ASGI doors: the state of a lesson as ready bytes, and waiting for one. No query and no thread for a request."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec

from classrooms import access
from classrooms.access import Seat
from classrooms.hub import get_hub
from classrooms.models import Lesson
from classrooms.refusals import Code, Refused
from classrooms.room import Room

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MAX_WAIT = 25.0  # s a request is held; proxies give up at 30
MAX_PAGE_ID = 48  # characters


async def state(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /live/lessons/{id}/state/?boards=&at_least=`: the folded lesson (docs/protocol.md section 6)."""
    try:
        _only_get(scope)
        room, _ = await seated(scope)
        boards = _query(scope, "boards")[:MAX_PAGE_ID] or None
        at_least = int(_number(_query(scope, "at_least"), default=0.0))
        await room.look_for(at_least)
        answer = room.state_body(boards, at_least)
    except Refused as refusal:
        return await refuse(send, refusal)
    etag = f'"{room.epoch}.{answer.seq}"'.encode()
    headers = [(b"etag", etag), (b"cache-control", b"private, no-cache"), (b"vary", b"accept-encoding, authorization")]
    if header(scope, b"if-none-match") == etag:
        return await respond(send, 304, b"", headers)
    if b"gzip" in header(scope, b"accept-encoding"):
        return await respond(send, 200, await answer.zipped(), [*headers, (b"content-encoding", b"gzip")])
    await respond(send, 200, answer.body, headers)


async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /live/waiting/{code}/?wait=25`: 200 when a lesson starts, 204 when none has after `wait` seconds."""
    try:
        _only_get(scope)
        patience = min(MAX_WAIT, max(0.0, _number(_query(scope, "wait"), default=MAX_WAIT)))
    except Refused as refusal:
        return await refuse(send, refusal)
    code = access.normalise(scope["url_route"]["kwargs"]["code"])
    found = asyncio.ensure_future(get_hub().waiting.lesson(code, patience))
    gone = asyncio.ensure_future(_disconnect(receive))
    try:
        await asyncio.wait({found, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
    if not found.done():
        found.cancel()
    elif (lesson := found.result()) is None:
        await respond(send, 204, b"")
    else:
        await respond(send, 200, msgspec.json.encode({"lesson": lesson[0], "spread": lesson[1]}))


async def seated(scope: Scope) -> tuple[Room, Seat]:
    """Return the room and the seat that a request's ticket opens. Raises Refused: not_allowed, removed, ended."""
    scheme, _, ticket = header(scope, b"authorization").decode("latin-1").partition(" ")
    if scheme.lower() != "ticket":
        raise Refused(Code.NOT_ALLOWED, status=401)
    seat = access.by_ticket(ticket.strip())
    if seat.lesson != int(scope["url_route"]["kwargs"]["lesson"]):
        raise Refused(Code.NOT_ALLOWED)
    try:
        room = await get_hub().room(seat.lesson)
    except Lesson.DoesNotExist:
        raise Refused(Code.ENDED) from None
    if room.removed(seat.participant):
        raise Refused(Code.REMOVED)
    return room, seat


def header(scope: Scope, name: bytes) -> bytes:
    """Return a request's header, empty where it has none."""
    return next((value for key, value in scope["headers"] if key == name), b"")


async def refuse(send: Send, refusal: Refused) -> None:
    """Answer with a refusal."""
    body: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.after is not None:
        body["after"] = refusal.after
    await respond(send, refusal.status, msgspec.json.encode(body))


async def respond(send: Send, status: int, body: bytes, headers: Headers | None = None) -> None:
    """Answer with JSON."""
    base = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    own = headers if headers is not None else [(b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": base + own})
    await send({"type": "http.response.body", "body": body})


def _only_get(scope: Scope) -> None:
    if scope["method"] not in ("GET", "HEAD"):
        raise Refused(Code.UNKNOWN_KIND, status=405)


def _query(scope: Scope, name: str) -> str:
    return parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=20).get(name, [""])[0]


def _number(text: str, default: float) -> float:
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        raise Refused(Code.BAD_FRAME) from None
    if not math.isfinite(number):
        raise Refused(Code.BAD_FRAME)
    return number


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
