"""whiteboard.slides: a bad PDF gets its code, and nothing of it stays: no file, no row, no process."""

import errno
import functools
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from tests.support import pdfs
from tests.support.decks import converted, files, received
from tests.support.processes import children, memory
from whiteboard import conversion, images, slides
from whiteboard.conversion import BadFile, Limits
from whiteboard.models import Deck, Slide


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


# --- files that are refused at once --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "bad_file"),
        (b"\x89PNG\r\n\x1a\n" * 100, "bad_file"),
        (b"MZ" + bytes(2000) + pdfs.good(1), "bad_file"),
        (pdfs.good(30)[:-600], "bad_file"),
        (pdfs.good(1) + bytes(200_000), "bad_file"),
        (pdfs.good(1) + b"%" * 5_000_001 + b"%%EOF", "too_large"),
    ],
    ids=["empty", "a picture", "a program", "truncated", "a tail of zeros", "too large"],
)
def test_it_refuses_at_once_and_keeps_nothing(
    teacher: User, media: Path, settings: Settings, content: bytes, code: str
) -> None:
    settings.DECK_MAX_BYTES = 5_000_000

    with pytest.raises(BadFile) as refusal:
        received(teacher, content)

    assert refusal.value.code == code
    assert not Deck.objects.exists()
    assert files(media) == []


def test_it_refuses_with_try_again_when_the_disk_is_full(
    teacher: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("django.core.files.storage.filesystem.locks.lock", full)  # the file is open by then

    with pytest.raises(BadFile) as refusal:
        received(teacher, pdfs.good(1))

    assert refusal.value.code == "try_again"
    assert not Deck.objects.exists()
    assert files(media) == []


# --- files that fail in conversion ---------------------------------------------------------------------------------

LINEARISED = b"%PDF-1.7\n%%EOF\n"
BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "header alone": (lambda: LINEARISED, "bad_file"),
    "cut in the middle": (lambda: pdfs.good(30)[:8_000] + LINEARISED, "bad_file"),
    "encrypted": (pdfs.encrypted, "file_encrypted"),
    "too many pages": (lambda: pdfs.good(4), "too_many_pages"),
    "page of 14,400 points": (lambda: pdfs.sized(b"0 0 14400 14400"), "bad_file"),
    "page of a million points": (lambda: pdfs.sized(b"0 0 1000000 1000000"), "bad_file"),
    "page like a thread": (lambda: pdfs.sized(b"0 0 5000 20"), "bad_file"),
    "no pages": (pdfs.without_pages, "bad_file"),
    "cross-reference loop": (pdfs.xref_loop, "bad_file"),
    "page tree loop": (pdfs.tree_loop, "bad_file"),
    "deep page tree": (pdfs.deep_tree, "bad_file"),
    "operator bomb": (pdfs.operator_bomb, "bad_file"),
    "picture bomb": (pdfs.picture_bomb, "bad_file"),
    "form bomb": (pdfs.form_bomb, "bad_file"),
    "endless": (pdfs.endless, "bad_file"),
}


@pytest.mark.parametrize("name", BAD)
def test_it_refuses_a_bad_pdf_and_leaves_nothing(
    teacher: User, media: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    settings.DECK_MAX_PAGES = 3
    patience = 3 if name == "endless" else 60  # seconds
    monkeypatch.setattr(slides, "Limits", functools.partial(Limits, page_seconds=patience, memory=400_000_000))
    make, code = BAD[name]
    content = make()
    before, children_before = memory(), children()

    deck = converted(teacher, content)

    assert (deck.status, deck.error) == ("failed", code)
    assert (deck.pages, deck.pages_done, deck.file.name) == (0, 0, "")
    assert not Slide.objects.exists()
    assert files(media) == []
    assert not images.folder(deck.key).exists()
    assert children() == children_before
    assert memory() - before < 24_000_000


def test_a_page_that_fails_takes_the_pages_before_it_along(
    teacher: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    keep = slides._keep_page

    def watched(deck: Deck, page: conversion.Page) -> None:
        keep(deck, page)
        done.append(page.number)

    monkeypatch.setattr(slides, "_keep_page", watched)
    good, broken = b"/MediaBox[0 0 720 405]", b"/MediaBox[0 0 14400 14400]"
    content = pdfs.assemble(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>",
        b"<</Type/Page/Parent 2 0 R%b>>" % good,
        b"<</Type/Page/Parent 2 0 R%b>>" % broken,
    )

    deck = converted(teacher, content)

    assert done == [1]
    assert (deck.status, deck.error) == ("failed", "bad_file")
    assert files(media) == []
    assert not Slide.objects.exists()


def test_a_child_that_is_killed_fails_the_deck(teacher: User, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = slides._keep_page
    before = children()

    def kill_after(deck: Deck, page: conversion.Page) -> None:
        keep(deck, page)
        for pid in children() - before:
            os.kill(pid, signal.SIGKILL)

    monkeypatch.setattr(slides, "_keep_page", kill_after)
    deck = converted(teacher, pdfs.good(150))

    assert (deck.status, deck.error) == ("failed", "bad_file")
    assert files(media) == []
    assert not Slide.objects.exists()
    assert children() == before


def test_a_full_disk_fails_the_deck_with_try_again(teacher: User, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = images.keep
    kept: list[str] = []

    def full(key: str, width: int, image: bytes) -> str:
        if len(kept) == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        kept.append(keep(key, width, image))
        return kept[-1]

    monkeypatch.setattr(images, "keep", full)
    deck = converted(teacher, pdfs.good(2))

    assert (deck.status, deck.error) == ("failed", "try_again")
    assert files(media) == []
    assert not Slide.objects.exists()


def test_a_file_that_has_vanished_fails_the_deck(teacher: User, media: Path) -> None:
    deck = received(teacher, pdfs.good(1))
    Path(deck.file.path).unlink()

    slides.convert.call(deck.pk)

    deck.refresh_from_db()
    assert (deck.status, deck.error) == ("failed", "try_again")
