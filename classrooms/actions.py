"""The verbs: each checks, appends to the log and leaves the announcing to the hub, which hears every commit."""

import asyncio
import copy
import logging
import secrets
from collections.abc import Iterable, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects

from classrooms import access, late_pages, log, messages, replica, seeds
from classrooms.access import Seat
from classrooms.hub import in_reader
from classrooms.kinds import MAX_TITLE
from classrooms.lesson import LessonState, Person, permit
from classrooms.log import Entry, Outcome
from classrooms.messages import Draft, Op
from classrooms.models import Classroom, Lesson, Participant, Staff, draw_code
from classrooms.refusals import N_, Code, Refused
from classrooms.roles import Role
from classrooms.room import Room
from whiteboard.items import suits
from whiteboard.models import Deck
from whiteboard.slides import one_line, pages_of

logger = logging.getLogger(__name__)

PAGES_AT_START = 20  # pages inside `lesson.started`; the others follow as events of the same transaction
BYTES_AT_START = 64 * 1024  # of those pages: slides carry their text, and a frame holds 128 KiB
PATIENCE = 10.0  # s that a thread waits for the log before it says try_again, and an op for its event to be folded
ONE_LIVE = N_("A lesson is live in this classroom. End it before you start another one.")
BLANK = {"kind": "blank", "title": ""}
MOST_BLANK = 20  # sheets that a lesson starts with


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
            verdicts.append(await _refusal(room, seat, ops[0], refusal))
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
    adds: dict[str, dict[str, str]] = {}
    for op in ops:
        try:
            draft = messages.read_op(op)
            if not _fits(room, draft, adds) and entries:
                return entries, None
            people = await _introduced(room, seat, draft)
        except Refused as refusal:
            return entries, refusal
        new = [people[key] for key in people if key not in joined]
        joined |= people.keys()
        entries.append([*map(_joined, new), Entry(draft.kind, seat.participant, op.id, draft.text)])
    return entries, None


def _fits(room: Room, draft: Draft, adds: dict[str, dict[str, str]]) -> bool:
    """Note the kinds of what a run of ops adds to each page; False where an op may be refused when those before landed.

    It may find the page full, or set what an item that is added just before it does not have.
    """
    if draft.kind != "board.edited":
        return True
    page, edits = draft.data["page"], draft.data["edits"]
    there = adds.setdefault(page, {})
    suit = all(suits(there[edit[1]], edit[2]) for edit in edits if edit[0] == "set" and edit[1] in there)
    there |= {edit[1]: edit[2] for edit in edits if edit[0] == "add"}
    board = room.replica.state.boards.get(page)
    return suit and (board is None or board.live + len(there) <= messages.LIMITS["items"])


async def _introduced(room: Room, seat: Seat, draft: Draft) -> dict[str, Seat]:
    """Check a draft; return the people it needs whom the log does not know yet. Raises Refused."""
    state = room.replica.state
    people = {} if seat.participant in state.people else {seat.participant: seat}
    code = permit(state, seat.participant, draft.kind, draft.data)
    if code is Code.UNKNOWN_PARTICIPANT:
        named = await in_reader(access.person, room.lesson, draft.data["participant"])
        if named is not None:
            people.setdefault(named.participant, named)
            code = permit(_joined_by(room.replica.state, people), seat.participant, draft.kind, draft.data)
    if code is None and draft.kind == "page.added" and not draft.data["page"].startswith(f"{seat.participant}."):
        code = Code.NOT_ALLOWED  # `p1` is for the server to give, another's prefix for them
    if code is not None:
        raise Refused(code)
    return people


def _joined_by(state: LessonState, people: dict[str, Seat]) -> LessonState:
    """Return the state as it will be when these people have joined; for `permit` alone."""
    then = copy.copy(state)
    then.people = state.people | {key: Person(one.name, one.role, one.color) for key, one in people.items()}
    return then


async def _refusal(room: Room, seat: Seat, op: Op, refusal: Refused) -> Verdict:
    """Refuse an op, unless the log has it: what was permitted once gets its first answer, whatever holds now."""
    seq = await in_reader(log.seq_of, room.lesson, seat.participant, op.id)
    return Verdict(op.id, refused=refusal) if seq is None else Verdict(op.id, seq, repeat=True)


