"""The hub's channel in the channel layer: it may lose anything, holds nobody up, and comes back by itself."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from classrooms import layer as layers
from classrooms.layer import Layer, Message
from tests.support.road import redis_layer, turn
from tests.support.services import Redis
from tests.support.waiting import until_async


class Peer:
    """A layer of one process, what it hears and what it counts."""

    def __init__(self, name: str, channel_layer: Any) -> None:
        self.heard: list[Message] = []
        self.counts: Counter[str] = Counter()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("classrooms.layer.get_channel_layer", lambda alias: channel_layer)
            self.layer = Layer(name, self.heard.append, lambda what: self.counts.update([what]))

    def texts(self) -> list[str]:
        return [message["text"] for message in self.heard]

    def say(self, lesson: int, text: str, kind: str = "events") -> None:
        self.layer.publish(lesson, {"type": kind, "text": text})

    async def joined(self) -> None:
        await until_async(lambda: self.layer._joined == self.layer._wanted, saying="all groups are joined")

    async def hears(self, other: "Peer", lesson: int) -> None:
        """Wait until what another says in a lesson arrives here."""
        before = len(self.heard)

        def heard() -> bool:
            other.say(lesson, "are you there?")
            return len(self.heard) > before

        await until_async(heard, timeout=15, saying="others are heard")


@asynccontextmanager
async def peers(redis: Redis, *names: str) -> AsyncIterator[list[Peer]]:
    made = [Peer(name, redis_layer(redis.url)) for name in names]
    for peer in made:
        peer.layer.start()
    try:
        yield made
    finally:
        redis.thaw()
        for peer in made:
            await peer.layer.stop()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a layer be down sooner than in life."""
    monkeypatch.setattr(layers, "BEAT", 0.1)
    monkeypatch.setattr(layers, "DOWN_AFTER", 0.5)
    monkeypatch.setattr(layers, "RENEW_AFTER", 1.0)


async def beat_until(peer: Peer, up: bool) -> None:
    def reached() -> bool:
        peer.layer.beat(asyncio.get_running_loop().time())
        return peer.layer.up is up

    await until_async(reached, timeout=15, saying=f"up is {up}")


async def beat_until_renewed(peer: Peer) -> None:
    before = peer.layer._receiver

    def renewed() -> bool:
        peer.layer.beat(asyncio.get_running_loop().time())
        return peer.layer._receiver is not before

    await until_async(renewed, timeout=15, saying="a new channel is taken")


@pytest.mark.redis
async def test_others_in_a_lesson_are_heard_in_order_and_nobody_hears_themselves(redis: Redis) -> None:
    async with peers(redis, "a", "b", "c") as (a, b, c):
        for peer in (a, b):
            peer.layer.join(7)
        c.layer.join(8)
        for peer in (a, b, c):
            await peer.joined()
        for number in range(50):
            a.say(7, str(number))
        await until_async(lambda: len(b.heard) == 50)
        assert b.texts() == [str(number) for number in range(50)]
        assert {(message["from"], message["lesson"]) for message in b.heard} == {("a", 7)}
        a.say(8, "to c alone")
        await until_async(lambda: c.texts() == ["to c alone"])
        assert a.heard == []
        assert len(b.heard) == 50


@pytest.mark.redis
async def test_however_often_a_lesson_is_joined_and_left_the_last_wish_counts(redis: Redis) -> None:
    async with peers(redis, "a", "b") as (a, b):
        for lesson in range(20):
            for turn_ in range(lesson + 1):
                (a.layer.leave if turn_ % 2 else a.layer.join)(lesson)
                if lesson % 3 == 0:
                    await asyncio.sleep(0)
        await a.joined()
        for lesson in range(20):
            b.say(lesson, str(lesson))
        b.layer.join(99)
        await b.joined()
        await until_async(lambda: "18" in a.texts())
        assert a.texts() == [str(lesson) for lesson in range(0, 20, 2)]


@pytest.mark.redis
@pytest.mark.parametrize("long", [False, True])
async def test_a_lesson_joined_while_redis_hangs_is_heard_when_it_goes_on(
    redis: Redis, quick: None, long: bool
) -> None:
    async with peers(redis, "a", "b") as (a, b):
        await beat_until(a, up=True)
        redis.freeze()
        a.layer.join(7)
        await beat_until(a, up=False)
        if long:  # so long that a new channel is taken, which hangs as well
            await beat_until_renewed(a)
        redis.thaw()
        await beat_until(a, up=True)
        await a.hears(b, 7)


@pytest.mark.redis
async def test_a_redis_that_is_killed_and_started_again_is_joined_again(redis: Redis, quick: None) -> None:
    async with peers(redis, "a", "b") as (a, b):
        a.layer.join(7)
        await a.hears(b, 7)
        redis.kill()
        await beat_until(a, up=False)
        assert a.layer.up is False
        redis.start()
        await beat_until(a, up=True)
        await a.hears(b, 7)


