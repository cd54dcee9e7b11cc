"""Decks and their slides: what an instructor uploads, page by page as images and text."""

import secrets

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


def unguessable() -> str:
    """Return 32 hex digits: the part of an image's address that nobody can guess."""
    return secrets.token_hex(16)


class Deck(models.Model):
    """An uploaded PDF. Decks that a lesson was given are hidden, never deleted: past lessons show their pages."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        CONVERTING = "converting", _("Converting")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="decks")
    title = models.CharField(_("title"), max_length=120)
    file = models.FileField(upload_to="decks/originals/", blank=True)  # kept, for another try and for its owner
    key = models.CharField(max_length=32, unique=True, default=unguessable, editable=False)
    status = models.CharField(_("state"), max_length=10, choices=Status, default=Status.WAITING, editable=False)
    error = models.CharField(max_length=40, blank=True, editable=False)  # a refusal code
    pages = models.PositiveIntegerField(default=0, editable=False)
    pages_done = models.PositiveIntegerField(default=0, editable=False)  # finished or failed
    failures = models.JSONField(default=dict, editable=False)  # {"3": refusal code} of pages that could not be drawn
    attempts = models.PositiveIntegerField(default=0, editable=False)  # conversions begun so far
    hidden = models.BooleanField(_("hidden"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("deck")
        verbose_name_plural = _("decks")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.title


class Slide(models.Model):
    """One finished page of a deck: its size in board units, its images and the text on it."""

    deck = models.ForeignKey(Deck, models.CASCADE, related_name="slides")
    number = models.PositiveIntegerField()  # in the PDF, from 1
    position = models.PositiveIntegerField()  # among the deck's pages as its owner has them; at first the number
    width = models.PositiveIntegerField()  # always 1,600 units (board.md section 1)
    height = models.PositiveIntegerField()  # of the page's own ratio
    images = models.JSONField(default=dict)  # {"320": address, "800": address, "1600": address}
    text = models.TextField(blank=True)
    alt = models.TextField(blank=True)  # what is to be seen on it, for those who do not see it
    hidden = models.BooleanField(default=False)  # lessons are not given it

    class Meta:
        ordering = ["position", "number"]
        constraints = [models.UniqueConstraint(fields=["deck", "number"], name="slide_number_once")]

    def __str__(self) -> str:
        return f"{self.deck} {self.number}"