async def _append(room: Room, ops: Sequence[Op], entries: list[list[Entry]]) -> list[Verdict]:
    """Commit the entries of each op, wait until the room has folded them, and tell what became of the ops."""
    future = log.append(room.lesson, [entry for group in entries for entry in group])
    outcomes = await asyncio.shield(asyncio.wrap_future(future))  # what the writer has, nobody can take back
    with suppress(TimeoutError, Refused):  # they are committed all the same
        await asyncio.wait_for(room.reach(max((outcome.seq or 0 for outcome in outcomes), default=0)), PATIENCE)
    if room.ended:
        await in_reader(log.mark_ended, room.lesson)  # the fold says so: a `lesson.ended` may be void
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
    return _own(messages.draft(kind, op, data))


def _own(draft: Draft) -> Entry:
    return Entry(draft.kind, None, draft.op, draft.text)


# --- lessons -------------------------------------------------------------------------------------------------------


def start(
    classroom: Classroom,
    *,
    title: str,
    decks: Sequence[Deck],
    by: User | None,
    blank: int = 0,
    last: Lesson | None = None,
) -> Lesson:
    """Start a lesson with the pages and drawings of the `last` one, then these decks' pages, then `blank` sheets.

    With nothing of these it has one blank page. From a thread, outside atomic blocks. Raises Refused: not_allowed where
    one is live already (409), `by` is no instructor here or `last` no ended lesson that the classroom keeps, try_again.
    """
    staff = access.staff_of(classroom, by) if by is not None else None
    if by is not None and (staff is None or staff.role == Staff.Role.ASSISTANT):
        raise Refused(Code.NOT_ALLOWED)
    past = last is None or (last.classroom_id == classroom.pk and last.status == "ended" and last.emptied_at is None)
    if not past:
        raise Refused(Code.NOT_ALLOWED)
    title = one_line(" ".join(title.split()), MAX_TITLE)
    earlier = replica.current(last.pk) if last is not None else None
    pages = seeds.pages_of(earlier) if earlier is not None else []
    prefetch_related_objects(decks, "slides")  # read once: what is finished after this comes as a late page
    pages += [page for deck in decks for page in pages_of(deck)]
    pages += [BLANK] * (blank if pages or blank else 1)
    drafts = [
        messages.draft("page.added", f"page:p{number}", page | {"page": f"p{number}"})
        for number, page in enumerate(pages, 1)
    ]
    first = _fitting(drafts)
    policy = {name: getattr(classroom, name) for name in ("draw", "edit", "roam", "chat", "door")}
    pages_at_start = [draft.data for draft in drafts[:first]]
    started = {"title": title, "policy": policy | {"chosen": []}, "pages": pages_at_start}
    later = drafts[first:] + (_gone_on(last, earlier) if last is not None and earlier is not None else [])
    lesson = _take_lesson(classroom, title)
    try:
        late_pages.give(lesson, decks, pages)
        _commit(lesson, _entry("lesson.started", "started", started), *map(_own, later))
    except Refused as refusal:
        raise (_one_live() if refusal.code is Code.ENDED else refusal) from None
    except IntegrityError:  # another start took the row away
        raise _one_live() from None
    late_pages.catch_up(lesson)
    lesson.refresh_from_db()
    return lesson


def _gone_on(last: Lesson, earlier: LessonState) -> list[Draft]:
    """Return what brings a lesson to where an earlier one stopped: its drawings, and the page that was shown."""
    shown = next((number for number, page in enumerate(earlier.pages, 1) if page.id == earlier.current), 1)
    drawn = list(seeds.seeds(last.pk, earlier))
    if missing := seeds.missing(earlier, drawn):
        logger.warning("%d items of lesson %d cannot be brought into another one", missing, last.pk)
    return [*drawn, messages.draft("page.shown", "shown", {"page": f"p{shown}"})]


def end(lesson: Lesson, *, by: User | None) -> None:
    """End a lesson; ending it again does nothing. Raises Refused: not_allowed, not_live, try_again."""
    if by is not None and access.staff_of(lesson.classroom, by) is None:
        raise Refused(Code.NOT_ALLOWED)
    lesson.refresh_from_db(fields=["status"])
    if lesson.status == Lesson.Status.STARTING:
        raise Refused(Code.NOT_LIVE)
    if lesson.status == Lesson.Status.LIVE:
        _commit(lesson, _entry("lesson.ended", "ended", {}))