@pytest.mark.redis
@pytest.mark.parametrize(
    "words", [("FLUSHALL",), ("CLIENT", "KILL", "TYPE", "pubsub"), ("CLIENT", "KILL", "TYPE", "normal")]
)
async def test_what_an_operator_does_to_redis_is_survived(redis: Redis, quick: None, words: tuple[str, ...]) -> None:
    async with peers(redis, "a", "b") as (a, b):
        a.layer.join(7)
        await a.hears(b, 7)
        await asyncio.to_thread(redis.ask, *words)
        a.heard.clear()
        await a.hears(b, 7)
        await beat_until(a, up=True)


@pytest.mark.redis
async def test_nothing_waits_for_a_redis_that_hangs_and_stopping_ends(redis: Redis, quick: None) -> None:
    async with peers(redis, "a") as (a,):
        a.layer.join(7)
        await a.joined()
        redis.freeze()
        began = asyncio.get_running_loop().time()
        for number in range(layers.QUEUE + 100):
            a.say(7, str(number))
        assert asyncio.get_running_loop().time() - began < 1
        assert a.counts["publishes_dropped"] >= 98
        await asyncio.wait_for(a.layer.stop(), 15)


# --- without Redis -------------------------------------------------------------------------------------------------


class Stub:
    """A channel layer that does what the test says."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.calls: list[str] = []
        self.gate = asyncio.Event()
        self.queue: asyncio.Queue[Message] = asyncio.Queue()
        self.failures = 0

    async def new_channel(self) -> str:
        self.calls.append("new_channel")
        return f"channel{len(self.calls)}"

    async def group_add(self, group: str, channel: str) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("Redis says no")
        self.calls.append(f"add {group}")

    async def group_discard(self, group: str, channel: str) -> None:
        self.calls.append(f"discard {group}")

    async def group_send(self, group: str, message: Message) -> None:
        await self.gate.wait()
        self.sent.append(message["text"])

    async def send(self, channel: str, message: Message) -> None:
        self.calls.append("send")

    async def receive(self, channel: str) -> Message:
        return await self.queue.get()

    async def flush(self) -> None:
        """Swallow one cancellation, as channels_redis does while it ends its own reader."""
        self.calls.append("flush")
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.calls.append("swallowed")


@pytest.fixture
async def stub() -> Stub:
    return Stub()


@pytest.fixture
async def peer(stub: Stub) -> AsyncIterator[Peer]:
    made = Peer("a", stub)
    made.layer.start()
    await turn()
    yield made
    stub.gate.set()
    await made.layer.stop()


async def test_signals_that_waited_too_long_are_not_sent_and_events_are(
    peer: Peer, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "STALE", -1.0)
    peer.say(7, "first")
    peer.say(7, "old ink", kind="signals")
    peer.say(7, "second")
    stub.gate.set()
    await until_async(lambda: stub.sent == ["first", "second"])
    assert peer.counts["signals_stale"] == 1


async def test_a_group_that_could_not_be_joined_is_tried_again(peer: Peer, stub: Stub, quick: None) -> None:
    stub.failures = 2
    peer.layer.join(7)
    await until_async(lambda: "add lesson.7" in stub.calls)


async def test_silence_brings_a_new_channel_and_all_groups_again(peer: Peer, stub: Stub) -> None:
    stub.gate.set()
    peer.layer.join(7)
    await turn()
    now = asyncio.get_running_loop().time()
    peer.layer.beat(now + 9)
    assert stub.calls.count("new_channel") == 1
    peer.layer.beat(now + 11)
    await until_async(lambda: stub.calls.count("add lesson.7") == 2)
    assert stub.calls.count("new_channel") == 2
    peer.layer.beat(now + 15)
    await turn()
    assert stub.calls.count("new_channel") == 2, "and not again before another ten seconds"


async def test_a_cancellation_swallowed_by_flush_leaves_one_receiver(peer: Peer, stub: Stub) -> None:
    now = asyncio.get_running_loop().time()
    peer.layer.beat(now + 11)
    await turn()
    assert stub.calls[-1] == "flush"
    peer.layer.beat(now + 22)
    await turn()
    assert "swallowed" in stub.calls
    stub.gate.set()
    await turn()
    assert stub.calls.count("new_channel") == 2, "the first one, and that of the newest receiver"
    await asyncio.wait_for(peer.layer.stop(), 5)
    assert not peer.layer._tasks


async def test_a_message_that_makes_no_sense_is_passed_over(
    peer: Peer, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(message: Message) -> None:
        peer.heard.append(message)
        if message["type"] == "nonsense":
            raise KeyError("lesson")

    peer.layer._on_message = refuse
    stub.queue.put_nowait({"type": "nonsense", "from": "b"})
    stub.queue.put_nowait({"type": "events", "from": "b"})
    await until_async(lambda: len(peer.heard) == 2)
    assert "was not understood" in caplog.text


async def test_a_process_alone_publishes_nothing_and_is_always_up() -> None:
    class Silent(InMemoryChannelLayer):
        async def group_send(self, group: str, message: Message) -> None:
            raise AssertionError("published to nobody")

    for channel_layer in (Silent(), None):
        peer = Peer("a", channel_layer)
        peer.layer.start()
        peer.layer.join(7)
        peer.say(7, "hello")
        peer.layer.beat(asyncio.get_running_loop().time() + 3600)
        await turn()
        assert peer.layer.up
        assert peer.counts == {}
        await peer.layer.stop()
