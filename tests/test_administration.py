"""/admin/: superusers have every model, others are told that it is not theirs, and every page keeps the policy."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django_tasks_db.models import DBTaskResult
from rest_framework.authtoken.models import Token

from classrooms import actions, log, replica
from classrooms.admin import administration
from classrooms.models import (
    Attendance,
    Classroom,
    Event,
    Lesson,
    LessonDeck,
    Participant,
    RosterEntry,
    Snapshot,
    Staff,
)
from tests.support.cast import PASSWORD, make_user
from tests.support.decks import make_deck
from tests.support.teach import client_of, make_lesson, text_of
from whiteboard.models import Deck, Slide

SECRET = "JBSWY3DPEHPK3PXP"  # what a phone's app was given: no page shows it
LEFT_OUT = {  # what an administrator has no use for, or must not see
    "auth.Permission": "opens nothing in Lectern",
    "contenttypes.ContentType": "Django's own book-keeping",
    "sessions.Session": "holds guests' seats: whoever reads a key is that guest",
    "account.EmailConfirmation": "mail is never sent",
    "socialaccount.SocialApp": "the settings say which sign-in there is",
    "socialaccount.SocialToken": "never stored",
    "authtoken.Token": "the token is its row's name and address: whoever sees it is that teacher",
    "authtoken.TokenProxy": "the same",
}
MODELS = sorted(administration._registry, key=lambda model: model._meta.label)
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", "root@school.example", PASSWORD)


@pytest.fixture
def rows(classroom: Classroom, teacher: User) -> dict[type[Model], Model]:
    """A row of each model, of the teacher's."""
    lesson = make_lesson(classroom)
    ana = Participant.objects.create(lesson=lesson, number=1, name="Ana", color="#000000")
    deck = make_deck(teacher)
    made: tuple[Model, ...] = (
        teacher, classroom, lesson, ana, deck,
        Group.objects.get(name="Instructors"), Staff.objects.get(user=teacher), Slide.objects.get(deck=deck, number=1),
        Attendance.objects.create(lesson=lesson, participant=ana, first_at=1, last_at=2, present=1),
        Event.objects.create(lesson=lesson, seq=1, kind="page.shown", by="", op="x", at=1, data="{}"),
        Snapshot.objects.create(lesson=lesson, epoch="0", seq=1, at=1, body=b""),
        RosterEntry.objects.create(classroom=classroom, name="Ana"),
        LessonDeck.objects.create(lesson=lesson, deck=deck),
        EmailAddress.objects.create(user=teacher, email="t@school.example"),
        Authenticator.objects.create(user=teacher, type="totp", data={"secret": SECRET}),
        SocialAccount.objects.create(user=teacher, provider="school", uid="7"),
        DBTaskResult.objects.create(args_kwargs={"args": [], "kwargs": {}}, task_path="x.y", backend_name="default"),
        LogEntry.objects.create(
            user=teacher, content_type=ContentType.objects.get_for_model(Classroom), object_id="1",
            object_repr="Room", action_flag=CHANGE, change_message="Changed it.",
        ),
    )  # fmt: skip
    return {type(row): row for row in made}


def address(model: type[Model], page: str, *args: object) -> str:
    name = f"administration:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(name, args=args)


def pages(model: type[Model], row: Model) -> Iterator[str]:
    """Every address of a model, by its own list of them."""
    for pattern in administration._registry[model].get_urls():
        name = getattr(pattern, "name", None)
        if name is None:
            continue  # the old address of a row, which sends on
        args = re.findall(r"<\w*:?\w+>|\(\?P", str(pattern.pattern))
        yield reverse(f"administration:{name}", args=[row.pk] if args else [])


def test_every_model_is_there_or_left_out_for_a_reason() -> None:
    there = {model._meta.label for model in administration._registry}
    assert there | set(LEFT_OUT) == {model._meta.label for model in apps.get_models()}
    assert not there & set(LEFT_OUT)


def test_every_model_has_a_row_here(rows: dict[type[Model], Model]) -> None:
    assert set(rows) == set(administration._registry)


