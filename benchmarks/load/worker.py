"""One process of the load: some thousand clients on one epoll loop, which does what the driver orders.

What a client reads is looked up by its bytes: everybody in a room is sent the same, so a chunk is understood once and
costs each further client a lookup and a comparison of numbers. Every client keeps its own account all the same: a
number that does not follow the last one is a fault, and one fault fails the run.
"""

import contextlib
import heapq
import itertools
import mmap
import os
import queue
import random
import resource
import select
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.load import wire
from benchmarks.load.accounts import BINS, BINS_A_SECOND, Sample
from benchmarks.load.herd import Herd
from benchmarks.load.newcomers import Newcomers
from benchmarks.load.people import Author, Book, Client, Rota
from benchmarks.load.speech import SLOTS, SPEECHES, Read, Seat

BUFFER = 256 * 1024  # bytes that are read at once
LOOK_EVERY = 0.02  # s between two looks whether what was ordered is done: each goes over all clients
AT_ONCE = 48  # clients that shake hands at the same time
BACK_LATEST = 30.0  # s
TOLD_TO_GO = range(4000, 4100)  # close codes after which nobody comes back

Task = Callable[[], None]


class Worker:
    """Clients, authors and timers. Runs in a process of its own; `orders` is the pipe to the driver."""

    newcomers: Newcomers

    def __init__(self, orders: Connection, speech: str, port: int, sent: str, clients: int) -> None:
        self.orders = orders
        self.speech = SPEECHES[speech]()
        self.port = port
        self.epoll = select.epoll()
        self.epoll.register(orders.fileno(), select.EPOLLIN)
        self.clients: dict[int, Client] = {}
        self.gone: list[Client] = []
        self.by_number: dict[int, Client] = {}
        self.books: dict[int, Book] = {}
        self.timers: list[tuple[float, int, Task]] = []
        self.waiting: tuple[Callable[[], bool], Callable[[], Any], float] | None = None
        self.look = 0.0  # when it is looked again whether that is so
        self.to_open: list[Seat] = []
        self.opening = 0
        self.live = 0
        self.lost: list[float] = []  # when connections were lost that nobody had cut
        self.sample = Sample()
        self.measuring = False
        self.window = (0.0, 0.0)  # of sending, within which what arrives is measured
        self.gather = 0.0
        self.working = False
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)
        self._count = itertools.count()
        self._calls: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self.rung = os.eventfd(0, os.EFD_NONBLOCK)  # threads ring when they have a task for the loop
        with Path(sent).open("r+b") as file:
            self.sent = memoryview(mmap.mmap(file.fileno(), 0)).cast("d")
        self.inks = clients * SLOTS  # where the signals' half of `sent` begins

    # --- the loop ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Do as ordered until the pipe closes."""
        orders = self.orders.fileno()
        self.epoll.register(self.rung, select.EPOLLIN)
        while True:
            wait = self.timers[0][0] - time.monotonic() if self.timers else 0.2
            ready = self.epoll.poll(max(0.0, min(wait, 0.2 if self.waiting is None else 0.02)), 4096)
            began = time.monotonic()
            for fd, _ in ready:
                if fd == orders:
                    if not self._obey():
                        return
                elif fd == self.rung:
                    self._take_calls()
                elif fd in self.clients:
                    self._readable(self.clients[fd])
            self._tick(began)

    def _tick(self, began: float) -> None:
        now = time.monotonic()
        if self.measuring:
            self.sample.lag(now - began)
        while self.timers and self.timers[0][0] <= now:
            due, _, task = heapq.heappop(self.timers)
            if self.measuring:
                self.sample.late(now - due)
            task()
        if self.waiting is not None and now >= self.look:
            self.look = now + LOOK_EVERY
            done, answer, deadline = self.waiting
            if done() or now > deadline:
                self.waiting = None
                self.orders.send(answer())
        if self.gather and self.working:
            time.sleep(self.gather)

    def _obey(self) -> bool:
        try:
            name, options = self.orders.recv()
        except EOFError:
            return False
        answer = getattr(self, f"do_{name}")(**options)
        if self.waiting is None:
            self.orders.send(answer)
        return True

    def call(self, task: Task) -> None:
        """Have something done on the loop; from any thread."""
        self._calls.put(task)
        os.eventfd_write(self.rung, 1)

    def _take_calls(self) -> None:
        os.eventfd_read(self.rung)
        while not self._calls.empty():
            self._calls.get_nowait()()

    def later(self, due: float, task: Task) -> None:
        """Do something at a moment of the monotonic clock."""
        heapq.heappush(self.timers, (due, next(self._count), task))

    # --- orders --------------------------------------------------------------------------------------------------

    def do_connect(self, seats: list[Seat], rate: float, deadline: float) -> None:
        """Open a socket for each seat, `rate` a second at most; answered when all are live."""
        begin = time.monotonic()
        wanted = self.live + len(seats)
        for number, seat in enumerate(seats):
            self.later(begin + number / rate, lambda seat=seat: self._queue(seat))  # type: ignore[misc]
        self.waiting = (lambda: self.live >= wanted, lambda: self.live, begin + deadline)

    def do_measure(self, since: float, until: float, gather: float, every: int) -> bool:
        """Measure what is sent and what arrives between two moments; of every so manyth client how late it is.

        gather: s to sleep between rounds, so that several frames are read at once: for counting, not for timing.
        """
        self.sample = Sample()
        self.window = (since, until)
        self.gather = gather
        for client in self.clients.values():
            client.measured = client.seat.client % every == 0
        for book in self.books.values():
            book.forget()
        self.later(since, lambda: self._mark(begin=True))
        self.later(until, lambda: self._mark(begin=False))
        return True

    def do_author(self, seats: list[int], what: str, starts: list[float], stop: float, rate: float) -> bool:
        """Have clients give messages until `stop`, each from a moment of its own, `rate` a second each."""
        for seat, start in zip(seats, starts, strict=True):
            self._author(seat).begin(what, start, stop, rate)
        self.working = True
        return True

    def do_rota(self, seats: list[int], what: str, start: float, stop: float, window: int) -> bool:
        """Have clients of one room give messages in turn, so that `window` of them are under way."""
        authors = [self._author(seat) for seat in seats]
        if authors:
            rota = Rota(authors, self, window, stop)
            for author in authors:
                author.join(rota, what)
            self.later(start, rota.fill)
        self.working = True
        return True

    def _author(self, seat: int) -> Author:
        client = self.by_number[seat]
        client.author = client.author or Author(client, self)
        return client.author

    def do_join(self, code: str, numbers: list[int], room: int, starts: list[float]) -> bool:
        """Have newcomers join by code, each at a moment, as a page does.

        That is: the pass by REST, the socket, the state by HTTP, and `sync`.
        """
        self.newcomers = Newcomers(self, code, room, starts, numbers)
        return True

    def do_joined(self, deadline: float) -> None:
        """Answered when all newcomers are up to date: the seconds each took, and their seats."""
        newcomers = self.newcomers
        self.waiting = (lambda: newcomers.over, newcomers.told, time.monotonic() + deadline)

    def do_hush(self) -> bool:
        """Have nobody give anything more, whatever was ordered."""
        for client in self.by_number.values():
            if client.author is not None:
                client.author.hush()
        return True

    def do_rest(self, deadline: float) -> None:
        """Answered when no author has anything unanswered, with what each of them has given: {client: n}."""
        authors = [client.author for client in self.by_number.values() if client.author is not None]

        def told() -> dict[str, Any]:
            self.working = False
            return {
                "unanswered": sum(len(author.unanswered) for author in authors),
                "refused": sum(author.refusals for author in authors),
                "given": {author.client.seat.client: author.given for author in authors},
            }

        over = lambda: self.faulty or all(author.over for author in authors)  # noqa: E731
        self.waiting = (over, told, time.monotonic() + deadline)

    def do_reach(self, heads: dict[int, int], deadline: float) -> None:
        """Answered when every client has what its room has: the newest number, or so many messages; or too late."""

        def everywhere() -> bool:
            return all(
                (client.seq if self.speech.numbered else client.count) >= heads[client.seat.room]
                for client in self.clients.values()
            )

        self.waiting = (lambda: everywhere() or self.faulty, lambda: True, time.monotonic() + deadline)

    def do_sample(self) -> None:
        """Answered with what was measured, once that is over."""
        self.waiting = (lambda: self.sample.ended > 0, lambda: self.sample, time.monotonic() + 10)

    def do_accounts(self) -> dict[str, Any]:
        """Return what each client holds, what went wrong, and the digests of each room's events."""
        everybody = list(self.clients.values()) + self.gone
        return {
            "held": [(one.seat.client, one.seat.room, one.base, one.seq, one.count, one.total) for one in everybody],
            "faults": [f"client {one.seat.client}: {fault}" for one in everybody for fault in one.faults],
            "digests": {room: book.digests for room, book in self.books.items()},
            "lost": len(self.lost),
        }

    def do_cut(self, but: list[int], deadline: float) -> None:
        """Cut every connection at once but some; each comes back as its welcome asked; answered when all are level."""
        herd = Herd(self, [one for one in self.clients.values() if one.seat.client not in set(but)])
        self.waiting = (herd.level, herd.told, time.monotonic() + deadline)

    @property
    def faulty(self) -> bool:
        """Whether something has gone wrong already: nothing is worth waiting for then."""
        return any(client.faults for client in self.by_number.values())

    # --- sockets -------------------------------------------------------------------------------------------------

    def _queue(self, seat: Seat) -> None:
        self.to_open.append(seat)
        self._open_more()

    def _open_more(self) -> None:
        while self.to_open and self.opening < AT_ONCE:
            seat = self.to_open.pop(0)
            book = self.books.setdefault(seat.room, Book(self))
            self.bring(Client(seat, book))

    def bring(self, client: Client) -> None:
        """Connect a new client."""
        self.by_number[client.seat.client] = client
        self._open(client)

    def _open(self, client: Client) -> None:
        self.opening += 1
        client.open(self.port, wire.handshake(self.port, client.seat.path, self.speech.subprotocol))
        self.clients[client.fd] = client
        self.epoll.register(client.fd, select.EPOLLIN)

    def reopen(self, client: Client) -> None:
        """Connect a client again; where that fails it goes on trying."""
        try:
            self._open(client)
        except OSError as error:
            self.opening -= 1
            self._come_back(client, f"{error}")

    def hang_up(self, client: Client) -> None:
        """Close a client's end without a word."""
        self.epoll.unregister(client.fd)
        del self.clients[client.fd]
        self.opening -= not client.live
        self.live -= client.live
        client.shut()

    def _gone(self, client: Client, why: str) -> None:
        """The other side has closed a connection."""
        self.lost.append(time.monotonic())
        self.hang_up(client)
        if client.code in TOLD_TO_GO or not self.speech.numbered:
            client.faults.append(f"closed ({client.code}, {why})")
            self.gone.append(client)
        else:
            self._come_back(client, why)

    def _come_back(self, client: Client, why: str) -> None:
        """Come back as the protocol asks: within what the farewell or the welcome says, then with growing patience."""
        client.tries += 1
        wait = random.uniform(*client.retry) / 1000 if client.tries == 1 else 0.0
        if client.farewell is not None:
            wait = (client.farewell[0] + random.uniform(0, client.farewell[1])) / 1000
            client.farewell = None
        elif client.tries > 1:
            wait = random.uniform(0, min(BACK_LATEST, 0.5 * 2**client.tries))
        if client.tries > 12:
            client.faults.append(f"is stuck ({why})")
            self.gone.append(client)
        else:
            self.later(time.monotonic() + wait, lambda: self.reopen(client))

    def say(self, client: Client, payload: bytes, opcode: int = wire.TEXT) -> None:
        """Send one frame; a client that cannot is at fault, for it sends little."""
        data = wire.frame(payload, opcode)
        try:
            if client.sock.send(data) != len(data):
                client.faults.append("a frame was cut short on its way to the server")
        except OSError as error:  # its end is read soon
            client.unsent = f"{error}"

    # --- reading -------------------------------------------------------------------------------------------------

    def _readable(self, client: Client) -> None:
        try:
            size = client.sock.recv_into(self._buffer)
        except BlockingIOError:
            return
        except OSError as error:
            self._gone(client, f"{error}")
            return
        if not size:
            self._gone(client, "end of stream")
            return
        self.sample.read += size if self.measuring else 0
        data = bytes(self._view[:size])
        if client.rest:
            data = client.rest + data
            client.rest = b""
        if not client.open_:
            self._shaken(client, data)
        else:
            self._take(client, data)

    def _take(self, client: Client, data: bytes) -> None:
        """Take what a client has read: `data` begins with a frame."""
        book = client.book
        known = book.chunks.get(data)
        if known is None:
            try:
                known = book.understand(data)
            except ValueError as fault:
                client.faults.append(str(fault))
                return
        read, client.rest = known
        if read.words:
            for word, what in read.words:
                client.hear(self, word, what)
        if read.events:
            self._apply(client, read)
        elif read.inks and client.measured:
            self.sample.inks += self.measuring
            now = time.monotonic()
            bins = self.sample.ink
            for sent in book.window(read):
                bins[min(BINS - 1, int((now - sent) * BINS_A_SECOND))] += 1

    def _apply(self, client: Client, read: Read) -> None:
        if read.first != client.seq + 1 and self.speech.numbered:
            client.faults.append(f"holds {client.seq} and was sent {read.first} to {read.last}")
        client.seq = read.last
        client.at = read.at
        client.count += read.events
        client.total += read.total
        if self.measuring:
            self.sample.frames += read.frames
            self.sample.events += read.events
        if client.measured:  # what was sent within the window, however late it comes
            now = time.monotonic()
            bins = self.sample.bins
            for sent in client.book.window(read):
                bins[min(BINS - 1, int((now - sent) * BINS_A_SECOND))] += 1
        if client.author is not None:
            client.author.see(client.book.own(read, client.seat.client))

    def _shaken(self, client: Client, data: bytes) -> None:
        """Take the answer to a handshake, and say what is to be said first."""
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            client.rest = data
            return
        if b" 101 " not in head.partition(b"\r\n")[0]:
            self._gone(client, head.partition(b"\r\n")[0].decode())
            return
        client.open_ = True
        words = self.speech.opened(client.seat, client.seq, client.at)
        if words is None:
            self.is_live(client)
        else:
            for word in words:
                self.say(client, word)
        if rest:
            self._take(client, rest)

    def is_live(self, client: Client) -> None:
        """A client has arrived."""
        if not client.live:
            client.live = True
            client.tries = 0
            self.live += 1
            self.opening -= 1
            self._open_more()

    def _mark(self, *, begin: bool) -> None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu = used.ru_utime + used.ru_stime
        self.measuring = begin
        self.sample.mark(time.monotonic(), cpu, begin=begin)


def main(orders: Connection, speech: str, port: int, sent: str, clients: int, core: int | None) -> None:
    """Be a process of the load."""
    with contextlib.suppress(ValueError, OSError):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if core is not None:
        os.sched_setaffinity(0, {core})
    Worker(orders, speech, port, sent, clients).run()
