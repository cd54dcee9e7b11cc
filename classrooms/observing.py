"""The doors for whoever looks after Lectern: alive, ready, metrics. Plain ASGI; nothing here waits for a query."""

import hmac
import ipaddress

import msgspec
from django.conf import settings

from classrooms import metrics, readiness
from classrooms.fallback import NEVER_KEPT, Receive, Scope, Send, door, header, respond

FORWARDED = (b"x-forwarded-for", b"x-real-ip", b"forwarded")  # what a proxy says of the one who asks it


@door
async def healthz(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /healthz`: 200 as long as the event loop answers; nothing else is asked."""
    await respond(send, 200, b'{"alive":true}')


@door
async def readyz(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /readyz`: 200 where people may be sent here, else 503; either way each part."""
    found = await readiness.report()
    body = msgspec.json.encode({"ready": found.ready, **found._asdict()})
    await respond(send, 200 if found.ready else 503, body)


@door
async def show_metrics(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /metrics`: for this machine, or for who has METRICS_TOKEN. For anybody else there is no such address."""
    if may_look(scope):
        await respond(send, 200, metrics.page(), [NEVER_KEPT], kind=metrics.TYPE)
    else:
        await respond(send, 404, b"")


def may_look(scope: Scope) -> bool:
    """Whether a request has the token, or comes from this machine and not through a proxy that stands on it."""
    scheme, _, token = header(scope, b"authorization").partition(b" ")
    if token:
        wanted = settings.METRICS_TOKEN.encode()
        return bool(wanted) and scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), wanted)
    return _loopback(scope) and not any(header(scope, name) for name in FORWARDED)


def _loopback(scope: Scope) -> bool:
    host = (scope.get("client") or [""])[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False  # a Unix socket: a proxy's
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
