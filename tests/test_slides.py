"""whiteboard.slides: PDFs become pages with images and text, whatever crashes on the way."""

import fcntl
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from PIL import Image
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from tests.support import pdfs
from tests.support.decks import converted, files, received
from tests.support.processes import children
from tests.support.waiting import until
from whiteboard import conversion, slides
from whiteboard.models import Deck, Slide


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


def picture(media: Path, address: str) -> Image.Image:
    return Image.open(BytesIO((media / address.removeprefix("/media/")).read_bytes()))


# --- good files ----------------------------------------------------------------------------------------------------


def test_a_pdf_becomes_pages_with_three_images_and_text(teacher: User, media: Path) -> None:
    deck = converted(teacher, pdfs.good(2))

    assert (deck.status, deck.error, deck.pages, deck.pages_done) == ("ready", "", 2, 2)
    first, second = deck.slides.all()
    assert (first.number, first.width, first.height, first.text) == (1, 1600, 900, "Page 1")
    assert (second.number, second.text) == (2, "Page 2")
    sizes = {width: picture(media, address).size for width, address in first.images.items()}
    assert sizes == {"1600": (1600, 900), "800": (800, 450), "320": (320, 180)}
    assert first.images["1600"].startswith(f"/media/decks/{deck.key}/")
    assert first.images != second.images


def test_the_data_of_a_page_is_what_page_added_carries(teacher: User) -> None:
    deck = converted(teacher, pdfs.good(1))

    [page] = slides.pages_of(deck)

    slide = deck.slides.get()
    assert page == {
        "kind": "slide",
        "title": "Page 1",
        "slide": {
            "deck": deck.pk,
            "number": 1,
            "width": 1600,
            "height": 900,
            "images": slide.images,
            "text": "Page 1",
        },
    }


def test_a_page_without_text_is_titled_by_its_number(teacher: User) -> None:
    deck = converted(teacher, pdfs.good(1, text=""))

    assert slides.pages_of(deck)[0]["title"] == "Slide 1"


def test_a_tall_page_keeps_its_ratio_and_fewer_pixels(teacher: User, media: Path) -> None:
    slide = converted(teacher, pdfs.good(1, size=(200, 1000))).slides.get()

    assert (slide.width, slide.height) == (1600, 8000)
    large = picture(media, slide.images["1600"])
    assert large.width * large.height <= 1600 * 2560
    assert large.height / large.width == pytest.approx(5, rel=0.01)


@pytest.mark.tutorials
@pytest.mark.parametrize(
    ("language", "title", "words"),
    [
        ("", "Debian Packaging Tutorial", "Lucas Nussbaum"),
        (".ja", "Debian パッケージングチュートリアル", "アウトライン"),
    ],
)
def test_a_real_lecture_comes_out_with_glyphs_and_text(
    teacher: User, media: Path, language: str, title: str, words: str
) -> None:
    deck = converted(teacher, pdfs.tutorial(language, pages=4))

    pages = slides.pages_of(deck)
    assert pages[0]["title"] == title
    assert any(words in page["slide"]["text"] for page in pages)
    image = picture(media, pages[3]["slide"]["images"]["1600"]).convert("L")
    assert image.size == (1600, 1200)
    dark = sum(image.histogram()[:128]) / (1600 * 1200)
    assert 0.005 < dark < 0.2  # ink on white, neither blank nor filled


