"""Replicas: a lesson's folded state in this process, from the newest snapshot and the events after it."""

import gzip
import logging
import threading
from dataclasses import dataclass
from weakref import WeakValueDictionary

import msgspec
from django.db import IntegrityError

from classrooms import log
from classrooms.lesson import Event, LessonState, apply, encode_state, fresh, from_json
from classrooms.models import Lesson, Snapshot
from classrooms.ring import MAX_EVENTS, Ring

logger = logging.getLogger(__name__)

SNAPSHOT_EVERY = 500  # events
KEEP_NEWEST = 3  # snapshots
KEEP_EVERY = 2000  # events between the snapshots that stay for good
KEEP_RESTING = 16  # lessons that no hub keeps here, asked for last

_decode = msgspec.json.Decoder(Event).decode


@dataclass(slots=True, weakref_slot=True, eq=False)
class Replica:
    """One lesson's state at `state.seq`, with the ring of the newest events that led to it."""

    lesson: int
    epoch: str
    state: LessonState
    ring: Ring
    snapshot_seq: int = 0  # the seq of the newest snapshot known to be stored


def load(lesson: int) -> Replica:
    """Fold a lesson: its newest snapshot and the events after it. Blocking: three queries, and more for a long tail.

    The ring is warm: events that the snapshot holds already are read too, as far as the ring reaches.
    Raises Lesson.DoesNotExist, also for a lesson whose log is not kept any more.
    """
    epoch, head = Lesson.objects.filter(emptied_at=None).values_list("epoch", "head").get(pk=lesson)
    replica = _thawed(lesson, epoch, head) or Replica(lesson, epoch, fresh(), Ring(0, 0))
    _read_on(replica)
    return replica


def _read_on(replica: Replica) -> None:
    """Take in what the log has after the ring. Blocking."""
    while page := log.since(replica.lesson, replica.ring.head):
        for raw in page:
            event = _decode(raw)
            if event.seq > replica.state.seq:
                apply(replica.state, event)
            replica.ring.push(raw, event.at)


def _thawed(lesson: int, epoch: str, head: int) -> Replica | None:
    """Return the newest snapshot that can be read, None without one. One beyond the head tells of a lost history."""
    snapshots = Snapshot.objects.filter(lesson=lesson, epoch=epoch, seq__lte=head).order_by("-seq")
    for pk in snapshots.values_list("pk", flat=True)[:KEEP_NEWEST]:
        snapshot = snapshots.get(pk=pk)
        try:
            state = from_json(msgspec.json.decode(gzip.decompress(snapshot.body)), snapshot.seq, snapshot.at)
        except Exception:
            logger.exception("the snapshot at %d cannot be read", snapshot.seq, extra={"lesson": lesson})
            continue
        floor = max(0, min(snapshot.seq, head - MAX_EVENTS))
        ring = Ring(floor, snapshot.at if floor == snapshot.seq else None)
        return Replica(lesson, epoch, state, ring, snapshot.seq)
    return None


def awake(lesson: int) -> Replica | None:
    """Return the replica that this process keeps up to date, if it has one."""
    return _awake.get(lesson)


def keep(replica: Replica) -> None:
    """Let other threads of this process find a replica that is kept up to date."""
    _awake[replica.lesson] = replica
    _resting.pop(replica.lesson, None)


def let_go(replica: Replica) -> None:
    """A replica is kept up to date no more."""
    if _awake.get(replica.lesson) is replica:
        del _awake[replica.lesson]


def current(lesson: int, at_least: int = 0) -> LessonState:
    """Return the lesson's state for reading from any thread: the one kept up to date here, else brought up to date.

    `at_least`: a seq that the log has and the state must; the one that is kept may be a moment behind.
    Of a lesson whose log is not kept any more: that it has ended, and nothing else.
    Blocking: two queries where it is not kept. Raises Lesson.DoesNotExist.
    """
    replica = awake(lesson)
    if replica is None or replica.state.seq < at_least:
        replica = _roused(lesson)
    return replica.state if replica is not None else _emptied()


def _emptied() -> LessonState:
    state = fresh()
    state.status = "ended"
    return state


def _roused(lesson: int) -> Replica | None:
    """Return the replica that threads share of a lesson that no hub keeps here, as far as the log goes.

    Folding a full board anew takes 300 ms, and there is a request for each who joins. None where the log is gone.
    """
    with _rousing:
        epoch, head, emptied = Lesson.objects.values_list("epoch", "head", "emptied_at").get(pk=lesson)
        replica = _resting.pop(lesson, None)
        if emptied is not None:
            return None
        if replica is None or replica.epoch != epoch or replica.state.seq > head:
            replica = load(lesson)
        else:
            _read_on(replica)
        _resting[lesson] = replica
        if len(_resting) > KEEP_RESTING:
            del _resting[next(iter(_resting))]
        return replica


def freeze(replica: Replica) -> bytes:
    """Return the body of a snapshot at this moment; to be called where the replica is mutated."""
    return encode_state(replica.state, None)


def store(lesson: int, epoch: str, seq: int, at: int, body: bytes) -> None:
    """Write a snapshot and thin out older ones: the newest three stay, and one for every 2,000 events. Blocking."""
    try:
        Snapshot.objects.create(lesson_id=lesson, epoch=epoch, seq=seq, at=at, body=gzip.compress(body, 6))
    except IntegrityError:
        return  # another process folded the same moment, or the lesson is gone
    stored = Snapshot.objects.filter(lesson=lesson, epoch=epoch)
    stored.filter(seq__in=_superfluous(list(stored.order_by("seq").values_list("seq", flat=True)))).delete()


def carry_over(lesson: int, old: str, new: str) -> None:
    """Take a lesson's snapshots into its new epoch, where they are known to be of the log as it is. Blocking.

    So after a restore: a backup holds one moment, and its snapshots were true in it.
    """
    head = Lesson.objects.values_list("head", flat=True).get(pk=lesson)
    Snapshot.objects.filter(lesson=lesson, epoch=old, seq__lte=head).update(epoch=new)


def _superfluous(seqs: list[int]) -> list[int]:
    """Return which of the snapshots at these seqs, in order, need not be kept."""
    superfluous = []
    kept = 0
    for seq in seqs[:-KEEP_NEWEST]:
        if seq // KEEP_EVERY > kept // KEEP_EVERY:
            kept = seq
        else:
            superfluous.append(seq)
    return superfluous


_awake: "WeakValueDictionary[int, Replica]" = WeakValueDictionary()
_resting: dict[int, Replica] = {}
_rousing = threading.Lock()
