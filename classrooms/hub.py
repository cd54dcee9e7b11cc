"""The hub: one a process and event loop. It holds the rooms, hears the log and the channel layer, and keeps the beat."""

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from channels.db import DatabaseSyncToAsync

from classrooms import log, replica
from classrooms.closes import Close
from classrooms.layer import BEAT, Layer, Message
from classrooms.log import Committed
from classrooms.presence import PUBLISH_EVERY, Person
from classrooms.room import Connection, Room
from classrooms.waiting import Waiting

logger = logging.getLogger(__name__)

T = TypeVar("T")

READERS = 8  # threads that read the database for the loop; never Django's one thread, which a slow query would block
DOWN_CHECK = 0.3  # s between two comparisons of heads while the layer is down
LINGER = 60.0  # s that a room without connections stays
WHEEL = 25  # s, and slots: every connection is pinged once a turn, never all at once
SILENCE = 60.0  # s without a frame before a connection is closed

_pool = ThreadPoolExecutor(READERS, thread_name_prefix="hub-reader")


async def in_reader(function: Callable[..., T], *args: Any) -> T:
    """Run a blocking function that reads the database in one of the hub's threads."""
    return await DatabaseSyncToAsync(function, thread_sensitive=False, executor=_pool)(*args)


def get_hub() -> "Hub":
    """Return the hub of the running event loop, starting it at the first call."""
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = Hub()
        hub.start()
    return hub


