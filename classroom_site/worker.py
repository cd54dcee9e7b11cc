"""The background worker of a laptop's classroom: a thread in the server's own process."""

import logging
import threading
import time

from django.db import Error, connections
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

logger = logging.getLogger(__name__)

INTERVAL = 0.5  # seconds between looks into an empty queue
ATTEMPTS = 3  # a task that was cut off this often ends processes rather than itself


def start(name: str) -> threading.Thread:
    """Start working off the task queue until the process ends; `name` must be this process's alone.

    Tasks that an earlier process of the same name left half done are put back first.
    """
    thread = threading.Thread(target=_work, args=(name,), name="worker", daemon=True)
    thread.start()
    return thread


def _work(name: str) -> None:
    while True:
        try:
            put_back(name)
            _worker(name).run()
        except Error:
            logger.exception("The worker lost the database and tries again")
            connections.close_all()
            time.sleep(INTERVAL)


def _worker(name: str) -> Worker:
    return Worker(
        queue_names=["*"], excluded_queue_names=[], backend_name="default", worker_id=name,
        interval=INTERVAL, startup_delay=False, batch=False, max_tasks=None,
    )  # fmt: skip


def put_back(name: str) -> None:
    """Make the tasks that `name` was running ready again; those cut off ATTEMPTS times have failed."""
    for task in DBTaskResult.objects.running():
        if task.worker_ids[-1:] != [name]:
            continue
        if len(task.worker_ids) >= ATTEMPTS:
            task.set_failed(RuntimeError(f"cut off {ATTEMPTS} times"))
        else:
            DBTaskResult.objects.filter(pk=task.pk).update(status="READY")
