"""/teach/ at work on decks: uploaded, watched, led on to a lesson, deleted, hidden and shown."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from classrooms.models import Classroom
from tests.support import pdfs
from tests.support.decks import make_deck
from tests.support.teach import address, client_of, page_of, text_of
from whiteboard import slides
from whiteboard.models import Deck, Slide


def upload(client: Client, content: bytes, accept: str = "text/html", **fields: str) -> Any:
    data = {"file": pdfs.upload(content)} | fields
    return client.post(address(Deck, "add"), data, HTTP_ACCEPT=accept)


def test_a_deck_is_uploaded_and_shown(
    teacher: User, settings: Any, tmp_path: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    client = client_of(teacher)

    response = upload(client, pdfs.good(2), title="Cells")
    deck = Deck.objects.get()
    assert (deck.owner, deck.title, response["Location"]) == (teacher, "Cells", page_of(deck))
    assert "Waiting to be converted" in text_of(client.get(page_of(deck)))

    slides.convert.call(deck.pk)
    page = text_of(client.get(page_of(deck)))
    assert "2 pages" in page
    assert deck.slides.get(number=2).images["320"] in page
    assert "2 pages" in text_of(client.get(address(Deck, "changelist")))
    first = deck.slides.get(number=1)
    progress = client.get(page_of(deck, "progress") + f"?after={first.pk}").json()
    assert (progress["status"], progress["pages_done"]) == ("ready", 2)
    assert [slide["number"] for slide in progress["slides"]] == [2]


@pytest.mark.parametrize("content", [b"", b"not a pdf"])
def test_a_bad_file_is_refused_with_its_sentence(teacher: User, content: bytes) -> None:
    sentence = "This file cannot be read as a PDF. Export it again as a PDF and upload that."
    assert sentence in text_of(upload(client_of(teacher), content))
    answer = upload(client_of(teacher), content, "application/json")
    assert answer.status_code == 400
    assert answer.json() == {"code": "bad_file", "message": sentence}
    assert not Deck.objects.exists()


def test_a_page_of_ours_that_uploads_is_told_where_to_go(teacher: User, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    answer = upload(client_of(teacher), pdfs.good(1), "application/json")
    assert (answer.status_code, answer.json()) == (201, {"location": page_of(Deck.objects.get())})


def test_a_decks_page_leads_on_to_a_lesson_with_it(classroom: Classroom, teacher: User, assistant: User) -> None:
    make_deck(teacher, title="Other")
    deck, client = make_deck(teacher), client_of(teacher)
    start = page_of(classroom, "start") + f"?decks={deck.pk}"
    assert start in text_of(client.get(page_of(deck)))
    assert text_of(client.get(start)).count(" checked") == 1
    assert f'value="{deck.pk}" checked' in text_of(client.get(start))
    assert page_of(classroom, "start") not in text_of(client_of(assistant).get(page_of(make_deck(assistant))))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("file_encrypted", "locked with a password"),
        ("too_many_pages", "more than 200 pages"),
        ("try_again", "Upload it again"),
        ("bad_file", "cannot be read as a PDF"),
    ],
)
def test_a_failed_deck_says_why(teacher: User, code: str, said: str) -> None:
    deck = Deck.objects.create(owner=teacher, title="Broken", status="failed", error=code)
    assert said in text_of(client_of(teacher).get(page_of(deck)))
    assert said in text_of(client_of(teacher).get(address(Deck, "changelist")))


def test_deleting_a_deck_counts_its_pages_and_lists_none(teacher: User) -> None:
    deck = make_deck(teacher, title="Leaves")
    page = text_of(client_of(teacher).get(page_of(deck, "delete")))
    assert "<li>1 page</li>" in page
    assert "Slide" not in page
    Slide.objects.filter(deck=deck).delete()
    bare = text_of(client_of(teacher).get(page_of(deck, "delete")))
    assert "goes for good." in bare
    assert 'class="plain"' not in bare


def test_decks_are_hidden_and_shown(teacher: User) -> None:
    deck, client = make_deck(teacher), client_of(teacher)
    for action, hidden in (("hide", True), ("show", False)):
        client.post(address(Deck, "changelist"), {"action": action, "_selected_action": [deck.pk], "index": "0"})
        deck.refresh_from_db()
        assert deck.hidden is hidden
