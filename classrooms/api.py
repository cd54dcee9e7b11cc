"""The REST door: joining, tickets, classrooms and lessons. Each view parses, calls one verb, and translates."""

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import BigIntegerField, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, URLResolver, include, path
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import exceptions, serializers, status, viewsets
from rest_framework.authentication import BaseAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.decorators import action
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

from classrooms import access, actions, decks, log, origins, replica
from classrooms.access import Seat
from classrooms.api_decks import DeckViewSet
from classrooms.models import Classroom, Lesson, Staff
from classrooms.refusals import Code, Refused
from classrooms.rest import REFUSAL, OwnOrigin, StrictJSON, account, ticket_in
from whiteboard.models import Deck

MAX_EVENTS = 1000  # in one answer


# --- passes --------------------------------------------------------------------------------------------------------


def pass_for(seat: Seat) -> dict[str, Any]:
    """Return what a client needs to come in: who they are, a ticket, and the doors."""
    live = f"/live/lessons/{seat.lesson}/"
    return {
        "lesson": seat.lesson,
        "participant": {"id": seat.participant, "name": seat.name, "role": seat.role, "color": seat.color},
        "ticket": access.ticket(seat),
        "live": {"socket": f"{live}socket/"},
        "state": f"{live}state/",
    }


class ParticipantSerializer(serializers.Serializer[Any]):
    """A participant as themselves."""

    id = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=["instructor", "assistant", "student"])
    color = serializers.CharField()


class LiveSerializer(serializers.Serializer[Any]):
    """Addresses of the live doors; one that is not built is absent."""

    socket = serializers.CharField()


class PassSerializer(serializers.Serializer[Any]):
    """A pass to a lesson."""

    lesson = serializers.IntegerField()
    participant = ParticipantSerializer()
    ticket = serializers.CharField()
    live = LiveSerializer()
    state = serializers.CharField()


class JoinSerializer(serializers.Serializer[Any]):
    """What a guest types."""

    code = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=200)


class CredentialsSerializer(serializers.Serializer[Any]):
    """An account's name and password."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=400, trim_whitespace=False)


class JoinView(APIView):
    """Guests join the lesson that is live under a code."""

    permission_classes = [AllowAny, OwnOrigin]
    parser_classes = [StrictJSON]  # a foreign form cannot send JSON

    @extend_schema(
        request=JoinSerializer,
        responses={201: PassSerializer, "default": REFUSAL},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Take a seat; the guest session is set, under a new key, so a key planted before is worth nothing."""
        fields = JoinSerializer(data=request.data)
        fields.is_valid(raise_exception=True)
        seat = access.by_code(session=request.session, address=origins.address(request.META), **fields.validated_data)
        request.session.cycle_key()
        return Response(pass_for(seat), status.HTTP_201_CREATED)


class RejoinView(APIView):
    """Staff, by session or token, and guests, by their own session, come into a lesson."""

    permission_classes = [AllowAny, OwnOrigin]

    @extend_schema(request=None, responses={201: PassSerializer})
    def post(self, request: Request, lesson: int) -> Response:
        """Return a pass; the log learns of staff here, of guests with their first op."""
        return Response(pass_for(_own_seat(request, lesson)), status.HTTP_201_CREATED)


class TicketView(APIView):
    """A fresh ticket for a session, or for a ticket that is still valid."""

    permission_classes = [AllowAny, OwnOrigin]

    @extend_schema(
        request=None,
        responses={200: inline_serializer("Ticket", {"ticket": serializers.CharField()})},
    )
    def post(self, request: Request, lesson: int) -> Response:
        """Return a ticket for the seat that the request already has."""
        seat = _ticketed(request, lesson) if ticket_in(request) else _own_seat(request, lesson)
        if ticket_in(request) and seat.participant == access.READER:
            raise Refused(Code.NOT_ALLOWED)  # by their session, which says whether they are staff still
        return Response({"ticket": access.ticket(seat)})

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Leave the session alone where a ticket speaks for itself: it needs no CSRF token."""
        ticketed = self.request and ticket_in(self.request)  # there is no request while the schema is made
        return [] if ticketed else super().get_authenticators()


class EventsView(APIView):
    """The log of a lesson, a page at a time."""

    permission_classes = [AllowAny]

    @extend_schema(
        auth=[{"ticketAuth": []}],  # type: ignore[list-item]  # the stub knows names alone, the schema wants scopes
        parameters=[OpenApiParameter("since", int), OpenApiParameter("limit", int)],
        responses={
            200: inline_serializer(
                "Events",
                {
                    "epoch": serializers.CharField(),
                    "head": serializers.IntegerField(),
                    "events": serializers.ListField(child=serializers.JSONField()),
                },
            )
        },
    )
    def get(self, request: Request, lesson: int) -> HttpResponse:
        """Return the events after `since`, oldest first, as the very bytes that went over the wire."""
        _ticketed(request, lesson)
        since = _whole(request, "since", 0)
        limit = min(MAX_EVENTS, max(1, _whole(request, "limit", MAX_EVENTS)))
        events = log.since(lesson, since, limit)
        head = log.heads([lesson])[lesson]  # asked last: no event of the answer is beyond it
        body = b'{"epoch":"%s","head":%d,"events":[%s]}' % (
            head.epoch.encode(),
            head.seq,
            b",".join(events),
        )
        return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "no-store"})


class TokenView(APIView):
    """Staff exchange a password for an API token."""

    permission_classes = [AllowAny, OwnOrigin]
    parser_classes = [StrictJSON]

    @extend_schema(
        request=CredentialsSerializer,
        responses={200: inline_serializer("Token", {"token": serializers.CharField()})},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Return the account's token, making one at the first call. Wrong passwords are counted by address."""
        fields = CredentialsSerializer(data=request.data)
        fields.is_valid(raise_exception=True)
        user = access.by_password(address=origins.address(request.META), **fields.validated_data)
        if not decks.teaches(user):
            raise Refused(Code.NOT_ALLOWED)
        if is_mfa_enabled(user):
            raise Refused(Code.NOT_ALLOWED, message=_("Who signs in with a code too makes a token at /teach/account/."))
        token = Token.objects.get_or_create(user=user)[0]
        return Response({"token": token.key})


