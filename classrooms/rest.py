"""What all REST views share: refusals as answers, strict JSON, whose pages may ask, and the ticket of a request."""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import RequestDataTooBig
from drf_spectacular.utils import OpenApiResponse
from rest_framework import exceptions, serializers
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from classrooms import origins
from classrooms.refusals import N_, SENTENCES, Code, Refused

MAX_BODY = 64 * 1024  # bytes of JSON: the longest is a lesson's title and its decks


class RefusalSerializer(serializers.Serializer[Any]):
    """An error: a code of the closed list, a sentence, perhaps the ms after which to try again, or where to wait."""

    code = serializers.ChoiceField(choices=[code.value for code in Code])
    message = serializers.CharField()
    after = serializers.IntegerField(required=False)
    classroom = serializers.CharField(required=False)


REFUSAL = OpenApiResponse(RefusalSerializer, "A code of the closed list and a sentence.")


def with_refusals(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Write into the schema what holds for every door: numbers begin at 1, and whatever is not listed is a refusal."""
    schema = {"schema": {"$ref": "#/components/schemas/Refusal"}}
    refusal = {"description": REFUSAL.description, "content": {"application/json": schema}}
    for methods in result["paths"].values():
        for operation in methods.values():
            operation["responses"].setdefault("default", refusal)
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path" and parameter["schema"]["type"] == "integer":
                    parameter["schema"]["minimum"] = 1
    return result


def refused(error: Exception, context: dict[str, Any]) -> Response | None:
    """Translate every exception of a view into `{"code","message","after"?}`; what is no refusal is our own failure."""
    if isinstance(error, RequestDataTooBig):
        error = Refused(Code.TOO_LARGE)
    if isinstance(error, Refused):
        more = {"after": error.after, "classroom": error.classroom}
        told = {name: value for name, value in more.items() if value is not None}
        asked = {"WWW-Authenticate": "Ticket"} if error.status == 401 else None
        return Response({"code": error.code, "message": error.message} | told, error.status, headers=asked)
    response = exception_handler(error, context)
    if response is not None:
        code = _code_of(response.status_code)
        response.data = {"code": code, "message": _sentence(error, response.status_code) or SENTENCES[code]}
    return response


def _code_of(status: int) -> Code:
    """Return the code for an error of the framework's own. What is not there and what is not yours look the same."""
    match status:
        case 401 | 403 | 404:
            return Code.NOT_ALLOWED
        case 405 | 406 | 415:
            return Code.UNKNOWN_KIND
        case 413:
            return Code.TOO_LARGE
        case 429:
            return Code.SLOW_DOWN
        case _:
            return Code.BAD_FRAME


def _sentence(error: Exception, status: int) -> str | None:
    """Say it better than the code's own sentence, where more is known."""
    if isinstance(error, exceptions.ValidationError):
        details = error.detail if isinstance(error.detail, dict) else {"": error.detail}
        return " ".join(f"{field}: {_texts(problem)}".removeprefix(": ") for field, problem in details.items())
    if isinstance(error, exceptions.PermissionDenied) and str(error.detail).startswith("CSRF"):
        return "This page has become old. Reload it, then try again."
    return {401: "Log in first.", 404: "There is nothing here, or it is not yours."}.get(status)


def _texts(problem: Any) -> str:
    """Return the sentences of a field's problem; those of a list's members are found below their places."""
    if isinstance(problem, dict):
        return " ".join(map(_texts, problem.values()))
    return " ".join(map(_texts, problem)) if isinstance(problem, list) else str(problem)


class StrictJSON(JSONParser):
    """JSON of a small size and depth: a body that a parser would choke on is refused like any other bad one."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the decoded body, always an object."""
        try:
            if int((parser_context or {})["request"].META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
                raise Refused(Code.TOO_LARGE)
            body = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError from None
        if not isinstance(body, dict):
            raise exceptions.ParseError
        return body


class OwnOrigin(BasePermission):
    """Guests have no CSRF token, but a foreign page may not act for them either."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Admit our own pages, and programs that are no browsers. Raises Refused: not_allowed, logged in or not."""
        if not origins.allowed(request.headers.get("Origin"), request.get_host(), request.is_secure()):
            raise Refused(Code.NOT_ALLOWED, message=N_("Another site may not do this here."))
        return True


def account(request: Request) -> User:
    """Return the account of a request that only accounts may make."""
    if not isinstance(request.user, User):
        raise exceptions.NotAuthenticated
    return request.user


def ticket_in(request: Request) -> str:
    """Return the ticket of a request, empty where it has none."""
    scheme, _, ticket = request.headers.get("Authorization", "").partition(" ")
    return ticket.strip() if scheme.lower() == "ticket" else ""
