"""Parts of the application for processes that serve not all of it: the live doors alone, or all but them."""

import logging
from typing import Any

from classrooms.origins import refuse_socket

logger = logging.getLogger(__name__)

LIVE = "/live/"  # where all live doors are, so that a proxy can tell them by the path
EVERYWHERE = ("/healthz", "/readyz", "/metrics")  # each process answers for itself
SENTENCE = b"This address is served by other processes of Lectern: the proxy in front sends it to the wrong ones.\n"


def part(application: Any, *, live: bool) -> Any:
    """Return an ASGI application that serves only the live doors, or only the rest. 421 for what is not its part.

    A mistaken proxy would work nearly as well if every process served everything, until a full school finds out.
    """
    told = False

    async def partial(scope: dict[str, Any], receive: Any, send: Any) -> None:
        nonlocal told
        if scope["path"].startswith(LIVE) == live or scope["path"] in EVERYWHERE:
            await application(scope, receive, send)
            return
        if not told:
            told = True
            logger.error(
                "%s came to a process that serves %s: look at the proxy's rules", scope["path"],
                f"{LIVE} alone" if live else f"all but {LIVE}",
            )  # fmt: skip
        await (refuse_socket if scope["type"] == "websocket" else _misdirected)(scope, receive, send)

    return partial


async def _misdirected(scope: dict[str, Any], receive: Any, send: Any) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(SENTENCE)).encode())]
    await send({"type": "http.response.start", "status": 421, "headers": headers})
    await send({"type": "http.response.body", "body": SENTENCE})
