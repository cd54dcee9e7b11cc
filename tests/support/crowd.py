"""Clients that stay: they come back after every cut, send again what was not answered, and give account at the end."""

import asyncio
import contextlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import ConnectionClosed, InvalidHandshake

from classrooms import lesson as fold
from tests.support.client import Client, Frame
from tests.support.reconcile import Account
from tests.support.server import ROOT, Server
from tests.support.waiting import until_async

IN_FLIGHT = 20  # ops that a client has unanswered at most (protocol.md section 5)
HOLD = 0.1  # s before ops that were refused with `retry` go again, unless the refusal says longer; doubled each time
LONGEST_HOLD = 2.0  # s: twenty ops in two seconds keep within a student's limit
PAUSE = 0.02  # s between two attempts to connect
STUCK = 40.0  # s: whoever is not live again after this is stuck
SIGNALS = 20  # that are timed, and
SIGNAL_P90 = 0.5  # s, within which nine in ten arrive whatever the database does
FOR_GOOD = range(4000, 4100)  # close codes after which a client does not come back


class Steady(Client):
    """A client with an outbox that follows the lesson from its first event.

    given    every op it was given, in order      born    {op id: when, monotonic seconds}
    seen     [(when, by, op)] of what it applied  closes  the close codes of the connections it lost
    """

    def __init__(self, server: Server, seat: dict[str, Any], *, port: int | None = None) -> None:
        super().__init__(server, seat, port=port)
        self.given: list[Frame] = []
        self.born: dict[str, float] = {}
        self.seen: list[tuple[float, str | None, str]] = []
        self.closes: list[int] = []
        self.base = 0
        self._staying: asyncio.Task[None] | None = None
        self._again: asyncio.TimerHandle | None = None
        self._refusals = 0  # in a row
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._staying = asyncio.create_task(self._stay())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in (self._staying, *self._tasks):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if self._socket is not None:
            self.drop()
        await super().__aexit__(kind, error, trace)

    def give(self, kind: str, data: Frame) -> str:
        """Take an op into the outbox, send it if there is a link, and return its id."""
        op = self.new_op(kind, data)
        self.given.append(op)
        self.born[op["id"]] = time.monotonic()
        self.unanswered[op["id"]] = op
        if self.live and self._again is None:
            self._spawn(op)
        return str(op["id"])

    async def send_text(self, text: str) -> None:
        """Send a message as it is."""
        assert self._socket is not None
        await self._socket.send(text)

    def account(self) -> Account:
        """Return what this client has to say for the reconciliation."""
        return {
            "who": self.id, "client": self.client, "base": self.base, "applied": self.applied, "repeats": self.repeats,
            "given": self.given, "answers": self.outcomes, "seq": self.state.seq,
            "state": fold.state_json(self.state), "digests": fold.digests(self.state),
        }  # fmt: skip

    def check(self) -> None:
        """Raise what broke this client, if anything did."""
        self._check()

    # --- how it differs from a client that does as it is told ---------------------------------------------------

    def _last(self) -> Frame:
        return {"since": self.state.seq, "at": self.state.at}  # from the very first event: everything is applied

    async def _welcomed(self, frame: Frame) -> None:
        if frame["mode"] == "snapshot":
            raise AssertionError(f"{self.id} was sent to the snapshot from {self.state.seq}")
        self._hold_no_more()
        await super()._welcomed(frame)

    def _apply(self, event: Frame) -> None:
        before = self.state.seq
        super()._apply(event)
        if self.state.seq > before:
            self.seen.append((time.monotonic(), event["by"], event["op"]))
            if event["by"] == self.id:
                self._refusals = 0

    def _answered(self, frame: Frame) -> None:
        super()._answered(frame)
        later = frame["type"] == "refused" and frame.get("retry") and frame["id"] is not None
        if later and self._again is None:
            wait = max(min(HOLD * 2**self._refusals, LONGEST_HOLD), frame.get("after", 0) / 1000)
            self._refusals += 1
            self._again = asyncio.get_running_loop().call_later(wait, self._send_again)

    def _send_again(self) -> None:
        """Send everything that is not answered, in order: a refusal that may be retried holds all that follow."""
        self._hold_no_more()
        if self.live and self.unanswered:
            self._spawn(*self.unanswered.values())

    def _hold_no_more(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _spawn(self, *ops: Frame) -> None:
        task = asyncio.create_task(self._send_quietly(*ops))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_quietly(self, *ops: Frame) -> None:
        with contextlib.suppress(ConnectionClosed, AssertionError):  # coming back sends them again
            await self.send(*ops)

    async def _stay(self) -> None:
        """Come back whenever the link is lost."""
        while self.broken is None:
            assert self._reader is not None
            await asyncio.wait([self._reader])
            self.closes.append(self.close_code or 0)
            if self.close_code in FOR_GOOD:
                self.broken = self.broken or AssertionError(f"{self.id} was closed for good with {self.close_code}")
            await self._come_back()

    async def _come_back(self) -> None:
        deadline = time.monotonic() + STUCK
        while self.broken is None:
            try:
                await self.disconnect()
                await self.connect()
                break
            except (OSError, ConnectionClosed, InvalidHandshake, AssertionError, TimeoutError) as error:
                if time.monotonic() > deadline:
                    self.broken = self.broken or AssertionError(f"{self.id} is stuck: {error}")
            await asyncio.sleep(PAUSE)


class Crowd:
    """The clients of one lesson, over any number of servers."""

    def __init__(self, server: Server, lesson: int) -> None:
        self.lesson = lesson
        self.server = server
        self.clients: list[Steady] = []
        self.epoch = server.rows("SELECT epoch FROM classrooms_lesson WHERE id = ?", lesson)[0][0]
        self._stop = asyncio.Event()
        self._work: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        ends = await asyncio.gather(
            *(client.__aexit__(kind, error, trace) for client in self.clients), return_exceptions=True
        )
        if error is None:
            for end in ends:
                if isinstance(end, BaseException):
                    raise end

    async def guest(self, server: Server, name: str, *, port: int | None = None) -> Steady:
        """Bring a student in, live."""
        return await self._enter(await Steady.guest(server, name, port=port))

    async def staff(self, server: Server, as_: str = "teacher", *, port: int | None = None) -> Steady:
        """Bring a member of staff in, live."""
        return await self._enter(await Steady.staff(server, self.lesson, as_=as_, port=port))

    async def _enter(self, client: Steady) -> Steady:
        client.epoch = self.epoch
        self.clients.append(client)
        return await client.__aenter__()

    # --- working -----------------------------------------------------------------------------------------------

    def work(self, *clients: Steady, rate: float, seed: int = 0) -> None:
        """Let clients do this and that, `rate` ops a second each, until `rest`."""
        for number, client in enumerate(clients):
            chance = random.Random(f"{seed}.{number}")
            self._work.append(asyncio.create_task(self._do(client, rate, chance)))

    async def _do(self, client: Steady, rate: float, chance: random.Random) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        items: list[str] = []
        while not self._stop.is_set():
            if client.broken is None and len(client.unanswered) < IN_FLIGHT:
                some_op(client, chance, items)
            due = max(due + 1 / rate, loop.time())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), due - loop.time() + 0.001)

    async def wait_cut(self, timeout: float = 10) -> None:
        """Wait until everybody has noticed that their link is gone."""
        await until_async(
            lambda: self._broken() or not any(client.live for client in self.clients),
            timeout=timeout, saying="everybody is cut off",
        )  # fmt: skip

    async def wait_live(self, timeout: float) -> None:
        """Wait until everybody is live."""
        await until_async(
            lambda: self._broken() or all(client.live for client in self.clients),
            timeout=timeout, saying="everybody is live",
        )  # fmt: skip

    async def reach(self, ops: int, timeout: float = 60) -> None:
        """Wait until the working clients were given so many ops, all together."""
        await until_async(
            lambda: self._broken() or sum(len(client.given) for client in self.clients) >= ops,
            timeout=timeout, saying=f"{ops} ops are given",
        )  # fmt: skip

    async def rest(self, timeout: float = STUCK) -> float:
        """Give no more ops; return the seconds until all were answered and everybody had applied the whole log."""
        self._stop.set()
        await asyncio.gather(*self._work)
        self._work.clear()
        self._stop.clear()
        since = time.monotonic()
        await until_async(lambda: self._broken() or self.answered, timeout=timeout, saying="every op is answered")
        quiet = time.monotonic()
        head = self.head()
        await until_async(
            lambda: self._broken() or all(client.live and client.state.seq >= head for client in self.clients),
            timeout=timeout - (quiet - since), saying=f"everybody applied {head}",
        )  # fmt: skip
        for client in self.clients:
            client.check()
        return time.monotonic() - since

    @property
    def answered(self) -> bool:
        """Whether nothing that was given waits for an answer."""
        return not any(client.unanswered for client in self.clients)

    def head(self) -> int:
        """Return the newest seq that the database has."""
        return int(self.server.rows("SELECT head FROM classrooms_lesson WHERE id = ?", self.lesson)[0][0])

    def _broken(self) -> bool:
        return any(client.broken is not None for client in self.clients)

    # --- judging -----------------------------------------------------------------------------------------------

    def latencies(self, start: float = 0.0, end: float = float("inf"), *, elsewhere: bool = False) -> list[float]:
        """Return the seconds from giving to applying at each other client, of the ops given from `start` to `end`.

        elsewhere: at the clients of other servers than the author's alone.
        """
        born = {
            (client.id, op): (at, client.server)
            for client in self.clients
            for op, at in client.born.items()
            if start <= at < end
        }
        took = []
        for client in self.clients:
            for at, by, op in client.seen:
                given, server = born.get((by or "", op), (0.0, None))
                if server is not None and by != client.id and not (elsewhere and server is client.server):
                    took.append(at - given)
        return took

    async def reconcile(self, *servers: Server) -> None:
        """Hold everybody to account, by the separate program; then the servers' own fresh states."""
        verdict = await asyncio.to_thread(self._judge)
        assert verdict.returncode == 0, f"{verdict.stdout[-4000:]}\n{verdict.stderr[-4000:]}"
        one = self.clients[0]
        for server in servers or (self.server,):
            status, body = await asyncio.to_thread(
                server.request, "GET", f"{one.seat['state']}?at_least={one.state.seq}", ticket=one.ticket
            )
            assert status == 200
            assert (body["seq"], body["digest"]) == (one.state.seq, fold.digests(one.state))
            assert body["state"] == fold.state_json(one.state)

    def _judge(self) -> subprocess.CompletedProcess[str]:
        accounts = "\n".join(json.dumps(client.account()) for client in self.clients)
        database = self.server.database or f"sqlite:///{self.server.data / 'lectern.sqlite3'}"
        return subprocess.run(
            [sys.executable, "-m", "tests.support.reconcile", database, str(self.lesson)],
            input=accounts, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip


def some_op(client: Steady, chance: random.Random, items: list[str]) -> str:
    """Give a client something to do: mostly drawing, on items of its own, and chat and a hand now and then."""
    draw = chance.random()
    page = "p1"
    if draw < 0.08:
        return client.give("chat.post", {"text": f"{len(client.given)} × √2 ≠ π"})
    if draw < 0.14:
        return client.give(chance.choice(["hand.raise", "hand.lower"]), {})
    if items and draw < 0.4:
        at = [chance.randrange(4000) / 4, chance.randrange(4000) / 4]
        return client.give("board.edit", {"page": page, "edits": [["set", chance.choice(items), {"at": at}]]})
    if items and draw < 0.46:
        edit = chance.choice(["remove", "restore"])
        return client.give("board.edit", {"page": page, "edits": [[edit, chance.choice(items)]]})
    item = f"{client.id}.{client.client}.{len(client.given) + 1}"
    fields = {"at": [chance.randrange(1000), chance.randrange(700)], "box": [chance.randrange(90), 40.5]}
    items.append(item)
    return client.give(
        "board.edit", {"page": page, "edits": [["add", item, "line", fields | {"style": {"color": "#17694f"}}]]}
    )


async def signals_pass(giver: Steady, taker: Steady) -> None:
    """Check that what needs no database goes on: signals, with p90 < 0.5 s."""
    took = []
    for number in range(SIGNALS):
        since = time.monotonic()
        await giver.send({"type": "signal", "kind": "cursor", "data": {"page": "p1", "at": [number, 0], "tool": "pen"}})
        await until_async(lambda: number in _cursors(taker, giver), saying=f"signal {number}")  # noqa: B023
        took.append(time.monotonic() - since)
    assert percentile(took, 0.9) < SIGNAL_P90


def _cursors(taker: Steady, giver: Steady) -> set[float]:
    """Return where the giver's cursor was, as the taker was told."""
    signals = [signal for frame in taker.frames.get("signals", []) for signal in frame["signals"]]
    return {signal["data"]["at"][0] for signal in signals if signal["by"] == giver.id}


def percentile(values: list[float], share: float) -> float:
    """Return the value below which `share` of `values` lies; AssertionError when there are none."""
    assert values, "nothing was measured"
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def in_time(what: Callable[[], Any]) -> tuple[float, Any]:
    """Run a blocking function in a thread; return the seconds it took and its answer."""
    since = time.monotonic()
    answer = await asyncio.to_thread(what)
    return time.monotonic() - since, answer
