"""The plain ASGI doors on a real server: the state of a lesson, and waiting for one."""

import asyncio
import gzip
import http.client
import json
from typing import Any, NamedTuple

import pytest

from classrooms import lesson as fold
from tests.support.cast import CODE
from tests.support.client import Client
from tests.support.server import Server
from tests.support.socket import PAGE, add, edit


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(server: Server, path: str, ticket: str = "", method: str = "GET", **headers: str) -> Answer:
    """Ask as plainly as HTTP allows: what the server sends is what comes back."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    authorization = {"Authorization": f"Ticket {ticket}"} if ticket else {}
    try:
        connection.request(method, path, headers=authorization | headers)
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


@pytest.fixture
def seat(server: Server, lesson: int) -> dict[str, Any]:
    return server.join("Ana")


# --- state -------------------------------------------------------------------------------------------------------


def test_the_state_is_what_the_log_folds_to(server: Server, lesson: int, seat: dict[str, Any]) -> None:
    answer = ask(server, seat["state"], seat["ticket"])
    folded = fold.fresh()
    for event in server.events(lesson):
        fold.apply(folded, fold.Event(**event))
    assert answer.status == 200
    assert answer.json["state"] == fold.state_json(folded)
    assert (answer.json["seq"], answer.json["at"]) == (folded.seq, folded.at)
    assert answer.json["digest"] == fold.digests(folded)
    assert answer.headers["etag"] == f'"{answer.json["epoch"]}.1"'
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_unchanged_state_is_not_sent_again(server: Server, seat: dict[str, Any]) -> None:
    etag = ask(server, seat["state"], seat["ticket"]).headers["etag"]
    for offered in (etag, f"W/{etag}", f'"x.1", {etag}'):
        answer = ask(server, seat["state"], seat["ticket"], **{"If-None-Match": offered})
        assert (answer.status, answer.body) == (304, b""), offered
        assert answer.headers["etag"] == etag
    assert ask(server, seat["state"], seat["ticket"], **{"If-None-Match": '"x.1"'}).status == 200


async def test_a_changed_state_has_another_etag(server: Server, lesson: int, seat: dict[str, Any]) -> None:
    etag = ask(server, seat["state"], seat["ticket"]).headers["etag"]
    async with await Client.guest(server, "Ben") as ben:
        seq = (await ben.propose("hand.raise"))["seq"]
    path = f"{seat['state']}?at_least={seq}"
    answer = await asyncio.to_thread(ask, server, path, seat["ticket"], "GET", **{"If-None-Match": etag})
    assert answer.status == 200
    assert answer.json["seq"] >= seq
    assert answer.json["state"]["hands"] == [ben.id]


@pytest.mark.parametrize(
    ("offer", "packed"), [("gzip", True), ("br, gzip", True), ("", False), ("gzip;q=0", False), ("br", False)]
)
def test_the_state_is_compressed_for_who_takes_it(
    server: Server, seat: dict[str, Any], offer: str, packed: bool
) -> None:
    plain = ask(server, seat["state"], seat["ticket"]).body
    answer = ask(server, seat["state"], seat["ticket"], **{"Accept-Encoding": offer})
    assert answer.headers.get("content-encoding") == ("gzip" if packed else None)
    assert answer.headers["vary"] == "accept-encoding, authorization"
    assert (gzip.decompress(answer.body) if packed else answer.body) == plain


async def test_boards_are_chosen_and_their_digests_stay(server: Server, lesson: int) -> None:
    async with await Client.staff(server, lesson) as teacher:
        page = f"{teacher.id}.{teacher.client}.1"
        await teacher.propose("page.add", {"page": page, "kind": "blank", "title": ""})
        await teacher.propose("board.edit", edit(add(f"{teacher.id}.{teacher.client}.9"), page=page))

        def boards(query: str) -> set[str]:
            answer = ask(server, f"{teacher.seat['state']}?at_least={teacher.state.seq}{query}", teacher.ticket)
            assert answer.json["digest"] == fold.digests(teacher.state)
            return set(answer.json["state"]["boards"])

        asked = [await asyncio.to_thread(boards, query) for query in ("", "&boards=current", f"&boards={page}")]
        assert asked == [{PAGE, page}, {PAGE}, {page}]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("boards=p99", 404, "unknown_page"),
        ("boards=__proto__", 404, "unknown_page"),
        ("boards=" + "x" * 5000, 404, "unknown_page"),
        ("at_least=x", 400, "bad_frame"),
        ("at_least=nan", 400, "bad_frame"),
        ("at_least=inf", 400, "bad_frame"),
        ("&".join(["a=1"] * 30), 400, "bad_frame"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_question_that_is_none_is_refused(
    server: Server, seat: dict[str, Any], query: str, status: int, code: str
) -> None:
    answer = ask(server, f"{seat['state']}?{query}", seat["ticket"])
    assert (answer.status, answer.json["code"]) == (status, code)


@pytest.mark.parametrize("query", ["at_least=999999999999", "at_least=1e308", "at_least=-1", "at_least=", "boards="])
def test_a_claim_beyond_the_head_gets_the_newest_there_is(server: Server, seat: dict[str, Any], query: str) -> None:
    assert ask(server, f"{seat['state']}?{query}", seat["ticket"]).json["seq"] == 1


def test_the_state_needs_a_ticket_of_its_own_lesson(server: Server, lesson: int, seat: dict[str, Any]) -> None:
    other = seat["state"].replace(str(lesson), str(lesson + 1))
    for path, ticket, status in [
        (seat["state"], "", 401),
        (seat["state"], "nonsense", 401),
        (seat["state"], "\xff:\xff", 401),
        (other, seat["ticket"], 403),
    ]:
        answer = ask(server, path, ticket)
        assert (answer.status, answer.json["code"]) == (status, "not_allowed"), path
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers.get("www-authenticate") == ("Ticket" if status == 401 else None)
    assert ask(server, seat["state"], Authorization="Token " + seat["ticket"]).status == 401


async def test_a_removed_person_gets_no_state(server: Server, lesson: int, seat: dict[str, Any]) -> None:
    async with await Client.staff(server, lesson) as teacher:
        await teacher.propose("person.remove", {"participant": seat["participant"]["id"]})
    answer = await asyncio.to_thread(ask, server, seat["state"], seat["ticket"])
    assert (answer.status, answer.json["code"]) == (403, "removed")


def test_what_was_made_is_there_after_the_end(server: Server, seat: dict[str, Any]) -> None:
    server.end_lessons()
    assert ask(server, f"{seat['state']}?at_least=2", seat["ticket"]).json["state"]["status"] == "ended"


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_head_is_get_without_its_body(server: Server, seat: dict[str, Any], method: str) -> None:
    answer = ask(server, seat["state"], seat["ticket"], method)
    assert answer.status == 200
    assert int(answer.headers["content-length"]) > 100
    assert len(answer.body) == (0 if method == "HEAD" else int(answer.headers["content-length"]))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(server: Server, seat: dict[str, Any], method: str) -> None:
    for path in (seat["state"], f"/live/waiting/{CODE}/"):
        answer = ask(server, path, seat["ticket"], method)
        assert (answer.status, answer.json["code"], answer.headers["allow"]) == (405, "unknown_kind", "GET, HEAD")


def test_live_addresses_that_are_none_are_not_there(server: Server, seat: dict[str, Any]) -> None:
    for path in ("/live/", "/live/lessons/x/state/", "/live/lessons/-1/state/", f"/live/lessons/{'9' * 5000}/state/"):
        assert ask(server, path, seat["ticket"]).status == 404, path


def test_a_failure_of_ours_is_told_as_one_to_try_again(impatient: Server) -> None:
    seat = impatient.join("Ana")
    answer = ask(impatient, f"{seat['state']}?at_least=666", seat["ticket"])
    assert (answer.status, answer.json["code"]) == (503, "try_again")
    assert "purpose" not in answer.body.decode()
    assert ask(impatient, seat["state"], seat["ticket"]).status == 200


# --- waiting -----------------------------------------------------------------------------------------------------


def test_a_lesson_that_is_live_is_told_at_once(server: Server, lesson: int) -> None:
    for code in (CODE, CODE.lower(), "tes-ted", "%20tested%20"):
        answer = ask(server, f"/live/waiting/{code}/?wait=25")
        assert (answer.status, answer.json["lesson"]) == (200, lesson)
        assert 0 <= answer.json["spread"] <= 10_000
        assert answer.headers["cache-control"] == "no-store"


async def test_who_waits_is_told_when_a_lesson_starts(server: Server) -> None:
    await asyncio.to_thread(server.end_lessons)
    waiting = [asyncio.create_task(asyncio.to_thread(ask, server, f"/live/waiting/{CODE}/")) for _ in range(5)]
    lesson = await asyncio.to_thread(server.start_lesson)
    assert [(await one).json["lesson"] for one in waiting] == [lesson] * 5


@pytest.mark.parametrize("code", ["AAAAAA", "x", "TESTEO", "%00", "x" * 3000, "😀".encode().hex()])
def test_a_code_without_a_lesson_is_waited_for_and_nothing_is_learnt(server: Server, lesson: int, code: str) -> None:
    answer = ask(server, f"/live/waiting/{code}/?wait=0.1")
    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize("wait", ["x", "nan", "inf"])
def test_a_wait_that_is_none_is_refused(server: Server, wait: str) -> None:
    answer = ask(server, f"/live/waiting/{CODE}/?wait={wait}")
    assert (answer.status, answer.json["code"]) == (400, "bad_frame")


def test_a_negative_wait_is_none_at_all(server: Server, lesson: int) -> None:
    assert ask(server, "/live/waiting/AAAAAA/?wait=-5").status == 204


async def test_an_oracle_of_codes_is_deaf_after_fifty(impatient: Server) -> None:
    """A guesser asks for code after code; the fifty-first is not looked up, though a lesson is live there."""
    codes = [f"{a}{b}2345" for a in "ABCDEFGH" for b in "ABCDEFG"]
    for code in codes:
        assert (await asyncio.to_thread(ask, impatient, f"/live/waiting/{code}/?wait=0")).status == 204
    assert (await asyncio.to_thread(ask, impatient, f"/live/waiting/{CODE}/?wait=1.5")).status == 204
