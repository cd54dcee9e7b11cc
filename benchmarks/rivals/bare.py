"""What a socket costs by itself: an ASGI application that accepts and waits.

`python -m benchmarks.rivals.bare HOW PORT`. HOW is `daphne`, stock, or `lectern`: Daphne as Lectern runs it
(classroom_site/daphne.py). `/lag` answers zeros.
"""

import os
import sys
from typing import Any

APPLICATION = "benchmarks.rivals.bare:application"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Accept a socket and hold it until it goes; answer a request."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"p50": 0, "p99": 0}'})
        return
    while (await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.accept"})


def main() -> None:
    """Serve as the command line says."""
    how, port = sys.argv[1], int(sys.argv[2])
    if how == "daphne":
        from daphne.cli import CommandLineInterface

        where = f"tcp:port={port}:interface=127.0.0.1:backlog=4096"
        CommandLineInterface().run(["-e", where, "--websocket_timeout", "-1", "-v", "0", APPLICATION])
        return
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "classroom_site.settings"
    django.setup()
    from classroom_site import daphne

    daphne.serve(daphne.endpoint("127.0.0.1", port), listening=lambda: None, application=APPLICATION)


if __name__ == "__main__":
    main()
