"""Classrooms, their staff, and lessons with the log that each of them owns."""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from classrooms.class_list import MAX_IDENTIFIER, MAX_NAME
from whiteboard.models import Deck

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is mistaken for another: no 0 O 1 I L
CODE_LENGTH = 6


def draw_code() -> str:
    """Return a random join code."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def draw_epoch() -> str:
    """Return a random name for a log's history: 8 hex digits."""
    return secrets.token_hex(4)


class Classroom(models.Model):
    """A lasting room with a join code and staff. `retention`: days that students can read an ended lesson's boards."""

    class Draw(models.TextChoices):
        EVERYONE = "everyone"
        CHOSEN = "chosen"
        STAFF = "staff"

    class Edit(models.TextChoices):
        OWN = "own"
        SHARED = "shared"

    class Door(models.TextChoices):
        OPEN = "open"
        LOCKED = "locked"

    title = models.CharField(_("title"), max_length=120)
    code = models.CharField(max_length=CODE_LENGTH, unique=True, default=draw_code)
    draw = models.CharField(max_length=8, choices=Draw, default=Draw.EVERYONE)
    edit = models.CharField(max_length=8, choices=Edit, default=Edit.OWN)
    roam = models.BooleanField(default=True)
    chat = models.BooleanField(default=True)
    door = models.CharField(max_length=8, choices=Door, default=Door.OPEN)
    retention = models.PositiveSmallIntegerField(default=30, validators=[MinValueValidator(1), MaxValueValidator(365)])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("classroom")
        verbose_name_plural = _("classrooms")
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class Staff(models.Model):
    """Who teaches in a classroom. An owner is an instructor who may also hand the classroom on."""

    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        INSTRUCTOR = "instructor", _("Instructor")
        ASSISTANT = "assistant", _("Assistant")

    classroom = models.ForeignKey(Classroom, models.CASCADE, related_name="staff")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="teaches")
    role = models.CharField(max_length=10, choices=Role, default=Role.INSTRUCTOR)

    class Meta:
        verbose_name_plural = "staff"
        constraints = [models.UniqueConstraint(fields=["classroom", "user"], name="staff_once")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class RosterEntry(models.Model):
    """A student on a classroom's roster. It lets nobody in and keeps nobody out: it says who is missing."""

    classroom = models.ForeignKey(Classroom, models.CASCADE, related_name="roster", verbose_name=_("classroom"))
    name = models.CharField(_("name"), max_length=MAX_NAME)
    identifier = models.CharField(_("e-mail address or number"), max_length=MAX_IDENTIFIER, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("student")
        verbose_name_plural = _("students")
        constraints = [
            models.UniqueConstraint(
                fields=["classroom", "identifier"], condition=~Q(identifier=""), name="roster_identifier_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Lesson(models.Model):
    """One live run of a classroom. `head`, `last_at` and `status` are written by `log.py` alone, with the events.

    Once `emptied_at` is set its log is gone or going (`retention.py`): nobody reads it any more.
    """

    class Status(models.TextChoices):
        STARTING = "starting", _("Starting")  # the row is there, `lesson.started` is not yet committed
        LIVE = "live", _("Live")
        ENDED = "ended", _("Ended")

    classroom = models.ForeignKey(Classroom, models.CASCADE, related_name="lessons", verbose_name=_("classroom"))
    title = models.CharField(_("title"), max_length=120)
    epoch = models.CharField(max_length=8, default=draw_epoch, editable=False)
    status = models.CharField(_("state"), max_length=8, choices=Status, default=Status.STARTING, editable=False)
    head = models.BigIntegerField(default=0, editable=False)  # the newest event's seq
    last_at = models.BigIntegerField(default=0, editable=False)  # the newest event's time, ms since 1970
    seats = models.PositiveIntegerField(default=0, editable=False)  # participants numbered so far
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, editable=False)
    emptied_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("lesson")
        verbose_name_plural = _("lessons")
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["classroom"], condition=Q(status__in=["starting", "live"]), name="one_live_lesson"
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def readable_until(self) -> datetime | None:
        """Until when students can read the boards; None while the lesson has not ended."""
        return self.ended_at + timedelta(days=self.classroom.retention) if self.ended_at else None


class LessonDeck(models.Model):
    """A deck whose pages a lesson was given. While the row is there, the deck and its images stay."""

    lesson = models.ForeignKey(Lesson, models.CASCADE, related_name="decks", db_index=False)
    deck = models.ForeignKey(Deck, models.PROTECT, related_name="lessons")
    upto = models.BigIntegerField(null=True)  # the newest slide (its pk) that the lesson has; None: it gets no more

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lesson", "deck"], name="lesson_deck_once")]

    def __str__(self) -> str:
        return f"{self.deck} in {self.lesson}"


class Participant(models.Model):
    """A person in a lesson: an account, or a guest known by a session. On the wire: `u` and the number."""

    lesson = models.ForeignKey(Lesson, models.CASCADE, related_name="participants", db_index=False)
    number = models.PositiveIntegerField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="seats")
    name = models.CharField(max_length=40)
    color = models.CharField(max_length=7)
    role = models.CharField(max_length=10, default="student", editable=False)  # what the server last told the log
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lesson", "number"], name="participant_number_once"),
            models.UniqueConstraint(fields=["lesson", "user"], name="participant_user_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """The participant's id on the wire."""
        return f"u{self.number}"


class Attendance(models.Model):
    """When a participant was in a lesson. Only `attendance.py` writes here; times in ms since 1970."""

    lesson = models.ForeignKey(Lesson, models.CASCADE, related_name="attendance")
    participant = models.OneToOneField(Participant, models.CASCADE, related_name="attendance")
    first_at = models.BigIntegerField()
    last_at = models.BigIntegerField()
    present = models.BigIntegerField()  # ms in all, over reconnects, tabs and processes, each moment once

    class Meta:
        verbose_name_plural = "attendance"

    def __str__(self) -> str:
        return f"{self.participant} in {self.lesson}"


class Event(models.Model):
    """A committed, numbered fact. Only `log.py` writes here. `data` is the text that goes over the wire.

    The foreign key needs no index of its own, here and above: the constraints begin with it.
    """

    lesson = models.ForeignKey(Lesson, models.CASCADE, related_name="events", db_index=False)
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=24)
    by = models.CharField(max_length=24)  # a participant's id; '' is the server
    op = models.CharField(max_length=48)
    at = models.BigIntegerField()  # ms since 1970
    data = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lesson", "seq"], name="event_seq_once"),
            models.UniqueConstraint(fields=["lesson", "by", "op"], name="event_op_once"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"


class Snapshot(models.Model):
    """A folded state at some seq: what a latecomer and a waking process begin from."""

    lesson = models.ForeignKey(Lesson, models.CASCADE, related_name="snapshots", db_index=False)
    epoch = models.CharField(max_length=8)
    seq = models.BigIntegerField()
    at = models.BigIntegerField()
    body = models.BinaryField()  # gzip of the state's JSON (protocol.md section 6) with the fold's private part

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lesson", "epoch", "seq"], name="snapshot_once")]

    def __str__(self) -> str:
        return f"{self.lesson_id} at {self.seq}"
