"""Pure: the pages and the drawings of an earlier lesson, as a new one is given them."""

from collections.abc import Iterable, Iterator
from typing import Any

from classrooms.lesson import LessonState
from classrooms.messages import LIMITS, Draft, draft
from classrooms.refusals import Refused
from whiteboard.board import Board, Item, paint_order
from whiteboard.items import EDGE, KINDS

# Kinds whose frame is all that `box` says: of a negative one the same is seen. It mirrors ink, and turns a line round.
FRAMED = frozenset(name for name, kind in KINDS.items() if "box" in kind.required and not kind.signed)


def pages_of(state: LessonState) -> list[dict[str, Any]]:
    """Return the pages of an earlier lesson in their order, as `page.added` has them but for the page's id."""
    pages = [{"kind": page.kind, "title": page.title, "slide": page.slide} for page in state.pages]
    return [{name: value for name, value in page.items() if value is not None} for page in pages]


def seeds(lesson: int, state: LessonState) -> Iterator[Draft]:
    """Yield `board.seeded` events that bring what was drawn in `lesson` onto the pages that `pages_of` gave.

    An event's data has at most 16 KiB. The authors are strangers to the new lesson, whose own participants are
    numbered anew: `u3` of lesson 12 becomes `l12.u3`, so nobody inherits another's ink, and only staff may change it.
    What lies on top still does: the items come in paint order and bring no `top` of their own.
    """
    for number, page in enumerate(state.pages, 1):
        for part, items in enumerate(_parts(_seeded(lesson, state.boards[page.id]))):
            yield draft("board.seeded", f"seed:p{number}:{part}", {"page": f"p{number}", "items": items})


def missing(state: LessonState, drafts: Iterable[Draft]) -> int:
    """Return how many of an earlier lesson's items these events of `seeds` leave out."""
    return sum(state.boards[page.id].live for page in state.pages) - sum(len(one.data["items"]) for one in drafts)


def _seeded(lesson: int, board: Board) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, key in enumerate(paint_order(board)):
        item = board.items[key]
        by = _author(lesson, item.by)
        yield f"{by}.{number}", {"kind": item.kind, "by": by, "fields": _fields(item)}


def _author(lesson: int, by: str | None) -> str:
    """Return an author's name in later lessons; one who was a stranger already keeps theirs."""
    return by if by is not None and by.startswith("l") else f"l{lesson}.{by or 'server'}"


def _fields(item: Item) -> dict[str, Any]:
    known = {name: register.value for name, register in item.fields.items() if name not in ("alive", "top")}
    fields = {name: value for name, value in known.items() if value is not None}
    return _upright(fields) if item.kind in FRAMED else fields


def _upright(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields with a box of positive sizes that covers the same place: a `set` does not know the item's kind."""
    at, box = fields.get("at"), fields.get("box")
    if not at or not box or min(box) >= 0:
        return fields
    corner = [start + min(size, 0) for start, size in zip(at, box, strict=True)]
    if min(corner) < -EDGE:
        return fields
    return fields | {"at": corner, "box": [abs(size) for size in box]}


def _parts(items: Iterator[tuple[str, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Part items so that each part's event keeps within an event's data."""
    part: dict[str, Any] = {}
    size = 0
    for key, seed in items:
        try:
            weight = len(draft("board.seeded", "weigh", {"page": "p1", "items": {key: seed}}).text.encode())
        except Refused:
            continue  # drawn by another version's rules: it stays in its own lesson, and keeps no new one from starting
        if part and size + weight > LIMITS["data"]:
            yield part
            part, size = {}, 0
        part[key] = seed
        size += weight
    if part:
        yield part