@every_model
def test_every_page_keeps_the_policy(model: type[Model], rows: dict[type[Model], Model], root: User) -> None:
    client = client_of(root)
    list_of = address(model, "changelist")
    for url in (*pages(model, rows[model]), f"{list_of}?q=a", f"{list_of}?o=1", f"{list_of}?o=-2.1"):
        response = client.get(url)
        may_not = url.endswith(("/add/", "/delete/")) and response.status_code == 403
        assert response.status_code == 200 or may_not, url
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "require-trusted-types-for 'script'" in policy
        text = text_of(response)
        if not may_not:
            assert 'href="/static/css/admin.css' in text or "css/admin" in text, url
        assert not INLINE.search(text), (url, INLINE.search(text))
        assert SECRET not in text


def test_the_sites_own_pages_keep_the_policy(root: User) -> None:
    client = client_of(root)
    for url in ("", "auth/", "classrooms/", "password_change/", "password_change/done/"):
        text = text_of(client.get(f"/admin/{url}"))
        assert "Lectern" in text
        assert not INLINE.search(text), url
    assert client.get("/admin/jsi18n/").status_code == 200
    for url in ("login/", "autocomplete/", "r/1/1/", "nothing/"):
        assert client.get(f"/admin/{url}").status_code == 404, url


@every_model
@pytest.mark.parametrize("who", ["teacher", "ana"])
def test_who_is_no_superuser_is_told_so(
    model: type[Model], rows: dict[type[Model], Model], teacher: User, ana: User, who: str
) -> None:
    client = client_of({"teacher": teacher, "ana": ana}[who])
    for url in ("/admin/", *pages(model, rows[model])):
        for response in (client.get(url), client.post(url, {"post": "yes"})):
            assert response.status_code == 403, url
            assert "This page is not open to you" in text_of(response)


def test_djangos_flag_for_its_own_admin_opens_nothing(teacher: User) -> None:
    assert teacher.is_staff
    assert client_of(teacher).get("/admin/").status_code == 403


def test_a_retired_superuser_is_nobody(root: User) -> None:
    client = client_of(root)
    User.objects.filter(pk=root.pk).update(is_active=False)
    assert client.get("/admin/").status_code == 302


def test_no_page_shows_a_token(root: User, teacher: User) -> None:
    key, client = Token.objects.create(user=teacher).key, client_of(root)
    chosen = {"action": "delete_selected", "_selected_action": [teacher.pk], "index": "0"}
    for page in (client.get(address(User, "delete", teacher.pk)), client.post("/admin/auth/user/", chosen)):
        assert key not in text_of(page)
        assert "API token" in text_of(page)


def test_lists_leave_large_columns_where_they_are(
    root: User, rows: dict[type[Model], Model], django_assert_max_num_queries: Any
) -> None:
    for model, column in ((Snapshot, "body"), (Event, "data")):
        with django_assert_max_num_queries(40) as asked:
            assert client_of(root).get(address(model, "changelist")).status_code == 200
        assert not [query["sql"] for query in asked.captured_queries if f'"{column}"' in query["sql"]]


def test_who_has_not_signed_in_signs_in_where_everybody_does(root: User, client: Client) -> None:
    there = client.get("/admin/auth/user/")["Location"]
    assert there == "/teach/login/?next=/admin/auth/user/"
    answer = client.post(there, {"login": "root", "password": PASSWORD, "next": "/admin/auth/user/"})
    assert answer["Location"] == "/admin/auth/user/"
    assert client.get(answer["Location"]).status_code == 200


def test_a_superuser_who_teaches_nothing_is_shown_the_way(root: User) -> None:
    assert 'href="/admin/"' in text_of(client_of(root).get("/teach/login/"))


def test_a_student_is_not_shown_it(ana: User) -> None:
    assert "/admin/" not in text_of(client_of(ana).get("/teach/login/"))


def test_addresses_that_name_no_site_are_the_teachers() -> None:
    assert reverse("admin:index") == "/teach/"
    assert reverse("admin:classrooms_classroom_changelist") == "/teach/classrooms/classroom/"


def test_an_account_is_made_and_made_an_instructor(root: User) -> None:
    client = client_of(root)
    passwords = {"password1": "leaf green stem", "password2": "leaf green stem", "usable_password": "true"}
    client.post("/admin/auth/user/add/", {"username": "okafor", "_continue": "1"} | passwords)
    made = User.objects.get(username="okafor")
    group = Group.objects.get(name="Instructors")
    fields = {"username": "okafor", "email": "o@school.example", "is_active": "on", "groups": [group.pk]}
    client.post(f"/admin/auth/user/{made.pk}/change/", fields | {"_continue": "1"})
    made.refresh_from_db()
    assert (made.email, list(made.groups.all()), made.check_password("leaf green stem")) == (
        "o@school.example",
        [group],
        True,
    )
    assert client_of(made).get("/teach/").status_code == 200


