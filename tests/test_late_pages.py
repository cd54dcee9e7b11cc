"""classrooms.late_pages: a lesson starts with the pages that are there, and gets each of the others once."""

import json
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from classrooms import actions, late_pages, log, replica
from classrooms.models import Classroom, Lesson, LessonDeck
from tests.support import pdfs
from tests.support.decks import received
from tests.support.road import append, server_entry
from tests.support.seed import token_of
from tests.support.server import Server
from tests.support.waiting import until
from whiteboard import conversion, slides
from whiteboard.models import Deck, Slide


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def stopped(transactional_db: None) -> Iterator[None]:
    yield
    log.stop()


def begun(owner: User, pages: int, done: int, monkeypatch: pytest.MonkeyPatch) -> Deck:
    """Receive a deck and convert some of its pages, as a worker that stops then."""
    with monkeypatch.context() as patch:
        patch.setattr(type(slides.convert), "enqueue", lambda self, pk: None)
        deck = received(owner, pdfs.good(pages))
    keep = slides._keep_page

    def stop(deck: Deck, page: conversion.Page) -> None:
        if page.number > done:
            raise KeyboardInterrupt
        keep(deck, page)

    with monkeypatch.context() as patch:
        patch.setattr(slides, "_keep_page", stop)
        with pytest.raises(KeyboardInterrupt):
            slides.convert.call(deck.pk)
    return deck


def started(classroom: Classroom, teacher: User, *decks: Deck, blank: int = 0) -> Lesson:
    return actions.start(classroom, title="Leaves", decks=decks, by=teacher, blank=blank)


def numbers(lesson: Lesson) -> list[int | None]:
    """The number of each page's slide in the lesson's order, None for a blank sheet."""
    return [page.slide["number"] if page.slide else None for page in replica.current(lesson.pk).pages]


def page_id(lesson: Lesson, number: int) -> str:
    return next(p.id for p in replica.current(lesson.pk).pages if p.slide and p.slide["number"] == number)


def change(lesson: Lesson, kind: str, **data: Any) -> None:
    append(lesson.pk, server_entry(kind, f"test:{kind}:{data['page']}", **data))


def forget(lesson: Lesson) -> None:
    """Let the lesson's row say that it has the first page alone."""
    first = Slide.objects.filter(number=1, deck__lessons__lesson=lesson).get()
    LessonDeck.objects.filter(lesson=lesson).update(upto=first.pk)


