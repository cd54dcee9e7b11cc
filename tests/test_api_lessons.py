"""The REST door of staff: classrooms and lessons, and who sees which."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from classrooms import actions
from classrooms.models import Classroom, Lesson, Staff
from tests.support.api import Api, answer, join, ticketed
from whiteboard.models import Deck

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("forgotten")]


STAFF_DOORS = [
    "classrooms/",
    "classrooms/{classroom}/",
    "classrooms/{classroom}/lessons/",
    "lessons/",
    "lessons/{lesson}/",
]


@pytest.mark.parametrize("path", [*STAFF_DOORS, "decks/"])
def test_staff_doors_ask_who_one_is(live: Lesson, path: str) -> None:
    address = path.format(classroom=live.classroom_id, lesson=live.pk)
    response = Client().get(f"/api/{address}")
    assert answer(response) == (401, {"code": "not_allowed", "message": "Log in first."})
    assert response["WWW-Authenticate"] == "Token"
    assert Api().get(address, Authorization="Token nonsense")[0] == 401


def test_a_guest_is_nobody_at_staff_doors(live: Lesson) -> None:
    api = Api()
    _, seat = join(api)
    assert api.get("lessons/")[0] == 401
    assert api.get("lessons/", **ticketed(seat["ticket"]))[0] == 401


def test_an_outsider_sees_none_of_it(live: Lesson, outsider: User) -> None:
    api = Api(outsider)
    assert api.get("classrooms/")[1]["results"] == []
    assert api.get("lessons/")[1]["results"] == []
    for path in STAFF_DOORS:
        if "{" in path:
            status, refusal = api.get(path.format(classroom=live.classroom_id, lesson=live.pk))
            assert (status, refusal["message"]) == (404, "There is nothing here, or it is not yours.")
    for method, path in [
        ("POST", f"classrooms/{live.classroom_id}/lessons/"),
        ("PATCH", f"classrooms/{live.classroom_id}/"),
        ("PUT", f"classrooms/{live.classroom_id}/"),
        ("DELETE", f"classrooms/{live.classroom_id}/"),
        ("POST", f"lessons/{live.pk}/end/"),
    ]:
        assert api.send(method, path, {"title": "taken"})[0] == 404
    live.refresh_from_db()
    assert (live.status, live.classroom.title) == ("live", "Photosynthesis")


def test_an_instructor_makes_a_classroom_and_owns_it(teacher: User, outsider: User) -> None:
    status, room = Api(outsider).post(
        "classrooms/", {"title": "Roots", "code": "AAAAAA", "draw": "staff", "door": "locked"}
    )
    assert status == 201
    assert (room["title"], room["draw"], room["door"], room["live_lesson"]) == ("Roots", "staff", "locked", None)
    assert room["code"] != "AAAAAA"
    assert Staff.objects.get(classroom=room["id"]).role == "owner"
    assert Api(teacher).get(f"classrooms/{room['id']}/")[0] == 404


@pytest.mark.parametrize(
    "body", [{}, {"title": ""}, {"title": "x" * 121}, {"title": "a\x00"}, {"title": "x", "draw": "all"}]
)
def test_a_classroom_that_makes_no_sense_is_refused(teacher: User, body: Any) -> None:
    assert Api(teacher).post("classrooms/", body)[0] == 400
    assert not Classroom.objects.exists()


def test_only_instructors_make_classrooms(classroom: Classroom, ana: User) -> None:
    Staff.objects.create(classroom=classroom, user=ana, role="assistant")
    assert Api(ana).post("classrooms/", {"title": "Mine"})[0] == 403


def test_an_assistant_looks_and_ends_but_changes_nothing(live: Lesson, assistant: User) -> None:
    api, room = Api(assistant), f"classrooms/{live.classroom_id}/"
    assert api.get(room)[1]["live_lesson"] == live.pk
    for method in ("PATCH", "PUT", "DELETE"):
        assert api.send(method, room, {"title": "taken"})[0] == 403
    assert api.post(f"{room}lessons/", {})[0] == 403
    assert api.post(f"lessons/{live.pk}/end/")[1]["status"] == "ended"
    live.classroom.refresh_from_db()
    assert live.classroom.title == "Photosynthesis"


def test_a_classroom_with_a_past_is_not_deleted(live: Lesson, teacher: User) -> None:
    api = Api(teacher)
    assert api.send("DELETE", f"classrooms/{live.classroom_id}/")[0] == 403
    _, room = api.post("classrooms/", {"title": "Roots"})
    assert api.send("DELETE", f"classrooms/{room['id']}/")[0] == 204


def test_a_lesson_starts_is_listed_and_ends(classroom: Classroom, teacher: User) -> None:
    api, room = Api(teacher, token=True), f"classrooms/{classroom.pk}/"
    status, lesson = api.post(f"{room}lessons/", {"title": "Leaves"})
    assert status == 201
    assert (lesson["classroom"], lesson["title"], lesson["status"], lesson["head"]) == (
        classroom.pk,
        "Leaves",
        "live",
        1,
    )
    assert api.get(room)[1]["live_lesson"] == lesson["id"]
    assert [one["id"] for one in api.get(f"{room}lessons/")[1]["results"]] == [lesson["id"]]
    assert [one["id"] for one in api.get("lessons/")[1]["results"]] == [lesson["id"]]
    status, refusal = api.post(f"{room}lessons/", {})
    assert (status, refusal["code"], refusal["message"]) == (409, "not_allowed", actions.ONE_LIVE)
    for _ in range(2):
        assert api.post(f"lessons/{lesson['id']}/end/")[1]["status"] == "ended"
    assert api.get(f"lessons/{lesson['id']}/")[1]["head"] == 2
    assert api.post(f"{room}lessons/", {})[1]["title"] == "Photosynthesis"


def test_a_lesson_that_never_started_is_not_ended(classroom: Classroom, teacher: User) -> None:
    starting = Lesson.objects.create(classroom=classroom, title="Leaves")
    status, refusal = Api(teacher).post(f"lessons/{starting.pk}/end/")
    assert (status, refusal["code"]) == (409, "not_live")


@pytest.mark.parametrize("decks", [["x"], [None], [1.5], "1", {}, [10**30], [-1], list(range(21)), [[1]]], ids=str)
def test_decks_that_are_none_are_refused(classroom: Classroom, teacher: User, decks: Any) -> None:
    assert Api(teacher).post(f"classrooms/{classroom.pk}/lessons/", {"decks": decks})[0] in (400, 404)
    assert not Lesson.objects.exists()


def test_a_lesson_starts_with_ones_own_decks_that_are_ready(
    classroom: Classroom, teacher: User, outsider: User
) -> None:
    api, path = Api(teacher), f"classrooms/{classroom.pk}/lessons/"
    foreign = Deck.objects.create(owner=outsider, title="x", status=Deck.Status.READY)
    hidden = Deck.objects.create(owner=teacher, title="x", status=Deck.Status.READY, hidden=True)
    for deck in (foreign, hidden):
        assert api.post(path, {"decks": [deck.pk]})[0] == 404
    waiting = Deck.objects.create(owner=teacher, title="x", status=Deck.Status.CONVERTING)
    status, refusal = api.post(path, {"decks": [waiting.pk]})
    assert (status, refusal["code"]) == (409, "try_again")
    failed = Deck.objects.create(owner=teacher, title="x", status=Deck.Status.FAILED, error="file_encrypted")
    status, refusal = api.post(path, {"decks": [failed.pk]})
    assert (status, refusal["code"]) == (409, "file_encrypted")
    assert not Lesson.objects.exists()
    ready = Deck.objects.create(owner=teacher, title="x", status=Deck.Status.READY)
    assert api.post(path, {"decks": [ready.pk, ready.pk]})[0] == 201


@pytest.mark.parametrize("key", ["abc", "99999999999999999999999", "0", "%00", "-1"])
def test_an_address_that_names_nothing_is_not_there(teacher: User, key: str) -> None:
    for path in (f"classrooms/{key}/", f"lessons/{key}/", f"decks/{key}/"):
        response = Api(teacher).client.get(f"/api/{path}")
        assert response.status_code in (401, 404)
