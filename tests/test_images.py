"""The door of slide images: the very file, for ever, to whoever has its address; nothing else of the disk.

No test here may touch the database (none asks for the fixture `db`): the door makes no query.
"""

from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from whiteboard import images

KEY = "0123456789abcdef" * 2


@pytest.fixture
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    (tmp_path / "secret_key").write_text("secret")
    return tmp_path / "media"


async def ask(path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Ask the door as a server does."""
    scope: Any = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await images.door(scope, receive, send)
    start, body = sent
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body["body"]


async def test_an_image_is_served_for_ever_and_as_nothing_else(media: Path) -> None:
    address = images.keep(KEY, 800, b"RIFF....WEBP")

    status, headers, body = await ask(address)

    assert (status, body) == (200, b"RIFF....WEBP")
    assert headers["content-type"] == "image/webp"
    assert headers["cache-control"] == "private, max-age=31536000, immutable"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-length"] == "12"


async def test_the_head_of_an_image_has_no_body(media: Path) -> None:
    status, headers, body = await ask(images.keep(KEY, 320, b"RIFF....WEBP"), "HEAD")
    assert (status, headers["content-length"], body) == (200, "12", b"")


def test_an_address_says_what_it_holds(media: Path) -> None:
    first = images.keep(KEY, 320, b"one")
    assert images.keep(KEY, 320, b"one") == first
    assert images.keep(KEY, 320, b"two") != first
    assert images.keep(KEY, 800, b"one") != first


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_an_image_is_not_changed(media: Path, method: str) -> None:
    address = images.keep(KEY, 320, b"one")
    assert (await ask(address, method))[0] == 405
    assert (await ask(address))[2] == b"one"


NAME = f"{'0' * 32}-320.webp"


@pytest.mark.parametrize(
    "path",
    [
        f"/media/decks/{KEY}/{'1' * 32}-320.webp",
        f"/media/decks/{KEY}/",
        f"/media/decks/{KEY}",
        "/media/decks/",
        f"/media/decks/../../secret_key/{NAME}",
        f"/media/decks/{KEY}/../../../secret_key",
        f"/media/decks/{KEY}/%2e%2e/{NAME}",
        f"/media/decks/{KEY}/{NAME}/",
        f"/media/decks/{KEY}/{NAME}\n",
        f"/media/decks/{KEY}/{NAME}\x00",
        f"/media/decks/{KEY.upper()}/{NAME}",
        f"//media/decks/{KEY}/{NAME}",
        f"{KEY}/{NAME}",
        f"/elsewhere/{KEY}/{NAME}",
        f"/media/decks//{KEY}/{NAME}",
        "/media/decks/originals/lecture.pdf",
        "/etc/passwd",
        "/media/decks/" + "a" * 100_000,
    ],
)
async def test_no_other_path_leads_anywhere(media: Path, path: str) -> None:
    (media / "decks/originals").mkdir(parents=True)
    (media / "decks/originals/lecture.pdf").write_text("secret")
    images.folder(KEY).mkdir()
    (images.folder(KEY) / NAME).write_bytes(b"one")
    status, headers, body = await ask(path)
    assert (status, body) == (404, b"")
    assert headers["cache-control"] == "no-store"
    assert (await ask(f"/media/decks/{KEY}/{NAME}"))[0] == 200
