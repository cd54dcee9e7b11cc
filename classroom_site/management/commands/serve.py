"""`manage.py serve`: a school's Lectern on this machine, in several processes behind a proxy."""

import argparse
import asyncio
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import environ
from django.conf import settings
from django.core import checks
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from classroom_site import daphne, kept
from classroom_site.supervisor import Job, Supervisor

env = environ.Env()

WRONG = 2  # exit code for what the operator has to set right


class Command(BaseCommand):
    help = "Serve Lectern by several processes (docs/operations.md). For a laptop there is `manage.py run`."
    requires_system_checks: list[str] = []  # `_wrong` runs them, and says what they say without a traceback

    def add_arguments(self, parser: CommandParser) -> None:
        port = env.str("PORT", default="") or "8000"
        parser.add_argument("--processes", type=_count, default=1, metavar="N", help="serving processes (1)")
        parser.add_argument(
            "--live", type=_number, default=0, metavar="M",
            help="further processes for /live/ alone, on --live-port; the others then serve all but /live/ (0)",
        )  # fmt: skip
        parser.add_argument("--bind", default=settings.HOST, metavar="ADDR", help="IPv4 address (%(default)s)")
        parser.add_argument("--port", type=_port, default=port, metavar="P", help="port (%(default)s)")
        parser.add_argument("--live-port", type=_port, metavar="P", help="port of the live processes (P + 1)")
        parser.add_argument("--no-worker", action="store_true", help="convert no decks here: another machine does")
        parser.add_argument(
            "--insecure", action="store_true", help="for trying it out: without HTTPS, whatever `check --deploy` says"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        given = argparse.Namespace(**options)
        wrong = list(_wrong(given))
        if wrong:
            _refuse("\n".join(wrong))
        lock = None
        if not settings.REDIS_URL:
            lock = kept.locked(settings.DATA_DIR)
            if lock is None:
                _refuse(f"Lectern already runs with DATA_DIR={settings.DATA_DIR}. Several need REDIS_URL.")
        main = _listen(given.bind, given.port)
        live = _listen(given.bind, given.live_port or given.port + 1) if given.live else None
        sockets = [one for one in (main, live) if one is not None]
        supervisor = Supervisor(
            list(_jobs(given, main, live)),
            ready=lambda: supervisor.say(_welcome(given, main, live)),
            ending=lambda: _close(sockets),  # once the processes have closed theirs too, newcomers are refused at once
        )
        code = asyncio.run(supervisor.run())
        if lock is not None:
            lock.close()
        sys.exit(code)


def _wrong(given: argparse.Namespace) -> Iterator[str]:
    """Say what the operator has to set right, each with what to do."""
    several = given.processes + given.live > 1
    if several and not settings.REDIS_URL:
        yield "More than one process needs REDIS_URL, such as redis://127.0.0.1:6379/0: by it they tell each other."
    if several and connection.vendor == "sqlite":
        yield "More than one process needs DATABASE_URL, such as postgres://lectern@127.0.0.1/lectern, not SQLite."
    for message in checks.run_checks(include_deployment_checks=not given.insecure):
        if not message.is_silenced() and message.level >= (checks.ERROR if given.insecure else checks.WARNING):
            yield f"{message.msg}{f' {message.hint}' if message.hint else ''} ({message.id})"
    yield from _unprepared()


def _unprepared() -> Iterator[str]:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            yield "The database is not up to date: `manage.py migrate` makes it so."
    except DatabaseError as error:
        yield f"The database cannot be used: {str(error).strip()}"
    finally:
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
    if not Path(settings.STATIC_ROOT, "staticfiles.json").exists():
        yield "Static files are not collected: `manage.py collectstatic --noinput` does that."


def _jobs(given: argparse.Namespace, main: socket.socket, live: socket.socket | None) -> Iterator[Job]:
    for number in range(1, given.processes + 1):
        yield _job(f"web-{number}", "web" if live else "all", main)
    for number in range(1, given.live + 1):
        yield _job(f"live-{number}", "live", live)
    if not given.no_worker:
        yield _job("worker", "worker", None)


def _job(name: str, part: str, listening: socket.socket | None) -> Job:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve_process", part]
    if listening is None:
        return Job(name, command)
    return Job(name, [*command, "--descriptor", str(listening.fileno())], [listening.fileno()])


def _listen(address: str, port: int) -> socket.socket:
    """Return a listening socket, which all processes inherit (docs/decisions/0010-one-socket-for-all.md)."""
    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(daphne.BACKLOG)
    except socket.gaierror:
        _refuse(f"--bind {address} is no IPv4 address of this machine: try 127.0.0.1, or 0.0.0.0 for all.")
    except OSError as error:
        _refuse(f"{address}:{port} cannot be served: {error.strerror}.")
    return listening


def _close(sockets: list[socket.socket]) -> None:
    for one in sockets:
        one.close()


def _welcome(given: argparse.Namespace, main: socket.socket, live: socket.socket | None) -> str:
    places = f"http://{given.bind}:{main.getsockname()[1]}"
    if live is None:
        return f"ready: {given.processes} processes at {places}"
    return f"ready: {given.processes} processes at {places}, {given.live} for /live/ at port {live.getsockname()[1]}"


def _refuse(sentences: str) -> NoReturn:
    sys.stderr.write(f"{sentences}\n")
    sys.exit(WRONG)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 256):
        raise argparse.ArgumentTypeError(f"{text} is no number of processes")
    return int(text)


def _count(text: str) -> int:
    if not _number(text):
        raise argparse.ArgumentTypeError("at least one process has to serve")
    return _number(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text} is no port: it takes a number from 1 to 65535")
    return int(text)
