"""Starting a lesson and looking back at one, at /teach/ and by REST."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from classrooms import actions, late_pages, log, replica
from classrooms.attendance import Span, note
from classrooms.models import Attendance, Classroom, Lesson, Participant, RosterEntry
from classrooms.refusals import Code, Refused
from tests.support.api import Api
from tests.support.decks import make_deck
from tests.support.teach import client_of, page_of, text_of

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = 60_000  # ms


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    yield
    log.stop()


@pytest.fixture
def browser(teacher: User) -> Client:
    return client_of(teacher)


def begin(browser: Client, classroom: Classroom, **fields: object) -> Lesson | None:
    """Send the form; return the lesson that began."""
    browser.post(page_of(classroom, "start"), {"title": "Leaves"} | fields)
    return Lesson.objects.filter(status="live").first()


def titles(lesson: Lesson | None) -> list[str]:
    assert lesson is not None
    return [page.title for page in replica.current(lesson.pk).pages]


# --- the form ----------------------------------------------------------------------------------------------------


def test_decks_come_in_the_order_in_which_they_were_ticked(
    browser: Client, classroom: Classroom, teacher: User
) -> None:
    one, two, three = (make_deck(teacher, title) for title in ("One", "Two", "Three"))
    chosen = {"decks": [one.pk, two.pk, three.pk]}
    lesson = begin(browser, classroom, **chosen, order=f"{three.pk},{one.pk},999,x")
    assert titles(lesson) == ["Three", "One", "Two"]


def test_without_an_order_they_come_as_they_were_uploaded(browser: Client, classroom: Classroom, teacher: User) -> None:
    one, two = (make_deck(teacher, title) for title in ("One", "Two"))
    assert titles(begin(browser, classroom, decks=[two.pk, one.pk])) == ["One", "Two"]


@pytest.mark.parametrize(("blank", "pages"), [("", 1), ("0", 1), ("1", 1), ("20", 20)])
def test_blank_pages(browser: Client, classroom: Classroom, blank: str, pages: int) -> None:
    assert titles(begin(browser, classroom, blank=blank)) == [""] * pages


@pytest.mark.parametrize("blank", ["21", "-1", "x", "99999999999999999999"])
def test_so_many_blank_pages_are_none(browser: Client, classroom: Classroom, blank: str) -> None:
    assert begin(browser, classroom, blank=blank) is None


@pytest.mark.parametrize("pk", ["9" * 30, "9" * 5000])
def test_an_id_that_no_row_can_have_is_refused(browser: Client, classroom: Classroom, pk: str) -> None:
    assert browser.get(page_of(classroom, "start"), {"decks": pk, "last": pk}).status_code == 200
    assert begin(browser, classroom, decks=[pk]) is None
    assert begin(browser, classroom, last=pk) is None


def test_a_deck_and_blank_pages_behind_it(browser: Client, classroom: Classroom, teacher: User) -> None:
    deck = make_deck(teacher, "One")
    assert titles(begin(browser, classroom, decks=[deck.pk], blank=2)) == ["One", "", ""]


def test_a_lesson_goes_on_from_an_earlier_one_of_its_classroom_alone(
    browser: Client, classroom: Classroom, teacher: User, outsider: User
) -> None:
    first = actions.start(classroom, title="First", decks=[make_deck(teacher, "Slide")], by=teacher)
    actions.end(first, by=teacher)
    other = Classroom.objects.create(title="Other", code="ZZZZZZ")
    other.staff.create(user=outsider, role="owner")
    foreign = actions.start(other, title="Foreign", decks=[], by=outsider)
    actions.end(foreign, by=outsider)
    page = text_of(browser.get(page_of(classroom, "start"), {"last": first.pk}))
    assert f'<option value="{first.pk}" selected>' in page
    assert "Foreign" not in page
    assert begin(browser, classroom, last=foreign.pk) is None
    assert titles(begin(browser, classroom, last=first.pk, blank=1)) == ["Slide", ""]


def test_by_rest_too(classroom: Classroom, teacher: User, outsider: User) -> None:
    first = actions.start(classroom, title="First", decks=[], by=teacher, blank=3)
    api = Api(teacher)
    lessons = f"classrooms/{classroom.pk}/lessons/"
    actions.end(first, by=teacher)
    other = Classroom.objects.create(title="Other", code="ZZZZZZ")
    foreign = Lesson.objects.create(classroom=other, title="Foreign", status="ended")
    assert api.post(lessons, {"from": foreign.pk})[0] == 404
    assert api.post(lessons, {"blank": 21})[0] == 400
    status, lesson = api.post(lessons, {"from": first.pk, "blank": 2})
    assert status == 201
    assert len(replica.current(lesson["id"]).pages) == 5


# --- the page of a lesson ------------------------------------------------------------------------------------------


@pytest.fixture
def held(classroom: Classroom, teacher: User) -> Lesson:
    """A lesson that has ended: the teacher and Ana were there, Ben of the roster was not."""
    for name in ("Ana", "Ben"):
        RosterEntry.objects.create(classroom=classroom, name=name)
    lesson = actions.start(classroom, title="Leaves", decks=[], by=teacher)
    actions.seat_staff(lesson, teacher)
    Participant.objects.create(lesson=lesson, number=2, name="Ana", color="#000000")
    Participant.objects.create(lesson=lesson, number=3, name="=cmd|'/c calc'!A1", color="#000000")
    begun = lesson.last_at
    spans = [Span("u1", begun, begun + 45 * MINUTE), Span("u2", begun, begun + 61 * MINUTE), Span("u3", begun, begun)]
    note(lesson.pk, spans)
    actions.end(lesson, by=teacher)
    Lesson.objects.filter(pk=lesson.pk).update(ended_at=lesson.started_at + timedelta(minutes=62))
    return lesson


def test_its_page_says_who_was_there_how_long_and_who_was_not(browser: Client, held: Lesson) -> None:
    page = text_of(browser.get(page_of(held)))
    for word in ("1 h 02 min", "45 minutes", "1 h 01 min", "under a minute", "1 of the roster was not there"):
        assert word in page
    assert page.index("Teacher") < page.index("Ana") < page.index("<li>Ben</li>")
    assert "Look at the pages" in page


def test_the_file_has_the_same_and_no_formula(browser: Client, held: Lesson) -> None:
    answer = browser.post(page_of(held, "attendance"))
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["name", "role", "first seen", "last seen", "minutes"]
    assert [(row[0], row[1], row[4]) for row in rows[1:]] == [
        ("Teacher", "Instructor", "45.0"),
        ("Ana", "Student", "61.0"),
        ("'=cmd|'/c calc'!A1", "Student", "0.0"),
        ("Ben", "absent", "0"),
    ]
    assert "attachment" in answer["Content-Disposition"]
    assert "Saved the attendance as a file." in text_of(browser.get(page_of(held, "history")))


def test_a_look_writes_nothing(browser: Client, held: Lesson) -> None:
    assert browser.get(page_of(held, "attendance")).status_code == 302
    assert "Saved the attendance" not in text_of(browser.get(page_of(held, "history")))


def test_a_large_class_comes_in_parts(browser: Client, held: Lesson) -> None:
    Participant.objects.bulk_create(
        Participant(lesson=held, number=n, name=f"Student {n}", color="#000000") for n in range(4, 254)
    )
    note(held.pk, [Span(f"u{n}", held.last_at, held.last_at + n * MINUTE) for n in range(4, 254)])
    assert Attendance.objects.count() == 253
    first, last = (text_of(browser.get(page_of(held), {"page": page})) for page in (1, 3))
    assert "Student 4<" in first
    assert "Student 253<" not in first
    assert "Student 253<" in last


@pytest.mark.parametrize("field", ["decks", "last"])
def test_a_key_that_no_database_holds_is_refused_as_one_of_no_row(
    browser: Client, classroom: Classroom, field: str
) -> None:
    start = page_of(classroom, "start")
    assert browser.get(start, {field: "9" * 5_000}).status_code == 200
    answer = browser.post(start, {"title": "Leaves", field: "9" * 30})
    assert (answer.status_code, Lesson.objects.count()) == (200, 0)


def test_of_two_starts_at_once_with_a_deck_the_earlier_one_is_told_that_a_lesson_is_live(
    classroom: Classroom, teacher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    give = late_pages.give

    def overtaken(lesson: Lesson, *given: Any) -> None:
        monkeypatch.setattr(late_pages, "give", give)
        actions.start(classroom, title="Roots", decks=[], by=teacher)
        give(lesson, *given)

    monkeypatch.setattr(late_pages, "give", overtaken)
    with pytest.raises(Refused) as refused:
        actions.start(classroom, title="Leaves", decks=[make_deck(teacher)], by=teacher)
    assert (refused.value.code, refused.value.status) == (Code.NOT_ALLOWED, 409)
    assert [lesson.title for lesson in Lesson.objects.all()] == ["Roots"]
