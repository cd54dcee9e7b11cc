"""Asking the REST door in the test's own process, as a browser or as a program does."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from rest_framework.authtoken.models import Token

from classrooms import access, actions, log
from classrooms.guesses import Curiosity, Guesses, Proven
from classrooms.models import Classroom, Lesson
from tests.support.cast import CODE


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody has guessed anything yet, and the writer's thread lets go of the database afterwards."""
    monkeypatch.setattr(access, "_codes", Guesses())
    monkeypatch.setattr(access, "_proven", Proven())
    monkeypatch.setattr(access, "_passwords", Guesses())
    monkeypatch.setattr(access, "_waits", Curiosity())
    yield
    log.stop()


@pytest.fixture
def live(classroom: Classroom, teacher: User) -> Lesson:
    return actions.start(classroom, title="Leaves", decks=[], by=teacher)


class Api:
    """Somebody who asks: a browser's session with CSRF checks on, or a program's token."""

    def __init__(self, user: User | None = None, *, token: bool = False) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.headers: dict[str, str] = {}
        if user is not None and token:
            self.headers["Authorization"] = f"Token {Token.objects.get_or_create(user=user)[0].key}"
        elif user is not None:
            self.client.force_login(user)
            self.client.get("/")
            self.headers["X-CSRFToken"] = self.client.cookies["csrftoken"].value

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        return answer(self.client.get(f"/api/{path}", headers=self.headers | headers))

    def post(self, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        text = body if isinstance(body, str | bytes) else json.dumps(body if body is not None else {})
        response = self.client.post(f"/api/{path}", text, "application/json", headers=self.headers | headers)
        return answer(response)

    def send(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        request = self.client.generic(
            method, f"/api/{path}", json.dumps(body or {}), "application/json", headers=self.headers
        )
        return answer(request)


def answer(response: HttpResponse | Any) -> tuple[int, Any]:
    """Return status and decoded body; every refusal has the form of one."""
    body: Any = json.loads(response.content) if response.content else None
    if response.status_code >= 400:
        known = {"code", "message", "after"} | ({"classroom"} if body["code"] == "not_live" else set())
        assert body.keys() <= known, body
        assert body["message"], body
    return response.status_code, body


def join(api: Api, name: str = "Ana", code: str = CODE, **headers: str) -> tuple[int, Any]:
    """Join by code as a guest."""
    return api.post("join/", {"code": code, "name": name}, **headers)


def ticketed(ticket: str) -> dict[str, str]:
    """Return the headers of a request with a ticket."""
    return {"Authorization": f"Ticket {ticket}"}
