"""The hub: one a process and event loop. It holds the rooms, hears the log and the channel layer, keeps the beat."""

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

from channels.db import DatabaseSyncToAsync

from classrooms import attendance, log, replica
from classrooms.closes import Close
from classrooms.counters import tally
from classrooms.cursors import SLICE
from classrooms.layer import BEAT, Message
from classrooms.log import Committed
from classrooms.meter import Meter
from classrooms.presence import PUBLISH_EVERY, News, Person
from classrooms.roles import STAFF
from classrooms.room import Connection, Room
from classrooms.shards import Shards
from classrooms.waiting import Waiting

logger = logging.getLogger(__name__)

T = TypeVar("T")

READERS = 8  # threads that read the database for the loop; never Django's one thread, which a slow query would block
DOWN_CHECK = 0.3  # s between two comparisons of heads while the layer is down
LINGER = 60.0  # s that a room without connections stays
LOOK_AROUND = 60  # beats between two looks for lessons that nobody teaches
WHEEL = 25  # s, and slots: every connection is pinged once a turn, never all at once
LAG_EVERY = 0.1  # s between two looks at how late the loop is
SILENCE = 60.0  # s without a frame before a connection is closed
SPREAD_EACH = 5  # ms, for each client of a process, over which they come back when they have to,
SPREADS = (1_000, 10_000)  # and the least and the most of it
HELLOS = (1000.0, 1000)  # a process lets in so many a second, and at once after a rest;
STAFFS = 0.2  # of those at once are for staff alone,
STAFF_SPREAD = 1_000  # ms, who come again sooner: a class waits for them

_pool = ThreadPoolExecutor(READERS, thread_name_prefix="hub-reader")
_notes = ThreadPoolExecutor(1, thread_name_prefix="hub-notes")  # attendance waits for the database, and nobody for it


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


def running() -> "Hub | None":
    """Return the hub of the running event loop, None where nothing has needed one yet."""
    return _hubs.get(asyncio.get_running_loop())


def reads_waiting() -> int:
    """Return how many reads wait for one of the hub's threads."""
    return _pool._work_queue.qsize()


def present(lesson: int) -> int | None:
    """Return how many people are in a lesson now, None where no room of this process knows. From any thread."""
    rooms = (hub.rooms.get(lesson) for hub in list(_hubs.values()))
    return next((len(room.presence.people) for room in rooms if room is not None), None)


class Visitor(Protocol):
    """A client at a door, seated or not yet."""

    def see_off(self, spread: int) -> None:
        """Tell it that this process ends, and to come back within `spread` ms. Does not wait."""