@pytest.mark.usefixtures("stopped")
class TestLatePages:
    def test_a_lesson_gets_the_pages_that_are_finished_while_it_runs(
        self, classroom: Classroom, teacher: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deck = begun(teacher, 4, 2, monkeypatch)
        lesson = started(classroom, teacher, deck, blank=1)
        assert numbers(lesson) == [1, 2, None]

        slides.convert.call(deck.pk)

        assert numbers(lesson) == [1, 2, 3, 4, None]
        assert replica.current(lesson.pk).current == page_id(lesson, 1)
        added = [json.loads(raw) for raw in log.since(lesson.pk, 0)][-2:]
        assert [event["op"] for event in added] == [f"slide:{deck.pk}:3", f"slide:{deck.pk}:4"]
        assert [event["by"] for event in added] == [None, None]

    def test_each_comes_at_once(self, classroom: Classroom, teacher: User, monkeypatch: pytest.MonkeyPatch) -> None:
        deck = begun(teacher, 4, 1, monkeypatch)
        lesson = started(classroom, teacher, deck)
        seen = []
        slides.page_finished.connect(watch := lambda deck, **_: seen.append(numbers(lesson)))
        try:
            slides.convert.call(deck.pk)
        finally:
            slides.page_finished.disconnect(watch)
        assert seen == [[1, 2], [1, 2, 3], [1, 2, 3, 4]]

    def test_what_a_crash_left_out_comes_at_the_next_start_and_only_once(
        self, classroom: Classroom, teacher: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deck = begun(teacher, 3, 1, monkeypatch)
        lesson = started(classroom, teacher, deck)
        with monkeypatch.context() as patch:
            patch.setattr(late_pages, "bring", lambda deck: None)
            slides.convert.call(deck.pk)
        assert numbers(lesson) == [1]

        late_pages.sweep()
        head = Lesson.objects.get(pk=lesson.pk).head
        forget(lesson)  # as if the process had died between the log's commit and its own note
        late_pages.sweep()
        late_pages.sweep()

        assert numbers(lesson) == [1, 2, 3]
        assert Lesson.objects.get(pk=lesson.pk).head == head

    def test_what_is_finished_while_a_lesson_starts_is_not_missed(
        self, classroom: Classroom, teacher: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deck = begun(teacher, 2, 1, monkeypatch)
        take = actions._take_lesson

        def slowly(classroom: Classroom, title: str) -> Lesson:
            slides.convert.call(deck.pk)  # no lesson is live that could hear of it
            return take(classroom, title)

        monkeypatch.setattr(actions, "_take_lesson", slowly)
        assert numbers(started(classroom, teacher, deck)) == [1, 2]

    def test_a_page_that_was_removed_does_not_come_back(
        self, classroom: Classroom, teacher: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deck = begun(teacher, 3, 1, monkeypatch)
        lesson = started(classroom, teacher, deck, blank=1)
        slides.convert.call(deck.pk)
        change(lesson, "page.removed", page=page_id(lesson, 2))
        forget(lesson)
        late_pages.sweep()
        assert numbers(lesson) == [1, 3, None]

        change(lesson, "page.removed", page=page_id(lesson, 3))
        forget(lesson)
        Slide.objects.create(deck=deck, number=4, position=4, width=1600, height=900, images={})
        late_pages.sweep()
        assert numbers(lesson) == [1, 4, None]  # not behind a page that is gone

    def test_pages_come_behind_the_last_one_that_is_left_or_last(
        self, classroom: Classroom, teacher: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deck = begun(teacher, 4, 2, monkeypatch)
        lesson = started(classroom, teacher, deck, blank=1)
        change(lesson, "page.removed", page=page_id(lesson, 2))
        slides.convert.call(deck.pk)
        assert numbers(lesson) == [1, 3, 4, None]

        other = begun(teacher, 2, 1, monkeypatch)
        actions.end(lesson, by=teacher)
        lesson = started(classroom, teacher, other, blank=1)
        change(lesson, "page.removed", page=page_id(lesson, 1))
        slides.convert.call(other.pk)
        assert numbers(lesson) == [None, 2]

    def test_a_page_that_fails_is_left_out_and_takes_its_place_when_it_is_tried_again(
        self, classroom: Classroom, teacher: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deck = begun(teacher, 4, 1, monkeypatch)
        lesson = started(classroom, teacher, deck)
        page = conversion.Child._page
        with monkeypatch.context() as patch:
            patch.setattr(
                conversion.Child, "_page",
                lambda child, n: (page(child, n), conversion.Failure(n, "bad_file"))[1] if n == 2 else page(child, n),
            )  # fmt: skip
            slides.convert.call(deck.pk)
        deck.refresh_from_db()
        assert (deck.failures, numbers(lesson)) == ({"2": "bad_file"}, [1, 3, 4])

        assert slides.retry(deck)
        slides.convert.call(deck.pk)
        assert numbers(lesson) == [1, 2, 3, 4]

    def test_hidden_pages_and_other_lessons_are_left_alone(
        self, classroom: Classroom, teacher: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deck, other = begun(teacher, 3, 1, monkeypatch), begun(teacher, 2, 1, monkeypatch)
        past = started(classroom, teacher, deck)
        actions.end(past, by=teacher)
        lesson = started(classroom, teacher, other)
        slides.convert.call(deck.pk)
        Slide.objects.filter(deck=other).update(hidden=True)
        assert (numbers(past), numbers(lesson)) == ([1], [1])
        assert list(LessonDeck.objects.values_list("lesson", "deck")) == [(past.pk, deck.pk), (lesson.pk, other.pk)]

    def test_a_lesson_that_goes_on_from_the_last_one_keeps_its_decks_and_gets_no_more_of_them(
        self, classroom: Classroom, teacher: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deck = begun(teacher, 2, 1, monkeypatch)
        past = started(classroom, teacher, deck)
        actions.end(past, by=teacher)
        past.refresh_from_db()
        lesson = actions.start(classroom, title="On", decks=[], by=teacher, last=past)
        slides.convert.call(deck.pk)
        assert numbers(lesson) == [1]
        assert LessonDeck.objects.get(lesson=lesson).deck == deck


def test_a_lesson_is_taught_while_its_deck_converts(server: Server) -> None:
    """A server of its own process, its worker, its log."""
    pages = 30
    server.end_lessons()
    deck = uploaded(server, pdfs.good(pages))
    until(lambda: asked(server, f"/api/decks/{deck}/")["pages_done"] > 0, saying="a page is there")
    [room] = asked(server, "/api/classrooms/")["results"]
    status, lesson = server.request(
        "POST", f"/api/classrooms/{room['id']}/lessons/", {"title": "Leaves", "decks": [deck]}, as_="teacher"
    )
    assert status == 201, lesson
    ticket = server.join_staff(lesson["id"])["ticket"]

    def shown() -> list[int]:
        state = server.request("GET", f"/live/lessons/{lesson['id']}/state/", ticket=ticket)[1]["state"]
        return [page["slide"]["number"] for page in state["pages"]]

    until(lambda: len(shown()) == pages, saying="all pages are there")
    assert shown() == list(range(1, pages + 1))
    late = server.rows("SELECT count(*) FROM classrooms_event WHERE lesson_id = ? AND op LIKE 'slide:%'", lesson["id"])
    assert late[0][0] > 0


def asked(server: Server, path: str) -> Any:
    return server.request("GET", path, as_="teacher")[1]


def uploaded(server: Server, content: bytes) -> int:
    """Upload a PDF as a program does; return the deck's id."""
    lines = (
        b"--edge",
        b'Content-Disposition: form-data; name="file"; filename="a.pdf"',
        b"",
        content,
        b"--edge--",
        b"",
    )
    headers = {"Content-Type": "multipart/form-data; boundary=edge", "Authorization": f"Token {token_of('teacher')}"}
    request = urllib.request.Request(f"{server.url}/api/decks/", b"\r\n".join(lines), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return int(json.load(answer)["id"])


@given(
    st.permutations(range(1, 8)), st.lists(st.integers(1, 7) | st.none(), max_size=7, unique=True), st.integers(1, 7)
)
def test_a_page_stands_behind_those_before_it_where_the_lesson_keeps_the_decks_order(
    order: Sequence[int], there: list[int | None], number: int
) -> None:
    pages = sorted((one for one in there if one is not None and one != number), key=order.index)
    mixed: list[int | None] = [*pages[:3], None, *pages[3:]]
    place = late_pages._place(mixed, order, number)
    if not pages:
        assert place is None
        return
    assert place is not None
    mixed.insert(place, number)
    assert [one for one in mixed if one is not None] == sorted([*pages, number], key=order.index)
