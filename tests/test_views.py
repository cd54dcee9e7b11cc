"""The pages: who sees a lesson, what stands in it, and that looking changes nothing."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from classrooms import access, actions, log
from classrooms.guesses import Guesses, Proven
from classrooms.models import Classroom, Lesson
from tests.support.cast import CODE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def stopped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody has guessed anything yet, and the writer's thread lets go of the database afterwards."""
    monkeypatch.setattr(access, "_codes", Guesses())
    monkeypatch.setattr(access, "_proven", Proven())
    yield
    log.stop()


@pytest.fixture
def live(classroom: Classroom, teacher: User) -> Lesson:
    return actions.start(classroom, title="Leaves", decks=[], by=teacher)


def browser(user: User | None = None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def guest(name: str = "Ana") -> Client:
    client = Client()
    assert client.post("/api/join/", {"code": CODE, "name": name}, "application/json").status_code == 201
    return client


def page(client: Client, lesson: Lesson) -> str:
    response = client.get(f"/lessons/{lesson.pk}/")
    assert response.status_code == 200
    return response.content.decode()


def embedded(html: str) -> Any:
    """The pass that a page carries."""
    found = re.search(r'<script[^>]*id="pass"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert found, html
    return json.loads(found[1])


# --- home --------------------------------------------------------------------------------------------------------


def test_home_asks_for_a_code_and_a_scanned_address_brings_it(classroom: Classroom) -> None:
    assert browser().get("/").status_code == 200
    assert CODE in browser().get(f"/j/{CODE.lower()}/").content.decode()


@pytest.mark.parametrize("code", ['"><script>alert(1)</script>', "x" * 500, "\u202e", "%00", "{{7*7}}"])
def test_a_code_from_an_address_is_text(code: str) -> None:
    response = browser().get(f"/j/{code}/")
    if response.status_code == 200:
        assert "<script>alert" not in response.content.decode()
        assert "x" * 13 not in response.content.decode().lower()
    else:
        assert response.status_code == 404


# --- the lesson --------------------------------------------------------------------------------------------------


def test_a_guest_finds_their_pass_in_the_page_and_no_code(live: Lesson) -> None:
    html = page(guest(), live)
    assert embedded(html)["participant"]["name"] == "Ana"
    assert access.by_ticket(embedded(html)["ticket"]).participant == "u1"
    assert 'data-role="student"' in html
    assert CODE not in html


@pytest.mark.parametrize(("who", "role"), [("teacher", "instructor"), ("assistant", "assistant")])
def test_staff_find_the_code_and_ask_for_their_pass(
    live: Lesson, who: str, role: str, request: pytest.FixtureRequest
) -> None:
    html = page(browser(request.getfixturevalue(who)), live)
    assert embedded(html) is None
    assert f'data-role="{role}"' in html
    assert CODE in html
    assert "data:image/svg+xml" in unescape(html)
    assert "testserver</b> and type" in html


def test_a_guest_whom_the_instructor_made_an_assistant_has_the_page_of_one(live: Lesson) -> None:
    client = guest()
    who = '{"participant":"u1","name":"Ana","role":"assistant","color":"#8b4fbf"}'
    log.append(live.pk, [log.Entry("person.joined", None, "joined:u1", who)]).result(10)
    html = page(client, live)
    assert 'data-role="assistant"' in html
    assert "data:image/svg+xml" in unescape(html)


@pytest.mark.parametrize("who", ["nobody", "outsider", "ana"])
@pytest.mark.parametrize("ended", [False, True])
def test_others_are_asked_for_the_code_and_learn_nothing(
    live: Lesson, teacher: User, who: str, ended: bool, request: pytest.FixtureRequest
) -> None:
    if ended:
        actions.end(live, by=teacher)
    client = browser() if who == "nobody" else browser(request.getfixturevalue(who))
    response = client.get(f"/lessons/{live.pk}/")
    assert (response.status_code, response["Location"], response.content) == (302, "/", b"")


def test_a_page_of_an_ended_lesson_is_still_a_page(live: Lesson, teacher: User) -> None:
    client = guest()
    actions.end(live, by=teacher)
    assert " data-ended>" in page(client, live)
    assert embedded(page(client, live))["participant"]["name"] == "Ana"
    assert CODE not in page(client, live)
    assert "Leaves" in page(browser(teacher), live)
    Lesson.objects.filter(pk=live.pk).update(ended_at=timezone.now() - timedelta(days=31))
    assert embedded(page(client, live)) is None


def test_a_removed_guest_gets_a_page_without_a_pass(live: Lesson) -> None:
    client = guest()
    who = '{"participant":"u1","name":"Ana","role":"student","color":"#8b4fbf"}'
    entries = [log.Entry("person.joined", None, "joined:u1", who), log.Entry("person.removed", None, "removed:u1", who)]
    log.append(live.pk, entries).result(10)
    assert embedded(page(client, live)) is None


def test_a_name_cannot_break_out_of_the_page(live: Lesson) -> None:
    name = "</script><script>alert(1)//"
    html = page(guest(name), live)
    assert embedded(html)["participant"]["name"] == name
    assert "<script>alert" not in html


def test_a_lesson_that_has_not_started_or_never_was_is_not_there(classroom: Classroom, teacher: User) -> None:
    starting = Lesson.objects.create(classroom=classroom, title="Leaves")
    for lesson in (starting.pk, 999_999, 10**30):
        assert browser(teacher).get(f"/lessons/{lesson}/").status_code == 404


def test_pages_with_a_pass_are_kept_by_nobody(live: Lesson) -> None:
    response = guest().get(f"/lessons/{live.pk}/")
    assert "no-store" in response["Cache-Control"]
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    policy = response["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_pages_give_a_csrf_token(live: Lesson) -> None:
    for path in ("/", f"/j/{CODE}/"):
        assert re.search(r'<meta name="csrf-token" content="[A-Za-z0-9]{64}"', browser().get(path).content.decode())


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_pages_are_looked_at(live: Lesson, method: str) -> None:
    for path in ("/", f"/j/{CODE}/", f"/lessons/{live.pk}/"):
        assert getattr(browser(), method)(path).status_code == 405


# --- looking changes nothing -------------------------------------------------------------------------------------


def addresses(patterns: Any, prefix: str = "") -> Iterator[str]:
    """Every address of the site but those of /teach/, whose own tests walk them; parameters in braces."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def filled(route: str, lesson: Lesson) -> str:
    """An address with the values of a lesson; AssertionError where a new parameter has none here."""
    path = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", route).replace("^", "").replace("$", "").replace("\\Z", "")
    names = set(re.findall(r"<(?:\w+:)?(\w+)>", path))
    known = {"lesson": lesson.pk, "pk": lesson.pk, "id": 1, "object_id": 1, "code": CODE, "format": "json"}
    known |= {"app_label": "classrooms", "content_type_id": 1, "url": "x"}
    assert names <= known.keys(), f"{route}: what shall {names - known.keys()} be?"
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(known[found[1]]), path)


def everything() -> dict[str, list[Any]]:
    """Every row of every table."""
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in apps.get_models()}


def test_no_get_changes_anything(live: Lesson, teacher: User, outsider: User) -> None:
    routes = [route for route in addresses(get_resolver().url_patterns) if not route.startswith("teach/")]
    paths = [filled(route, live) for route in routes]
    assert {"/", f"/lessons/{live.pk}/", "/api/join/", f"/api/lessons/{live.pk}/end/"} <= set(paths)
    for client in (browser(), guest(), browser(teacher), browser(outsider)):
        before = everything()
        for path in paths:
            for method in ("get", "head", "options"):
                response = getattr(client, method)(path, {"code": CODE, "name": "Ana", "title": "x"})
                assert response.status_code < 500, path
        assert everything() == before
