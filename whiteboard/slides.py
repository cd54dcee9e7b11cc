"""Decks from PDF files: receiving, converting page by page as a task, and the pages that a lesson is given."""

import dataclasses
import fcntl
import logging
import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError, transaction
from django.db.models import F
from django.dispatch import Signal
from django_tasks import task

from whiteboard import images
from whiteboard.conversion import UNITS, WIDTHS, BadFile, Child, Failure, Limits, Page, Total
from whiteboard.models import Deck, Slide, unguessable

__all__ = ["BadFile", "convert", "discard", "page_finished", "pages_of", "receive", "replace", "resume", "retry"]

logger = logging.getLogger(__name__)

UNFINISHED = (Deck.Status.WAITING, Deck.Status.CONVERTING)
page_finished = Signal()  # after a page's commit, in the worker; `deck`: its Deck

ATTEMPTS = 5  # each goes on behind the last finished page after a crash, a restart or a lost database
MOST_LOST = 3  # children that one attempt may lose, each at a page that then counts as failed
TITLE = 80  # characters of a page's title
TEXT = 2_000  # characters of a page's text: what any text on a board may have
HEADER = 1_024  # bytes at the beginning in which readers look for the mark of a PDF
TRAILER = 4_096  # bytes at the end in which a whole file has its end mark
_BIDI = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0xFEFF])


def receive(owner: User, title: str, upload: UploadedFile[Any]) -> Deck:
    """Keep an uploaded PDF and have it converted; the deck is WAITING. Raises BadFile and leaves nothing behind.

    Call it outside atomic blocks: what a rolled back block stored would stay on disk.
    """
    deck = Deck(owner=owner, title=_deck_title(title, upload.name or ""))
    _store(deck, upload)
    return deck


def replace(deck: Deck, upload: UploadedFile[Any], *, retire: Callable[[], bool]) -> None:
    """Give a deck another PDF under a fresh key. Its pages go, and their images unless lessons show them.

    `retire` is called in the transaction, and says whether the images stay. Raises BadFile and changes nothing.
    Outside atomic blocks, as `receive`.
    """
    key, old = deck.key, deck.file.name
    stay: list[bool] = []
    deck.key, deck.status, deck.error = unguessable(), Deck.Status.WAITING, ""
    deck.failures, deck.pages, deck.pages_done, deck.attempts = {}, 0, 0, 0

    def clear() -> None:
        deck.slides.all().delete()
        stay.append(retire())

    _store(deck, upload, clear)
    if old:
        deck.file.storage.delete(old)
    if not all(stay):
        images.remove(key)


def discard(deck: Deck) -> None:
    """Delete a deck, its images and its file. Raises ProtectedError where a lesson was given it."""
    key, name, storage = deck.key, deck.file.name, deck.file.storage

    def clear() -> None:
        images.remove(key)
        if name:
            storage.delete(name)

    with transaction.atomic():
        deck.delete()
        transaction.on_commit(clear)


