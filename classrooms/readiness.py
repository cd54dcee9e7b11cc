"""Whether this process may be sent people: the database, its migrations, the channel layer, and that it is not leaving.

Each part is looked at within a bound, and nothing waits for a database that hangs: it is asked once, in a thread of its
own, until it has answered, however often somebody wants to know.
"""

import asyncio
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from classrooms.hub import get_hub

logger = logging.getLogger(__name__)

WITHIN = 2.0  # s for the database to answer

OK = "ok"
LATE = f"no answer within {WITHIN:g} s"


class Report(NamedTuple):
    """Each part: "ok", or what is wrong with it in a few words of ours."""

    database: str
    migrations: str
    layer: str
    process: str

    @property
    def ready(self) -> bool:
        """Whether all is well."""
        return all(part == OK for part in self)

    @property
    def wrong(self) -> dict[str, str]:
        """The parts that are not."""
        return {name: part for name, part in self._asdict().items() if part != OK}


async def report() -> Report:
    """Look at every part. Starts the hub, as the first client would: only a hub knows whether the layer answers."""
    global _last
    layer = OK if get_hub().layer.ready else "does not answer"
    found = Report(*await _database(), layer, "is leaving" if _leaving else OK)
    if found != _last:
        _last = found
        (logger.info if found.ready else logger.warning)("ready" if found.ready else "not ready: %s", found.wrong)
    return found


def leave() -> None:
    """From now on this process is not ready: it drains."""
    global _leaving
    _leaving = True


async def _database() -> tuple[str, str]:
    """Return what is to be said of the database and of its migrations."""
    global _look
    if _look is None or _look.done():
        _look = _thread.submit(_looked)
    try:
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(_look)), WITHIN)
    except TimeoutError:
        return LATE, "not known"


def _looked() -> tuple[str, str]:
    """Ask the database; never raises. Blocking."""
    try:
        return OK, OK if _migrated() else "missing"
    except Error:
        return "refuses to work", "not known"
    except Exception:
        logger.exception("the database could not be looked at")
        return "cannot be asked", "not known"
    finally:
        connection.close()


def _migrated() -> bool:
    """Whether every migration of this version was applied. Once they were they stay so, and a small read is enough."""
    global _applied
    if _applied:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
            return cursor.fetchone() is not None
    executor = MigrationExecutor(connection)
    _applied = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _applied


_thread = ThreadPoolExecutor(1, thread_name_prefix="readiness")
_look: "Future[tuple[str, str]] | None" = None
_last: Report | None = None
_applied = False
_leaving = False
