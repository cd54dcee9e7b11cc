"""`manage.py retain`: deletes the logs of lessons that are not to be kept any longer, now."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from classrooms import retention


class Command(BaseCommand):
    """What the worker does once an hour where KEEP_LESSONS is set; for a timer of the operator's own, or to look."""

    help = "Delete what was shown, drawn and said in lessons that are not to be kept any longer; attendance stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the days, and whether to look only."""
        parser.add_argument("--days", type=int, help="days after the students' days are over (KEEP_LESSONS)")
        parser.add_argument("--look", action="store_true", help="say which lessons are due, and delete nothing")

    def handle(self, *args: Any, days: int | None, look: bool, **options: Any) -> None:
        """Sweep once."""
        keep = settings.KEEP_LESSONS if days is None else days
        if keep is None:
            raise CommandError("Lessons are kept for ever: set KEEP_LESSONS or give --days.")
        if keep < 0:
            raise CommandError("--days must be 0 or more.")
        if look:
            for lesson in retention.due(keep, timezone.now()).order_by("pk"):
                self.stdout.write(f"{lesson.pk}: {lesson.title}, ended {lesson.ended_at:%Y-%m-%d}")
            return
        lessons, events = retention.sweep(keep)
        self.stdout.write(f"{lessons} lessons, {events} events deleted.")
