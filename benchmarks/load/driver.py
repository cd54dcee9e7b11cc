"""The driver: starts the processes of the load, gives them orders, adds up what they saw, and judges it."""

import contextlib
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks import machine
from benchmarks.load.accounts import Sample
from benchmarks.load.pollers import Asked, Polled
from benchmarks.load.pollers import main as pollers
from benchmarks.load.speech import SLOTS, Seat
from benchmarks.load.worker import main
from benchmarks.systems import System

EACH = 4000  # clients of one process
SOON = 0.3  # s until what was ordered begins, in all processes at once
RATE = 800.0  # clients that connect a second: below what a process admits
PATIENCE = 60.0  # s


class FailedError(Exception):
    """What was sent, stored and applied does not agree, or something did not happen in time."""


@dataclass(slots=True)
class Window:
    """What was measured between two moments: the load's sample, and CPU seconds of the server and its services."""

    sample: Sample
    server: float
    services: float
    lag: float  # of the server's loop, p99 in ms

    @property
    def driver(self) -> float:
        """CPU of the load as a share of one core, all its processes together."""
        return sum(self.sample.shares)


class Driver:
    """The load on one system. Use it as a context."""

    def __init__(self, system: System, workers: int = 0) -> None:
        self.system = system
        count = workers or -(-len(system.seats) // EACH)
        size = len(system.seats)
        self._table = tempfile.NamedTemporaryFile(dir="/dev/shm")  # noqa: SIM115 - it is closed with the driver
        self._table.truncate(2 * size * SLOTS * 8)
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes: list[Any] = []
        self._of = [seat.room % count if system.rooms >= count else seat.client % count for seat in system.seats]
        self.opened: list[Seat] = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            options = (theirs, system.speech, system.port, self._table.name, size, system.load_core)
            process = context.Process(target=main, args=options, daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(10)
            if process.is_alive():
                process.kill()
        with contextlib.suppress(OSError):
            self._table.close()
        Path(self._table.name).unlink(missing_ok=True)

    # --- orders --------------------------------------------------------------------------------------------------

    def _order(self, name: str, each: Sequence[dict[str, Any]] | None = None, **options: Any) -> list[Any]:
        for number, pipe in enumerate(self._pipes):
            pipe.send((name, options | (each[number] if each is not None else {})))
        answers = []
        for pipe in self._pipes:
            try:
                answers.append(pipe.recv())
            except (EOFError, OSError):
                raise FailedError("a process of the load has died") from None
        return answers

    def _parted(self, seats: Sequence[Seat]) -> list[list[Seat]]:
        parts: list[list[Seat]] = [[] for _ in self._pipes]
        for seat in seats:
            parts[self._of[seat.client]].append(seat)
        return parts

    def connect(self, seats: Sequence[Seat] | None = None, rate: float = RATE) -> float:
        """Bring clients in, all of them unless some are named; return the seconds until all are live."""
        seats = self.system.seats if seats is None else seats
        parts = self._parted(seats)
        began = time.monotonic()
        deadline = PATIENCE + len(seats) / rate
        self._order("connect", [{"seats": part} for part in parts], rate=rate / len(parts), deadline=deadline)
        accounts = self._order("accounts")
        held = sum(len(account["held"]) for account in accounts)
        self.opened += seats
        faults = [fault for account in accounts for fault in account["faults"]]
        if held != len(self.opened) or faults:
            raise FailedError(f"{held} of {len(self.opened)} are live; {faults[:3]}")
        return time.monotonic() - began

    def author(self, authors: Sequence[Seat], what: str, start: float, stop: float, rate: float) -> None:
        """Have clients give messages between two moments, `rate` a second each, spread over time."""
        each: list[dict[str, Any]] = [{"seats": [], "starts": []} for _ in self._pipes]
        for number, seat in enumerate(authors):
            part = each[self._of[seat.client]]
            part["seats"].append(seat.client)
            part["starts"].append(start + number / len(authors) / rate)
        self._order("author", each, what=what, stop=stop, rate=rate)

    def rota(self, authors: Sequence[Seat], what: str, start: float, stop: float, window: int) -> None:
        """Have clients of one room give messages in turn, so that `window` are under way in each process."""
        each = [{"seats": [seat.client for seat in part]} for part in self._parted(authors)]
        self._order("rota", each, what=what, start=start, stop=stop, window=window)

    def measure(self, since: float, until: float, *, gather: float = 0.0, every: int = 1) -> Window:
        """Measure between two moments (Worker.do_measure); return at the second one."""
        system = self.system
        self._order("measure", since=since, until=until, gather=gather, every=every)
        _sleep_until(since - 0.1)
        lag = system.lag()
        _sleep_until(since)
        before = machine.cpu(system.pids()), machine.cpu(system.helping())
        _sleep_until(until)
        after = machine.cpu(system.pids()), machine.cpu(system.helping())
        late = lag()
        return Window(self._sample(), after[0] - before[0], after[1] - before[1], late)

    def settled(self) -> Sample:
        """Return the sample of the last window with what was sent in it and has come since."""
        return self._sample()

    def rest(self) -> dict[int, int]:
        """Wait until nobody waits for an answer; return {client: how many messages it has given}."""
        told = self._order("rest", deadline=PATIENCE)
        self._judge()
        missing = sum(one["unanswered"] for one in told)
        if missing and self.system.stored:
            raise FailedError(f"{missing} messages were never answered")
        return {client: given for one in told for client, given in one["given"].items()}

    def _judge(self) -> None:
        """Raise FailedError where a client of a system that stores has found a fault."""
        faults = [fault for account in self._order("accounts") for fault in account["faults"]]
        if faults and self.system.stored:
            raise FailedError(f"{len(faults)} faults: {'; '.join(faults[:5])}")

    def _sample(self) -> Sample:
        """Return what all processes have measured."""
        whole = Sample()
        for one in self._order("sample"):
            whole.add(one)
        return whole

    def join(self, code: str, room: int, starts: Sequence[float]) -> None:
        """Have newcomers join a room by its code, each at a moment. They join in the last process of the load."""
        first = len(self._of)
        self._of += [len(self._pipes) - 1] * len(starts)
        numbers = list(range(first, first + len(starts)))
        self._ask_last("join", code=code, numbers=numbers, room=room, starts=list(starts))

    def joined(self, newcomers: int) -> list[float]:
        """Wait until all newcomers are up to date; return the seconds that each took."""
        took, seats = self._ask_last("joined", deadline=PATIENCE)
        self.opened += seats
        if len(took) != newcomers:
            raise FailedError(f"{newcomers - len(took)} of {newcomers} newcomers never came in")
        return sorted(took)

    def _ask_last(self, name: str, **options: Any) -> Any:
        self._pipes[-1].send((name, options))
        return self._pipes[-1].recv()

    def hush(self) -> None:
        """Have nobody give anything more."""
        self._order("hush")

    def cut(self, but: Sequence[Seat], deadline: float) -> list[dict[str, Any]]:
        """Cut everybody but some, and wait until all are level again (Worker.do_cut)."""
        return self._order("cut", but=[seat.client for seat in but], deadline=deadline)

    # --- judging -------------------------------------------------------------------------------------------------

    def reconcile(self) -> str:
        """Compare what was sent, what is stored and what each client applied; return it as a sentence.

        Raises FailedError where a message is missing, doubled, changed or out of order, for systems that store; of
        others the sentence tells what is missing.
        """
        given = self.rest()
        logs = {room: self.system.log(room) for room in {seat.room for seat in self.opened}}
        sent: dict[int, list[int]] = {room: [] for room in logs}
        rooms = {seat.client: seat.room for seat in self.opened}
        for client, count in given.items():
            sent[rooms[client]] += [client * SLOTS + n for n in range(1, count + 1)]
        heads = {room: log.head if log is not None else len(sent[room]) for room, log in logs.items()}
        self._order("reach", heads=heads, deadline=PATIENCE if self.system.stored else 20.0)
        accounts = self._order("accounts")
        faults = [fault for account in accounts for fault in account["faults"]]
        for room, log in logs.items():
            if log is not None:
                mine = {client: given.get(client, 0) for client, where in rooms.items() if where == room}
                faults += _faults_of_log(room, log, mine)
                faults += [
                    f"room {room}: event {seq} was delivered as another"
                    for account in accounts
                    for seq, own in account["digests"].get(room, {}).items()
                    if log.digests.get(seq) != own
                ]
        missing = 0
        held = [one for account in accounts for one in account["held"]]
        if len(held) != len(self.opened):
            faults.append(f"{len(self.opened) - len(held)} clients are gone")
        for client, room, base, seq, count, total in held:
            if logs[room] is not None:
                if seq != heads[room] or count != heads[room] - base:
                    faults.append(f"client {client} holds {seq} ({count} events), the log {heads[room]}")
            elif (count, total) != (len(sent[room]), sum(sent[room])):
                missing += len(sent[room]) - count or 1
        if faults and self.system.stored:
            raise FailedError(f"{len(faults)} faults: {'; '.join(faults[:5])}")
        messages = sum(given.values())
        if self.system.stored:
            return f"sent {messages} = committed = applied by each of {len(held)}"
        if missing or faults:
            return f"sent {messages}; LOST {missing} deliveries; {len(faults)} faults {faults[:2]}"
        return f"sent {messages} = received by each of {len(held)}; nothing is stored"


def poll(system: System, asked: Asked) -> tuple[Polled, float]:
    """Have clients poll a system; return what they saw, and the CPU seconds of the server meanwhile."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=pollers, args=(theirs, asked), daemon=True)
    process.start()
    theirs.close()
    busy = 0.0
    try:
        while isinstance(told := ours.recv(), str):
            busy = machine.cpu(system.pids()) - busy if told != "running" else busy
    except EOFError:
        raise FailedError("the pollers have died") from None
    process.join(10)
    return told, busy


def _faults_of_log(room: int, log: Any, given: dict[int, int]) -> list[str]:
    faults = [] if log.whole else [f"room {room}: the log has holes"]
    stored = {int(client, 16): ns for client, ns in log.ops.items()}  # a browser's too, which accounts for itself
    return faults + [
        f"client {client} gave {given.get(client, 0)}, the log has {len(stored.get(client, []))}"
        for client in given
        if stored.get(client, []) != list(range(1, given.get(client, 0) + 1))
    ]


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))
