"""The REST door of decks: own decks alone, progress while they convert, a code and a sentence for every bad file."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from classrooms.models import Classroom
from tests.support import pdfs
from whiteboard import slides
from whiteboard.models import Deck

DECKS = "/api/decks/"


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


def api(user: User | None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.get_or_create(user=user)[0].key}")
    return client


def post(user: User | None, content: bytes, **fields: Any) -> Any:
    return api(user).post(DECKS, {"file": pdfs.upload(content), **fields}, format="multipart")


def test_a_pdf_is_uploaded_and_watched_until_it_is_ready(teacher: User) -> None:
    answer = post(teacher, pdfs.good(2), title="Cells")

    assert answer.status_code == 201
    body = answer.json()
    assert (body["title"], body["status"], body["error"], body["message"]) == ("Cells", "waiting", "", "")
    assert (body["pages"], body["pages_done"]) == (0, 0)

    slides.convert.call(body["id"])

    deck = api(teacher).get(f"{DECKS}{body['id']}/").json()
    assert (deck["status"], deck["pages"], deck["pages_done"]) == ("ready", 2, 2)
    assert [slide["text"] for slide in deck["slides"]] == ["Page 1", "Page 2"]
    assert set(deck["slides"][0]["images"]) == {"320", "800", "1600"}
    assert "file" not in deck
    assert "key" not in deck


def test_a_deck_that_converts_says_how_far_it_is(teacher: User) -> None:
    deck = Deck.objects.create(owner=teacher, title="Cells", status="converting", pages=40, pages_done=3)
    body = api(teacher).get(f"{DECKS}{deck.pk}/").json()
    assert (body["status"], body["pages_done"], body["pages"]) == ("converting", 3, 40)


def test_an_untitled_deck_has_its_files_name(teacher: User) -> None:
    assert post(teacher, pdfs.good(1)).json()["title"] == "Lecture"


@pytest.mark.parametrize(
    ("content", "status", "code", "said"),
    [
        (b"", 400, "bad_file", "cannot be read as a PDF"),
        (b"not a pdf", 400, "bad_file", "cannot be read as a PDF"),
        (pdfs.good(1) + b"%" * 2_000_000 + b"%%EOF", 413, "too_large", "larger than 1 MB"),
    ],
)
def test_it_refuses_at_once_with_code_and_sentence(
    teacher: User, settings: Settings, media: Path, content: bytes, status: int, code: str, said: str
) -> None:
    settings.DECK_MAX_BYTES = 1024 * 1024
    answer = post(teacher, content)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert said in answer.json()["message"]
    assert not Deck.objects.exists()
    assert not [path for path in media.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (pdfs.encrypted(), "file_encrypted", "password"),
        (pdfs.good(3), "too_many_pages", "more than 2 pages"),
        (pdfs.xref_loop(), "bad_file", "cannot be read as a PDF"),
    ],
)
def test_what_conversion_finds_is_told_by_the_deck(
    teacher: User, settings: Settings, content: bytes, code: str, said: str
) -> None:
    settings.DECK_MAX_PAGES = 2
    deck = post(teacher, content).json()["id"]
    slides.convert.call(deck)
    body = api(teacher).get(f"{DECKS}{deck}/").json()
    assert (body["status"], body["error"], body["slides"]) == ("failed", code, [])
    assert said in body["message"]


def test_a_request_without_a_file_is_told_what_is_missing(teacher: User) -> None:
    answer = api(teacher).post(DECKS, {"title": "Cells"}, format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_frame")
    assert "file" in answer.json()["message"]


def test_others_decks_are_not_there(teacher: User, assistant: User, outsider: User, classroom: Classroom) -> None:
    deck = post(teacher, pdfs.good(1)).json()["id"]
    assert [row["id"] for row in api(teacher).get(DECKS).json()["results"]] == [deck]
    for user in (assistant, outsider):
        assert api(user).get(DECKS).json()["results"] == []
        assert api(user).get(f"{DECKS}{deck}/").status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_deck_is_not_changed_or_deleted_here(teacher: User, method: str) -> None:
    deck = post(teacher, pdfs.good(1)).json()["id"]
    assert getattr(api(teacher), method)(f"{DECKS}{deck}/").status_code == 405
    assert Deck.objects.exists()


def test_an_assistant_may_upload(assistant: User, classroom: Classroom) -> None:
    assistant.groups.clear()
    assert post(assistant, pdfs.good(1)).status_code == 201


def test_students_and_strangers_may_not(ana: User, media: Path) -> None:
    assert post(ana, pdfs.good(1)).json()["code"] == "not_allowed"
    assert post(ana, pdfs.good(1)).status_code == 403
    assert post(None, pdfs.good(1)).status_code in (401, 403)
    assert api(None).get(DECKS).status_code in (401, 403)
    assert not media.exists()


def test_a_session_needs_a_csrf_token(teacher: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(teacher)
    answer = client.post(DECKS, {"file": pdfs.upload(pdfs.good(1))}, format="multipart")
    assert answer.status_code == 403
    assert not Deck.objects.exists()
