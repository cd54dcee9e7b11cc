"""Decks as every door has them: who may upload, what owners do with their pages, and in words how far one is."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from classrooms import access
from classrooms.models import LessonDeck, Staff
from classrooms.refusals import SENTENCES, Code, Refused
from whiteboard import slides
from whiteboard.models import Deck, Slide

FIRST_PAGE = Prefetch("slides", Slide.objects.filter(hidden=False)[:1], to_attr="shown")


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


def replace(deck: Deck, upload: UploadedFile[Any]) -> None:
    """Give a deck another PDF; lessons keep the pages that they have and get none of the new. Raises Refused."""
    try:
        slides.replace(deck, upload, retire=lambda: LessonDeck.objects.filter(deck=deck).update(upto=None) > 0)
    except slides.BadFile as bad:
        code = Code(bad.code)
        raise Refused(code, message=sentence(code)) from bad


def again(deck: Deck) -> bool:
    """Whether another try could bring a page that is missing; a password or too many pages stay what they are."""
    hopeless = (Code.FILE_ENCRYPTED, Code.TOO_MANY_PAGES)
    return (
        bool(deck.file)
        and not unfinished(deck)
        and (bool(deck.failures) or (deck.status == Deck.Status.FAILED and deck.error not in hopeless))
    )


def move(deck: Deck, number: int, step: int) -> bool:
    """Let a page change places with the one before (-1) or behind it (1); False at either end."""
    with transaction.atomic():
        pages = list(Slide.objects.select_for_update().filter(deck=deck))
        here = next((index for index, page in enumerate(pages) if page.number == number), -1)
        if here < 0 or not 0 <= here + step < len(pages):
            return False
        one, other = pages[here], pages[here + step]
        one.position, other.position = other.position, one.position
        Slide.objects.bulk_update([one, other], ["position"])
    return True


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
            text = _("This file is larger than %(n)d MB. Save it with smaller pictures, or split it, and upload that.")
            return text % {"n": most}
        case Code.TOO_MANY_PAGES:
            text = _("This PDF has more than %(n)d pages. Split it and upload the parts.")
            return text % {"n": settings.DECK_MAX_PAGES}
        case Code.TRY_AGAIN:
            return _(
                "The server could not store this just now; its disk may be full. Try again. Upload it again if that "
                "does not help, and tell whoever runs the server."
            )
        case _:
            return _(SENTENCES[Code(code)])


def sentence_of_page(code: str) -> str:
    """Return what is told of a page that could not be drawn."""
    match code:
        case Code.TRY_AGAIN:
            return _("It could not be stored.")
        case _:
            return _("It is too large, too complicated or damaged to be drawn.")


def unfinished(deck: Deck) -> bool:
    """Whether pages are still to come."""
    return deck.status in slides.UNFINISHED


def describe(deck: Deck) -> str:
    """Return a deck's state in words: how far it is, how long it is, or why it failed."""
    match deck.status:
        case Deck.Status.FAILED:
            return sentence(deck.error)
        case Deck.Status.READY if deck.failures:
            return _("%(n)d of %(pages)d pages") % {"n": deck.pages_done - len(deck.failures), "pages": deck.pages}
        case Deck.Status.READY:
            return ngettext("%(n)d page", "%(n)d pages", deck.pages) % {"n": deck.pages}
        case Deck.Status.CONVERTING if deck.pages:
            at = min(deck.pages_done + 1, deck.pages)
            return _("Converting page %(n)d of %(pages)d") % {"n": at, "pages": deck.pages}
        case _:
            return _("Waiting to be converted")


def first_page(deck: Deck) -> Slide | None:
    """Return the first page of a deck that was fetched with FIRST_PAGE, if one is done."""
    return next(iter(getattr(deck, "shown")), None)  # noqa: B009 - the prefetch's attribute is on no class


def shelf(rows: QuerySet[Deck]) -> list[tuple[Deck, Slide | None, str]]:
    """Return decks as they stand on a shelf: each with its first page and its state in words."""
    return [(deck, first_page(deck), describe(deck)) for deck in rows.prefetch_related(FIRST_PAGE)]