def test_each_page_is_usable_while_the_others_convert(teacher: User, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    keep = slides._keep_page

    def watched(deck: Deck, page: conversion.Page) -> None:
        keep(deck, page)
        row = Deck.objects.get(pk=deck.pk)
        seen.append((row.status, row.pages_done, row.pages, len(slides.pages_of(row))))

    monkeypatch.setattr(slides, "_keep_page", watched)
    converted(teacher, pdfs.good(3))

    assert seen == [("converting", 1, 3, 1), ("converting", 2, 3, 2), ("converting", 3, 3, 3)]


def test_a_received_deck_is_queued_for_conversion_after_the_commit(
    teacher: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        deck = received(teacher, pdfs.good(1))
        assert deck.status == "waiting"

    deck.refresh_from_db()
    assert deck.status == "ready"


@pytest.mark.parametrize(
    ("title", "name", "shown"),
    [("Cells", "x.pdf", "Cells"), (" ", "Light & dark.pdf", "Light & dark"), ("", "\x00.pdf", "Untitled deck")],
)
def test_a_deck_is_titled_by_its_owner_or_its_file(teacher: User, title: str, name: str, shown: str) -> None:
    assert slides.receive(teacher, title, pdfs.upload(pdfs.good(1), name)).title == shown


def test_the_stored_name_owes_nothing_to_the_clients(teacher: User, media: Path) -> None:
    slides.receive(teacher, "", pdfs.upload(pdfs.good(1), "../../evil.pdf"))

    [path] = files(media)
    assert path.parent == media / "decks/originals"
    assert len(path.stem) == 32
    assert set(path.stem) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("nul\x00 bell\x07 half \ud83d", "nul bell half"),
        ("\u202eright to left\u2069", "right to left"),
        ("e\u0301", "é"),
        ("hy\ufffephen", "hyphen"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),  # a joiner that Persian is spelt with
    ],
)
def test_text_is_cleaned_of_what_the_wire_refuses(raw: str, cleaned: str) -> None:
    assert slides.clean(raw) == cleaned


def test_a_title_is_one_line_of_80_characters() -> None:
    assert slides.one_line("Light \t reactions\n" + "x" * 100, 80) == ("Light reactions " + "x" * 100)[:80]


# --- crashes, restarts, two at once --------------------------------------------------------------------------------


class Crash(BaseException):
    """A worker that dies: nothing after it runs."""


def crash_at(monkeypatch: pytest.MonkeyPatch, page: int, error: BaseException) -> None:
    """Let the conversion raise once, when it has stored the images of this page and not its row."""
    create = Slide.objects.create
    pending = [error]

    def crashing(**fields: Any) -> Slide:
        if fields["number"] == page and pending:
            raise pending.pop()
        return create(**fields)

    monkeypatch.setattr(Slide.objects, "create", crashing)


