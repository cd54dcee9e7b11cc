"""The child process of `Server`: `python -m tests.support.serve prepare` or `… serve PORT`.

LECTERN_TEST_PATCH names a module to import before serving: fault injection lives there, never in the product.
LECTERN_TEST_SERVER names the server that runs the application: `lectern` as `manage.py run` does, or a stock one,
`daphne` or `uvicorn`, which offers nothing but ASGI.
LECTERN_TEST_HASH is `product` where processes of the product check the passwords, and costs as much as there.
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
    """Serve, and say so on stdout once it listens."""
    from classroom_site import worker

    worker.start()
    SERVERS[os.environ.get("LECTERN_TEST_SERVER") or "lectern"](port)
    os._exit(0)


def say() -> None:
    """Tell the parent that connections are accepted."""
    print("listening", flush=True)  # noqa: T201


def lectern(port: int) -> None:
    """Serve as `manage.py run` does."""
    from classroom_site import daphne

    daphne.serve(daphne.endpoint("127.0.0.1", port), listening=say)


def stock(port: int) -> None:
    """Serve by Daphne as it comes, with our flags."""
    from daphne.cli import CommandLineInterface
    from daphne.server import Server

    from classroom_site.daphne import endpoint, flags

    class Telling(Server):  # type: ignore[misc]  # Daphne has no types
        def listen_success(self, listening: object) -> None:
            super().listen_success(listening)
            say()

    interface = CommandLineInterface()
    interface.server_class = Telling
    interface.run(flags(endpoint("127.0.0.1", port)))


def uvicorn(port: int) -> None:
    """Serve by uvicorn."""
    import uvicorn as package

    class Telling(package.Server):
        async def startup(self, sockets: object = None) -> None:
            await super().startup(sockets)  # type: ignore[arg-type]
            say()

    config = package.Config(
        "classroom_site.asgi:application",
        host="127.0.0.1",
        port=port,
        lifespan="off",
        log_level="warning",
        ws="websockets",
    )
    Telling(config).run()


SERVERS = {"lectern": lectern, "daphne": stock, "uvicorn": uvicorn}


def set_up() -> None:
    """Set Django up with the product's settings, but for a hash of passwords that costs nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom_site.settings")
    django.setup()
    if os.environ.get("LECTERN_TEST_HASH") != "product":
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
