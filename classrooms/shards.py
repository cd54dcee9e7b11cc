"""The channel layers of a process as one: a lesson is always the same server's, and a server that hangs is its own."""

from collections.abc import Callable

from django.conf import settings

from classrooms.layer import Layer, Message


class Shards:
    """One layer (classrooms/layer.py) for each server of REDIS_URL; lessons are dealt out by their ids.

    Every process has to be given the same servers in the same order.
    """

    def __init__(self, process: str, hear: Callable[[Message], None], count: Callable[[str], None]) -> None:
        self._layers = [Layer(process, hear, count, alias) for alias in settings.CHANNEL_LAYERS]

    def of(self, lesson: int) -> Layer:
        """Return the layer by which processes tell each other of a lesson."""
        return self._layers[lesson % len(self._layers)]

    @property
    def up(self) -> bool:
        """Whether every server carries our beat."""
        return all(layer.up for layer in self._layers)

    @property
    def ready(self) -> bool:
        """Whether all are up and have shown so."""
        return all(layer.ready for layer in self._layers)

    @property
    def waiting(self) -> int:
        """How many messages wait to be published."""
        return sum(layer.waiting for layer in self._layers)

    def start(self) -> None:
        """Take a channel of each server."""
        for layer in self._layers:
            layer.start()

    async def stop(self) -> None:
        """End every task and give the connections back."""
        for layer in self._layers:
            await layer.stop()

    def beat(self, now: float) -> None:
        """Send a beat by each server. `now` is monotonic seconds."""
        for layer in self._layers:
            layer.beat(now)

    def join(self, lesson: int) -> None:
        """Hear of a lesson, from some time soon on."""
        self.of(lesson).join(lesson)

    def leave(self, lesson: int) -> None:
        """Hear of a lesson no more."""
        self.of(lesson).leave(lesson)

    def publish(self, lesson: int, message: Message) -> None:
        """Send to the others who hold a lesson. Never waits; drops when too many wait."""
        self.of(lesson).publish(lesson, message)
