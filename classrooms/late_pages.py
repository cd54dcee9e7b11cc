"""What becomes of a deck while a lesson runs: pages that are finished come, once, into every live lesson that has it.

A lesson may start as soon as one page of a deck can be shown. `LessonDeck.upto` says which slides a lesson has; what is
newer is added behind the page before it, in the deck's order. Hidden pages are left out, failed ones are no slides, and
a page that somebody removed does not come back: its op is in the log. What is written on a page or about it is the
deck's: a lesson has a copy, which follows when the owner writes anew.
"""

import logging
import secrets
from collections.abc import Iterable, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from django.db.models import F

from classrooms import log, messages, replica
from classrooms.lesson import LessonState
from classrooms.log import Entry
from classrooms.models import Lesson, LessonDeck
from classrooms.refusals import Code
from whiteboard.models import Deck, Slide
from whiteboard.slides import page_of

logger = logging.getLogger(__name__)

PATIENCE = 10.0  # s for the log; what it does not take is added with the next page or at the next start
PAGES = 10_000  # of a deck at most: page 3 of deck 12 is `p120003`, far above the pages that a lesson starts with


def give(lesson: Lesson, decks: Iterable[Deck], pages: Iterable[dict[str, Any]]) -> None:
    """Note which decks a lesson that starts with these pages is given; `decks` with the slides that were read of them.

    Decks whose pages come from an earlier lesson are noted too, and give no more.
    """
    rows = {deck.pk: max((slide.pk for slide in deck.slides.all()), default=0) for deck in decks}
    earlier = {page["slide"]["deck"] for page in pages if page.get("slide")} - rows.keys()
    known = Deck.objects.filter(pk__in=earlier).values_list("pk", flat=True)
    LessonDeck.objects.bulk_create(
        [LessonDeck(lesson=lesson, deck_id=deck, upto=upto) for deck, upto in rows.items()]
        + [LessonDeck(lesson=lesson, deck_id=deck) for deck in known]
    )


def bring(deck: Deck) -> None:
    """Add a deck's new pages to every live lesson that has it. Outside atomic blocks, after the pages' commit."""
    _all(LessonDeck.objects.filter(deck=deck))


def describe(slide: Slide) -> bool:
    """Let the live lessons that show a slide have its words as they are now; False where one did not take them.

    Outside atomic blocks, after the slide's commit. Where a lesson has them nothing happens, so it can be tried again.
    """
    given = LessonDeck.objects.filter(deck=slide.deck_id, lesson__status=Lesson.Status.LIVE)
    took = [_described(lesson, slide) for lesson in given.values_list("lesson", flat=True)]
    return all(took)


def _described(lesson: int, slide: Slide) -> bool:
    try:
        return _describe(lesson, slide)
    except Exception:  # one lesson's trouble is neither the deck's nor another lesson's
        logger.exception(
            "The words of page %d of deck %d did not come into lesson %d", slide.number, slide.deck_id, lesson
        )
        return False


def _describe(lesson: int, slide: Slide) -> bool:
    head = log.heads([lesson])[lesson]
    words = {"text": slide.text, "alt": slide.alt}
    pages = replica.current(lesson, at_least=head.seq).pages
    # By the pictures: another PDF of the same deck has pages of the same numbers.
    shown = [page for page in pages if page.slide and page.slide.get("images") == slide.images]
    stale = [page.id for page in shown if words != {name: (page.slide or {}).get(name, "") for name in words}]
    drafts = [
        messages.draft("page.described", f"words:{secrets.token_hex(8)}", {"page": page} | words) for page in stale
    ]
    return not drafts or _append(lesson, [Entry(draft.kind, None, draft.op, draft.text) for draft in drafts])


def catch_up(lesson: Lesson) -> None:
    """Add what was finished while a lesson started."""
    _all(LessonDeck.objects.filter(lesson=lesson))


def sweep() -> None:
    """Add to the live lessons what a process that stopped left out. For a start."""
    _all(LessonDeck.objects.all())


def _all(given: Any) -> None:
    behind = given.filter(lesson__status=Lesson.Status.LIVE, upto__lt=F("deck__slides__pk")).distinct()
    for one in behind:
        try:
            _add(one)
        except Exception:  # one lesson's trouble is neither the conversion's nor another lesson's
            logger.exception("Pages of deck %d did not come", one.deck_id, extra={"lesson": one.lesson_id})


def _add(given: LessonDeck) -> None:
    """Add the slides after `upto` to the lesson and move `upto` on. Two at once add the same ops, which happen once."""
    slides = list(Slide.objects.filter(deck=given.deck_id))
    new = sorted((slide for slide in slides if slide.pk > (given.upto or 0)), key=lambda slide: slide.pk)
    ops = {slide.pk: f"slide:{given.deck_id}:{slide.number}" for slide in new}
    missing = [slide for slide in new if not slide.hidden and log.seq_of(given.lesson_id, "", ops[slide.pk]) is None]
    if missing:
        head = log.heads([given.lesson_id])[given.lesson_id]
        state = replica.current(given.lesson_id, at_least=head.seq)
        order = [slide.number for slide in slides]
        if not _append(given.lesson_id, _entries(state, given.deck_id, order, missing, ops)):
            return
    LessonDeck.objects.filter(pk=given.pk, upto__lt=new[-1].pk).update(upto=new[-1].pk)


def _append(lesson: int, entries: Sequence[Entry]) -> bool:
    """Commit; False where the log may take them later. A lesson that has ended takes none, and needs none."""
    try:
        outcomes = log.append(lesson, entries).result(PATIENCE)
    except FutureTimeout:
        return False
    return all(outcome.code in (None, Code.ENDED) for outcome in outcomes)


def _entries(
    state: LessonState, deck: int, order: Sequence[int], missing: Iterable[Slide], ops: dict[int, str]
) -> list[Entry]:
    """Return the entry of each missing slide, placed by the deck's order among its pages that the lesson still has."""
    pages = [(page.id, _number(page.slide, deck)) for page in state.pages]
    entries = []
    for slide in missing:
        key = f"p{deck * PAGES + slide.number}"
        data = page_of(slide) | {"page": key}
        place = _place([number for _, number in pages], order, slide.number)
        if place is not None:
            data["after"] = pages[place - 1][0] if place else None
        pages.insert(len(pages) if place is None else place, (key, slide.number))
        draft = messages.draft("page.added", ops[slide.pk], data)
        entries.append(Entry(draft.kind, None, draft.op, draft.text))
    return entries


def _number(slide: dict[str, Any] | None, deck: int) -> int | None:
    return slide.get("number") if slide and slide.get("deck") == deck else None


def _place(there: Sequence[int | None], order: Sequence[int], number: int) -> int | None:
    """Return the index for a page: behind the nearest one before it in the deck's order, else before the first one.

    `there`: the deck's page numbers as the lesson has its pages now, None for pages that are not the deck's.
    None where no page of the deck is left: it comes last.
    """
    rank = {number: index for index, number in enumerate(order)}
    known = [(rank[one], index) for index, one in enumerate(there) if one in rank]
    before = [(place, index) for place, index in known if place < rank[number]]
    if before:
        return max(before)[1] + 1
    return min(index for _, index in known) if known else None
