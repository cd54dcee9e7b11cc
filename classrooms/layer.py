"""The hub's one channel in the channel layer. Nobody waits for it, and losing it costs latency alone."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer

logger = logging.getLogger(__name__)

QUEUE = 1000  # messages that wait to be published; more are dropped and counted, the comparison of heads finds them
BEAT = 1.0  # s between two beats
DOWN_AFTER = 3.0  # s without an own beat: the layer is down
RENEW_AFTER = 10.0  # s without an own beat, and between two attempts: a new channel, and all groups joined again
STALE = 1.0  # s after which a signal that waits for a stalled layer is worth nothing

Message = dict[str, Any]


def group(lesson: int) -> str:
    """Return the channel layer's name for all who hold a lesson."""
    return f"lesson.{lesson}"


class Layer:
    """Publishing to the groups of lessons, and hearing those that were joined.

    `process` names this process; its own messages are not heard. `hear` is called with each message of another.
    Channels' in-memory layer reaches no other process: with it nothing is published, and the layer is always up.
    """

    def __init__(
        self,
        process: str,
        hear: Callable[[Message], None],
        count: Callable[[str], None],
        alias: str = "default",
    ) -> None:
        self._process = process
        self._on_message = hear
        self._count = count
        self._layer: Any = get_channel_layer(alias)
        self._alone = self._layer is None or isinstance(self._layer, InMemoryChannelLayer)
        self._channel: str | None = None
        self._wanted: set[int] = set()
        self._joined: set[int] = set()
        self._groups_changed = asyncio.Event()
        self._outgoing: asyncio.Queue[tuple[float, int | None, Message]] = asyncio.Queue(QUEUE)
        self._heard = time.monotonic()
        self._proven = False
        self._renewed = self._heard
        self._receiver: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def up(self) -> bool:
        """Whether the hub hears its own beat."""
        return self._alone or time.monotonic() - self._heard < DOWN_AFTER

    @property
    def ready(self) -> bool:
        """Whether it is up and has shown so: a beat was heard."""
        return self._alone or (self._proven and self.up)

    @property
    def waiting(self) -> int:
        """How many messages wait to be published."""
        return self._outgoing.qsize()

    def start(self) -> None:
        """Take a channel, then publish and receive."""
        if not self._alone:
            self._receiver = self._spawn(self._receive(anew=False))
            self._spawn(self._publish())
            self._spawn(self._keep_groups())

    async def stop(self) -> None:
        """End every task and give the connections back."""
        self._receiver = None
        while self._tasks:  # redis-py may take a cancellation for a time-out of its own: say it until it is heard
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=1)
        if not self._alone:
            try:
                await self._layer.flush()
            except Exception as error:
                logger.warning("the channel layer could not be closed: %r", error, exc_info=True)

    def beat(self, now: float) -> None:
        """Send a beat to ourselves; take a new channel when none has come for long. `now` is monotonic seconds."""
        self.publish(None, {"type": "beat"})
        if self._receiver is not None and now - max(self._heard, self._renewed) > RENEW_AFTER:
            logger.warning("the channel layer is silent: taking a new channel")
            self._renewed = now
            self._receiver.cancel()
            self._receiver = self._spawn(self._receive(anew=True))

    def join(self, lesson: int) -> None:
        """Hear a lesson's group, from some time soon on."""
        self._wanted.add(lesson)
        self._groups_changed.set()

    def leave(self, lesson: int) -> None:
        """Hear a lesson's group no more."""
        self._wanted.discard(lesson)
        self._groups_changed.set()

    def publish(self, lesson: int | None, message: Message) -> None:
        """Send to the others who hold a lesson, or, with None, to ourselves. Never waits; drops when too many wait."""
        if self._alone:
            return
        message |= {"from": self._process, "lesson": lesson}
        try:
            self._outgoing.put_nowait((time.monotonic(), lesson, message))
        except asyncio.QueueFull:
            self._count("publishes_dropped")

    async def _publish(self) -> None:
        while True:
            born, lesson, message = await self._outgoing.get()
            if message["type"] == "signals" and time.monotonic() - born > STALE:
                self._count("signals_stale")
                continue
            try:
                if lesson is not None:
                    await self._layer.group_send(group(lesson), message)
                elif self._channel is not None:
                    await self._layer.send(self._channel, message)
            except Exception as error:
                self._count("publishes_failed")
                logger.debug("a message was not published: %r", error, exc_info=True)

    async def _receive(self, *, anew: bool) -> None:
        """Hear the channel. Nothing may cancel `receive` but giving the channel up: the layer deletes it then."""
        while True:
            try:
                self._channel = None
                self._joined.clear()
                if anew:
                    await self._layer.flush()
                if self._receiver is not asyncio.current_task():
                    return  # cancelled, but `flush` has swallowed it
                anew = True
                self._channel = await self._layer.new_channel()
                self._groups_changed.set()
                while True:
                    self._hear(await self._layer.receive(self._channel))
            except Exception as error:
                logger.warning("the channel layer failed, trying again: %r", error, exc_info=True)
                await asyncio.sleep(BEAT)

    def _hear(self, message: Message) -> None:
        if message["from"] == self._process:
            if message["type"] == "beat":
                self._heard = time.monotonic()
                self._proven = True
            return
        try:
            self._on_message(message)
        except Exception:
            logger.exception("a message of the channel layer was not understood")

    async def _keep_groups(self) -> None:
        """Join and leave groups until the channel is in those that are wanted; where that fails, again a beat later."""
        while True:
            await self._groups_changed.wait()
            self._groups_changed.clear()
            try:
                await self._join_and_leave()
            except Exception as error:
                logger.warning("groups could not be joined, trying again: %r", error, exc_info=True)
                await asyncio.sleep(BEAT)
                self._groups_changed.set()

    async def _join_and_leave(self) -> None:
        while (channel := self._channel) is not None and (changed := self._wanted ^ self._joined):
            for lesson in changed:
                wanted = lesson in self._wanted
                await (self._layer.group_add if wanted else self._layer.group_discard)(group(lesson), channel)
                if channel != self._channel:
                    break  # there is a new one, which is in no group yet
                (self._joined.add if wanted else self._joined.discard)(lesson)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
