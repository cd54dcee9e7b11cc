"""The background worker: a thread of a laptop's server, or a process of its own under `manage.py serve`."""

import logging
import threading
import time

from django.conf import settings
from django.db import Error, connections
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker

from classrooms import late_pages, retention
from whiteboard import slides

logger = logging.getLogger(__name__)

INTERVAL = 0.5  # seconds between looks into an empty queue


def start() -> threading.Thread:
    """Start working off the task queue, decks left half done by an earlier process first, until this process ends."""
    thread = threading.Thread(target=work, name="worker", daemon=True)
    thread.start()
    return thread


def work() -> None:
    """Work off the task queue, and now and then delete what is not to be kept any longer, for ever."""
    if settings.KEEP_LESSONS is not None:
        threading.Thread(target=retention.keep_on, args=[settings.KEEP_LESSONS], name="retention", daemon=True).start()
    while True:
        try:
            late_pages.sweep()
            slides.resume()
            _worker().run()
        except Error:
            logger.exception("The worker lost the database and tries again")
            connections.close_all()
            time.sleep(INTERVAL)


def _worker() -> Worker:
    return Worker(
        queue_names=["*"], excluded_queue_names=[], backend_name="default", worker_id=get_random_string(32),
        interval=INTERVAL, startup_delay=False, batch=False, max_tasks=None,
    )  # fmt: skip