class Hub:
    """Rooms by lesson, one channel for all of them, and the timers."""

    def __init__(self) -> None:
        self.process = secrets.token_hex(4)
        self.rooms: dict[int, Room] = {}
        self.counts: Counter[str] = Counter()  # what an operator wants to see: dropped, gaps, resumes, snapshots …
        self._waking: dict[int, asyncio.Task[Room]] = {}
        self._wheel: list[dict[Connection, Room]] = [{} for _ in range(WHEEL)]
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.waiting = Waiting(in_reader)
        self._layer = Layer(self.process, self._hear_others, self._count)
        self._unsubscribe: Callable[[], None] = lambda: None

    # --- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Hear the log, join the layer, start the timers."""
        loop = asyncio.get_running_loop()

        def committed(records: list[Committed]) -> None:  # in the writer's thread
            loop.call_soon_threadsafe(self._deliver, records)

        self._unsubscribe = log.subscribe(committed)
        self._layer.start()
        self.spawn(self._every_second())
        self.spawn(self._compare_heads())

    async def stop(self) -> None:
        """Freeze the rooms and end every task."""
        self._unsubscribe()
        await asyncio.gather(*(self._freeze(room) for room in self.rooms.values()), return_exceptions=True)
        await self._layer.stop()
        for task in self._tasks:
            task.cancel()
        _hubs.pop(asyncio.get_running_loop(), None)

    def spawn(self, coroutine: Any) -> None:
        """Run a coroutine for as long as it takes; a reference is kept, or the loop might lose the task."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- rooms ---------------------------------------------------------------------------------------------------

    async def room(self, lesson: int) -> Room:
        """Return the room of a lesson, waking it when nobody here has it. Raises Lesson.DoesNotExist."""
        room = self.rooms.get(lesson)
        if room is not None:
            return room
        waking = self._waking.get(lesson)
        if waking is None:
            waking = self._waking[lesson] = asyncio.create_task(self._wake(lesson))
            waking.add_done_callback(lambda _: self._waking.pop(lesson, None))
        return await asyncio.shield(waking)

    async def _wake(self, lesson: int) -> Room:
        kept = await in_reader(replica.load, lesson)
        replica.keep(kept)
        room = self.rooms[lesson] = Room(
            kept, self.read, lambda signals: self._layer.publish(lesson, {"type": "signals", "signals": signals})
        )
        self._layer.join(lesson)
        room.catch_up()  # what was committed while the replica was loading
        return room

    async def read(self, lesson: int, since: int, limit: int = 1000) -> list[bytes]:
        """Return the events after `since`, oldest first."""
        self.counts["reads"] += 1
        return await in_reader(log.since, lesson, since, limit)

    def enter(self, room: Room, connection: Connection) -> None:
        """Seat a connection in a room."""
        room.enter(connection)
        self._wheel[secrets.randbelow(WHEEL)][connection] = room

    async def _freeze(self, room: Room) -> None:
        """Store a snapshot of a room's state as it is now."""
        kept = room.replica
        if kept.state.seq > kept.snapshot_seq:
            kept.snapshot_seq = kept.state.seq
            self.counts["snapshots_stored"] += 1
            await in_reader(
                replica.store, kept.lesson, kept.epoch, kept.state.seq, kept.state.at, replica.freeze(kept)
            )

    async def _close(self, room: Room) -> None:
        await self._freeze(room)
        if not room.connections and self.rooms.get(room.lesson) is room:
            del self.rooms[room.lesson]
            self._layer.leave(room.lesson)

    # --- events --------------------------------------------------------------------------------------------------

    def _deliver(self, records: list[Committed]) -> None:
        """Give what this process committed to the rooms and to the other processes."""
        for record in records:
            room = self.rooms.get(record.lesson)
            if room is not None and room.epoch == record.head.epoch:
                room.receive(record.events)
                if record.head.seq > room.head:
                    room.catch_up()
                if room.head >= room.replica.snapshot_seq + replica.SNAPSHOT_EVERY and record.events:
                    self.spawn(self._freeze(room))
            if record.head.seq == len(record.events):
                self.waiting.look()  # a lesson has started
            if record.events:
                self._layer.publish(record.lesson, {"type": "events", "events": record.events})

    def _hear_others(self, message: Message) -> None:
        """Take what another process says of a lesson that is held here too."""
        room = self.rooms.get(message["lesson"])
        if room is None:
            return
        if message["type"] == "events":
            room.receive(message["events"])
        elif message["type"] == "signals":
            room.forward(message["signals"])
        elif message["type"] == "roster":
            people = [Person(*fields) for fields in message["people"]]
            room.presence.heard(message["from"], people, time.monotonic())

    def _count(self, what: str) -> None:
        self.counts[what] += 1

    async def _compare_heads(self) -> None:
        """Compare every room's head with the database's: this is the outbox for lost publishes."""
        while True:
            await asyncio.sleep(BEAT if self._layer.up else DOWN_CHECK)
            known = {lesson: room.head for lesson, room in self.rooms.items()}
            if not known:
                continue
            try:
                heads = await in_reader(log.heads, known)
                for lesson, head in heads.items():
                    await self._compare(lesson, known[lesson], head)
            except Exception:
                logger.exception("heads could not be compared")

    async def _compare(self, lesson: int, known: int, head: log.Head) -> None:
        room = self.rooms.get(lesson)
        if room is None:
            return
        if head.seq < known and head.epoch == room.epoch:
            logger.error("lesson %d: the database lost events %d to %d", lesson, head.seq + 1, known)
            await in_reader(log.renew_epoch, lesson, room.epoch)
            self._forget(room)
        elif head.epoch != room.epoch:
            self._forget(room)
        elif head.seq > room.head:
            self.counts["gaps"] += 1
            room.catch_up()

    def _forget(self, room: Room) -> None:
        """The log has another history now: nobody keeps phantoms, everybody comes again."""
        if self.rooms.get(room.lesson) is room:
            del self.rooms[room.lesson]
            self._layer.leave(room.lesson)
            room.close_all(Close.RESYNC)

    # --- timers --------------------------------------------------------------------------------------------------

    async def _every_second(self) -> None:
        due = asyncio.get_running_loop().time()
        while True:
            due += BEAT
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            try:
                self._beat(time.monotonic())
            except Exception:
                logger.exception("a beat of the hub failed")

    def _beat(self, now: float) -> None:
        self._turn += 1
        self._layer.beat(now)
        self._turn_wheel(now)
        for room in list(self.rooms.values()):
            room.tick(now)
            if room.idle_since is not None and now - room.idle_since > LINGER:
                self.spawn(self._close(room))
        if self._turn % int(PUBLISH_EVERY / BEAT) == 0:
            for room in self.rooms.values():
                people = [list(person) for person in room.presence.roster()]
                self._layer.publish(room.lesson, {"type": "roster", "people": people})

    def _turn_wheel(self, now: float) -> None:
        """Ping the connections of one slot, and close those that have been silent."""
        slot = self._wheel[self._turn % WHEEL]
        for connection, room in list(slot.items()):
            if connection not in room.connections:
                del slot[connection]
            elif now - connection.heard > SILENCE:
                room.leave(connection)
                connection.bye(Close.SILENT)
            else:
                connection.writer.write(room.ping_frame())


_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()
