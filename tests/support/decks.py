"""Decks for tests: received, converted, and what they leave on disk."""

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User

from tests.support import pdfs
from whiteboard import slides
from whiteboard.models import Deck, Slide


def make_deck(owner: User, text: str = "", **fields: Any) -> Deck:
    """Make the rows of a deck of one page that is ready; there is no file."""
    deck = Deck.objects.create(owner=owner, **{"title": "Deck", "status": "ready", "pages": 1} | fields)
    address = f"/media/decks/{deck.key}/{'0' * 32}-320.webp"
    Slide.objects.create(deck=deck, number=1, position=1, width=1600, height=900, images={"320": address}, text=text)
    return deck


def received(owner: User, content: bytes, title: str = "") -> Deck:
    """Receive a deck, and leave its conversion to the test."""
    return slides.receive(owner, title, pdfs.upload(content))


def converted(owner: User, content: bytes) -> Deck:
    """Receive a deck and convert it."""
    deck = received(owner, content)
    slides.convert.call(deck.pk)
    deck.refresh_from_db()
    return deck


def files(media: Path) -> list[Path]:
    """Return every file below a directory, which need not be there."""
    return sorted(path for path in media.rglob("*") if path.is_file())
