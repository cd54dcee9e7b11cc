"""A separate program: it reads a lesson's log from the database, folds it from zero and holds clients to account.

`python -m tests.support.reconcile DATABASE_URL LESSON < accounts`, where `accounts` has one JSON object a line, each an
`Account`. It prints a sentence for each fault, then a verdict, and exits with 1 when there was a fault. Nothing of the
server runs in it: SQL of its own, and the pure fold.
"""

import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypedDict

import msgspec
import psycopg

from classrooms import lesson as fold
from classrooms import messages
from classrooms.refusals import Refused
from whiteboard.board import recomputed_digest

Frame = dict[str, Any]


class Account(TypedDict):
    """What one client says of itself.

    base     the seq it began to apply at: 0, or that of the snapshot it fetched last
    applied  the events that it applied since, in order
    repeats  events that came again on a connection that had brought them
    given    the op frames that it was given to send, in order
    answers  {op id: the frame that settled it: its own event, `done`, or a final `refused`}
    state    its fold, as the state door writes it; `digests` of its boards
    """

    who: str
    client: str
    base: int
    applied: list[Frame]
    repeats: int
    given: list[Frame]
    answers: dict[str, Frame]
    seq: int
    state: Frame
    digests: dict[str, int]


class Log(NamedTuple):
    """A lesson as the database has it."""

    head: int
    events: list[Frame]


def read_log(database: str, lesson: int) -> Log:
    """Return a lesson's log. `database` is an address as in DATABASE_URL."""
    events = 'SELECT seq, kind, "by", at, op, data FROM classrooms_event WHERE lesson_id = {} ORDER BY id'
    head = "SELECT head FROM classrooms_lesson WHERE id = {}"
    if database.startswith("sqlite:///"):
        with sqlite3.connect(f"file:{database.removeprefix('sqlite:///')}?mode=ro", uri=True, timeout=10) as connection:
            rows = connection.execute(events.format("?"), (lesson,)).fetchall()
            (stands,) = connection.execute(head.format("?"), (lesson,)).fetchone()
        connection.close()
    else:
        with psycopg.connect(database) as link:
            rows = link.execute(events.format("%s").encode(), (lesson,)).fetchall()
            found = link.execute(head.format("%s").encode(), (lesson,)).fetchone()
            stands = found[0] if found else 0
    return Log(
        stands,
        [
            {"seq": seq, "kind": kind, "by": by or None, "at": at, "op": op, "data": msgspec.json.decode(data)}
            for seq, kind, by, at, op, data in rows
        ],
    )


def faults_of_log(log: Log) -> Iterable[str]:
    """Tell what is wrong with the log by itself: holes, repeats, disorder in seq or time."""
    seqs = [event["seq"] for event in log.events]
    if seqs != list(range(1, log.head + 1)):
        yield f"the log holds {_short(seqs)} and not 1 to {log.head}, in the order of its rows"
    times = [event["at"] for event in log.events]
    if times != sorted(times):
        yield "the log's times run backwards"
    for (by, op), times_ in Counter((event["by"], event["op"]) for event in log.events).items():
        if times_ > 1:
            yield f"op {op} of {by} is {times_} times in the log"


def faults_of_client(log: Log, account: Account, whole: fold.LessonState) -> Iterable[str]:
    """Tell where a client's account differs from the log, whose fold from zero is `whole`."""
    who = f"{account['who']} ({account['client']})"
    expected = log.events[account["base"] :]
    if account["applied"] != expected:
        yield f"{who} applied {_difference(account['applied'], expected)}"
    if account["repeats"]:
        yield f"{who} was sent {account['repeats']} events again on the same connection"
    if account["seq"] != log.head:
        yield f"{who} stands at {account['seq']}, the log at {log.head}"
    if account["digests"] != fold.digests(whole):
        yield f"{who} has digests {account['digests']}, the log's fold {fold.digests(whole)}"
    if account["state"] != fold.state_json(whole):
        yield f"{who} has another state than the log's fold"
    yield from _faults_of_ops(log, account, who)


def _faults_of_ops(log: Log, account: Account, who: str) -> Iterable[str]:
    own = [event for event in log.events if (event["op"] or "").startswith(account["client"] + ":")]
    stored = {event["op"]: event for event in own}
    given = {op["id"]: op for op in account["given"]}
    for op in account["given"]:
        yield from (f"{who}: {fault}" for fault in _faults_of_op(op, account["answers"].get(op["id"]), stored))
    for event in own:
        if event["op"] not in given or event["by"] != account["who"]:
            yield f"{who}: the log has {event['op']} by {event['by']}, which it never sent"
    order = [event["op"] for event in own]
    if order != [op for op in given if op in stored]:
        yield f"{who}: its ops are in the log in another order than they were given"


def _faults_of_op(op: Frame, answer: Frame | None, stored: dict[str, Frame]) -> Iterable[str]:
    event = stored.get(op["id"])
    if answer is None:
        yield f"{op['id']} was never answered"
    elif answer.get("type") == "refused":
        if event is not None:
            yield f"{op['id']} was refused ({answer['code']}) and is event {event['seq']}"
    elif event is None:
        yield f"{op['id']} was acknowledged as event {answer['seq']} and is not in the log"
    elif event["seq"] != answer["seq"]:
        yield f"{op['id']} was acknowledged as event {answer['seq']} and is event {event['seq']}"
    else:
        yield from _faults_of_content(op, event)


def _faults_of_content(op: Frame, event: Frame) -> Iterable[str]:
    try:
        asked = messages.read_op(messages.Op(op["id"], op["kind"], msgspec.Raw(msgspec.json.encode(op["data"]))))
    except Refused as refusal:
        yield f"{op['id']} should have been refused ({refusal.code})"
        return
    if (asked.kind, asked.data) != (event["kind"], event["data"]):
        yield f"{op['id']} asked for {asked.kind} {asked.text} and the log has {event['kind']} {event['data']}"


def faults(log: Log, accounts: Sequence[Account]) -> list[str]:
    """Return a sentence for each fault."""
    found = list(faults_of_log(log))
    if found:
        return found
    whole = fold.fresh()
    for event in log.events:
        fold.apply(whole, fold.Event(**event))
    for page, board in whole.boards.items():
        if board.digest != recomputed_digest(board):
            found.append(f"page {page}: the digest carried along differs from the one computed anew")
    for account in accounts:
        found += faults_of_client(log, account, whole)
    return found


def _short(seqs: list[int]) -> str:
    return f"{len(seqs)} events, {seqs[:3]} … {seqs[-3:]}"


def _difference(applied: list[Frame], expected: list[Frame]) -> str:
    for index, (one, other) in enumerate(zip(applied, expected, strict=False)):
        if one != other:
            return f"as number {index + 1} {one} and not {other}"
    return f"{len(applied)} events and not {len(expected)}"


def main() -> None:
    """Do what the command line says."""
    database, lesson = sys.argv[1], int(sys.argv[2])
    accounts: list[Account] = [json.loads(line) for line in sys.stdin if line.strip()]
    log = read_log(database, lesson)
    found = faults(log, accounts)
    for fault in found:
        sys.stdout.write(f"{fault}\n")
    ops = sum(len(account["given"]) for account in accounts)
    sys.stdout.write(f"{len(found)} faults: {log.head} events, {len(accounts)} clients, {ops} ops\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
