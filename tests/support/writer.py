"""The log's writer under the test's hand: what it tells, held still, and with a step of the database replaced."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from classrooms import log
from classrooms.log import Committed
from classrooms.writers import how_many
from tests.support.road import STARTED, new_lesson


@contextmanager
def listening() -> Iterator[list[list[Committed]]]:
    """What a listener of the log is told meanwhile."""
    told: list[list[Committed]] = []
    unsubscribe = log.subscribe(told.append)
    try:
        yield told
    finally:
        unsubscribe()


@contextmanager
def held() -> Iterator[None]:
    """Keep every writer in a listener, so that what is appended meanwhile waits together."""
    holding, released = threading.Semaphore(0), threading.Event()

    def hold(records: list[Committed]) -> None:
        holding.release()
        assert released.wait(20)

    unsubscribe = log.subscribe(hold)
    waiting = [log.append(new_lesson(), [STARTED]) for _ in range(how_many())]  # ids that follow each other
    assert all(holding.acquire(timeout=20) for _ in waiting)
    unsubscribe()
    try:
        yield
    finally:
        released.set()
        for one in waiting:
            one.result(20)


@pytest.fixture
def in_writer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[Any], Any]], None]:
    """Replace a step of Django's database wrapper, in the writer's thread alone; the step is given the real one."""

    def replace(name: str, step: Callable[[Any], Any]) -> None:
        original = getattr(BaseDatabaseWrapper, name)

        def either(wrapper: Any) -> Any:
            mine = threading.current_thread().name == "log-writer"
            return step(lambda: original(wrapper)) if mine else original(wrapper)

        monkeypatch.setattr(BaseDatabaseWrapper, name, either)

    return replace
