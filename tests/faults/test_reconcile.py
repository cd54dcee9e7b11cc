"""The reconciliation itself finds what is missing, doubled, in disorder, different, or never answered."""

import copy
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from classrooms import lesson as fold
from tests.support.reconcile import Account, Log, faults
from tests.support.server import ROOT

POLICY = {"draw": "everyone", "edit": "own", "roam": True, "chat": True, "door": "open"}
EVENTS: list[dict[str, Any]] = [
    {"seq": 1, "kind": "lesson.started", "by": None, "at": 10, "op": "started",
     "data": {"title": "Leaves", "policy": POLICY, "pages": [{"page": "p1", "kind": "blank", "title": ""}]}},
    {"seq": 2, "kind": "person.joined", "by": None, "at": 11, "op": "joined:u1",
     "data": {"participant": "u1", "name": "Ana", "role": "student", "color": "#17694f"}},
    {"seq": 3, "kind": "hand.raised", "by": "u1", "at": 12, "op": "0123abcd:1", "data": {}},
    {"seq": 4, "kind": "chat.posted", "by": "u1", "at": 12, "op": "0123abcd:2", "data": {"text": "Why?"}},
]  # fmt: skip
OPS = [
    {"type": "op", "id": "0123abcd:1", "kind": "hand.raise", "data": {}},
    {"type": "op", "id": "0123abcd:2", "kind": "chat.post", "data": {"text": "Why?"}},
]


def honest() -> tuple[Log, Account]:
    """A log, and the account of a client to whom nothing happened."""
    state = fold.fresh()
    for event in EVENTS:
        fold.apply(state, fold.Event(**event))
    account: Account = {
        "who": "u1", "client": "0123abcd", "base": 0, "applied": EVENTS, "repeats": 0, "given": OPS,
        "answers": {"0123abcd:1": EVENTS[2], "0123abcd:2": {"type": "done", "id": "0123abcd:2", "seq": 4}},
        "seq": 4, "state": fold.state_json(state), "digests": fold.digests(state),
    }  # fmt: skip
    return Log(4, copy.deepcopy(EVENTS)), copy.deepcopy(account)


FORGERIES: dict[str, Callable[[Log, Account], object]] = {
    "4 events, [1, 2, 4]": lambda log, account: log.events[2].update(seq=4),
    "is 2 times in the log": lambda log, account: log.events[3].update(op="0123abcd:1"),
    "times run backwards": lambda log, account: log.events[1].update(at=99),
    "applied 3 events and not 4": lambda log, account: account["applied"].pop(),
    "applied as number 2": lambda log, account: account["applied"].insert(1, account["applied"][0]),
    "sent 1 events again": lambda log, account: account.update({"repeats": 1}),
    "stands at 3": lambda log, account: account.update({"seq": 3}),
    "has digests": lambda log, account: account["digests"].update(p1=7),
    "another state": lambda log, account: account["state"].update(hands=[]),
    "0123abcd:2 was never answered": lambda log, account: account["answers"].pop("0123abcd:2"),
    "was acknowledged as event 5 and is event 4": lambda log, account: account["answers"]["0123abcd:2"].update(seq=5),
    "was refused (ended) and is event 4": lambda log, account: account["answers"].update(
        {"0123abcd:2": {"type": "refused", "id": "0123abcd:2", "code": "ended"}}
    ),
    "acknowledged as event 4 and is not in the log": lambda log, account: (
        account["given"][1].update(id="0123abcd:3")
        or account["answers"].update({"0123abcd:3": account["answers"].pop("0123abcd:2")})
    ),
    "which it never sent": lambda log, account: account["given"].pop(),
    "in another order": lambda log, account: account["given"].reverse(),
    "asked for chat.posted": lambda log, account: account["given"][1].update(data={"text": "Who?"}),
}


def test_it_finds_no_fault_with_an_honest_account() -> None:
    log, account = honest()
    assert faults(log, [account, account]) == []


@pytest.mark.parametrize("sentence", list(FORGERIES))
def test_it_finds_what_is_wrong(sentence: str) -> None:
    log, account = honest()
    FORGERIES[sentence](log, account)
    found = faults(log, [account])
    assert [fault for fault in found if sentence in fault] != [], found


def test_the_latency_bench_reconciles_what_it_measures() -> None:
    """Of its figures nothing is asserted: this machine has other things to do."""
    asked = ["--clients", "6", "--rate", "20", "--seconds", "2", "--runs", "1"]
    command = [sys.executable, "-m", "benchmarks.latency", *asked]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sent 80 = committed 80 = applied by each of 6" in done.stdout


def test_the_program_exits_with_1_when_something_is_wrong(tmp_path: Path) -> None:
    database = tmp_path / "log.sqlite3"
    with sqlite3.connect(database) as connection:
        connection.executescript(
            'CREATE TABLE classrooms_event (id INTEGER PRIMARY KEY, lesson_id, seq, kind, "by", op, at, data);'
            "CREATE TABLE classrooms_lesson (id, head); INSERT INTO classrooms_lesson VALUES (7, 4)"
        )
        rows = [(7, e["seq"], e["kind"], e["by"] or "", e["op"], e["at"], json.dumps(e["data"])) for e in EVENTS]
        connection.executemany("INSERT INTO classrooms_event VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.close()
    _, account = honest()
    command = [sys.executable, "-m", "tests.support.reconcile", f"sqlite:///{database}", "7"]
    for repeats, code in ((0, 0), (1, 1)):
        text = json.dumps(account | {"repeats": repeats})
        done = subprocess.run(command, input=text, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (code, f"{code} faults: 4 events, 1 clients, 2 ops")
