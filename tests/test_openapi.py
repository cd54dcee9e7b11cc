"""The REST door keeps its word: the schema is whole, the committed copy is it, and the running app answers by it."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import yaml
from django.test import Client
from django.utils import translation
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.seed import token_of
from tests.support.server import ROOT, Server

COMMITTED = ROOT / "docs" / "openapi.yaml"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def generated() -> dict[str, Any]:
    """The schema as the site serves it, in plain types."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    assert isinstance(schema, dict)
    return dict(yaml.safe_load(yaml.safe_dump(schema, default_flow_style=False)))


def test_the_schema_is_valid_and_nothing_in_it_is_a_guess() -> None:
    reset_generator_stats()
    validate_schema(generated())  # type: ignore[no-untyped-call]
    assert not GENERATOR_STATS, "python manage.py spectacular says what is missing"


def test_the_committed_schema_is_the_one_that_is_served() -> None:
    told = "Write it anew: python manage.py spectacular --file docs/openapi.yaml"
    assert yaml.safe_load(COMMITTED.read_text(encoding="utf-8")) == generated(), told


@pytest.mark.django_db
def test_the_schema_is_the_same_in_every_language() -> None:
    with translation.override("de"):  # what a request leaves to its thread
        answer = Client(headers={"Accept-Language": "de"}).get("/api/schema/?format=json")
    assert answer.json() == yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))


def test_every_door_says_how_it_refuses() -> None:
    for path, methods in generated()["paths"].items():
        for method, operation in methods.items():
            assert "default" in operation["responses"], (method, path)


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Server]:
    """A server of its own: what comes ends lessons and deletes classrooms."""
    with Server() as server:
        yield server


def test_the_running_app_answers_by_its_schema(fuzzed: Server) -> None:
    schema = schemathesis.openapi.from_url(f"{fuzzed.url}/api/schema/?format=json")
    asked = 0
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # an Err would fail here, as it should

        @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE))
        @settings(max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        def answers(case: Any) -> None:
            nonlocal asked
            asked += 1
            headers = {} if "events" in case.path else {"Authorization": f"Token {token_of('teacher')}"}
            case.call_and_validate(headers=headers, checks=CHECKS)

        answers()
    assert asked > 50
