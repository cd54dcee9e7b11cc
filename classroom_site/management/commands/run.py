"""`manage.py run`: a classroom on this machine, in one process, from nothing."""

import hashlib
import inspect
import io
import os
import signal
import socket
import sys
import types
from pathlib import Path
from typing import IO, Any, NoReturn

import environ
import segno
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from classroom_site import daphne, demo, kept, lan, lean, storage, worker
from classrooms.refusals import Refused

env = environ.Env()


class Command(BaseCommand):
    help = "Serve a classroom from this machine; set HOST, PORT and DATA_DIR in the environment (docs/settings.md)."
    requires_system_checks: list[str] = []  # a laptop's start is kept short; `make lint` runs them

    def handle(self, *args: Any, **options: Any) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _leave)  # until Daphne has its own
        port = _port(env.str("PORT", default="") or "8000")
        address = _bindable(settings.HOST, port)
        wanted = _wanted_demo()
        with _only_process():
            try:
                self._prepare_database()
            except DatabaseError as error:
                sys.exit(f"The database cannot be used: {error}")
            self._prepare_static()
            try:
                shown = demo.ensure(wanted)
            except Refused as refusal:
                sys.exit(f"The demo lesson cannot start: {refusal.message}")
            worker.start()
            daphne.serve(daphne.endpoint(address, port), listening=lambda: self._welcome(shown, port))
            sys.stdout.flush()
            os._exit(0)  # a thread's long poll or conversion must not hold the terminal; a commit is whole or not there

    def _prepare_database(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Preparing the database …")
            call_command("migrate", interactive=False, verbosity=0)

    def _prepare_static(self) -> None:
        """Collect static files if a source changed. Old ones stay: pages that are open still ask for them."""
        digest = _static_digest()
        stamp = Path(settings.STATIC_ROOT, "collected")
        if not stamp.exists() or stamp.read_text() != digest:
            self.stdout.write("Collecting static files …")
            call_command("collectstatic", interactive=False, verbosity=0)
            stamp.write_text(digest)

    def _welcome(self, shown: demo.Demo, port: int) -> None:
        base = f"http://{_public_host(settings.HOST)}:{port}"
        join = f"{base}/j/{shown.code}/"
        self.stdout.write(
            f"\nLectern is ready.\n\n"
            f"  Students    {join}\n"
            f"              or {base}/ with the code {shown.code}\n\n"
            f"  Instructor  {base}/teach/\n"
            f"              user {shown.user}, password {shown.password or 'as you have chosen it'}\n\n"
            f"{_qr(join, self.stdout.isatty())}\n"
            f"  Everything is kept in {settings.DATA_DIR}. Ctrl-C ends it.\n"
        )
        self.stdout.flush()


def _leave(number: int, frame: types.FrameType | None) -> NoReturn:
    sys.exit(0)


def _wanted_demo() -> demo.Wanted:
    try:
        return demo.wanted(
            code=env.str("DEMO_CODE", default="") or "TRYME2",
            user=env.str("DEMO_USER", default="") or "teacher",
            password=env.str("DEMO_PASSWORD", default=""),
        )
    except ValueError as error:
        sys.exit(f"The demo classroom cannot be made: {error}.")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        sys.exit(f"PORT={text} is no port: it takes a number from 1 to 65535.")
    return int(text)


def _bindable(host: str, port: int) -> str:
    """Return the IP address of `host`, having seen that `port` is free there; otherwise say why and end."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except socket.gaierror:
        sys.exit(f"HOST={host} is no address of this machine: try 127.0.0.1, or 0.0.0.0 to serve the room.")
    except OSError as error:
        sys.exit(f"{host}:{port} cannot be served: {error.strerror}. Another PORT may be free, e.g. PORT={port + 1}.")
    return str(address[0])


def _only_process() -> IO[str]:
    """Hold DATA_DIR for this process: without Redis, lessons of two processes would drift a second apart."""
    lock = kept.locked(settings.DATA_DIR)
    if lock is None:
        sys.exit(f"Lectern already runs with DATA_DIR={settings.DATA_DIR}: end it first, or choose another DATA_DIR.")
    return lock


def _static_digest() -> str:
    digest = hashlib.sha256(inspect.getsource(lean).encode() + inspect.getsource(storage).encode())
    for finder in get_finders():
        for name, found_in in finder.list(["CVS", ".*", "*~"]):
            found = Path(found_in.path(name)).stat()
            digest.update(f"{name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _public_host(host: str) -> str:
    if host in lan.WILDCARDS:
        return lan.address()
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _qr(text: str, colours: bool) -> str:
    """Return a QR code in half blocks, light on dark whatever the terminal's own colours are."""
    out = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(out, compact=True, border=2)
    lines = out.getvalue().splitlines()
    if colours:
        lines = [f"\x1b[97;40m{line}\x1b[0m" for line in lines]
    return "".join(f"  {line}\n" for line in lines)