def seat_staff(lesson: Lesson, user: User | AnonymousUser) -> Seat:
    """Seat a member of staff and see that the log knows them, in the role that their classroom gives them.

    The log is told of that role once: what an instructor changes in the lesson stays until the classroom changes.
    Of who comes to read an ended lesson it learns nothing. Raises Refused: not_allowed, not_live, removed, try_again.
    """
    participant, role = access.by_user(lesson, user)
    if lesson.status == Lesson.Status.ENDED:
        return replace(access.seat(participant, pardoned=True), role=role)
    told = Role(participant.role)
    seat = access.seat(participant, pardoned=told is not role)
    entries = [_joined(seat)]
    if told is not role:
        who = {"participant": participant.key}
        entries += [
            _entry("person.readmitted", _once("readmitted"), who),  # void unless they had been dismissed
            _entry("person.changed", _once("appointed"), who | {"role": role}),
        ]
        seat = replace(seat, role=role)
    outcomes = _commit(lesson, *entries)
    if told is not role:
        Participant.objects.filter(pk=participant.pk).update(role=role)
    return replace(seat, since=max(outcome.seq or 0 for outcome in outcomes))


def redraw_code(classroom: Classroom) -> None:
    """Give a classroom another join code. The old one opens nothing any more; who is inside stays."""
    while True:
        try:
            with transaction.atomic():
                classroom.code = draw_code()
                classroom.save(update_fields=["code"])
        except IntegrityError:  # another classroom has it: one in 900 million
            continue
        return


def appoint(classroom: Classroom, user: User) -> None:
    """Tell the classroom's live lesson which role a member of staff has now, if they have been in it.

    Raises Refused: removed (somebody in the lesson took them out, and their role is the old one), try_again.
    """
    for participant in Participant.objects.filter(lesson__classroom=classroom, lesson__status="live", user_id=user.pk):
        seat_staff(participant.lesson, user)


def hand_on(classroom: Classroom, *, by: User, to: User) -> None:
    """Make another member of staff the owner; the old one teaches on as an instructor. Raises Refused: not_allowed."""
    with transaction.atomic():
        staff = {one.user_id: one for one in Staff.objects.select_for_update().filter(classroom=classroom)}
        owner, heir = staff.get(by.pk), staff.get(to.pk)
        if owner is None or owner.role != Staff.Role.OWNER or heir is None or heir is owner:
            raise Refused(Code.NOT_ALLOWED)
        for one, role in ((owner, Staff.Role.INSTRUCTOR), (heir, Staff.Role.OWNER)):
            one.role = role
            one.save(update_fields=["role"])


def leave(classroom: Classroom, user: User) -> None:
    """Take somebody off the staff at their own wish. Raises Refused: not_allowed, for who owns the classroom too."""
    gone, _ = Staff.objects.filter(classroom=classroom, user=user).exclude(role=Staff.Role.OWNER).delete()
    if not gone:
        raise Refused(Code.NOT_ALLOWED)


def dismiss(classroom: Classroom, user: User) -> None:
    """Take a former member of staff out of the classroom's live lesson."""
    take_out(Participant.objects.filter(lesson__classroom=classroom, lesson__status="live", user_id=user.pk))


def take_out(seats: Iterable[Participant]) -> None:
    """Take these people out of their live lessons."""
    for participant in seats:
        _commit(participant.lesson, _entry("person.removed", _once("dismissed"), {"participant": participant.key}))
        Participant.objects.filter(pk=participant.pk).update(role=Role.STUDENT)


def _once(what: str) -> str:
    """Return an op id for something that the server may do more than once."""
    return f"{what}:{secrets.token_hex(8)}"


def _fitting(pages: Sequence[Draft]) -> int:
    """Return how many pages go into `lesson.started`: at least one."""
    size = 0
    for number, page in enumerate(pages[:PAGES_AT_START]):
        size += len(page.text.encode())
        if size > BYTES_AT_START and number:
            return number
    return min(len(pages), PAGES_AT_START)


def _take_lesson(classroom: Classroom, title: str) -> Lesson:
    """Make the row of a lesson that starts; the row of a start that never got into the log goes.

    Of two who start at once the later one wins: the log finds no row for the other's `lesson.started`.
    """
    try:
        with transaction.atomic():
            left = Lesson.objects.select_for_update().filter(classroom=classroom, status=Lesson.Status.STARTING, head=0)
            for lesson in left:
                lesson.delete()
            return Lesson.objects.create(classroom=classroom, title=title)
    except IntegrityError:
        raise _one_live() from None


def _one_live() -> Refused:
    return Refused(Code.NOT_ALLOWED, message=ONE_LIVE, status=409)


def _commit(lesson: Lesson, *entries: Entry) -> Sequence[Outcome]:
    """Append from a thread and wait. Raises Refused where the log refuses or takes too long."""
    try:
        outcomes = log.append(lesson.pk, entries).result(PATIENCE)
    except FutureTimeout:
        raise Refused(Code.TRY_AGAIN, retry=True) from None
    for outcome in outcomes:
        if outcome.code is not None:
            raise Refused(outcome.code, retry=outcome.retry)
    return outcomes
