"""Lines of the log: JSON one line a thing, with the lesson and the participant, and without anybody's name."""

import json
import logging
import time
from collections.abc import Iterator

import pytest

from classroom_site import logs
from classrooms.access import Seat, ticket
from classrooms.closes import Close
from classrooms.roles import Role
from tests.support.client import Client
from tests.support.server import Server
from tests.support.socket import seated

ROW = 'duplicate key\nDETAIL:  Key (name)=(Zerlina) already exists.\nCONTEXT:  COPY t, line 1: "Zerlina"'


@pytest.fixture(scope="module")
def told() -> Iterator[Server]:
    """A server that tells everything, as JSON, and fails where a test wants it to."""
    env = {"LOG_FORMAT": "json", "LOG_LEVEL": "INFO"}
    with Server(patch="tests.support.impatient", env=env) as server:
        server.start_lesson()
        yield server


def record(message: str, *args: object, error: BaseException | None = None, **extra: object) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error is not None else None
    made = logging.LogRecord("classrooms.hub", logging.WARNING, __file__, 1, message, args, info)
    vars(made).update(extra)
    return made


async def test_a_lesson_is_told_line_by_line_without_a_name_an_address_or_a_ticket(told: Server) -> None:
    ana = await Client.guest(told, "Zerlina Quux")
    async with ana:
        await ana.propose("chat.post", {"text": "the secret of Zerlina"})
    async with seated(told, ana.seat) as socket:
        await socket.say({"type": "sync", "since": 666, "at": 1})
        assert (await socket.closed())[0] == Close.INTERNAL
    lines = [json.loads(line) for line in told.log.splitlines()]
    assert all(
        set(line) <= {"time", "logger", "level", "event", "lesson", "participant", "exception"} for line in lines
    )
    who = {"lesson": 1, "participant": ana.id}
    events = [line["event"] for line in lines if who.items() <= line.items()]
    assert {"a client has come", "a client has left", "a frame failed"} <= set(events)
    [failed] = [line for line in lines if line["event"] == "a frame failed"]
    assert "ZeroDivisionError: on purpose" in failed["exception"]
    assert failed["level"] == "error"
    ours = [line for line in told.log.splitlines() if '"logger": "daphne' not in line]  # that one says where it listens
    for private in ("Zerlina", "Quux", "secret of", "127.0.0.1", ana.ticket, ana.ticket.split(":")[0]):
        assert private not in "".join(ours)


@pytest.mark.parametrize("formatter", [logs.as_json(), logs.as_text()], ids=["json", "text"])
def test_what_errors_quote_is_left_out(formatter: logging.Formatter) -> None:
    passed = ticket(Seat(1, "u2", "Zerlina", "#17694f", Role.STUDENT))
    try:
        raise ValueError(
            f"{ROW}\nto zerlina@school.example from 192.0.2.7 and 2001:db8::7 with {passed} and {'ab' * 20}"
        )
    except ValueError as error:
        line = formatter.format(record("refused %s at 12:34:56 by ::ffff:192.0.2.8", passed, error=error))
    for private in ("Zerlina", "zerlina", passed, passed.split(":")[0], "192.0.2", "2001:db8", "ab" * 20):
        assert private not in line
    assert "12:34:56" in line
    assert "ValueError: duplicate key" in line.replace("\\n", "\n")


def test_json_is_one_line_with_what_is_known_and_nothing_else() -> None:
    line = logs.as_json().format(
        record("a thing\nof two %s", "lines", lesson=7, participant="u2", request="GET /j/CODE")
    )
    assert "\n" not in line
    fields = json.loads(line)
    assert fields.pop("time").endswith("+00:00")
    assert fields.pop("logger") == "classrooms.hub"
    assert fields == {"level": "warning", "event": "a thing\nof two lines", "lesson": 7, "participant": "u2"}
    assert "participant" not in json.loads(logs.as_json().format(record("server's own", lesson=7, participant=None)))


def test_text_says_the_lesson_and_the_participant_behind_the_message() -> None:
    line = logs.as_text().format(record("a thing", lesson=7, participant="u2"))
    assert line.endswith("WARNING classrooms.hub: a thing lesson=7 participant=u2")


def test_a_host_that_is_missing_in_the_settings_is_shown() -> None:
    one = record("Invalid HTTP_HOST header: '192.0.2.7:8000'")
    one.name = logs.KEEPS_HOSTS
    assert "192.0.2.7" in logs.as_json().format(one)
    assert "192.0.2.7" in logs.as_text().format(one)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("by 192.0.2.7:5000.", "by [address]:5000."), ("('192.0.2.7', 5000)", "('[address]', 5000)"),
        ("[2001:db8::7]:80", "[[address]]:80"), ("fe80::1%eth0", "[address]%eth0"),
        ("to 127.0.0.1:80", "to 127.0.0.1:80"), ("by ::1", "by ::1"),
        ("a.b+c@mail.school.example!", "[mail]!"), ("Token abcdefgh1", "[pass]"),
    ],
)  # fmt: skip
def test_addresses_and_passes_are_found_wherever_they_stand(text: str, shown: str) -> None:
    assert logs.without_people(text) == shown


@pytest.mark.parametrize("piece", ["a", "a:", ":", "1.", "a.", "a@", "-", "ab" * 8 + ":", "\n"])
def test_a_long_line_costs_no_more_than_its_length(piece: str) -> None:
    begun = time.process_time()
    logs.without_people(piece * (200_000 // len(piece)) + "!")
    assert time.process_time() - begun < 1


def test_what_looks_like_an_address_and_is_none_stays() -> None:
    for text in ("op 9f3a01c2:8", "at 12:34:56.123", "version 1.2.3", "tests/a.py::test_b", "p1: 3 of 4", "999.1.1.1"):
        assert logs.without_people(text) == text
