"""The verbs: each checks, appends to the log and leaves the announcing to the hub, which hears every commit."""

import asyncio
import secrets
from collections.abc import Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError

from classrooms import access, log, messages
from classrooms.access import Seat
from classrooms.hub import in_reader
from classrooms.lesson import permit
from classrooms.log import Entry, Outcome
from classrooms.messages import Draft, Op
from classrooms.models import Classroom, Lesson, Participant, Staff
from classrooms.refusals import Code, Refused
from classrooms.room import Room
from whiteboard.models import Deck
from whiteboard.slides import pages_of

PAGES_AT_START = 20  # pages inside `lesson.started`; the others follow as events of the same transaction
PATIENCE = 10.0  # s that a thread waits for the log before it says try_again
ONE_LIVE = "A lesson is live in this classroom. End it before you start another one."
BLANK = {"page": "p1", "kind": "blank", "title": ""}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one op: the seq of its event, or why it was refused. `repeat`: the log had it before."""

    op: str
    seq: int | None = None
    repeat: bool = False
    refused: Refused | None = None


# --- ops of participants -------------------------------------------------------------------------------------------


async def propose(room: Room, seat: Seat, ops: Sequence[Op]) -> list[Verdict]:
    """Ask for events, in order; one verdict for each op, after its commit.

    Each op is judged against the state that the ops before it made: at one that would be refused, those before it are
    committed and folded first, and it is looked at again. After a refusal that may be retried nothing more is tried.
    """
    verdicts: list[Verdict] = []
    while ops:
        entries, refusal = await _permitted(room, seat, ops)
        if entries:
            verdicts += await _append(room, ops, entries)
        elif refusal is not None:
            verdicts.append(Verdict(ops[0].id, refused=refusal))
        done = max(1, len(entries))
        if verdicts[-1].refused is not None and verdicts[-1].refused.retry:
            again = Refused(Code.TRY_AGAIN, retry=True)
            return verdicts + [Verdict(op.id, refused=again) for op in ops[done:]]
        ops = ops[done:]
    return verdicts


async def _permitted(room: Room, seat: Seat, ops: Sequence[Op]) -> tuple[list[list[Entry]], Refused | None]:
    """Return the entries of the longest run of ops that may go to the log, and why the next one may not."""
    entries: list[list[Entry]] = []
    joined: set[str] = set()
    for op in ops:
        try:
            draft = messages.read_op(op)
            people = await _introduced(room, seat, draft)
        except Refused as refusal:
            return entries, refusal
        new = [person for person in people if person.participant not in joined]
        joined |= {person.participant for person in new}
        entries.append([*map(_joined, new), Entry(draft.kind, seat.participant, op.id, draft.text)])
    return entries, None


async def _introduced(room: Room, seat: Seat, draft: Draft) -> list[Seat]:
    """Check a draft; return the people it names whom the log does not know yet. Raises Refused."""
    state = room.replica.state
    people = [] if seat.participant in state.people else [seat]
    code = permit(state, seat.participant, draft.kind, draft.data)
    if code is Code.UNKNOWN_PARTICIPANT:
        named = await in_reader(access.person, room.lesson, draft.data["participant"])
        if named is not None:
            people.append(named)
            code = None  # the log's fold looks again, when the person has joined
    if code is not None:
        raise Refused(code)
    return people


async def _append(room: Room, ops: Sequence[Op], entries: list[list[Entry]]) -> list[Verdict]:
    """Commit the entries of each op, wait until the room has folded them, and tell what became of the ops."""
    future = log.append(room.lesson, [entry for group in entries for entry in group])
    outcomes = await asyncio.wrap_future(future)
    await room.reach(max((outcome.seq or 0 for outcome in outcomes), default=0))
    verdicts = []
    for op, group in zip(ops, entries, strict=False):
        own = outcomes[: len(group)]
        outcomes = outcomes[len(group) :]
        verdicts.append(_verdict(op.id, own))
    return verdicts


def _verdict(op: str, outcomes: Sequence[Outcome]) -> Verdict:
    """Judge an op by its own entry's outcome, or by that of the introduction that failed before it."""
    for outcome in outcomes:
        if outcome.code is not None:
            return Verdict(op, refused=Refused(outcome.code, retry=outcome.retry))
    return Verdict(op, outcomes[-1].seq, outcomes[-1].repeat)


