"""Where the images of slides lie, and the door that serves them: no query, no session, no name that anybody chose."""

import asyncio
import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

_IMAGE = re.compile(r"([0-9a-f]{32})/([0-9a-f]{32}-[0-9]{3,4}\.webp)")
_HEADERS = [
    (b"content-type", b"image/webp"),
    (b"cache-control", b"private, max-age=31536000, immutable"),  # the name is a digest of the content
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
]


def prefix() -> str:
    """Return what the path of every image begins with."""
    return f"{settings.MEDIA_URL}decks/"


def folder(key: str) -> Path:
    """Return the directory of the images of the deck with this key."""
    return Path(settings.MEDIA_ROOT) / "decks" / key


def keep(key: str, width: int, image: bytes) -> str:
    """Write an image of the deck with this key and return its address. Raises OSError."""
    name = f"{hashlib.sha256(image).hexdigest()[:32]}-{width}.webp"
    place = folder(key)
    place.mkdir(parents=True, exist_ok=True)
    with (place / name).open("wb") as file:
        file.write(image)
        file.flush()
        os.fsync(file.fileno())  # the row that names it is committed next, and survives a power cut
    return f"{prefix()}{key}/{name}"


def remove(key: str) -> None:
    """Delete every image of the deck with this key."""
    shutil.rmtree(folder(key), ignore_errors=True)


async def door(scope: "HTTPScope", receive: "ASGIReceiveCallable", send: "ASGISendCallable") -> None:
    """Serve one image. Plain ASGI: `/media/decks/<deck's key>/<digest>-<width>.webp`, GET and HEAD; else 404, 405."""
    if scope["method"] not in ("GET", "HEAD"):
        await _answer(send, 405, [(b"allow", b"GET, HEAD")])
        return
    image = await asyncio.to_thread(_read, scope["path"])
    if image is None:
        await _answer(send, 404, [(b"cache-control", b"no-store")])
        return
    headers = [*_HEADERS, (b"content-length", str(len(image)).encode())]
    await _answer(send, 200, headers, b"" if scope["method"] == "HEAD" else image)


def _read(path: str) -> bytes | None:
    match = _IMAGE.fullmatch(path.removeprefix(prefix()))
    if match is None or not path.startswith(prefix()):
        return None
    try:
        return (folder(match[1]) / match[2]).read_bytes()
    except OSError:
        return None


async def _answer(send: "ASGISendCallable", status: int, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": body, "more_body": False})
