"""whiteboard.slides: a bad PDF gets its code and keeps nothing but its file; a bad page costs only itself."""

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
def test_it_refuses_a_bad_pdf_and_keeps_the_file_alone(
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
    assert not Slide.objects.exists()
    assert files(media) == [Path(deck.file.path)]
    assert not images.folder(deck.key).exists()
    assert children() == children_before
    assert memory() - before < 24_000_000


GOOD, BROKEN = b"/MediaBox[0 0 720 405]", b"/MediaBox[0 0 14400 14400]"


def with_boxes(*boxes: bytes) -> bytes:
    """Return a PDF of empty pages with these boxes."""
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 3 + len(boxes)))
    return pdfs.assemble(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, len(boxes)),
        *(b"<</Type/Page/Parent 2 0 R%b>>" % box for box in boxes),
    )


def test_a_page_that_fails_costs_only_itself(teacher: User, media: Path) -> None:
    deck = converted(teacher, with_boxes(GOOD, BROKEN, GOOD))

    assert (deck.status, deck.error, deck.failures) == ("ready", "", {"2": "bad_file"})
    assert (deck.pages, deck.pages_done) == (3, 3)
    assert [slide.number for slide in deck.slides.all()] == [1, 3]
    assert len(files(media)) == 1 + 3  # two blank pages have the same pictures


def test_a_page_that_failed_can_be_tried_again_alone(teacher: User, monkeypatch: pytest.MonkeyPatch) -> None:
    deck = converted(teacher, pdfs.good(3))
    before = list(deck.slides.exclude(number=2))
    deck.slides.filter(number=2).delete()
    Deck.objects.filter(pk=deck.pk).update(failures={"2": "bad_file"})

    assert slides.retry(deck)
    slides.convert.call(deck.pk)

    deck.refresh_from_db()
    assert (deck.status, deck.failures, deck.pages_done) == ("ready", {}, 3)
    assert [slide.number for slide in deck.slides.all()] == [1, 2, 3]
    assert list(deck.slides.exclude(number=2)) == before


def test_a_page_that_kills_its_child_costs_only_itself(
    teacher: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = slides._keep_page
    before = children()
    killed: list[int] = []

    def kill_after_the_first(deck: Deck, page: conversion.Page) -> None:
        keep(deck, page)
        if page.number == 1:
            killed.extend(children() - before)
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    monkeypatch.setattr(slides, "_keep_page", kill_after_the_first)
    deck = converted(teacher, pdfs.good(40))  # the child is 17 pages ahead at most: two buffers of 64 KB, 8 KB a page

    assert killed
    assert (deck.status, deck.error, deck.pages_done) == ("ready", "", 40)
    assert list(deck.failures.values()) == ["bad_file"]
    assert deck.slides.count() == 39
    assert children() == before


def test_a_deck_whose_children_are_lost_again_and_again_fails_and_keeps_what_is_finished(
    teacher: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = slides._keep_page
    before = children()

    def kill_after(deck: Deck, page: conversion.Page) -> None:
        keep(deck, page)
        for pid in children() - before:
            os.kill(pid, signal.SIGKILL)

    monkeypatch.setattr(slides, "_keep_page", kill_after)
    deck = converted(teacher, pdfs.good(150))

    assert (deck.status, deck.error) == ("failed", "bad_file")
    assert len(deck.failures) == slides.MOST_LOST + 1
    assert deck.slides.count() > 0
    assert len(files(media)) == 1 + 3 * deck.slides.count()
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
    assert [slide.number for slide in deck.slides.all()] == [1]

    monkeypatch.setattr(images, "keep", keep)
    assert slides.retry(deck)
    slides.convert.call(deck.pk)

    deck.refresh_from_db()
    assert (deck.status, deck.error, deck.slides.count()) == ("ready", "", 2)


def test_a_file_that_has_vanished_fails_the_deck(teacher: User, media: Path) -> None:
    deck = received(teacher, pdfs.good(1))
    Path(deck.file.path).unlink()

    slides.convert.call(deck.pk)

    deck.refresh_from_db()
    assert (deck.status, deck.error) == ("failed", "try_again")
