"""A deck's page at /teach/: texts and descriptions, order, hidden pages, another try, another PDF, deleting."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from classrooms import actions, decks, late_pages, log, replica
from classrooms.models import Classroom, Lesson, LessonDeck
from tests.support import pdfs
from tests.support.decks import converted, files, make_deck, received
from tests.support.teach import address, client_of, make_lesson, page_of, refused, text_of
from whiteboard import slides
from whiteboard.models import Deck, Slide


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def deck(teacher: User) -> Deck:
    return converted(teacher, pdfs.good(3))


@pytest.fixture
def stopped() -> Iterator[None]:
    yield
    log.stop()


def press(client: Client, deck: Deck, number: object, do: str, **fields: str) -> Any:
    page = deck.slides.filter(number=number).first() if isinstance(number, int) else None
    kept = {"text": page.text, "alt": page.alt} if page else {}
    return client.post(page_of(deck, "page"), {"number": number, "do": do} | kept | fields)


def order(deck: Deck) -> list[int]:
    return [slide.number for slide in deck.slides.all()]


# --- pages ---------------------------------------------------------------------------------------------------------


def test_text_and_description_are_kept_and_reach_lessons(teacher: User, deck: Deck) -> None:
    client = client_of(teacher)
    answer = press(client, deck, 2, "save", text="Leaf\r\nlayers", alt="A leaf, \u202ecut through")
    assert answer["Location"] == f"{page_of(deck)}#page-2"

    [_, page, _] = slides.pages_of(deck)
    assert (page["title"], page["slide"]["text"], page["slide"]["alt"]) == (
        "Leaf",
        "Leaf\nlayers",
        "A leaf, cut through",
    )
    assert "A leaf, cut through" in text_of(client.get(page_of(deck)))


@pytest.mark.usefixtures("stopped")
@pytest.mark.django_db(transaction=True)
def test_a_lessons_log_has_the_description(classroom: Classroom, teacher: User) -> None:
    deck = make_deck(teacher)
    deck.slides.update(alt="A leaf")
    lesson = actions.start(classroom, title="Leaves", decks=[deck], by=teacher)
    [page] = json.loads(log.since(lesson.pk, 0)[0])["data"]["pages"]
    assert page["slide"]["alt"] == "A leaf"


@pytest.mark.usefixtures("stopped")
@pytest.mark.django_db(transaction=True)
def test_what_is_written_on_a_page_reaches_the_lesson_that_shows_it(
    classroom: Classroom, teacher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    deck = make_deck(teacher)
    lesson = actions.start(classroom, title="Leaves", decks=[deck], by=teacher)
    client = client_of(teacher)

    def words() -> list[tuple[str, str]]:
        pages = replica.current(lesson.pk, at_least=log.heads([lesson.pk])[lesson.pk].seq).pages
        return [(page.slide["text"], page.slide.get("alt", "")) for page in pages if page.slide]

    press(client, deck, 1, "save", text="Leaf", alt="A leaf, cut through")
    assert words() == [("Leaf", "A leaf, cut through")]
    head = Lesson.objects.get(pk=lesson.pk).head
    press(client, deck, 1, "save")
    assert Lesson.objects.get(pk=lesson.pk).head == head, "nothing new was written"
    press(client, deck, 1, "save", alt="")
    assert words() == [("Leaf", "")]

    with monkeypatch.context() as patch:
        patch.setattr(late_pages, "_append", lambda lesson, entries: False)
        answer = client.post(page_of(deck, "page"), {"number": 1, "do": "save", "text": "Late", "alt": ""}, follow=True)
    assert "keeps the earlier words" in text_of(answer)
    assert words() == [("Leaf", "")]
    press(client, deck, 1, "save")
    assert words() == [("Late", "")]

    images = deck.slides.get().images
    deck.slides.update(images={"320": "/media/of-another-pdf.webp"})
    press(client, deck, 1, "save", text="Another page")
    assert words() == [("Late", "")]

    deck.slides.update(images=images)
    actions.end(lesson, by=teacher)
    press(client, deck, 1, "save", text="After the bell")
    assert words() == [("Late", "")]


@pytest.mark.parametrize(("text", "alt", "lacks"), [("", "", True), ("x", "", False), ("", "x", False)])
def test_a_page_with_neither_text_nor_description_says_so(teacher: User, text: str, alt: str, lacks: bool) -> None:
    deck = make_deck(teacher, text)
    deck.slides.update(alt=alt)
    page = text_of(client_of(teacher).get(page_of(deck)))
    assert ('class="marks">' in page) is lacks
    assert ('lacks">Needs description' in page) is lacks


def test_pages_change_places_and_stop_at_the_ends(teacher: User, deck: Deck) -> None:
    client = client_of(teacher)
    for number, do, then in (
        (3, "earlier", [1, 3, 2]), (3, "earlier", [3, 1, 2]), (3, "earlier", [3, 1, 2]), (2, "later", [3, 1, 2]),
        (1, "later", [3, 2, 1]),
    ):  # fmt: skip
        press(client, deck, number, do)
        assert order(deck) == then
    assert [page["slide"]["number"] for page in slides.pages_of(deck)] == [3, 2, 1]


def test_a_hidden_page_is_given_to_no_lesson(teacher: User, deck: Deck) -> None:
    client = client_of(teacher)
    press(client, deck, 1, "hide", alt="kept all the same")
    assert [page["slide"]["number"] for page in slides.pages_of(deck)] == [2, 3]
    assert deck.slides.get(number=1).alt == "kept all the same"
    assert deck.slides.get(number=2).images["320"] in text_of(client.get(address(Deck, "changelist")))
    press(client, deck, 1, "show")
    assert len(slides.pages_of(deck)) == 3


@pytest.mark.parametrize("number", ["", "x", "-1", "9", "9" * 30])
def test_a_page_that_is_not_there_is_not_saved(teacher: User, deck: Deck, number: str) -> None:
    answer = press(client_of(teacher), deck, number, "hide", text="x")
    assert answer.status_code == 302
    assert not Slide.objects.filter(hidden=True).exists()


def test_a_text_that_is_too_long_changes_nothing(teacher: User, deck: Deck) -> None:
    client = client_of(teacher)
    press(client, deck, 1, "hide", alt="x" * (slides.TEXT + 1))
    assert "was not saved" in text_of(client.get(page_of(deck)))
    assert (deck.slides.get(number=1).alt, deck.slides.get(number=1).hidden) == ("", False)


def test_the_buttons_of_a_page_are_pressed_and_not_fetched(teacher: User, deck: Deck) -> None:
    for view in ("page", "retry"):
        assert client_of(teacher).get(page_of(deck, view)).status_code == 405


# --- another try ---------------------------------------------------------------------------------------------------


def test_a_missing_page_is_named_and_can_be_tried_again(
    teacher: User, deck: Deck, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    deck.slides.filter(number=2).delete()
    Deck.objects.update(failures={"2": "bad_file"})
    client = client_of(teacher)
    page = text_of(client.get(page_of(deck)))
    assert "Page 2 is missing. It is too large" in page
    assert "2 of 3 pages" in page
    assert page_of(deck, "retry") in page

    with django_capture_on_commit_callbacks(execute=True):
        client.post(page_of(deck, "retry"))

    assert order(deck) == [1, 2, 3]
    assert page_of(deck, "retry") not in text_of(client.get(page_of(deck)))


@pytest.mark.parametrize(
    ("code", "again"), [("try_again", True), ("bad_file", True), ("file_encrypted", False), ("too_many_pages", False)]
)
def test_a_failed_deck_can_be_tried_again_where_that_may_help(
    teacher: User, deck: Deck, code: str, again: bool
) -> None:
    Deck.objects.update(status="failed", error=code)
    page = text_of(client_of(teacher).get(page_of(deck)))
    assert (page_of(deck, "retry") in page) is again
    assert page_of(deck, "replace") in page


def test_a_lesson_is_offered_as_soon_as_there_is_a_page(classroom: Classroom, teacher: User, deck: Deck) -> None:
    client = client_of(teacher)
    offered = f'id="next-step">\n    <a class="btn primary" href="{page_of(classroom, "start")}?decks={deck.pk}"'
    Deck.objects.update(status="converting", pages=40, pages_done=3)
    page = text_of(client.get(page_of(deck)))
    assert offered in page
    assert "Converting page 4 of 40" in page
    deck.slides.all().delete()
    assert offered not in text_of(client.get(page_of(deck)))


# --- the file ------------------------------------------------------------------------------------------------------


def test_the_original_is_given_back_as_it_came(teacher: User) -> None:
    content = pdfs.good(1)
    deck = converted(teacher, content)
    answer = client_of(teacher).get(page_of(deck, "original"))
    assert b"".join(answer.streaming_content) == content  # type: ignore[attr-defined]
    assert (answer["Content-Type"], answer["Content-Disposition"]) == (
        "application/pdf", 'attachment; filename="Lecture.pdf"',
    )  # fmt: skip
    Path(deck.file.path).unlink()
    assert client_of(teacher).get(page_of(deck, "original"))["Location"] == page_of(deck)


def replaced(client: Client, deck: Deck, content: bytes) -> Any:
    return client.post(page_of(deck, "replace"), {"file": pdfs.upload(content)}, HTTP_ACCEPT="application/json")


def test_another_pdf_takes_the_place_of_an_unused_one(teacher: User, deck: Deck, media: Path) -> None:
    key, client = deck.key, client_of(teacher)
    assert replaced(client, deck, pdfs.good(1, text="New")).json() == {"location": page_of(deck)}
    slides.convert.call(deck.pk)
    deck.refresh_from_db()
    assert (deck.status, deck.pages, deck.title) == ("ready", 1, "Lecture")
    assert deck.key != key
    assert [slide.text for slide in deck.slides.all()] == ["New"]
    assert len(files(media)) == 1 + 3


def test_lessons_keep_the_images_of_a_deck_that_is_replaced_and_get_no_new_pages(
    classroom: Classroom, teacher: User, deck: Deck, media: Path
) -> None:
    LessonDeck.objects.create(lesson=make_lesson(classroom), deck=deck, upto=1)
    replaced(client_of(teacher), deck, pdfs.good(1))
    assert len(files(media)) == 1 + 9
    assert LessonDeck.objects.get().upto is None


def test_a_bad_file_replaces_nothing(teacher: User, deck: Deck, media: Path) -> None:
    before = files(media)
    answer = replaced(client_of(teacher), deck, b"no pdf")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_file")
    row = Deck.objects.get()
    assert (row.key, row.status, row.slides.count(), files(media)) == (deck.key, "ready", 3, before)


def test_a_worker_does_not_put_old_pages_into_a_replaced_deck(teacher: User, monkeypatch: pytest.MonkeyPatch) -> None:
    deck = converted(teacher, pdfs.good(1))
    Deck.objects.update(status="converting")
    old = Deck.objects.get()
    replaced(client_of(teacher), deck, pdfs.good(2))
    Deck.objects.update(status="converting", attempts=old.attempts)
    with pytest.raises(slides._OvertakenError):
        slides._write(old, pages_done=1)


def test_an_unused_deck_is_deleted_with_its_files(
    teacher: User, deck: Deck, media: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    client = client_of(teacher)
    assert deck.title in text_of(client.get(page_of(deck, "delete")))
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page_of(deck, "delete"), {"post": "yes"})
    assert not Deck.objects.exists()
    assert files(media) == []


def test_a_deck_that_a_lesson_was_given_stays(classroom: Classroom, teacher: User, deck: Deck, media: Path) -> None:
    LessonDeck.objects.create(lesson=make_lesson(classroom), deck=deck)
    before, client = files(media), client_of(teacher)
    page = text_of(client.get(page_of(deck)))
    assert "it can be hidden, not deleted" in page
    assert page_of(deck, "delete") not in page
    assert refused(client.post(page_of(deck, "delete"), {"post": "yes"}))
    assert (Deck.objects.count(), files(media)) == (1, before)


@pytest.mark.django_db(transaction=True)
def test_a_replaced_file_is_not_failed_by_the_end_of_the_old_one(
    teacher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slides.convert.__class__, "enqueue", lambda *args, **kwargs: None)  # the test is the worker
    deck = received(teacher, pdfs.good(1))
    alone = slides._alone

    def replaced(path: Any) -> Any:
        monkeypatch.setattr(slides, "_alone", alone)
        decks.replace(Deck.objects.get(pk=deck.pk), pdfs.upload(pdfs.good(2)))
        return alone(path)

    monkeypatch.setattr(slides, "_alone", replaced)
    slides.convert.call(deck.pk)
    slides.convert.call(deck.pk)
    deck.refresh_from_db()
    assert (deck.status, deck.pages, deck.slides.count()) == ("ready", 2, 2)
