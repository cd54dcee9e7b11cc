"""Several processes as one: started, started again when they die, one log, one end."""

import asyncio
import contextlib
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

READY = b"listening"  # what a process says on stdout once it does its work
ALIVE = b"alive"  # what it may say from then on, every BEAT s: one that has begun and stops saying it hangs
BEAT = 2.0
LOOK_EVERY = 5.0  # s between looks at who has said it
HANGS = 6  # looks in a row at a silent process, before it is killed: longer than any stall that mends itself
FIRST_PAUSE = 0.5  # s before a process that died is started again, doubled with each death in a row
LONGEST_PAUSE = 8.0
STEADY = 30.0  # s that a process lives for its deaths not to be in a row
MOST_DEATHS = 6  # in a row, of one process: then something is wrong that starting again does not mend
PATIENCE = 20.0  # s for all to end by themselves: twice what each takes at most (drain.BOUND)
REST = 1.0  # s for the last words of a process; a child of its own may hold its log open for longer


class Job(NamedTuple):
    """One process: its name in the log, its command, and the descriptors that it inherits."""

    name: str
    command: Sequence[str]
    descriptors: Sequence[int] = ()


class Supervisor:
    """Runs jobs until SIGINT or SIGTERM, which all of them get as SIGTERM; the second signal kills them.

    A job's stdin is a pipe that nobody writes to: its end tells the job that the supervisor is gone. `ready` is called
    once all jobs have said that they listen, `ending` once, when the end begins.
    """

    def __init__(self, jobs: Sequence[Job], *, ready: Callable[[], None], ending: Callable[[], None]) -> None:
        self._jobs = jobs
        self._ready = ready
        self._ending = ending
        self._waited_for = {job.name for job in jobs}
        self._running: dict[str, Process] = {}
        self._alive: set[str] = set()  # who has said so since the last look
        self._end = asyncio.Event()
        self._code = 0

    async def run(self) -> int:
        """Run the jobs; return the exit code: 0 after a signal, 1 when a job could not be kept alive or ended badly."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._signalled, number)
        keeping = asyncio.gather(*(self._keep(job) for job in self._jobs))
        await self._end.wait()
        self._ending()
        for process in self._running.values():
            _send(process, signal.SIGTERM)
        try:
            await asyncio.wait_for(asyncio.shield(keeping), PATIENCE)
        except TimeoutError:
            self._fail(f"{', '.join(self._running)} did not end within {PATIENCE:g} s")
            self._kill()
            await keeping
        return self._code

    def _signalled(self, number: signal.Signals) -> None:
        if not self._end.is_set():
            self.say("ending: clients are told to come back; once more ends it at once")
            self._end.set()
        else:
            self._code = 128 + number
            self._kill()

    def _kill(self) -> None:
        for process in self._running.values():
            _send(process, signal.SIGKILL)

    def _fail(self, why: str) -> None:
        self.say(why)
        self._code = self._code or 1
        self._end.set()

    # --- one job -------------------------------------------------------------------------------------------------

    async def _keep(self, job: Job) -> None:
        """Run a job, again and again, until the end."""
        deaths = 0
        while not self._end.is_set():
            began = time.monotonic()
            how = await self._live(job)
            if self._end.is_set():
                return
            deaths = deaths + 1 if time.monotonic() - began < STEADY else 1
            if deaths >= MOST_DEATHS:
                self._fail(f"{job.name} {how}, {deaths} times in a row: ending everything")
                return
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (deaths - 1))
            self.say(f"{job.name} {how} and starts again in {pause:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._end.wait(), pause)

    async def _live(self, job: Job) -> str:
        """Run a job once; return how it ended."""
        try:
            process = await asyncio.create_subprocess_exec(
                *job.command, stdin=PIPE, stdout=PIPE, stderr=PIPE, pass_fds=job.descriptors,
                process_group=0,  # a terminal's Ctrl-C is for the supervisor alone
            )  # fmt: skip
        except OSError as error:
            return f"cannot be started ({error.strerror})"
        self._running[job.name] = process
        if self._end.is_set():  # while it was being started
            _send(process, signal.SIGTERM)
        listening = asyncio.Event()
        relays = [
            asyncio.create_task(self._relay(job, process.stdout, listening)),
            asyncio.create_task(self._relay(job, process.stderr, None)),
        ]
        watch = asyncio.create_task(self._watch(job.name, process))
        code = await process.wait()
        watch.cancel()
        del self._running[job.name]
        await asyncio.wait(relays, timeout=REST)
        for relay in relays:
            relay.cancel()
        if self._end.is_set() and code and not (code == -signal.SIGTERM and not listening.is_set()):
            self._fail(f"{job.name} {_died(code)} instead of ending well")
        return _died(code)

    async def _watch(self, name: str, process: Process) -> None:
        """Kill a process that has told of its life and does so no more. Looks count, as we may be stopped ourselves."""
        missed, begun = 0, False
        while missed < HANGS:
            self._alive.discard(name)
            await asyncio.sleep(LOOK_EVERY)
            begun |= name in self._alive
            missed = missed + 1 if begun and name not in self._alive else 0
        self.say(f"{name} has said nothing for {HANGS * LOOK_EVERY:g} s and is killed")
        _send(process, signal.SIGKILL)

    async def _relay(self, job: Job, stream: Any, listening: asyncio.Event | None) -> None:
        """Pass on what a job says, each line under its name; lines of any length."""
        while line := await _line(stream):
            if listening is not None and line.rstrip() == READY:
                listening.set()
                self._listens(job.name)
            elif listening is not None and line.rstrip() == ALIVE:
                self._alive.add(job.name)
            else:
                _write(job.name, line)

    def _listens(self, name: str) -> None:
        if self._waited_for:
            self._waited_for.discard(name)
            if not self._waited_for:
                self._ready()

    def say(self, words: str) -> None:
        """Write a line of our own into the log."""
        _write("serve", words.encode())


async def _line(stream: Any) -> bytes:
    """Return the next line, or a part of one that is too long; empty at the end."""
    try:
        return bytes(await stream.readuntil())
    except asyncio.IncompleteReadError as error:
        return error.partial
    except asyncio.LimitOverrunError as error:
        return bytes(await stream.readexactly(error.consumed))


def _write(name: str, line: bytes) -> None:
    with contextlib.suppress(OSError):  # whoever reads the log is gone; the lessons are not
        sys.stderr.buffer.write(f"{name:>8} | ".encode() + line.rstrip(b"\r\n") + b"\n")
        sys.stderr.buffer.flush()


def _send(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


def _died(code: int) -> str:
    return f"died of {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