def test_a_deck_left_in_mid_conversion_goes_on_behind_its_last_finished_page(
    teacher: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deck = received(teacher, pdfs.good(3))
    before = children()
    crash_at(monkeypatch, 2, Crash())
    with pytest.raises(Crash):
        slides.convert.call(deck.pk)
    deck.refresh_from_db()
    assert (deck.status, deck.pages_done, deck.attempts) == ("converting", 1, 1)
    assert children() == before
    finished = deck.slides.get()

    slides.resume()

    deck.refresh_from_db()
    assert (deck.status, deck.pages_done, deck.attempts) == ("ready", 3, 2)
    assert deck.slides.first() == finished  # a live lesson shows it
    assert [slide.number for slide in deck.slides.all()] == [1, 2, 3]
    assert len(files(media)) == 1 + 3 * 3


def test_a_lost_database_means_another_attempt(
    teacher: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    deck = received(teacher, pdfs.good(2))
    crash_at(monkeypatch, 2, DatabaseError("gone"))
    queued: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(type(slides.convert), "enqueue", lambda self, pk: queued.append(pk))
        slides.convert.call(deck.pk)
    assert queued == [deck.pk]

    slides.convert.call(deck.pk)

    deck.refresh_from_db()
    assert (deck.status, deck.attempts) == ("ready", 2)


def test_a_deck_that_never_gets_through_is_given_up_and_can_be_tried_again(teacher: User, media: Path) -> None:
    deck = received(teacher, pdfs.good(1))
    Deck.objects.filter(pk=deck.pk).update(status="converting", attempts=slides.ATTEMPTS)

    slides.resume()

    deck.refresh_from_db()
    assert (deck.status, deck.error) == ("failed", "try_again")
    assert files(media) == [Path(deck.file.path)]

    assert slides.retry(deck)
    slides.convert.call(deck.pk)

    deck.refresh_from_db()
    assert (deck.status, deck.error, deck.pages_done) == ("ready", "", 1)


def test_there_is_nothing_to_try_again_on_a_deck_that_is_whole_or_at_work(teacher: User) -> None:
    deck = received(teacher, pdfs.good(1))
    assert not slides.retry(deck)
    slides.convert.call(deck.pk)
    deck.refresh_from_db()
    assert not slides.retry(deck)
    assert Deck.objects.get().status == "ready"


def test_a_finished_deck_is_not_converted_again(teacher: User) -> None:
    deck = converted(teacher, pdfs.good(1))

    slides.convert.call(deck.pk)

    deck.refresh_from_db()
    assert deck.attempts == 1


def test_two_workers_never_convert_one_deck(teacher: User) -> None:
    deck = received(teacher, pdfs.good(1))
    with Path(deck.file.path).open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        slides.convert.call(deck.pk)

    deck.refresh_from_db()
    assert (deck.status, deck.attempts) == ("waiting", 0)


def test_an_overtaken_attempt_writes_nothing_more(teacher: User, monkeypatch: pytest.MonkeyPatch) -> None:
    deck = received(teacher, pdfs.good(3))
    keep = slides._keep_page

    def overtaken(deck: Deck, page: conversion.Page) -> None:
        keep(deck, page)
        Deck.objects.filter(pk=deck.pk).update(attempts=9)

    monkeypatch.setattr(slides, "_keep_page", overtaken)
    slides.convert.call(deck.pk)

    deck.refresh_from_db()
    assert (deck.status, deck.pages_done, deck.slides.count()) == ("converting", 1, 1)


@pytest.mark.parametrize("found", [conversion.BadFile("file_encrypted"), OSError("full")])
def test_what_becomes_of_the_old_file_is_not_said_of_the_new_one(
    teacher: User, monkeypatch: pytest.MonkeyPatch, found: Exception
) -> None:
    deck = received(teacher, pdfs.good(1))

    def replaced(old: Deck, limits: conversion.Limits) -> None:
        slides.replace(Deck.objects.get(pk=old.pk), pdfs.upload(pdfs.good(2)), retire=lambda: False)
        raise found

    with monkeypatch.context() as patch:
        patch.setattr(slides, "_missing", replaced)
        slides.convert.call(deck.pk)
    deck.refresh_from_db()
    assert (deck.status, deck.error) == ("waiting", "")


def test_a_file_that_is_replaced_before_it_is_opened_fails_nothing(
    teacher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    deck = received(teacher, pdfs.good(1))
    alone = slides._alone

    def replaced(path: Path) -> Any:
        slides.replace(Deck.objects.get(pk=deck.pk), pdfs.upload(pdfs.good(2)), retire=lambda: False)
        return alone(path)

    with monkeypatch.context() as patch:
        patch.setattr(slides, "_alone", replaced)
        slides.convert.call(deck.pk)
    deck.refresh_from_db()
    assert (deck.status, deck.error) == ("waiting", "")


@pytest.mark.postgres
def test_a_page_of_the_old_file_that_is_being_kept_goes_with_the_others(
    on_postgres: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(slides.convert), "enqueue", lambda self, pk: None)
    deck = received(User.objects.get_or_create(username="replaces")[0], pdfs.good(1))
    Deck.objects.filter(pk=deck.pk).update(status="converting", attempts=1, pages=1)
    old = Deck.objects.get(pk=deck.pk)
    held = Event()

    def keep() -> None:
        with transaction.atomic():
            slides._keep_page(old, conversion.Page(1, 900, "Old", (b"1", b"2", b"3")))
            held.set()
            until(waits_for_a_lock, timeout=5, saying="the replacement waits for the deck's row")
        connection.close()

    def waits_for_a_lock() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            return cursor.fetchone() is not None

    with ThreadPoolExecutor(1) as pool:
        kept = pool.submit(keep)
        assert held.wait(10)
        slides.replace(Deck.objects.get(pk=deck.pk), pdfs.upload(pdfs.good(1)), retire=lambda: False)
        kept.result(10)
    deck.refresh_from_db()
    assert (deck.status, list(deck.slides.values_list("text", flat=True))) == ("waiting", [])