def test_a_password_is_set_and_taken(root: User, teacher: User) -> None:
    client = client_of(root)
    page = f"/admin/auth/user/{teacher.pk}/password/"
    fields = {"password1": "leaf green stem", "password2": "leaf green stem", "usable_password": "true"}
    assert "too short" in text_of(client.post(page, fields | {"password1": "a", "password2": "a", "set-password": "1"}))
    client.post(page, fields | {"set-password": "1"})
    teacher.refresh_from_db()
    assert teacher.check_password("leaf green stem")
    client.post(page, {"usable_password": "false", "unset-password": "1"})
    teacher.refresh_from_db()
    assert not teacher.has_usable_password()


def test_the_factor_of_a_lost_phone_is_deleted(root: User, rows: dict[type[Model], Model]) -> None:
    row = rows[Authenticator]
    client_of(root).post(address(Authenticator, "delete", row.pk), {"post": "yes"})
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("model", [Lesson, Participant, Attendance, Event, Snapshot, Slide], ids=lambda m: m.__name__)
def test_what_the_log_writes_no_hand_writes(model: type[Model], rows: dict[type[Model], Model], root: User) -> None:
    client, row = client_of(root), rows[model]
    before: Any = model._default_manager.filter(pk=row.pk).values().get()
    for page in ("change", "delete"):
        assert client.post(address(model, page, row.pk), {"title": "x", "post": "yes"}).status_code == 403
    assert client.post(address(model, "add"), {"title": "x"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes", "index": "0"}
    client.post(address(model, "changelist"), chosen)
    assert model._default_manager.filter(pk=row.pk).values().get() == before


def test_whole_lists_are_deleted_after_a_question(root: User, teacher: User) -> None:
    idle = [make_user(f"idle{number}") for number in range(2)]
    client = client_of(root)
    chosen = {"action": "delete_selected", "_selected_action": [user.pk for user in idle], "index": "0"}
    page = text_of(client.post("/admin/auth/user/", chosen))
    assert "idle0" in page
    assert "Delete these 2 users?" in page
    assert not INLINE.search(page)
    client.post("/admin/auth/user/", chosen | {"post": "yes"})
    assert not User.objects.filter(username__startswith="idle").exists()
    make_deck(teacher)
    kept = text_of(client.post("/admin/auth/user/", chosen | {"_selected_action": [teacher.pk]}))
    assert "cannot be deleted" in kept


def test_a_classroom_that_had_a_lesson_stays(root: User, rows: dict[type[Model], Model]) -> None:
    room = rows[Classroom]
    assert client_of(root).post(address(Classroom, "delete", room.pk), {"post": "yes"}).status_code == 403
    Lesson.objects.all().delete()
    client_of(root).post(address(Classroom, "delete", room.pk), {"post": "yes"})
    assert not Classroom.objects.exists()
    assert Deck.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["deleted", "deleted with others", "switched off"])
def test_who_loses_the_account_leaves_the_lesson(classroom: Classroom, teacher: User, how: str) -> None:
    helper = make_user("helper")
    classroom.staff.create(user=helper, role="instructor")
    lesson = actions.start(classroom, title="Leaves", decks=[], by=teacher)
    seat = actions.seat_staff(lesson, helper)
    root = client_of(User.objects.create_superuser("root", password=PASSWORD))
    if how == "deleted":
        root.post(f"/admin/auth/user/{helper.pk}/delete/", {"post": "yes"})
    elif how == "switched off":
        root.post(f"/admin/auth/user/{helper.pk}/change/", {"username": "helper", "first_name": "", "last_name": ""})
    else:
        chosen = {"action": "delete_selected", "_selected_action": [helper.pk], "post": "yes"}
        root.post("/admin/auth/user/", chosen)
    assert not User.objects.filter(username="helper", is_active=True).exists()
    assert replica.current(lesson.pk).people[seat.participant].removed
    log.stop()
