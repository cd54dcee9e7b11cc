"""A herd: clients that are cut off all at once, and come back when the server has asked them to."""

import random
import time
from typing import TYPE_CHECKING, Any

from benchmarks.load.people import Client

if TYPE_CHECKING:
    from benchmarks.load.worker import Worker


class Herd:
    """Cuts clients off as it is made. Each comes back within the range that its last welcome told."""

    def __init__(self, worker: "Worker", clients: list[Client]) -> None:
        self._clients = clients
        self._began = time.monotonic()
        for client in clients:
            worker.hang_up(client)
        now = time.monotonic()
        for client in clients:
            client.level = 0.0
            least, most = client.retry
            worker.later(now + random.uniform(least, most) / 1000, lambda one=client: worker.reopen(one))  # type: ignore[misc]

    def level(self) -> bool:
        """Whether everybody is live and has applied what the room had when it welcomed them; note who is."""
        now = time.monotonic()
        missing = 0
        for client in self._clients:
            if not client.level:
                if client.live and client.seq >= client.head:
                    client.level = now
                else:
                    missing += 1
        return not missing

    def told(self) -> dict[str, Any]:
        """Return the seconds from the cut that each took (None: not yet), the widest spread in ms, and snapshots."""
        return {
            "took": [client.level - self._began if client.level else None for client in self._clients],
            "spread": max((client.retry[1] for client in self._clients), default=0),
            "snapshots": sum(client.snapshots for client in self._clients),
        }
