"""Databases for benchmarks: a migrated one of their own, that keeps what it commits through a power cut.

Settings are read once a process, so a program runs itself again for each database: `on` gives the environment.
"""

import contextlib
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.services import Postgres, running  # noqa: E402


class Durable(Postgres):
    """PostgreSQL as Debian configures it, fsync and all: the tests' own does not write through."""

    def command(self) -> list[str]:
        return [word for word in super().command() if word != "-F"]


@contextlib.contextmanager
def on(vendor: str, **settings: str) -> Iterator[dict[str, str]]:
    """Make a migrated database of "sqlite" or "postgres"; the environment to run a program of ours in."""
    with contextlib.ExitStack() as stack:
        data = stack.enter_context(tempfile.TemporaryDirectory(prefix="lectern-bench-"))
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        environment = kept | {"DATA_DIR": data, "DJANGO_SETTINGS_MODULE": "classroom_site.settings"} | settings
        if vendor == "postgres":
            environment["DATABASE_URL"] = stack.enter_context(running(Durable())).new_database()
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v", "0"], env=environment, cwd=ROOT, check=True,
        )  # fmt: skip
        yield environment


def again(module: str, environment: dict[str, str], *arguments: str) -> None:
    """Run a program of ours in a process of its own."""
    subprocess.run([sys.executable, "-m", module, *arguments], env=environment, cwd=ROOT, check=True)


def machine() -> str:
    """Return where this runs, in a line."""
    import django
    import psycopg

    return (
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" Django {django.__version__}, psycopg {psycopg.__version__}"
    )