def _store(deck: Deck, upload: UploadedFile[Any], clear: Callable[[], None] | None = None) -> None:
    """Check and keep the file, then `clear` and save the deck's row in one, and queue it. Raises BadFile."""
    if (upload.size or 0) > settings.DECK_MAX_BYTES:
        raise BadFile("too_large")
    if not _looks_like_pdf(upload):
        raise BadFile("bad_file")
    name = f"{unguessable()}.pdf"
    try:
        deck.file.save(name, upload, save=False)
        with transaction.atomic():
            # The lock first: a page of the old file that is being kept is in, and goes, or finds another key.
            Deck.objects.select_for_update().filter(pk=deck.pk).first()
            if clear is not None:
                clear()
            deck.save()
            transaction.on_commit(lambda: convert.enqueue(deck.pk))
    except BaseException as error:
        deck.file.storage.delete(f"decks/originals/{name}")
        if isinstance(error, OSError):
            logger.exception("An upload could not be stored")
            raise BadFile("try_again") from error
        raise


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
    """Convert the pages of a deck that are not finished; does nothing when all are, or when another is at it.

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
    """Queue every deck that a stopped worker left unfinished. For its start."""
    for deck in Deck.objects.filter(status__in=UNFINISHED):
        convert.enqueue(deck.pk)


def retry(deck: Deck) -> bool:
    """Have the missing pages of a deck converted once more; False where none is, or it is at work, or has no file."""
    again = Deck.objects.filter(pk=deck.pk).exclude(status__in=UNFINISHED).exclude(file="")
    if deck.status == Deck.Status.READY:
        again = again.exclude(failures={})
    with transaction.atomic():
        done = Slide.objects.filter(deck=deck).count()
        if not again.update(status=Deck.Status.WAITING, error="", attempts=0, failures={}, pages_done=done):
            return False
        transaction.on_commit(lambda: convert.enqueue(deck.pk))
    return True


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
        status=Deck.Status.CONVERTING, attempts=F("attempts") + 1
    )
    if not claimed:
        return
    deck.refresh_from_db()
    try:
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
        logger.warning("Deck %s has gone to another worker, got another file, or is deleted", deck.pk)
        if not Deck.objects.filter(pk=deck.pk).exists():
            images.remove(deck.key)


def _convert(deck: Deck) -> None:
    """Convert what is missing. A page at which a child is lost has failed; the next child goes on behind it."""
    limits = Limits(max_pages=settings.DECK_MAX_PAGES)
    end = time.monotonic() + limits.seconds
    for lost in range(MOST_LOST + 1):
        try:
            _missing(deck, dataclasses.replace(limits, seconds=end - time.monotonic()))
            break
        except BadFile as bad:
            if bad.page is None:
                raise
            _skip_page(deck, bad.page, bad.code)
            if lost == MOST_LOST:
                raise
    if not deck.slides.exists():
        raise BadFile(next(iter(deck.failures.values()), "bad_file"))
    _write(deck, status=Deck.Status.READY)


def _missing(deck: Deck, limits: Limits) -> None:
    """Have one child convert the pages that have neither been finished nor failed."""
    skip = {*deck.slides.values_list("number", flat=True), *map(int, deck.failures)}
    if deck.pages and len(skip) >= deck.pages:
        return
    with Child(Path(deck.file.path), limits, skip) as child:
        for part in child.parts():
            match part:
                case Total(pages):
                    _write(deck, pages=pages)
                    deck.pages = pages
                case Page():
                    _keep_page(deck, part)
                    page_finished.send_robust(sender=Deck, deck=deck)  # whoever listens does not stop the conversion
                case Failure():
                    _skip_page(deck, part.number, part.code)


def _keep_page(deck: Deck, page: Page) -> None:
    """Store a page's images, then its row: from here on it can be shown."""
    addresses = {
        str(width): images.keep(deck.key, width, image) for width, image in zip(WIDTHS, page.images, strict=True)
    }
    with transaction.atomic():
        _write(deck, pages_done=deck.slides.count() + len(deck.failures) + 1)
        Slide.objects.create(
            deck=deck,
            number=page.number,
            position=page.number,
            width=UNITS,
            height=page.height,
            images=addresses,
            text=clean(page.text)[:TEXT],
        )


def _skip_page(deck: Deck, number: int, code: str) -> None:
    """Note that a page cannot be drawn; the others can be taught from."""
    failures = deck.failures | {str(number): code}
    _write(deck, failures=failures, pages_done=deck.slides.count() + len(failures))
    deck.failures = failures


def _write(deck: Deck, **fields: object) -> None:
    """Change the row, as long as this attempt is the deck's latest."""
    latest = Deck.objects.filter(pk=deck.pk, key=deck.key, attempts=deck.attempts, status=Deck.Status.CONVERTING)
    if not latest.update(**fields):
        raise _OvertakenError


def _fail(deck: Deck, code: str) -> None:
    """Give the deck up. What is finished stays, for a live lesson may show it; so does the file, for another try."""
    # Not another file's that was put in its place, and not a later attempt's.
    mine = Deck.objects.filter(pk=deck.pk, key=deck.key, attempts=deck.attempts, status__in=UNFINISHED)
    mine.update(status=Deck.Status.FAILED, error=code)


def pages_of(deck: Deck) -> list[dict[str, Any]]:
    """Return the data of `page.added` (protocol.md section 7) for each finished slide that is not hidden, in order."""
    return [page_of(slide) for slide in deck.slides.all() if not slide.hidden]


def page_of(slide: Slide) -> dict[str, Any]:
    """Return the data of `page.added` for a slide; page ids are the lesson's."""
    return {
        "kind": "slide",
        "title": one_line(_first_line(slide.text), TITLE) or f"Slide {slide.number}",
        "slide": {
            "deck": slide.deck_id,
            "number": slide.number,
            "width": slide.width,
            "height": slide.height,
            "images": slide.images,
            "text": slide.text,
        }
        | ({"alt": slide.alt} if slide.alt else {}),
    }


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