def _joined(seat: Seat) -> Entry:
    data = {"participant": seat.participant, "name": seat.name, "role": seat.role, "color": seat.color}
    return _entry("person.joined", f"joined:{seat.participant}", data)


def _entry(kind: str, op: str, data: dict[str, Any]) -> Entry:
    """Return an entry of the server's own."""
    return Entry(kind, None, op, messages.draft(kind, op, data).text)


# --- lessons -------------------------------------------------------------------------------------------------------


def start(classroom: Classroom, *, title: str, decks: Sequence[Deck], by: AbstractBaseUser | None) -> Lesson:
    """Start a lesson with these decks' pages, or a blank one. From a thread, outside atomic blocks.

    Raises Refused: not_allowed where one is live already (409) or `by` is no instructor here, try_again.
    """
    staff = access.staff_of(classroom, by) if by is not None else None
    if by is not None and (staff is None or staff.role == Staff.Role.ASSISTANT):
        raise Refused(Code.NOT_ALLOWED)
    lesson = _take_lesson(classroom, title)
    pages = [page for deck in decks for page in pages_of(deck)]
    pages = [page | {"page": f"p{number}"} for number, page in enumerate(pages, 1)] or [BLANK]
    policy = {name: getattr(classroom, name) for name in ("draw", "edit", "roam", "chat", "door")}
    started = {"title": title, "policy": policy | {"chosen": []}, "pages": pages[:PAGES_AT_START]}
    _commit(
        lesson,
        _entry("lesson.started", "started", started),
        *(_entry("page.added", f"page:{page['page']}", page) for page in pages[PAGES_AT_START:]),
    )
    lesson.refresh_from_db()
    return lesson


def end(lesson: Lesson, *, by: AbstractBaseUser | None) -> None:
    """End a lesson; ending it again does nothing. Raises Refused: not_allowed, try_again."""
    if by is not None and access.staff_of(lesson.classroom, by) is None:
        raise Refused(Code.NOT_ALLOWED)
    _commit(lesson, _entry("lesson.ended", "ended", {}))


def seat_staff(lesson: Lesson, user: AbstractBaseUser) -> Seat:
    """Seat a member of staff and see that the log knows them in their role. Raises Refused: not_allowed, ended …"""
    seat = access.by_user(lesson, user)
    _commit(lesson, _joined(seat))
    return seat


def dismiss(classroom: Classroom, user: AbstractBaseUser) -> None:
    """Take a former member of staff out of the classroom's live lesson."""
    for participant in Participant.objects.filter(lesson__classroom=classroom, lesson__status="live", user_id=user.pk):
        data = {"participant": participant.key}
        _commit(participant.lesson, _entry("person.removed", f"dismissed:{secrets.token_hex(8)}", data))


def _take_lesson(classroom: Classroom, title: str) -> Lesson:
    """Return the classroom's row of a lesson that has not started: a new one, or one whose start was interrupted."""
    try:
        lesson, new = Lesson.objects.get_or_create(
            classroom=classroom, status=Lesson.Status.STARTING, defaults={"title": title}
        )
    except IntegrityError:
        raise Refused(Code.NOT_ALLOWED, message=ONE_LIVE, status=409) from None
    if not new and lesson.title != title:
        lesson.title = title
        lesson.save(update_fields=["title"])
    return lesson


def _commit(lesson: Lesson, *entries: Entry) -> None:
    """Append from a thread and wait. Raises Refused where the log refuses or takes too long."""
    try:
        outcomes = log.append(lesson.pk, entries).result(PATIENCE)
    except FutureTimeout:
        raise Refused(Code.TRY_AGAIN, retry=True) from None
    for outcome in outcomes:
        if outcome.code is not None:
            raise Refused(outcome.code, retry=outcome.retry)
