"""`manage.py new_epoch`: what a restored database needs before anybody comes back to it."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from classroom_site import kept
from classrooms import log, replica
from classrooms.models import Lesson


class Command(BaseCommand):
    """After a restore from a backup that is older than what people have seen (docs/operations.md).

    Each lesson's history gets a new name, so that everybody loads the state anew and nobody keeps events that are lost.
    Tickets from before are refused: seats and lessons that were lost are numbered again, and given to others.
    """

    help = "After restoring a backup, before starting: nobody keeps what is lost, and earlier tickets are refused."

    def handle(self, *args: Any, **options: Any) -> None:
        kept.keep_moment(settings.TICKETS_SINCE_FILE, int(time.time()))
        count = 0
        for lesson, epoch in list(Lesson.objects.values_list("pk", "epoch").order_by("pk")):
            with transaction.atomic():
                replica.carry_over(lesson, epoch, log.renew_epoch(lesson, epoch))
            count += 1
        self.stdout.write(f"{count} lessons have a new epoch; tickets from before now are refused.")