class Hub:
    """Rooms by lesson, one channel for all of them, and the timers."""

    def __init__(self) -> None:
        self.process = secrets.token_hex(4)
        self.rooms: dict[int, Room] = {}
        self.counts: Counter[str] = Counter()  # what an operator wants to see: reads, gaps, snapshots, drops …
        self.waiting = Waiting(in_reader)
        self.visitors: dict[Visitor, None] = {}
        self._spread: int | None = None  # ms, once this process ends
        self._hellos = Meter()
        self._waking: dict[int, asyncio.Task[Room]] = {}
        self._freezing: set[int] = set()
        self._wheel: list[dict[Connection, Room]] = [{} for _ in range(WHEEL)]
        self._turn = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._layer = Shards(self.process, self._hear_others, self._count)
        self._unsubscribe: Callable[[], None] = lambda: None

    @property
    def layer(self) -> Shards:
        """The way to the other processes."""
        return self._layer

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
        self.spawn(self._watch_loop())

    def visit(self, visitor: Visitor) -> None:
        """A client is at a door; to one that comes while this process ends, that is said."""
        self.visitors[visitor] = None
        if self._spread is not None:
            visitor.see_off(self._spread)

    def admit(self, lesson: int, participant: str) -> int | None:
        """Let one more in and return None, or return over how many ms those who come again should spread.

        Nothing is read for this: who is staff of a lesson that no room here holds is not known, and waits as everybody.
        """
        room = self.rooms.get(lesson)
        staff = room is not None and room.role_of(participant) in STAFF
        rate, burst = HELLOS
        now = time.monotonic()
        if self._hellos.wait(now, rate, burst if staff else burst * (1 - STAFFS)):
            return min(self._spread_of_all(), STAFF_SPREAD) if staff else self._spread_of_all()
        self._hellos.take(now, rate, burst)
        return None

    def _spread_of_all(self) -> int:
        least, most = SPREADS
        return min(most, max(least, SPREAD_EACH * len(self.visitors)))

    async def see_off(self) -> None:
        """Tell everybody, in slices, that this process ends, and then store what is known of their lessons."""
        everybody = list(self.visitors)
        self._spread = self._spread_of_all()
        self.waiting.close()
        for start in range(0, len(everybody), SLICE):
            for visitor in everybody[start : start + SLICE]:
                try:
                    visitor.see_off(self._spread)
                except Exception:
                    logger.exception("a client could not be seen off")
            await asyncio.sleep(0)
        rooms = list(self.rooms.values())
        await asyncio.gather(*(self._note(room) for room in rooms), *(self._freeze(room) for room in rooms))

    async def stop(self) -> None:
        """See everybody off, store a snapshot of each room, end every task."""
        self._unsubscribe()
        _hubs.pop(asyncio.get_running_loop(), None)
        ending = [*self._tasks, *self._waking.values()]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        self.waiting.stop()
        for room in list(self.rooms.values()):
            await self._freeze(room)
            self._give_up(room, Close.RESTARTING)
            await self._note(room)
        await self._layer.stop()

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
            waking = self._waking[lesson] = asyncio.get_running_loop().create_task(self._wake(lesson))
            waking.add_done_callback(lambda done: self._woken(lesson, done))
        return await asyncio.shield(waking)

    async def _wake(self, lesson: int) -> Room:
        kept = await in_reader(replica.load, lesson)
        if kept.state.status == "ended":
            await in_reader(log.mark_ended, lesson)  # the process that folded the end may have died before it could
        room = self.rooms[lesson] = Room(
            kept, self.read, lambda signals: self._layer.publish(lesson, {"type": "signals", "signals": signals})
        )
        replica.keep(kept)
        self._layer.join(lesson)
        room.catch_up()  # what was committed while the replica was loading
        return room

    def _woken(self, lesson: int, done: asyncio.Task[Room]) -> None:
        del self._waking[lesson]
        if not done.cancelled():
            done.exception()  # whoever still waits has it too; if nobody does, it is nobody's

    async def read(self, lesson: int, since: int, limit: int) -> list[bytes]:
        """Return the events after `since`, oldest first."""
        self.counts["reads"] += 1
        return await in_reader(log.since, lesson, since, limit)

    def enter(self, room: Room, connection: Connection) -> None:
        """Seat a connection in a room. One that comes too late for that is closed (`Room.enter`)."""
        if room.enter(connection):
            self._wheel[secrets.randbelow(WHEEL)][connection] = room

    async def _freeze(self, room: Room) -> None:
        """Store a snapshot of a room's state as it is now, unless that is stored already or under way."""
        kept, seq = room.replica, room.head
        if seq <= kept.snapshot_seq or room.lesson in self._freezing or room.doubtful:
            return
        self._freezing.add(room.lesson)
        try:
            await in_reader(replica.store, kept.lesson, kept.epoch, seq, kept.state.at, replica.freeze(kept))
            kept.snapshot_seq = seq
            self.counts["snapshots"] += 1
        except Exception:
            logger.exception("no snapshot could be stored", extra={"lesson": room.lesson})
        finally:
            self._freezing.discard(room.lesson)

    async def _close_idle(self, room: Room) -> None:
        await self._freeze(room)
        if room.idle_since is not None:  # nobody came meanwhile
            self._give_up(room, Close.RESYNC)

    def _give_up(self, room: Room, code: Close) -> None:
        """Hold a room no more. Whoever is in it, or on the way into it, goes with this code."""
        if self.rooms.get(room.lesson) is room:
            del self.rooms[room.lesson]
            replica.let_go(room.replica)
            self._layer.leave(room.lesson)
            room.close(code)
            self.spawn(self._note(room))

    async def _note(self, room: Room) -> None:
        """Note who was in a room; what cannot be noted now is kept for the next time."""
        async with room.noting:
            spans = room.rollcall.take(attendance.now_ms())
            try:
                if spans:
                    note = DatabaseSyncToAsync(attendance.note, thread_sensitive=False, executor=_notes)
                    await note(room.lesson, spans)
                    self.counts["attendance_notes"] += len(spans)
            except Exception:
                room.rollcall.put_back(spans)
                self.counts["attendance_failures"] += 1
                logger.exception("attendance could not be noted", extra={"lesson": room.lesson})

    async def _end_untaught(self) -> None:
        """End the lessons that staff left two hours ago, unless one of them is back."""
        try:
            for lesson in await in_reader(attendance.untaught):
                room = self.rooms.get(lesson)
                if room is None or not any(person.role in STAFF for person in room.presence.people.values()):
                    log.append(lesson, [log.Entry("lesson.ended", None, "ended", "{}")])
        except Exception:
            logger.exception("lessons without staff could not be looked for")

    # --- events --------------------------------------------------------------------------------------------------

    def _deliver(self, records: list[Committed]) -> None:
        """Give what this process committed to the rooms and to the other processes."""
        for record in records:
            try:
                self._take_own(record)
            except Exception:
                logger.exception("a commit could not be delivered", extra={"lesson": record.lesson})

    def _take_own(self, record: Committed) -> None:
        if record.events:
            message = {"type": "events", "epoch": record.head.epoch, "events": record.events, "at": _wall(record.at)}
            self._layer.publish(record.lesson, message)
        if record.head.seq == len(record.events):
            self.waiting.look()  # a lesson has started
        room = self.rooms.get(record.lesson)
        if room is not None and room.epoch != record.head.epoch:
            self._give_up(room, Close.RESYNC)
        elif room is not None:
            self._fold_own(room, record)

    def _fold_own(self, room: Room, record: Committed) -> None:
        room.receive(record.events, record.at)
        if record.head.seq > room.head:
            room.catch_up()
        if room.head >= room.replica.snapshot_seq + replica.SNAPSHOT_EVERY:
            self.spawn(self._freeze(room))

    def _hear_others(self, message: Message) -> None:
        """Take what another process says of a lesson that is held here too."""
        room = self.rooms.get(message["lesson"])
        if room is None:
            return
        if message["type"] == "events" and message["epoch"] == room.epoch:
            now = time.time()
            tally.relay.add(max(0.0, now - message.get("at", now)))
            room.receive(message["events"], time.monotonic())
        elif message["type"] == "signals":
            room.forward(message["signals"])
        elif message["type"] == "roster":
            version, since, people, left = message["news"]
            here = [Person(*fields) for fields in people if not room.removed(fields[0])]
            if not room.presence.heard(message["from"], News(version, since, here, left), time.monotonic()):
                self._layer.publish(room.lesson, {"type": "roster_missed", "of": message["from"]})
        elif message["type"] == "roster_missed" and message["of"] == self.process:
            self._tell_roster(room, room.presence.roster())

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
            except Exception:
                logger.exception("heads could not be compared")
                continue
            for lesson, seq in known.items():
                try:
                    await self._compare(lesson, seq, heads.get(lesson))
                except Exception:
                    logger.exception("a history could not be renewed", extra={"lesson": lesson})

    async def _compare(self, lesson: int, known: int, head: log.Head | None) -> None:
        """`known` is what a room had folded before the database was asked for its `head`."""
        room = self.rooms.get(lesson)
        if room is None:
            return
        if head is None:
            self._give_up(room, Close.ENDED)
        elif head.epoch != room.epoch:
            self._give_up(room, Close.RESYNC)
        elif head.seq < known or room.doubtful:
            told = {"lesson": lesson}
            logger.error("the database lost events: it is at %d, we are at %d", head.seq, known, extra=told)
            self.counts["histories_lost"] += 1
            await in_reader(log.renew_epoch, lesson, room.epoch)
            self._give_up(room, Close.RESYNC)  # nobody keeps phantoms: everybody comes again
        elif head.seq > room.head:
            self.counts["gaps"] += 1
            room.catch_up()

    # --- timers --------------------------------------------------------------------------------------------------

    async def _every_second(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + BEAT, loop.time())  # a process that was stopped does not beat for all the time it missed
            await asyncio.sleep(due - loop.time())
            try:
                self._beat(time.monotonic())
            except Exception:
                logger.exception("a beat of the hub failed")

    async def _watch_loop(self) -> None:
        """See how late the loop comes to what is due: everybody's frames are as late."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY
            await asyncio.sleep(LAG_EVERY)
            tally.lag.add(max(0.0, loop.time() - due))

    def _beat(self, now: float) -> None:
        self._turn += 1
        self._layer.beat(now)
        self._turn_wheel(now)
        if self._turn % LOOK_AROUND == 0:
            self.spawn(self._end_untaught())
        for room in list(self.rooms.values()):
            try:
                self._tick(room, now)
            except Exception:
                logger.exception("a tick failed", extra={"lesson": room.lesson})

    def _tick(self, room: Room, now: float) -> None:
        room.tick(now)
        if (self._turn + room.lesson) % round(PUBLISH_EVERY / BEAT) == 0:  # not all rooms in the same second
            self._tell_roster(room, room.presence.news())
        every = attendance.WRITE_LEFT if room.rollcall.left else attendance.WRITE_EVERY
        last = room.rollcall.over and room.rollcall.left  # its page is looked at now
        due = last or (self._turn + room.lesson) % round(every / BEAT) == 0
        if due and not room.noting.locked():
            self.spawn(self._note(room))
        if room.idle_since is not None and now - room.idle_since > LINGER:
            self.spawn(self._close_idle(room))

    def _tell_roster(self, room: Room, news: News) -> None:
        plain = [news.version, news.since, [list(person) for person in news.here], news.left]
        self._layer.publish(room.lesson, {"type": "roster", "news": plain})

    def _turn_wheel(self, now: float) -> None:
        """Ping the connections of one slot, and close those that have been silent."""
        slot = self._wheel[self._turn % WHEEL]
        pings: dict[int, bytes] = {}
        for connection, room in list(slot.items()):
            if connection not in room.connections:
                del slot[connection]
            elif now - connection.heard > SILENCE:
                room.leave(connection)
                connection.bye(Close.SILENT)
            else:
                if room.lesson not in pings:
                    pings[room.lesson] = room.ping_frame()
                connection.writer.write(pings[room.lesson])


def _wall(at: float | None) -> float:
    """Return a monotonic moment, or now, as the wall clock's seconds."""
    return time.time() - (time.monotonic() - at if at is not None else 0.0)


_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()
