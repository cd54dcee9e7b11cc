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

from classroom_site import daphne, kept, service
from classroom_site.daphne import LOOPBACK
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
        parser.add_argument(
            "--own-ports", type=_port, metavar="P",
            help="let each process listen at a port of 127.0.0.1 of its own too: P, P + 1 and so on",
        )  # fmt: skip
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
            ready=lambda: _ready(supervisor, _welcome(given, main, live)),
            ending=lambda: _ending(sockets),
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
    yield from _taken(_own_ports(given))
    yield from _unprepared()


def _taken(ports: list[int]) -> Iterator[str]:
    """Say which of the processes' own ports cannot be had: a process that may not listen there would die of it."""
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except (OSError, OverflowError) as error:
                yield f"--own-ports: {LOOPBACK}:{port} cannot be served: {getattr(error, 'strerror', '') or error}."


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


def _own_ports(given: argparse.Namespace) -> list[int]:
    """Return the port of each serving process's own, the web processes' first; none without --own-ports."""
    return [given.own_ports + number for number in range(given.processes + given.live)] if given.own_ports else []


def _jobs(given: argparse.Namespace, main: socket.socket, live: socket.socket | None) -> Iterator[Job]:
    own = iter(_own_ports(given))
    for number in range(1, given.processes + 1):
        yield _serving(f"web-{number}", "web" if live else "all", main, next(own, None))
    for number in range(1, given.live + 1):
        yield _serving(f"live-{number}", "live", live or main, next(own, None))
    if not given.no_worker:
        yield Job("worker", _command("worker"))


def _serving(name: str, part: str, listening: socket.socket, own: int | None) -> Job:
    options = ["--descriptor", str(listening.fileno()), *(["--own-port", str(own)] if own else [])]
    return Job(name, _command(part, *options), [listening.fileno()])


def _command(*options: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve_process", *options]


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


def _ready(supervisor: Supervisor, words: str) -> None:
    supervisor.say(words)
    service.tell("READY=1")


def _ending(sockets: list[socket.socket]) -> None:
    service.tell("STOPPING=1")
    for one in sockets:  # once the processes have closed theirs too, newcomers are refused at once
        one.close()


def _welcome(given: argparse.Namespace, main: socket.socket, live: socket.socket | None) -> str:
    words = f"ready: {given.processes} processes at http://{given.bind}:{main.getsockname()[1]}"
    if live is not None:
        words += f", {given.live} for /live/ at port {live.getsockname()[1]}"
    if own := _own_ports(given):
        words += f", each by itself at {LOOPBACK}:{own[0]}{f' to {own[-1]}' if own[1:] else ''}"
    return words


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
