"""Decks from PDF files: receiving, converting page by page as a task, and the pages that a lesson is given."""

import fcntl
import logging
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError, transaction
from django.db.models import F
from django_tasks import task

from whiteboard import images
from whiteboard.conversion import UNITS, WIDTHS, BadFile, Child, Limits, Page, Total
from whiteboard.models import Deck, Slide, unguessable

__all__ = ["BadFile", "convert", "pages_of", "receive", "resume"]

logger = logging.getLogger(__name__)

UNFINISHED = (Deck.Status.WAITING, Deck.Status.CONVERTING)
ATTEMPTS = 5  # each begins anew after a crash, a restart or a lost database
TITLE = 80  # characters of a page's title
TEXT = 2_000  # characters of a page's text: what any text on a board may have
HEADER = 1_024  # bytes at the beginning in which readers look for the mark of a PDF
TRAILER = 4_096  # bytes at the end in which a whole file has its end mark
_BIDI = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0xFEFF])


def receive(owner: User, title: str, upload: UploadedFile[Any]) -> Deck:
    """Keep an uploaded PDF and have it converted; the deck is WAITING. Raises BadFile and leaves nothing behind.

    Call it outside atomic blocks: what a rolled back block stored would stay on disk.
    """
    if (upload.size or 0) > settings.DECK_MAX_BYTES:
        raise BadFile("too_large")
    if not _looks_like_pdf(upload):
        raise BadFile("bad_file")
    deck = Deck(owner=owner, title=_deck_title(title, upload.name or ""))
    name = f"{unguessable()}.pdf"
    try:
        deck.file.save(name, upload, save=False)
        with transaction.atomic():
            deck.save()
            transaction.on_commit(lambda: convert.enqueue(deck.pk))
    except BaseException as error:
        deck.file.storage.delete(f"decks/originals/{name}")
        if isinstance(error, OSError):
            logger.exception("An upload could not be stored")
            raise BadFile("try_again") from error
        raise
    return deck


def _looks_like_pdf(upload: UploadedFile[Any]) -> bool:
    """Return whether the file has a PDF's beginning and end; pdfium would mend a truncated one by leaving pages out."""
    upload.seek(0)
    head = upload.read(HEADER)
    upload.seek(max(0, (upload.size or 0) - TRAILER))
    tail = upload.read(TRAILER)
    upload.seek(0)
    return b"%PDF-" in head and b"%%EOF" in tail


def _deck_title(title: str, filename: str) -> str:
    return one_line(title, 120) or one_line(Path(filename).stem, 120) or "Untitled deck"


@task()
def convert(deck_id: int) -> None:
    """Convert a deck that is not finished, from its first page; does nothing when it is, or when another is at it.

    Safe to run again after a crash at any point, and twice at once.
    """
    deck = Deck.objects.filter(pk=deck_id, status__in=UNFINISHED).first()
    if deck is None:
        return
    try:
        with _alone(Path(deck.file.path)) as alone:
            if alone:
                _attempt(deck)
    except FileNotFoundError:
        _fail(deck, "try_again")


def resume() -> None:
    """Queue every deck that a stopped worker left unfinished, and finish what it left of failed ones. For its start."""
    for deck in Deck.objects.filter(status__in=UNFINISHED):
        convert.enqueue(deck.pk)
    for deck in Deck.objects.filter(status=Deck.Status.FAILED).exclude(file=""):
        _remove_files(deck)


@contextmanager
def _alone(pdf: Path) -> Iterator[bool]:
    """Hold the file's lock, which the system takes back the moment this process is gone; False if another has it."""
    with pdf.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


class _OvertakenError(Exception):
    """The deck has been taken on by a later attempt, or is gone."""


def _attempt(deck: Deck) -> None:
    """Take one attempt at the deck and leave it READY, FAILED, or queued again when the database was at fault."""
    claimed = Deck.objects.filter(pk=deck.pk, status__in=UNFINISHED).update(
        status=Deck.Status.CONVERTING, attempts=F("attempts") + 1, pages=0, pages_done=0
    )
    if not claimed:
        return
    deck.refresh_from_db()
    try:
        _discard_pages(deck)
        if deck.attempts > ATTEMPTS:
            raise BadFile("try_again")
        _convert(deck)
    except BadFile as bad:
        _fail(deck, bad.code)
    except OSError:
        logger.exception("The pages of deck %s could not be stored", deck.pk)
        _fail(deck, "try_again")
    except DatabaseError:
        logger.exception("The database failed while deck %s was converted", deck.pk)
        convert.enqueue(deck.pk)
    except _OvertakenError:
        logger.warning("Another worker has taken deck %s over", deck.pk)


def _convert(deck: Deck) -> None:
    with Child(Path(deck.file.path), Limits(max_pages=settings.DECK_MAX_PAGES)) as child:
        for part in child.parts():
            match part:
                case Total(pages):
                    _write(deck, pages=pages)
                case Page():
                    _keep_page(deck, part)
    _write(deck, status=Deck.Status.READY)


def _keep_page(deck: Deck, page: Page) -> None:
    """Store a page's images, then its row: from here on it can be shown."""
    addresses = {
        str(width): images.keep(deck.key, width, image) for width, image in zip(WIDTHS, page.images, strict=True)
    }
    with transaction.atomic():
        _write(deck, pages_done=page.number)
        Slide.objects.create(
            deck=deck,
            number=page.number,
            width=UNITS,
            height=page.height,
            images=addresses,
            text=clean(page.text)[:TEXT],
        )


def _write(deck: Deck, **fields: object) -> None:
    """Change the row, as long as this attempt is the deck's latest."""
    latest = Deck.objects.filter(pk=deck.pk, attempts=deck.attempts, status=Deck.Status.CONVERTING)
    if not latest.update(**fields):
        raise _OvertakenError


def _fail(deck: Deck, code: str) -> None:
    """Refuse the deck for good and delete what came of it."""
    if Deck.objects.filter(pk=deck.pk, status__in=UNFINISHED).update(
        status=Deck.Status.FAILED, error=code, pages=0, pages_done=0
    ):
        _discard_pages(deck)
        _remove_files(deck)


def _discard_pages(deck: Deck) -> None:
    deck.slides.all().delete()
    images.remove(deck.key)


def _remove_files(deck: Deck) -> None:
    images.remove(deck.key)
    deck.file.delete(save=False)
    Deck.objects.filter(pk=deck.pk).update(file="")


def pages_of(deck: Deck) -> list[dict[str, Any]]:
    """Return the data of `page.added` (protocol.md section 7) for each slide in order; page ids are the lesson's."""
    return [
        {
            "kind": "slide",
            "title": one_line(_first_line(slide.text), TITLE) or f"Slide {slide.number}",
            "slide": {
                "deck": deck.pk,
                "number": slide.number,
                "width": slide.width,
                "height": slide.height,
                "images": slide.images,
                "text": slide.text,
            },
        }
        for slide in deck.slides.all()
    ]


def _first_line(text: str) -> str:
    return next((line for line in text.split("\n") if line.strip()), "")


def clean(text: str) -> str:
    """Return text as the wire has it: NFC, line feeds, no other control, surrogate, unassigned or bidi character."""
    text = re.sub(r"\r\n?|[\u2028\u2029\x0b\x0c]", "\n", text)
    text = "".join(
        char for char in text.translate(_BIDI) if char == "\n" or unicodedata.category(char) not in ("Cc", "Cs", "Cn")
    )
    return unicodedata.normalize("NFC", text).strip()


def one_line(text: str, most: int) -> str:
    """Return clean text on one line, at most this many characters."""
    return " ".join(clean(text).split())[:most].rstrip()
