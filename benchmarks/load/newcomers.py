"""Newcomers of the load: who joins by code while a lesson runs, and does what a page does until it is up to date."""

import json
import re
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.load.people import Book, Client
from benchmarks.load.speech import Seat

if TYPE_CHECKING:
    from benchmarks.load.worker import Worker

THREADS = 32  # requests under way at once
PATIENCE = 60.0  # s for a request
STATE = re.compile(rb'"seq":(\d+),"at":(\d+)')


class Newcomers:
    """Clients who join one lesson, each at its own moment. Requests are made by threads, all else on the loop."""

    def __init__(self, worker: "Worker", code: str, room: int, starts: list[float], numbers: list[int]) -> None:
        self._worker = worker
        self._code = code
        self._room = room
        self._starts = dict(zip(numbers, starts, strict=True))
        self._took: dict[int, float] = {}
        self._seats: list[Seat] = []
        self._pool = ThreadPoolExecutor(THREADS)
        for number, start in self._starts.items():
            worker.later(start, partial(self._submit, self._join, number))

    @property
    def over(self) -> bool:
        """Whether all are up to date."""
        return len(self._took) == len(self._starts)

    def told(self) -> tuple[list[float], list[Seat]]:
        """Return the seconds each took, and the seats."""
        self._pool.shutdown(wait=False)
        return list(self._took.values()), self._seats

    def _submit(self, task: Callable[..., None], *arguments: object) -> None:
        self._pool.submit(task, *arguments)

    def _join(self, number: int) -> None:  # in a thread
        body = json.dumps({"code": self._code, "name": f"Newcomer {number}"}).encode()
        seat = json.loads(self._request("/api/join/", body, {"Content-Type": "application/json"}))
        one = Seat(number, self._room, seat["live"]["socket"], seat["participant"]["id"], seat["ticket"])
        self._worker.call(lambda: self._bring(one, seat["state"]))

    def _bring(self, seat: Seat, state: str) -> None:
        client = Client(seat, self._worker.books.setdefault(seat.room, Book(self._worker)))
        client.seq = -1  # it has nothing: `hello` says so
        client.fetch = lambda one: self._submit(self._fetch, one, state)
        self._seats.append(seat)
        self._worker.bring(client)

    def _fetch(self, client: Client, state: str) -> None:  # in a thread
        body = self._request(f"{state}?boards=current", None, {"Authorization": f"Ticket {client.seat.ticket}"})
        found = STATE.search(body)
        assert found is not None, body[:200]
        seq, at = int(found[1]), int(found[2])
        self._worker.call(lambda: self._go_on(client, seq, at))

    def _go_on(self, client: Client, seq: int, at: int) -> None:
        client.fetch = None
        client.base = client.seq = seq
        client.at = at
        self._worker.say(client, json.dumps({"type": "sync", "since": seq, "at": at}).encode())
        self._took[client.seat.client] = time.monotonic() - self._starts[client.seat.client]

    def _request(self, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{self._worker.port}{path}", body, headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            found: Any = answer.read()
        return bytes(found)
