"""A lane: one client's ops on their way to the log, in order, one batch at a time."""

import asyncio
import logging
import time
from collections.abc import Callable

from classrooms import actions, log
from classrooms.access import Seat
from classrooms.actions import Verdict
from classrooms.counters import tally
from classrooms.hub import in_reader
from classrooms.messages import Op
from classrooms.refusals import Code, Refused
from classrooms.room import Room

logger = logging.getLogger(__name__)

FLOOD = 3  # refusals as rate_limited within FLOOD_WITHIN seconds: the client does not listen
FLOOD_WITHIN = 10.0
LOOK_EVERY = 2.0  # s between two looks whether the log has the op that a lane is held for
MAX_WAITING = 256  # ops, more than any burst that is admitted: only a log that does not answer makes so many wait


class Lane:
    """Takes a client's ops as they come and gives each one verdict.

    After a refusal that may be retried every later op is answered try_again until the refused one comes again: nothing
    that hangs on it can overtake it. `admit` returns why the participant may not send now, None when they may.
    """

    def __init__(
        self, room: Room, seat: Seat, *, admit: Callable[[], Refused | None], answer: Callable[[list[Verdict]], None]
    ) -> None:
        self._room = room
        self._seat = seat
        self._known = {"lesson": seat.lesson, "participant": seat.participant}  # what a line of the log says
        self._admit = admit
        self._answer = answer
        self._waiting: list[Op] = []
        self._task: asyncio.Task[None] | None = None
        self._held_for: str | None = None
        self.astray = False  # it waits for an op that is in the log: who got that event need not send the op again
        self._looked = 0.0  # monotonic seconds
        self._looking: asyncio.Task[None] | None = None
        self._floods: list[float] = []

    @property
    def flooding(self) -> bool:
        """Whether the client was told to slow down so often that it does not listen."""
        return len(self._floods) >= FLOOD

    def take(self, op: Op) -> None:
        """Put an op behind those before it."""
        if self._held_for not in (None, op.id):
            self._refuse([op], Refused(Code.TRY_AGAIN, retry=True))
            self._look(time.monotonic())
        elif (refusal := self._admit()) is not None:
            if refusal.code is Code.RATE_LIMITED:
                now = time.monotonic()
                self._floods = [at for at in self._floods if at > now - FLOOD_WITHIN] + [now]
            self._held_for = op.id
            self._refuse([op], refusal)
        elif len(self._waiting) >= MAX_WAITING:
            self._held_for = op.id
            self._refuse([op], Refused(Code.TRY_AGAIN, retry=True))
        else:
            self._held_for = None
            self._waiting.append(op)
            if self._task is None:
                self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        """Send batch after batch while ops wait."""
        try:
            while self._waiting:
                ops, self._waiting = self._waiting, []
                try:
                    verdicts = await actions.propose(self._room, self._seat, ops)
                except Exception:
                    logger.exception("ops failed", extra=self._known)
                    verdicts = [Verdict(op.id, refused=Refused(Code.TRY_AGAIN, retry=True)) for op in ops]
                self._tell(verdicts)
                self._hold(verdicts)
        finally:
            self._task = None

    def _hold(self, verdicts: list[Verdict]) -> None:
        """After a refusal that may be retried, refuse what waits behind it."""
        for verdict in verdicts:
            if verdict.refused is not None and verdict.refused.retry:
                self._held_for = verdict.op
                behind, self._waiting = self._waiting, []
                self._refuse(behind, Refused(Code.TRY_AGAIN, retry=True))
                return

    def _look(self, now: float) -> None:
        """Look, now and then, whether the log has the op that this lane is held for.

        A COMMIT that was reported as failed may have succeeded. The lane cannot let the next op pass, which may not be
        the first of those that it has refused: the client has to begin anew.
        """
        if self._looking is None and now - self._looked > LOOK_EVERY:
            self._looked = now
            self._looking = asyncio.get_running_loop().create_task(self._look_in_log())

    async def _look_in_log(self) -> None:
        held = self._held_for
        try:
            seq = await in_reader(log.seq_of, self._room.lesson, self._seat.participant, held)
        except Exception as error:
            logger.warning("nobody could look for an op in the log: %r", error, exc_info=True, extra=self._known)
        else:
            self.astray = seq is not None and self._held_for == held
        finally:
            self._looking = None

    def _refuse(self, ops: list[Op], refusal: Refused) -> None:
        if ops:
            self._tell([Verdict(op.id, refused=refusal) for op in ops])

    def _tell(self, verdicts: list[Verdict]) -> None:
        """Count what became of ops, and answer."""
        for verdict in verdicts:
            refused = verdict.refused
            tally.ops[refused.code if refused is not None else "repeated" if verdict.repeat else "committed"] += 1
        self._answer(verdicts)
