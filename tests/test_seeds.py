"""A lesson that goes on from the last one: the same pages, the same picture, and nobody inherits another's ink."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import given, settings
from hypothesis import strategies as st

from classrooms import actions, log, replica, seeds
from classrooms.lesson import Event, LessonState, apply, fresh
from classrooms.log import Entry
from classrooms.messages import LIMITS
from classrooms.models import Classroom, Lesson
from classrooms.refusals import Code, Refused
from whiteboard.board import paint_order

STYLE = {"color": "#d3322b", "width": 4}
PAGES = [
    {"page": "p1", "kind": "blank", "title": "One"},
    {"page": "u1.c.9", "kind": "blank", "title": "Two"},
]


def state_of(drafts: list[tuple[str, str | None, dict[str, Any]]], pages: list[dict[str, Any]]) -> LessonState:
    """Return the state of a lesson with these pages, two students and a teacher, after these events."""
    people = {"u1": "instructor", "u2": "student", "u3": "student"}
    joins = [{"participant": key, "name": key, "role": role, "color": "#000000"} for key, role in people.items()]
    first: tuple[str, str | None, dict[str, Any]] = (
        "lesson.started",
        None,
        {"title": "T", "policy": {"edit": "shared"}, "pages": pages},
    )
    state = fresh()
    for seq, (kind, by, data) in enumerate([first, *[("person.joined", None, j) for j in joins], *drafts], 1):
        apply(state, Event(seq, kind, by, seq, None, data))
    return state


@st.composite
def drawings(draw: st.DrawFn) -> list[tuple[str, str | None, dict[str, Any]]]:
    """Draw edits of a real board: adds of all sizes, removals, moves, things brought to the front or back."""
    made: list[tuple[str, str, str]] = []
    events: list[tuple[str, str | None, dict[str, Any]]] = []
    for n in range(draw(st.integers(0, 40))):
        by, page = draw(st.sampled_from(["u1", "u2", "u3"])), draw(st.sampled_from(["p1", "u1.c.9"]))
        verb = draw(st.sampled_from(["add", "add", "add", "remove", "set", "top"]))
        key = f"{by}.c.{n}"
        if verb == "add" or not made:
            text = draw(st.sampled_from(["", "x", "光" * 700, "y" * 2000]))
            fields = {"at": [n, n], "box": [10, 10], "text": text, "style": STYLE}
            edits: list[Any] = [["add", key, "note", fields]]
            made.append((by, page, key))
        else:
            by, page, key = draw(st.sampled_from(made))
            edits = [["remove", key]]
            if verb != "remove":
                top = draw(st.sampled_from(["front", "back", None]))
                edits = [["set", key, {"top": top} if verb == "top" else {"at": [n, 0], "turn": None}]]
        events.append(("board.edited", by, {"page": page, "edits": edits}))
    return events


def picture(state: LessonState, page: str) -> list[tuple[str, dict[str, Any]]]:
    """Return what is seen on a page, the lowest first."""
    board = state.boards[page]
    seen = [board.items[key] for key in paint_order(board)]
    hidden = ("alive", "top")
    return [
        (i.kind, {f: r.value for f, r in i.fields.items() if f not in hidden and r.value is not None}) for i in seen
    ]


def gone_on(lesson: int, earlier: LessonState) -> tuple[LessonState, list[dict[str, Any]]]:
    """Return the state of a lesson that begins where `earlier` stopped, and the data of its seeds."""
    pages = [page | {"page": f"p{n}"} for n, page in enumerate(seeds.pages_of(earlier), 1)]
    drafts = list(seeds.seeds(lesson, earlier))
    assert len({draft.op for draft in drafts}) == len(drafts)
    assert all(len(draft.text.encode()) <= LIMITS["data"] for draft in drafts)
    return state_of([(draft.kind, None, draft.data) for draft in drafts], pages), [draft.data for draft in drafts]


@settings(max_examples=60, deadline=None)
@given(events=drawings())
def test_the_picture_is_the_same_and_is_the_same_again(events: list[tuple[str, str | None, dict[str, Any]]]) -> None:
    earlier = state_of(events, PAGES)
    second, _ = gone_on(12, earlier)
    third, data = gone_on(13, second)
    for old, new in (("p1", "p1"), ("u1.c.9", "p2")):
        assert picture(earlier, old) == picture(second, new) == picture(third, new)
    assert [page.title for page in third.pages] == ["One", "Two"]
    authors = {item["by"] for part in data for item in part["items"].values()}
    assert authors <= {"l12.u1", "l12.u2", "l12.u3"}


def test_nobody_inherits_the_ink_of_an_earlier_lesson() -> None:
    note = {"at": [0, 0], "box": [1, 1], "text": "mine", "style": STYLE}
    earlier = state_of([("board.edited", "u2", {"page": "p1", "edits": [["add", "u2.c.1", "note", note]]})], PAGES)
    state, _ = gone_on(12, earlier)
    (key,) = state.boards["p1"].items
    remove = {"page": "p1", "edits": [["remove", key]]}
    assert not apply(state, Event(state.seq + 1, "board.edited", "u2", 9, None, remove))
    assert state.boards["p1"].live == 1
    assert apply(state, Event(state.seq + 1, "board.edited", "u1", 9, None, remove))
    assert state.boards["p1"].live == 0


def test_what_cannot_be_read_any_more_stays_behind() -> None:
    earlier = state_of([("board.edited", "u2", {"page": "p1", "edits": [["add", "u2.c.1", "hologram", {}]]})], PAGES)
    assert list(seeds.seeds(12, earlier)) == []


@pytest.fixture
def closed() -> Iterator[None]:
    yield
    log.stop()


def ended(classroom: Classroom, teacher: User, *edits: list[Any], page: str = "p2") -> Lesson:
    """Return a lesson of three sheets on which the teacher drew, and which has ended."""
    lesson = actions.start(classroom, title="One", decks=[], by=teacher, blank=3)
    seat = actions.seat_staff(lesson, teacher)
    drawn = Entry("board.edited", seat.participant, "c:1", json.dumps({"page": page, "edits": edits}))
    shown = Entry("page.shown", seat.participant, "c:2", json.dumps({"page": page}))
    log.append(lesson.pk, [drawn, shown]).result(5)
    actions.end(lesson, by=teacher)
    lesson.refresh_from_db()
    return lesson


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("closed")
def test_a_lesson_goes_on_where_the_last_one_stopped(classroom: Classroom, teacher: User) -> None:
    note = {"at": [0, 0], "box": [1, 1], "text": "homework", "style": STYLE}
    last = ended(classroom, teacher, ["add", "u1.c.1", "note", note])
    state = replica.current(actions.start(classroom, title="Two", decks=[], by=teacher, last=last, blank=1).pk)
    assert [page.id for page in state.pages] == ["p1", "p2", "p3", "p4"]
    assert state.current == "p2"
    assert [item.fields["text"].value for item in state.boards["p2"].items.values()] == ["homework"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("closed")
def test_a_lesson_goes_on_from_no_other_classroom_and_from_none_that_is_live(
    classroom: Classroom, teacher: User, outsider: User
) -> None:
    other = Classroom.objects.create(title="Other", code="ZZZZZZ")
    other.staff.create(user=outsider, role="owner")
    foreign = ended(other, outsider)
    with pytest.raises(Refused) as refused:
        actions.start(classroom, title="Two", decks=[], by=teacher, last=foreign)
    assert refused.value.code is Code.NOT_ALLOWED
    live = actions.start(classroom, title="Two", decks=[], by=teacher)
    with pytest.raises(Refused):
        actions.start(classroom, title="Three", decks=[], by=teacher, last=live)


def drawn_over(kind: str, box: list[float], *, at: tuple[float, float] = (1, 1)) -> LessonState:
    """Return a lesson in which a `set`, whose door does not know the kind, gave an item this box."""
    fields = {"at": list(at), "box": [9, 9], "style": STYLE} | (
        {"text": "important"} if kind in ("text", "note") else {}
    )
    add = {"page": "p1", "edits": [["add", "u2.c.1", kind, fields]]}
    edit = {"page": "p1", "edits": [["set", "u2.c.1", {"box": box}]]}
    return state_of([("board.edited", "u2", add), ("board.edited", "u3", edit)], PAGES)


@pytest.mark.parametrize("kind", ["text", "note", "box", "ellipse"])
def test_an_item_whose_box_was_turned_inside_out_comes_along_and_covers_the_same_place(kind: str) -> None:
    state, _ = gone_on(12, drawn_over(kind, [-9, 4.5]))
    (item,) = state.boards["p1"].items.values()
    assert (item.fields["at"].value, item.fields["box"].value) == ([-8, 1], [9, 4.5])


def test_a_line_keeps_its_direction() -> None:
    state, _ = gone_on(12, drawn_over("arrow", [-9, 4.5]))
    (item,) = state.boards["p1"].items.values()
    assert (item.fields["at"].value, item.fields["box"].value) == ([1, 1], [-9, 4.5])


def test_what_is_left_out_is_counted() -> None:
    earlier = drawn_over("text", [-9, 9], at=(-32_768, 0))  # its corner would lie beyond the edge
    assert seeds.missing(earlier, list(seeds.seeds(12, earlier))) == 1
    whole = drawn_over("text", [-9, 9])
    assert seeds.missing(whole, list(seeds.seeds(12, whole))) == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("closed")
def test_going_on_says_in_the_log_of_the_server_what_was_left_out(
    classroom: Classroom, teacher: User, caplog: pytest.LogCaptureFixture
) -> None:
    note = {"at": [-32_768, 0], "box": [1, 1], "text": "homework", "style": STYLE}
    last = ended(classroom, teacher, ["add", "u1.c.1", "note", note], ["set", "u1.c.1", {"box": [-9, 9]}])
    actions.start(classroom, title="Two", decks=[], by=teacher, last=last)
    assert f"1 items of lesson {last.pk} " in caplog.text
