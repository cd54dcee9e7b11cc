"""The hub's one channel in the channel layer. Nobody waits for it, and losing it costs latency alone."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

QUEUE = 1000  # messages that wait to be published; more are dropped and counted, the head check finds them
BEAT = 1.0  # s between two beats
DOWN_AFTER = 3.0  # s without an own beat: the layer is down
RENEW_AFTER = 10.0  # s without an own beat: a new channel, and all groups joined again

Message = dict[str, Any]


def group(lesson: int) -> str:
    """Return the channel layer's name for all who hold a lesson."""
    return f"lesson.{lesson}"


class Layer:
    """Publishing to the groups of lessons, and hearing those that were joined.

    `process` names this process; its own messages are not heard. `hear` is called with each message of another.
    """

    def __init__(self, process: str, hear: Callable[[Message], None], count: Callable[[str], None]) -> None:
        self._process = process
        self._on_message = hear
        self._count = count
        self._layer = get_channel_layer()
        self._channel: str | None = None
        self._joined: set[int] = set()
        self._outgoing: asyncio.Queue[tuple[int | None, Message]] = asyncio.Queue(QUEUE)
        self._heard = time.monotonic()
        self._receiver: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def up(self) -> bool:
        """Whether the hub hears its own beat."""
        return time.monotonic() - self._heard < DOWN_AFTER

    def start(self) -> None:
        """Take a channel, then publish and receive."""
        self._receiver = self._spawn(self._receive(anew=False))
        self._spawn(self._publish())

    async def stop(self) -> None:
        """End every task and give the connections back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._layer.flush()

    def beat(self, now: float) -> None:
        """Send a beat to ourselves; take a new channel when none has come for long. `now` is monotonic seconds."""
        self.publish(None, {"type": "beat"})
        if now - self._heard > RENEW_AFTER and self._receiver is not None:
            logger.warning("the channel layer is silent: taking a new channel")
            self._heard = now - DOWN_AFTER  # still down, and not renewed again before another RENEW_AFTER
            self._receiver.cancel()
            self._receiver = self._spawn(self._receive(anew=True))

    def join(self, lesson: int) -> None:
        """Hear a lesson's group, from some time soon on."""
        self._joined.add(lesson)
        self._spawn(self._quietly("group_add", lesson))

    def leave(self, lesson: int) -> None:
        """Hear a lesson's group no more."""
        self._joined.discard(lesson)
        self._spawn(self._quietly("group_discard", lesson))

    def publish(self, lesson: int | None, message: Message) -> None:
        """Send to the others who hold a lesson, or, with None, to ourselves. Never waits; drops when too many wait."""
        message |= {"from": self._process, "lesson": lesson}
        try:
            self._outgoing.put_nowait((lesson, message))
        except asyncio.QueueFull:
            self._count("publishes_dropped")

    async def _publish(self) -> None:
        while True:
            lesson, message = await self._outgoing.get()
            try:
                if lesson is not None:
                    await self._layer.group_send(group(lesson), message)
                elif self._channel is not None:
                    await self._layer.send(self._channel, message)
            except Exception as error:
                self._count("publishes_failed")
                logger.debug("a message was not published: %r", error)

    async def _receive(self, *, anew: bool) -> None:
        """Hear the channel. Nothing may cancel `receive` but giving the channel up: the layer deletes it then."""
        while True:
            try:
                if anew:
                    await self._layer.flush()
                anew = True
                self._channel = await self._layer.new_channel()
                for lesson in tuple(self._joined):
                    await self._layer.group_add(group(lesson), self._channel)
                while True:
                    self._hear(await self._layer.receive(self._channel))
            except Exception as error:
                logger.warning("the channel layer failed, trying again: %r", error)
                await asyncio.sleep(BEAT)

    def _hear(self, message: Message) -> None:
        if message["from"] == self._process:
            if message["type"] == "beat":
                self._heard = time.monotonic()
            return
        try:
            self._on_message(message)
        except Exception:
            logger.exception("a message of the channel layer was not understood")

    async def _quietly(self, method: str, lesson: int) -> None:
        try:
            if self._channel is not None:  # without a channel yet, `_receive` joins all groups when it has one
                await getattr(self._layer, method)(group(lesson), self._channel)
        except Exception as error:
            logger.warning("%s of lesson %d failed: %r", method, lesson, error)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
