"""The child process of `Server`: `python -m tests.support.serve prepare` or `… serve PORT`.

LECTERN_TEST_PATCH names a module to import before serving: fault injection lives there, never in the product.
"""

import importlib
import os
import sys

import django
from django.conf import settings


def prepare() -> None:
    """Migrate the database, fill it with the cast, and collect static files."""
    from django.core.management import call_command

    from tests.support.seed import seed

    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    seed()


def serve(port: int) -> None:
    """Serve as `manage.py run` does, and say so on stdout once it listens."""
    from classroom_site import daphne, worker

    worker.start()
    daphne.serve("127.0.0.1", port, listening=lambda: print("listening", flush=True))  # noqa: T201
    os._exit(0)


def set_up() -> None:
    """Set Django up with the product's settings, but for a hash of passwords that costs nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom_site.settings")
    django.setup()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def main() -> None:
    """Do what the command line says."""
    set_up()
    if patch := os.environ.get("LECTERN_TEST_PATCH"):
        importlib.import_module(patch)
    if sys.argv[1] == "prepare":
        prepare()
    else:
        serve(int(sys.argv[2]))


if __name__ == "__main__":
    main()