def _own_seat(request: Request, lesson: int) -> Seat:
    """Return the seat of a session or token: the log learns of staff here, of guests with their first op."""
    found = get_object_or_404(Lesson.objects.select_related("classroom"), pk=lesson)
    if access.staff_of(found.classroom, request.user) is not None:
        access.vouch(found.classroom, origins.address(request.META))
        return actions.seat_staff(found, request.user)
    return access.by_session(found, request.session)


def _ticketed(request: Request, lesson: int) -> Seat:
    """Return the seat of the request's ticket. Raises Refused: not_allowed, removed, ended."""
    if not ticket_in(request):
        raise Refused(Code.NOT_ALLOWED, status=401, message=_("A ticket is needed here: join the lesson first."))
    seat = access.by_ticket(ticket_in(request))
    if seat.lesson != lesson:
        raise Refused(Code.NOT_ALLOWED)
    try:
        access.may_read(lesson, seat.participant)
        person = replica.current(lesson).people.get(seat.participant)
    except Lesson.DoesNotExist:
        raise exceptions.NotFound from None
    if person is not None and person.removed:
        raise Refused(Code.REMOVED)
    return seat


def _whole(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        raise Refused(Code.BAD_FRAME) from None


# --- classrooms and lessons ----------------------------------------------------------------------------------------


class ClassroomSerializer(serializers.ModelSerializer[Classroom]):
    """A classroom with the id of its live lesson, if there is one."""

    live_lesson = serializers.SerializerMethodField()

    class Meta:
        model = Classroom
        fields = ["id", "title", "code", "live_lesson", "draw", "edit", "roam", "chat", "door", "retention"]
        read_only_fields = ["code"]

    def get_live_lesson(self, classroom: Classroom) -> int | None:
        """Return the id of the lesson that is live."""
        live = Lesson.objects.filter(classroom=classroom, status=Lesson.Status.LIVE)
        return live.values_list("pk", flat=True).first()


class LessonSerializer(serializers.ModelSerializer[Lesson]):
    """A lesson and where its log stands."""

    class Meta:
        model = Lesson
        fields = ["id", "classroom", "title", "status", "head", "started_at", "ended_at"]


class StartSerializer(serializers.Serializer[Any]):
    """What a lesson starts with."""

    title = serializers.CharField(max_length=120, required=False, allow_blank=True)
    decks = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=BigIntegerField.MAX_BIGINT), required=False, max_length=20
    )
    blank = serializers.IntegerField(min_value=0, max_value=actions.MOST_BLANK, required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, which Python keeps for itself: an ended lesson of this classroom to go on from."""
        last = serializers.IntegerField(min_value=1, max_value=BigIntegerField.MAX_BIGINT, required=False)
        return super().get_fields() | {"from": last}


class ClassroomViewSet(viewsets.ModelViewSet[Classroom]):
    """The classrooms that the user teaches in."""

    serializer_class = ClassroomSerializer
    queryset = Classroom.objects.none()

    def get_queryset(self) -> QuerySet[Classroom]:
        """Return the user's own classrooms."""
        if not self.request.user.is_authenticated:
            return Classroom.objects.none()
        return Classroom.objects.filter(staff__user=self.request.user)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make a classroom; instructors alone may."""
        if not access.is_instructor(request.user):
            raise Refused(Code.NOT_ALLOWED)
        return super().create(request, *args, **kwargs)

    def perform_create(self, serializer: serializers.BaseSerializer[Classroom]) -> None:
        """Make the classroom and its owner in one."""
        with transaction.atomic():
            classroom = serializer.save()
            Staff.objects.create(classroom=classroom, user=account(self.request), role=Staff.Role.OWNER)

    def perform_update(self, serializer: serializers.BaseSerializer[Classroom]) -> None:
        """Change a classroom; assistants may not."""
        self._refuse_assistants(serializer.instance)
        serializer.save()

    def perform_destroy(self, instance: Classroom) -> None:
        """Delete a classroom that never had a lesson; owners alone may."""
        staff = access.staff_of(instance, self.request.user)
        if staff is None or staff.role != Staff.Role.OWNER or instance.lessons.exists():
            raise Refused(Code.NOT_ALLOWED)
        instance.delete()

    @extend_schema(methods=["POST"], request=StartSerializer, responses={201: LessonSerializer})
    @extend_schema(methods=["GET"], responses={200: LessonSerializer(many=True)})
    @action(detail=True, methods=["get", "post"])
    def lessons(self, request: Request, pk: str) -> Response:
        """List the classroom's lessons, or start one."""
        classroom = self.get_object()
        if request.method == "GET":
            pages = LimitOffsetPagination()
            page = pages.paginate_queryset(classroom.lessons.all(), request)
            return pages.get_paginated_response(LessonSerializer(page, many=True).data)
        fields = StartSerializer(data=request.data)
        fields.is_valid(raise_exception=True)
        chosen = _ready_decks(account(request), fields.validated_data.get("decks", []))
        title = fields.validated_data.get("title") or classroom.title
        wanted = fields.validated_data.get("from")
        last = get_object_or_404(classroom.lessons, pk=wanted) if wanted is not None else None
        blank = fields.validated_data.get("blank", 0)
        lesson = actions.start(classroom, title=title, decks=chosen, by=account(request), blank=blank, last=last)
        return Response(LessonSerializer(lesson).data, status.HTTP_201_CREATED)

    def _refuse_assistants(self, classroom: Any) -> None:
        staff = access.staff_of(classroom, self.request.user)
        if staff is None or staff.role == Staff.Role.ASSISTANT:
            raise Refused(Code.NOT_ALLOWED)


def _ready_decks(owner: User, wanted: list[int]) -> list[Deck]:
    """Return a user's decks in the order wanted. Raises NotFound, or Refused while one of them has no page to show."""
    found = {deck.pk: deck for deck in Deck.objects.filter(owner=owner, hidden=False, pk__in=wanted)}
    if not found.keys() >= set(wanted):
        raise exceptions.NotFound
    teachable = set(decks.teachable(owner).filter(pk__in=wanted).values_list("pk", flat=True))
    for deck in found.values():
        if deck.pk in teachable or deck.status == Deck.Status.READY:
            continue
        if deck.status == Deck.Status.FAILED:
            raise Refused(Code(deck.error), message=decks.sentence(deck.error), status=409)
        message = _("No page of %(title)s is converted yet. Try again in a moment.") % {"title": deck.title}
        raise Refused(Code.TRY_AGAIN, message=message, retry=True, status=409)
    return [found[pk] for pk in wanted]


class LessonViewSet(viewsets.ReadOnlyModelViewSet[Lesson]):
    """The lessons of the user's classrooms."""

    serializer_class = LessonSerializer
    queryset = Lesson.objects.none()

    def get_queryset(self) -> QuerySet[Lesson]:
        """Return the lessons of the user's own classrooms."""
        if not self.request.user.is_authenticated:
            return Lesson.objects.none()
        return Lesson.objects.filter(classroom__staff__user=self.request.user).select_related("classroom")

    @extend_schema(request=None, responses={200: LessonSerializer})
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """End the lesson; once more does nothing."""
        lesson = self.get_object()
        actions.end(lesson, by=account(request))
        lesson.refresh_from_db()
        return Response(LessonSerializer(lesson).data)


router = SimpleRouter()
router.register("classrooms", ClassroomViewSet)
router.register("lessons", LessonViewSet)
router.register("decks", DeckViewSet, basename="deck")

urls: list[URLPattern | URLResolver] = [
    path("join/", JoinView.as_view(), name="api-join"),
    path("token/", TokenView.as_view(), name="api-token"),
    path("lessons/<int:lesson>/join/", RejoinView.as_view(), name="api-rejoin"),
    path("lessons/<int:lesson>/ticket/", TicketView.as_view(), name="api-ticket"),
    path("lessons/<int:lesson>/events/", EventsView.as_view(), name="api-events"),
    path("", include(router.urls)),
]
