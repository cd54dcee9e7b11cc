"""Several Redis servers share the lessons: each lesson is one's, and one that hangs holds up its own alone."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from channels.layers import channel_layers
from pytest_django import Settings

from classrooms.layer import Message
from classrooms.shards import Shards
from tests.support.services import Redis, running
from tests.support.waiting import until_async

pytestmark = pytest.mark.redis


class Peer:
    """The shards of one process, and what it hears."""

    def __init__(self, name: str) -> None:
        self.heard: list[Message] = []
        self.counts: Counter[str] = Counter()
        self.shards = Shards(name, self.heard.append, lambda what: self.counts.update([what]))

    def heard_of(self, lesson: int) -> list[str]:
        return [message["text"] for message in self.heard if message["lesson"] == lesson]


@pytest.fixture
def servers(settings: Settings) -> Iterator[list[Redis]]:
    with running(Redis()) as one, running(Redis()) as other:
        settings.CHANNEL_LAYERS = {
            alias: {
                "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
                "CONFIG": {"hosts": [{"address": server.url, "socket_timeout": 2, "socket_connect_timeout": 2}]},
            }
            for alias, server in (("default", one), ("redis-1", other))
        }
        yield [one, other]
        for server in (one, other):
            server.thaw()


@asynccontextmanager
async def two() -> AsyncIterator[tuple[Peer, Peer]]:
    channel_layers.backends.clear()  # layers are kept by their alias
    peers = Peer("a"), Peer("b")
    for peer in peers:
        for lesson in (1, 2, 3):
            peer.shards.join(lesson)
        peer.shards.start()
    try:
        yield peers
    finally:
        for peer in peers:
            await peer.shards.stop()
        channel_layers.backends.clear()


async def said(speaker: Peer, hearer: Peer, lesson: int, *, timeout: float = 15) -> None:
    """Say something of a lesson until it is heard."""
    before = len(hearer.heard_of(lesson))

    def heard() -> bool:
        speaker.shards.publish(lesson, {"type": "events", "text": "?"})
        return len(hearer.heard_of(lesson)) > before

    await until_async(heard, timeout=timeout, saying=f"lesson {lesson} is heard of")


async def test_a_lesson_is_one_servers(servers: list[Redis]) -> None:
    async with two() as (a, b):
        for lesson in (1, 2, 3):
            await said(a, b, lesson)
        assert a.shards.of(1) is a.shards.of(3)
        assert a.shards.of(1) is not a.shards.of(2)
        servers[0].kill()  # the one of even lessons
        await said(a, b, 1)
        await said(b, a, 3)


async def test_a_server_that_hangs_holds_up_its_own_lessons_alone(
    servers: list[Redis], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classrooms.layer.DOWN_AFTER", 1.0)
    async with two() as (a, b):
        for lesson in (1, 2):
            await said(a, b, lesson)
        servers[1].freeze()
        quiet = len(b.heard_of(1))
        for number in range(50):
            a.shards.publish(1, {"type": "events", "text": f"lost {number}"})
            await said(a, b, 2, timeout=1)
        assert len(b.heard_of(1)) == quiet

        def down() -> bool:
            a.shards.beat(0.0)
            return not a.shards.up

        await until_async(down, saying="one that is silent is down")
        servers[1].thaw()
        await said(a, b, 1)
