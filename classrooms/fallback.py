"""Plain ASGI doors: the state of a lesson as ready bytes, and waiting for one. No query and no thread for a request."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec

from classrooms import access, origins
from classrooms.access import Seat
from classrooms.hub import get_hub, in_reader
from classrooms.models import Lesson
from classrooms.refusals import Code, Refused
from classrooms.room import Room

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

NEVER_KEPT = (b"cache-control", b"no-store")
MAX_WAIT = 25.0  # s a request is held; proxies give up at 30
TRY_AGAIN = Refused(Code.TRY_AGAIN, retry=True, after=1000, message="The server could not answer just now. Try again.")

App = Callable[[Scope, Receive, Send], Awaitable[None]]


def door(app: App) -> App:
    """Make an ASGI application for GET that answers refusals, and its own failures, as JSON."""

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            return await refuse(send, Refused(Code.UNKNOWN_KIND, status=405), [(b"allow", b"GET, HEAD")])
        try:
            await app(scope, receive, send)
        except Refused as refusal:
            await refuse(send, refusal)
        except Exception:
            lesson = scope.get("url_route", {}).get("kwargs", {}).get("lesson")
            logger.exception("the door %s failed", app.__name__, extra={"lesson": lesson})
            await refuse(send, TRY_AGAIN)

    return answering


@door
async def state(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /live/lessons/{id}/state/?boards=&at_least=`: the folded lesson (docs/protocol.md section 6)."""
    room, _ = await seated(scope)
    boards = _query(scope, "boards") or None
    at_least = int(_number(_query(scope, "at_least"), default=0.0))
    await room.look_for(at_least)
    if boards not in (None, "current") and boards not in room.replica.state.boards:
        raise Refused(Code.UNKNOWN_PAGE)  # also because every name that is answered is kept for a while
    answer = room.state_body(boards, at_least)
    etag = f'"{room.epoch}.{answer.seq}"'.encode()
    headers = [(b"etag", etag), (b"cache-control", b"private, no-cache"), (b"vary", b"accept-encoding, authorization")]
    if etag in header(scope, b"if-none-match"):  # perhaps one of a list, or marked W/ by a proxy that compresses
        await respond(send, 304, b"", headers)
    elif _takes_gzip(scope):
        await respond(send, 200, await answer.zipped(), [*headers, (b"content-encoding", b"gzip")])
    else:
        await respond(send, 200, answer.body, headers)


@door
async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /live/waiting/{code}/?wait=25`: 200 when a lesson starts, 204 when none has after `wait` seconds."""
    patience = min(MAX_WAIT, max(0.0, _number(_query(scope, "wait"), default=MAX_WAIT)))
    code = access.normalise(scope["url_route"]["kwargs"]["code"])
    found = asyncio.ensure_future(_lesson(code, _address(scope), patience))
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


async def _lesson(code: str, address: str, patience: float) -> tuple[int, int] | None:
    """Wait for a code's lesson. Whoever asks for ever new codes waits like all, and learns nothing."""
    if access.may_wait(code, address):
        return await get_hub().waiting.lesson(code, patience)
    await get_hub().waiting.in_vain(patience)
    return None


async def seated(scope: Scope) -> tuple[Room, Seat]:
    """Return the room and the seat that a request's ticket opens. Raises Refused: not_allowed, removed, ended."""
    scheme, _, ticket = header(scope, b"authorization").decode("latin-1").partition(" ")
    if scheme.lower() != "ticket":
        raise Refused(Code.NOT_ALLOWED, status=401, message="A ticket is needed here: join the lesson first.")
    seat = access.by_ticket(ticket.strip())
    if seat.lesson != int(scope["url_route"]["kwargs"]["lesson"]):
        raise Refused(Code.NOT_ALLOWED)
    try:
        room = await get_hub().room(seat.lesson)
    except Lesson.DoesNotExist:
        raise Refused(Code.ENDED) from None
    if room.removed(seat.participant):
        raise Refused(Code.REMOVED)
    if room.ended:
        await in_reader(access.may_read, seat.lesson, seat.participant)
    return room, seat


def header(scope: Scope, name: bytes) -> bytes:
    """Return a request's header, empty where it has none."""
    return next((value for key, value in scope["headers"] if key == name), b"")


async def refuse(send: Send, refusal: Refused, headers: Headers | None = None) -> None:
    """Answer with a refusal."""
    body: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.after is not None:
        body["after"] = refusal.after
    asked = [(b"www-authenticate", b"Ticket")] if refusal.status == 401 else []
    await respond(send, refusal.status, msgspec.json.encode(body), [NEVER_KEPT, *asked, *(headers or [])])


async def respond(
    send: Send, status: int, body: bytes, headers: Headers | None = None, *, kind: bytes = b"application/json"
) -> None:
    """Answer with JSON, or another kind of text, or with nothing where the status says that there is none."""
    base = [(b"x-content-type-options", b"nosniff")]
    if status not in (204, 304):
        base += [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    own = headers if headers is not None else [NEVER_KEPT]
    await send({"type": "http.response.start", "status": status, "headers": base + own})
    await send({"type": "http.response.body", "body": body})


def _query(scope: Scope, name: str) -> str:
    try:
        return str(parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=20).get(name, [""])[0])
    except ValueError:
        raise Refused(Code.BAD_FRAME) from None


def _takes_gzip(scope: Scope) -> bool:
    """Whether the client takes gzip; `gzip;q=0` says that it does not."""
    offers = header(scope, b"accept-encoding").replace(b" ", b"").split(b",")
    return any(offer.startswith(b"gzip") and offer.partition(b";q=")[2] not in (b"0", b"0.0") for offer in offers)


def _address(scope: Scope) -> str:
    """Return where a request comes from."""
    client: Any = scope.get("client") or [""]
    forwarded = header(scope, b"x-forwarded-for").decode("latin-1")
    return origins.address({"REMOTE_ADDR": str(client[0]), "HTTP_X_FORWARDED_FOR": forwarded})


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
