"""Decks as every door has them: who may upload, and in words how far one is or why it was refused."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from classrooms import access
from classrooms.models import Staff
from classrooms.refusals import SENTENCES, Code, Refused
from whiteboard import slides
from whiteboard.models import Deck, Slide

FIRST_PAGE = Prefetch("slides", Slide.objects.filter(number=1), to_attr="first")


def teaches(user: User | AnonymousUser) -> bool:
    """Whether the user has business at /teach/: an instructor, or on the staff of any classroom."""
    if not user.is_authenticated or not user.is_active:
        return False
    return access.is_instructor(user) or Staff.objects.filter(user_id=user.pk).exists()


def receive(owner: Any, title: str, upload: UploadedFile[Any]) -> Deck:
    """Keep a PDF and have it converted. Raises Refused: not_allowed, too_large, bad_file, try_again."""
    if not teaches(owner):
        raise Refused(Code.NOT_ALLOWED)
    try:
        return slides.receive(owner, title, upload)
    except slides.BadFile as bad:
        code = Code(bad.code)
        raise Refused(code, message=sentence(code)) from bad


def teachable(owner: User) -> QuerySet[Deck]:
    """Return a user's decks that a lesson can start with: not hidden, and at least one page is there to be shown.

    The others of a deck that is still at work come into the lesson as they are finished (late_pages.py).
    """
    shown = Slide.objects.filter(deck=OuterRef("pk"), hidden=False)
    return Deck.objects.filter(Exists(shown), owner=owner, hidden=False)


def sentence(code: str) -> str:
    """Return what the owner of a refused deck is told: what is wrong, and what to do."""
    match code:
        case "":
            return ""
        case Code.TOO_LARGE:
            most = settings.DECK_MAX_BYTES // (1024 * 1024)
            return f"This file is larger than {most} MB. Save it with smaller pictures, or split it, and upload that."
        case Code.TOO_MANY_PAGES:
            return f"This PDF has more than {settings.DECK_MAX_PAGES} pages. Split it and upload the parts."
        case Code.TRY_AGAIN:
            return "This file could not be stored just now. Upload it again."
        case _:
            return SENTENCES[Code(code)]


def unfinished(deck: Deck) -> bool:
    """Whether pages are still to come."""
    return deck.status in slides.UNFINISHED


def describe(deck: Deck) -> str:
    """Return a deck's state in words: how far it is, how long it is, or why it failed."""
    match deck.status:
        case Deck.Status.FAILED:
            return sentence(deck.error)
        case Deck.Status.READY:
            return f"{deck.pages} pages" if deck.pages != 1 else "1 page"
        case Deck.Status.CONVERTING if deck.pages:
            return f"Converting page {min(deck.pages_done + 1, deck.pages)} of {deck.pages}"
        case _:
            return "Waiting to be converted"


def first_page(deck: Deck) -> Slide | None:
    """Return the first page of a deck that was fetched with FIRST_PAGE, if it is done."""
    return next(iter(getattr(deck, "first")), None)  # noqa: B009 - the prefetch's attribute is on no class


def shelf(rows: QuerySet[Deck]) -> list[tuple[Deck, Slide | None, str]]:
    """Return decks as they stand on a shelf: each with its first page and its state in words."""
    return [(deck, first_page(deck), describe(deck)) for deck in rows.prefetch_related(FIRST_PAGE)]
