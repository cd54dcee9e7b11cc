"""The REST door as browsers and programs meet it: joining, origins, tickets, events, tokens, and its manners."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.authtoken.models import Token

from classrooms import access, actions, log
from classrooms.guesses import EACH
from classrooms.models import Classroom, Lesson, Participant
from classrooms.roles import Role
from tests.support.api import Api, answer, join, ticketed
from tests.support.cast import CODE, PASSWORD

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("forgotten")]


# --- join --------------------------------------------------------------------------------------------------------


def test_a_guest_gets_a_pass_and_a_session(live: Lesson) -> None:
    api = Api()
    status, seat = join(api)
    assert status == 201
    base = f"/live/lessons/{live.pk}/"
    assert seat["participant"] == {"id": "u1", "name": "Ana", "role": "student", "color": access.COLORS[1]}
    assert (seat["lesson"], seat["live"], seat["state"]) == (live.pk, {"socket": f"{base}socket/"}, f"{base}state/")
    assert access.by_ticket(seat["ticket"]).participant == "u1"
    cookie = api.client.cookies["sessionid"]
    assert timedelta(seconds=int(cookie["max-age"])) >= timedelta(days=7)
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_joining_again_is_the_same_seat_under_a_new_session_key(live: Lesson) -> None:
    api = Api()
    _, first = join(api)
    before = api.client.cookies["sessionid"].value
    _, again = join(api)
    after = api.client.cookies["sessionid"].value
    assert first["participant"] == again["participant"]
    assert before != after
    stale = Api()
    stale.client.cookies["sessionid"] = before
    assert stale.post(f"lessons/{live.pk}/join/")[0] == 403
    assert api.post(f"lessons/{live.pk}/join/")[0] == 201


def test_a_session_key_that_somebody_planted_is_worth_nothing(live: Lesson) -> None:
    attacker, victim = Api(), Api()
    join(attacker, "Eve")
    planted = attacker.client.cookies["sessionid"].value
    victim.client.cookies["sessionid"] = planted
    _, seat = join(victim, "Ana")
    assert seat["participant"]["name"] == "Ana"
    assert attacker.post(f"lessons/{live.pk}/join/")[0] == 403
    assert attacker.post(f"lessons/{live.pk}/ticket/")[0] == 403


BODIES: list[tuple[object, str]] = [
    ("", "bad_frame"),
    ("{", "bad_frame"),
    ("[]", "bad_frame"),
    ("7", "bad_frame"),
    ("null", "bad_frame"),
    (b"\xff\xfe", "bad_frame"),
    ("[" * 50_000, "bad_frame"),
    ('{"a":' * 10_000, "bad_frame"),
    ('{"code":"TESTED","name":NaN}', "bad_frame"),
    ({}, "bad_frame"),
    ({"code": CODE}, "bad_frame"),
    ({"code": CODE, "name": ""}, "bad_frame"),
    ({"code": CODE, "name": None}, "bad_frame"),
    ({"code": CODE, "name": {"$ne": 1}}, "bad_frame"),
    ({"code": [CODE], "name": "Ana"}, "bad_frame"),
    ({"code": CODE, "name": "A\x00na"}, "bad_frame"),
    ({"code": CODE, "name": "Ana\ud83d"}, "bad_frame"),
    ({"code": CODE, "name": "Ana\u202e"}, "bad_frame"),
    ({"code": "x" * 41, "name": "Ana"}, "bad_frame"),
    ({"code": CODE, "name": "x" * 41}, "too_long"),
]


def test_a_body_that_says_nothing_is_refused(live: Lesson) -> None:
    for body, code in BODIES:
        status, refusal = Api().post("join/", body)
        assert (status, refusal["code"]) == (400, code), str(body)[:40]
    assert not Participant.objects.exists()


def test_a_body_that_is_far_too_large_is_refused_unread(live: Lesson) -> None:
    status, refusal = Api().post("join/", {"code": CODE, "name": "x" * 70_000})
    assert (status, refusal["code"]) == (413, "too_large")


def test_a_form_of_a_foreign_page_joins_nobody(live: Lesson) -> None:
    response = Client(enforce_csrf_checks=True).post("/api/join/", {"code": CODE, "name": "Ana"})
    assert answer(response)[0] == 415
    assert answer(Client().post("/api/join/", '{"code":"TESTED","name":"Ana"}', "text/plain"))[0] == 415


def test_wrong_codes_are_limited_and_right_ones_are_not(live: Lesson) -> None:
    for number in range(EACH[1] + 5):
        assert join(Api(), f"Guest {number}")[0] == 201
    for _ in range(EACH[1]):
        assert join(Api(), code="AAAAAA")[1]["code"] == "unknown_code"
    status, refusal = join(Api(), code="AAAAAA")
    assert (status, refusal["code"]) == (429, "slow_down")
    assert 0 < refusal["after"] <= 2001


# --- origins -----------------------------------------------------------------------------------------------------

ORIGINS = [
    (None, True),
    ("http://testserver", True),
    ("http://testserver:80", True),
    ("http://TESTSERVER", True),
    ("https://trusted.example:8443", True),
    ("http://testserver:8000", False),
    ("https://testserver", False),
    ("https://trusted.example", False),
    ("http://trusted.example:8443", False),
    ("http://evil.example", False),
    ("http://testserver.evil.example", False),
    ("http://evil.example/testserver", False),
    ("null", False),
    ("", False),
    ("://", False),
    ("http://[", False),
    ("http://testserver:x", False),
]


@pytest.mark.parametrize("door", ["join/", "lessons/{lesson}/join/", "lessons/{lesson}/ticket/"])
def test_a_foreign_page_does_nothing_for_a_guest(live: Lesson, settings: Settings, door: str) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example:8443"]
    api = Api()
    join(api)
    for origin, admitted in ORIGINS:
        headers = {} if origin is None else {"Origin": origin}
        status, body = api.post(door.format(lesson=live.pk), {"code": CODE, "name": "Ana"}, **headers)
        assert (status < 300) is admitted, (origin, body)
        assert admitted or (status, body["code"]) == (403, "not_allowed"), origin
    assert Participant.objects.count() == 1


def test_behind_our_proxy_the_origin_is_the_one_that_browsers_see(live: Lesson, settings: Settings) -> None:
    settings.HTTPS = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    secure = {"X-Forwarded-Proto": "https", "Host": "testserver"}
    assert join(Api(), Origin="https://testserver", **secure)[0] == 201
    assert join(Api(), Origin="http://testserver", **secure)[0] == 403


def test_behind_our_proxy_failures_are_counted_by_what_the_proxy_saw(live: Lesson, settings: Settings) -> None:
    settings.HTTPS = True
    for _ in range(EACH[1] + 1):
        guesser = join(Api(), code="AAAAAA", **{"X-Forwarded-For": "10.0.0.1, 192.0.2.1"})
    assert guesser[0] == 429
    assert join(Api(), **{"X-Forwarded-For": "10.0.0.1, 192.0.2.2"})[0] == 201


def test_without_a_proxy_nobody_says_where_they_come_from(live: Lesson) -> None:
    for number in range(EACH[1] + 1):
        guesser = join(Api(), code="AAAAAA", **{"X-Forwarded-For": f"192.0.2.{number}"})
    assert guesser[0] == 429


# --- rejoin, ticket ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [True, False])
def test_staff_come_in_by_session_or_token(live: Lesson, teacher: User, assistant: User, token: bool) -> None:
    status, seat = Api(teacher, token=token).post(f"lessons/{live.pk}/join/")
    assert (status, seat["participant"]["role"]) == (201, "instructor")
    assert Api(assistant, token=token).post(f"lessons/{live.pk}/join/")[1]["participant"]["role"] == "assistant"


def test_a_guest_comes_back_by_their_own_session(live: Lesson) -> None:
    api = Api()
    _, first = join(api)
    status, again = api.post(f"lessons/{live.pk}/join/")
    assert status == 201
    assert again["participant"] == first["participant"]
    assert Participant.objects.count() == 1


@pytest.mark.parametrize("who", ["nobody", "outsider", "ana"])
def test_others_do_not_come_in(live: Lesson, who: str, request: pytest.FixtureRequest) -> None:
    api = Api() if who == "nobody" else Api(request.getfixturevalue(who))
    for door in ("join", "ticket"):
        assert api.post(f"lessons/{live.pk}/{door}/")[0] == 403
        assert api.post(f"lessons/{live.pk + 1}/{door}/")[0] == 404
    assert not Participant.objects.exists()


def test_a_session_user_needs_the_csrf_token_everywhere(live: Lesson, teacher: User) -> None:
    api = Api(teacher)
    del api.headers["X-CSRFToken"]
    for path in (
        "join/",
        f"lessons/{live.pk}/join/",
        f"lessons/{live.pk}/ticket/",
        f"lessons/{live.pk}/end/",
        "classrooms/",
    ):
        status, refusal = api.post(path, {"code": CODE, "name": "x", "title": "x"})
        assert (status, refusal["code"]) == (403, "not_allowed"), path
        assert refusal["message"] == "This page has become old. Reload it, then try again."
    live.refresh_from_db()
    assert live.status == "live"
    assert not Participant.objects.exists()


def test_a_ticket_makes_a_fresh_one_with_nothing_else(live: Lesson, teacher: User) -> None:
    _, seat = join(Api())
    status, fresh = Api().post(f"lessons/{live.pk}/ticket/", **ticketed(seat["ticket"]))
    assert status == 200
    assert access.by_ticket(fresh["ticket"]) == access.by_ticket(seat["ticket"])
    signed_in = Api(teacher)
    del signed_in.headers["X-CSRFToken"]
    assert signed_in.post(f"lessons/{live.pk}/ticket/", **ticketed(seat["ticket"]))[0] == 200, "it speaks for itself"


def test_a_ticket_for_staff_puts_them_into_the_log(live: Lesson, teacher: User) -> None:
    status, _ = Api(teacher).post(f"lessons/{live.pk}/ticket/")
    assert status == 200
    joined = json.loads(log.since(live.pk, 1)[0])
    assert joined["data"]["role"] == "instructor"


def test_a_ticket_that_is_none_or_of_another_lesson_opens_nothing(live: Lesson) -> None:
    _, seat = join(Api())
    for door in ("ticket", "events"):
        ask = Api().post if door == "ticket" else Api().get
        status, refusal = ask(f"lessons/{live.pk}/{door}/", **ticketed("nonsense"))
        assert (status, refusal["code"]) == (401, "not_allowed")
        assert ask(f"lessons/{live.pk + 1}/{door}/", **ticketed(seat["ticket"]))[0] == 403
    other = access.ticket(access.Seat(999, "u1", "Ana", "#8b4fbf", Role.STUDENT))
    assert Api().post("lessons/999/ticket/", **ticketed(other))[0] == 404
    assert Api().get("lessons/999/events/", **ticketed(other))[0] == 404


def test_a_removed_guest_has_no_use_for_their_ticket(live: Lesson) -> None:
    api = Api()
    _, seat = join(api)
    who = '{"participant":"u1","name":"Ana","role":"student","color":"#8b4fbf"}'
    log.append(
        live.pk, [log.Entry("person.joined", None, "j", who), log.Entry("person.removed", None, "r", who)]
    ).result(9)
    answers = [
        Api().post(f"lessons/{live.pk}/ticket/", **ticketed(seat["ticket"])),
        Api().get(f"lessons/{live.pk}/events/", **ticketed(seat["ticket"])),
        api.post(f"lessons/{live.pk}/join/"),
        api.post(f"lessons/{live.pk}/ticket/"),
        join(api, "Zoe"),
    ]
    assert [(status, body["code"]) for status, body in answers] == [(403, "removed")] * 5


def test_an_ended_lesson_takes_nobody_new_and_is_there_to_be_read(live: Lesson, teacher: User) -> None:
    api = Api()
    _, seat = join(api)
    actions.end(live, by=teacher)
    for one in (api, Api(teacher)):
        assert one.post(f"lessons/{live.pk}/join/")[0] == 201
    assert Api().post(f"lessons/{live.pk}/join/")[0] == 403
    assert join(api)[1]["code"] == "not_live"
    Lesson.objects.filter(pk=live.pk).update(ended_at=timezone.now() - timedelta(days=31))
    assert api.post(f"lessons/{live.pk}/join/")[1]["code"] == "ended"
    assert Api(teacher).post(f"lessons/{live.pk}/join/")[0] == 201
    assert Api().post(f"lessons/{live.pk}/ticket/", **ticketed(seat["ticket"]))[1]["code"] == "ended"
    assert Api().get(f"lessons/{live.pk}/events/", **ticketed(seat["ticket"]))[1]["code"] == "ended"


def test_staff_who_are_it_no_more_do_not_read_on_by_their_ticket(
    live: Lesson, teacher: User, classroom: Classroom, assistant: User
) -> None:
    was_there, reader = Api(assistant), Api(teacher)
    first = was_there.post(f"lessons/{live.pk}/join/")[1]["ticket"]
    actions.end(live, by=teacher)
    assert Api().post(f"lessons/{live.pk}/ticket/", **ticketed(first))[0] == 200
    second = reader.post(f"lessons/{live.pk}/join/")[1]["ticket"]
    assert Api().get(f"lessons/{live.pk}/events/", **ticketed(second))[0] == 200
    assert Api().post(f"lessons/{live.pk}/ticket/", **ticketed(second))[1]["code"] == "not_allowed"
    classroom.staff.filter(user=assistant).delete()
    assert Api().post(f"lessons/{live.pk}/ticket/", **ticketed(first))[1]["code"] == "not_allowed"
    assert Api().get(f"lessons/{live.pk}/events/", **ticketed(first))[1]["code"] == "not_allowed"


# --- events ------------------------------------------------------------------------------------------------------


def test_events_come_in_pages_as_the_wire_writes_them(live: Lesson) -> None:
    _, seat = join(Api())
    posts = [log.Entry("chat.posted", None, f"c:{n}", f'{{"text":"{n}"}}') for n in range(5)]
    log.append(live.pk, posts).result(10)

    def ask(query: str) -> list[int]:
        status, body = Api().get(f"lessons/{live.pk}/events/{query}", **ticketed(seat["ticket"]))
        assert status == 200
        assert (body["head"], len(body["epoch"])) == (6, 8)
        return [event["seq"] for event in body["events"]]

    assert ask("") == [1, 2, 3, 4, 5, 6]
    assert ask("?since=4") == [5, 6]
    assert ask("?since=1&limit=2") == [2, 3]
    assert ask("?since=1000000000000000000000") == []
    assert ask("?since=-5&limit=0") == [1]
    assert ask("?limit=99999999999999999999999") == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("query", ["since=x", "limit=x", "since=1.5", "since=%00", "since=" + "9" * 5000])
def test_a_question_that_is_none_is_refused(live: Lesson, query: str) -> None:
    _, seat = join(Api())
    status, refusal = Api().get(f"lessons/{live.pk}/events/?{query}", **ticketed(seat["ticket"]))
    assert (status, refusal["code"]) == (400, "bad_frame")


def test_no_event_of_an_answer_is_beyond_its_head(live: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    _, seat = join(Api())
    since = log.since

    def racing(lesson: int, seq: int, limit: int = 1000) -> list[bytes]:
        events = since(lesson, seq, limit)
        log.append(lesson, [log.Entry("chat.posted", None, "late", '{"text":"late"}')]).result(10)
        return events

    monkeypatch.setattr(log, "since", racing)
    _, body = Api().get(f"lessons/{live.pk}/events/", **ticketed(seat["ticket"]))
    assert body["head"] >= body["events"][-1]["seq"]


def test_events_need_a_ticket(live: Lesson, teacher: User) -> None:
    for api in (Api(), Api(teacher), Api(teacher, token=True)):
        response = api.client.get(f"/api/lessons/{live.pk}/events/", headers=api.headers)
        assert answer(response) == (
            401,
            {"code": "not_allowed", "message": "A ticket is needed here: join the lesson first."},
        )
        assert response["WWW-Authenticate"] == "Ticket"


# --- tokens ------------------------------------------------------------------------------------------------------


def test_staff_exchange_a_password_for_a_token(teacher: User, assistant: User, classroom: Classroom) -> None:
    for name in ("teacher", "assistant"):
        status, body = Api().post("token/", {"username": name, "password": PASSWORD})
        assert status == 200
        assert Api().get("classrooms/", Authorization=f"Token {body['token']}")[0] == 200


@pytest.mark.parametrize(
    ("username", "password", "status"),
    [
        ("teacher", "wrong", 403),
        ("nobody", PASSWORD, 403),
        ("ana", PASSWORD, 403),
        ("teacher", "", 400),
        ("te\x00", "x", 400),
    ],
)
def test_no_token_for_others(teacher: User, ana: User, username: str, password: str, status: int) -> None:
    answered, _ = Api().post("token/", {"username": username, "password": password})
    assert answered == status
    assert not Token.objects.exists()


def test_passwords_are_not_guessed_for_ever(teacher: User) -> None:
    for _ in range(EACH[1]):
        Api().post("token/", {"username": "teacher", "password": "wrong"})
    status, refusal = Api().post("token/", {"username": "teacher", "password": PASSWORD})
    assert (status, refusal["code"]) == (429, "slow_down")


# --- manners -----------------------------------------------------------------------------------------------------


def test_a_method_that_a_door_has_not_is_refused_by_its_code(live: Lesson, teacher: User) -> None:
    for path in ("join/", f"lessons/{live.pk}/join/", "token/"):
        status, refusal = Api(teacher).get(path)
        assert (status, refusal["code"]) == (405, "unknown_kind")
    assert Api(teacher).send("DELETE", f"lessons/{live.pk}/")[0] == 405


def test_nothing_that_goes_wrong_inside_is_told(live: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("the secret")

    monkeypatch.setattr(access, "by_code", broken)
    client = Client(raise_request_exception=False)
    response = client.post("/api/join/", {"code": CODE, "name": "Ana"}, "application/json")
    assert response.status_code == 500
    assert "secret" not in response.content.decode()
