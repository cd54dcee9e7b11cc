"""A network of one's own for a browser's window: a proxy in a thread, to be taken away and given back."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.support.proxy import Mode, Proxy

T = TypeVar("T")


class Loop:
    """An event loop in a thread, beside Playwright's own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(120)

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Wifi:
    """What stands between one window and the server at `port`. Playwright's own offline mode spares open sockets."""

    def __init__(self, port: int) -> None:
        self._loop = Loop()
        self._proxy = Proxy(port)

    def __enter__(self) -> Self:
        self._loop.run(self._proxy.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.run(self._proxy.__aexit__(kind, error, trace))
        self._loop.close()

    @property
    def url(self) -> str:
        """Where the window finds the server."""
        return f"http://127.0.0.1:{self._proxy.port}"

    def lose(self) -> None:
        """Cut what is open and let nothing new through."""
        self._do(lambda: setattr(self._proxy, "mode", Mode.REFUSE))
        self._do(self._proxy.cut)

    def find(self) -> None:
        """Let everything through again."""
        self._do(lambda: setattr(self._proxy, "mode", Mode.PASS))

    def _do(self, act: Callable[[], object]) -> None:
        async def there() -> None:
            act()

        self._loop.run(there())
