"""/teach/: everybody does what their role allows with their own rows, and nothing of another's by any road."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, reverse

from classrooms.admin import OwnedAdmin, teach
from classrooms.models import Classroom, Lesson, Staff
from tests.support import pdfs
from tests.support.cast import PASSWORD, make_classroom, make_user
from whiteboard.models import Deck, Slide

SECRET = "Photosynthesis"  # a word in everything that the teacher owns


def make_deck(owner: User, **fields: Any) -> Deck:
    """Make a deck of one page that is ready."""
    deck = Deck.objects.create(owner=owner, **{"title": f"{SECRET} deck", "status": "ready", "pages": 1} | fields)
    address = f"/media/decks/{deck.key}/{'0' * 32}-320.webp"
    Slide.objects.create(deck=deck, number=1, width=1600, height=900, images={"320": address}, text=SECRET)
    return deck


def make_lesson(classroom: Classroom, **fields: Any) -> Lesson:
    """Make a lesson's row, without a log."""
    return Lesson.objects.create(classroom=classroom, **{"title": f"{SECRET} lesson", "status": "live"} | fields)


@dataclass(frozen=True)
class Row:
    """How a model of the site is attacked: a row of the teacher's, and what is tried on it."""

    make: Callable[[Classroom, User], Model]
    forged: dict[str, Any]  # a POST that would change the row
    lookups: tuple[str, ...]  # filters through relations that would tell of others
    views: tuple[str, ...] = ()  # addresses of our own, below the row's
    actions: tuple[str, ...] = ()


ROWS: dict[type[Model], Row] = {
    Classroom: Row(
        make=lambda classroom, teacher: classroom,
        forged={"title": "taken", "draw": "staff", "edit": "own", "door": "locked"},
        lookups=("staff__user__password__startswith", "staff__user__username", "lessons__title__contains"),
        views=("start/",),
    ),
    Deck: Row(
        make=lambda classroom, teacher: make_deck(teacher),
        forged={"title": "taken", "hidden": "on"},
        lookups=("owner__password__startswith", "owner__username", "slides__text__contains"),
        views=("progress/",),
        actions=("hide", "show"),
    ),
    Lesson: Row(
        make=lambda classroom, teacher: make_lesson(classroom),
        forged={"title": "taken", "status": "ended"},
        lookups=("classroom__staff__user__username", "classroom__code", "participants__name", "events__data__contains"),
        views=("end/",),
    ),
}
MODELS = sorted(teach._registry, key=lambda model: model.__name__)
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in


Clients = Callable[[User], Client]


def address(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args, current_app="teach")


def page_of(row: Model, page: str = "change") -> str:
    return address(type(row), page, row.pk)


def stored(row: Model) -> dict[str, Any] | None:
    """Return the row as the database has it."""
    return type(row)._default_manager.filter(pk=row.pk).values().first()


def text_of(response: Any) -> str:
    return str(response.content.decode())


def refused(response: Any) -> bool:
    """Whether the answer is a refusal: forbidden, not there, not possible, or sent away from the row."""
    return response.status_code in (400, 403, 404) or (
        response.status_code == 302 and response["Location"].split("?")[0] in ("/teach/", "/teach/login/")
    )


# --- every model, every road, another instructor -------------------------------------------------------------------


def test_every_model_of_the_site_has_a_row_here() -> None:
    assert set(ROWS) == set(teach._registry)


def test_every_view_of_ours_and_every_action_has_a_row_here() -> None:
    for model, model_admin in teach._registry.items():
        ours = {
            str(pattern.pattern).removeprefix("<int:pk>/")
            for pattern in model_admin.get_urls()
            if isinstance(pattern, URLPattern) and str(pattern.pattern).startswith("<int:pk>/")
        }
        assert ours == set(ROWS[model].views), model
        assert set(model_admin.actions or ()) == set(ROWS[model].actions), model


def test_the_site_takes_no_model_whose_admin_does_not_keep_instructors_apart() -> None:
    with pytest.raises(ImproperlyConfigured):
        teach.register(Staff, ModelAdmin)
    with pytest.raises(ImproperlyConfigured):
        teach.register(Staff)


@every_model
def test_an_outsider_sees_none_of_it_in_lists_and_searches(
    model: type[Model], classroom: Classroom, teacher: User, outsider: User, client_of: Clients
) -> None:
    ROWS[model].make(classroom, teacher)
    for query in ("", f"?q={SECRET[1:9]}", "?all=", "?o=1", f"?e=1&q={SECRET[1:9]}"):
        mine = text_of(client_of(teacher).get(address(model, "changelist") + query))
        others = text_of(client_of(outsider).get(address(model, "changelist") + query))
        assert SECRET in mine
        assert SECRET not in others
    assert SECRET not in text_of(client_of(outsider).get("/teach/"))


@every_model
@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_an_outsider_cannot_open_or_change_it(
    model: type[Model], page: str, classroom: Classroom, teacher: User, outsider: User, client_of: Clients
) -> None:
    row = ROWS[model].make(classroom, teacher)
    before, client = stored(row), client_of(outsider)

    for response in (
        client.get(page_of(row, page)),
        client.post(page_of(row, page), ROWS[model].forged | {"post": "yes", "_continue": "1"}),
        client.get(page_of(row, page) + f"?_to_field={model._meta.pk.name}&_popup=1"),
    ):
        assert refused(response), (page, response.status_code)
        assert SECRET not in text_of(response)
    assert stored(row) == before


@every_model
def test_an_outsider_cannot_use_our_own_views_of_it(
    model: type[Model], classroom: Classroom, teacher: User, outsider: User, client_of: Clients
) -> None:
    row = ROWS[model].make(classroom, teacher)
    before, client = stored(row), client_of(outsider)
    base = page_of(row).removesuffix("change/")
    for view in ROWS[model].views:
        for response in (client.get(base + view), client.post(base + view, {"title": "taken"})):
            assert response.status_code == 403
            assert SECRET not in text_of(response)
    assert stored(row) == before
    assert Lesson.objects.count() == (model is Lesson)


@every_model
def test_an_outsider_cannot_use_actions_on_it(
    model: type[Model], classroom: Classroom, teacher: User, outsider: User, client_of: Clients
) -> None:
    row = ROWS[model].make(classroom, teacher)
    make_deck(outsider, title="mine")  # an action wants a list that is not empty
    make_lesson(make_classroom(outsider, title="mine", code="AAAAAA"), title="mine")
    before = stored(row)
    for action in (*ROWS[model].actions, "delete_selected"):
        for across in ("0", "1"):
            client_of(outsider).post(
                address(model, "changelist"),
                {"action": action, "_selected_action": [row.pk], "select_across": across, "index": "0", "post": "yes"},
            )
    assert stored(row) == before


@every_model
def test_filters_reach_through_no_relation(
    model: type[Model], classroom: Classroom, teacher: User, client_of: Clients
) -> None:
    ROWS[model].make(classroom, teacher)
    for lookup in (*ROWS[model].lookups, f"{teach._registry[model].owner_path}__username"):  # type: ignore[attr-defined]
        response = client_of(teacher).get(address(model, "changelist") + f"?{lookup}=t")
        assert refused(response), lookup


@every_model
def test_filters_name_own_rows_alone(
    model: type[Model], classroom: Classroom, teacher: User, outsider: User, client_of: Clients
) -> None:
    ROWS[model].make(classroom, teacher)
    other = make_classroom(outsider, title="Ours", code="AAAAAA")
    make_lesson(other, title="ours")
    make_lesson(make_classroom(outsider, title="Ours too", code="BBBBBB"), title="ours too")
    page = text_of(client_of(outsider).get(address(model, "changelist")))
    assert SECRET not in page
    assert teacher.username not in page


@every_model
def test_autocompletion_tells_nothing(
    model: type[Model], classroom: Classroom, teacher: User, outsider: User, client_of: Clients
) -> None:
    ROWS[model].make(classroom, teacher)
    for field in model._meta.get_fields():
        query = {"app_label": model._meta.app_label, "model_name": model.__name__.lower(), "field_name": field.name}
        response = client_of(outsider).get("/teach/autocomplete/", query | {"term": ""})
        told = "" if refused(response) else text_of(response)
        assert SECRET not in told, field.name
        assert teacher.username not in told, field.name


@every_model
def test_no_form_offers_or_accepts_a_row_of_another(
    model: type[Model], classroom: Classroom, teacher: User, outsider: User, rf: RequestFactory
) -> None:
    row = ROWS[model].make(classroom, teacher)
    request = rf.get("/")
    request.user = outsider
    for rows in choices(teach._registry[model], request, row):
        assert not rows.exists(), rows.model


def choices(model_admin: Any, request: Any, row: Model) -> Iterator[QuerySet[Any]]:
    """What every field that points at rows offers: of the form, of the inlines, of each relation if a form had it."""
    forms = [model_admin.get_form(request), model_admin.get_form(request, row)]
    forms += [inline.get_formset(request, row).form for inline in model_admin.get_inline_instances(request, row)]
    for form in forms:
        for field in form.base_fields.values():
            if isinstance(field, ModelChoiceField) and field.queryset is not None:
                yield field.queryset
    for field in model_admin.model._meta.get_fields():
        if field.concrete and field.many_to_one:
            yield model_admin.formfield_for_foreignkey(field, request).queryset


def test_a_relation_to_a_model_that_is_not_on_the_site_offers_nothing(teacher: User, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = teacher
    model_admin: Any = teach._registry[Deck]
    assert not model_admin.formfield_for_foreignkey(Deck._meta.get_field("owner"), request).queryset.exists()


@every_model
def test_owners_are_changed_by_no_form(
    model: type[Model], classroom: Classroom, teacher: User, outsider: User, client_of: Clients
) -> None:
    row = ROWS[model].make(classroom, teacher)
    other = make_classroom(outsider, title="Theirs", code="AAAAAA")
    forged = ROWS[model].forged | {"owner": outsider.pk, "owner_id": outsider.pk, "user": outsider.pk}
    forged |= {"classroom": other.pk, "classroom_id": other.pk, "key": "f" * 32, "code": "FORGED", "pk": 99, "id": 99}
    client_of(teacher).post(page_of(row), forged | no_staff_changes() | {"_continue": "1"})

    after = stored(row)
    assert after is not None
    assert set(after.values()).isdisjoint({"f" * 32, "FORGED"})
    assert after.get("owner_id") in (None, teacher.pk)
    assert after.get("classroom_id") in (None, classroom.pk)
    assert Staff.objects.get(classroom=classroom, role="owner").user == teacher


def no_staff_changes() -> dict[str, Any]:
    return {"staff-TOTAL_FORMS": "0", "staff-INITIAL_FORMS": "0"}


# --- who gets in ---------------------------------------------------------------------------------------------------


def every_address(row_of: Callable[[type[Model]], Model]) -> Iterator[str]:
    """Every address of the site, with the teacher's rows filled in."""
    yield from ("/teach/", "/teach/password_change/", "/teach/classrooms/", "/teach/jsi18n/")
    for model in MODELS:
        row = row_of(model)
        yield from (address(model, "changelist"), address(model, "add"))
        yield from (page_of(row, page) for page in ("change", "delete", "history"))
        yield from (page_of(row).removesuffix("change/") + view for view in ROWS[model].views)


@pytest.mark.parametrize("who", ["nobody", "student", "retired"])
def test_only_those_who_teach_get_in(
    who: str, classroom: Classroom, teacher: User, ana: User, client_of: Clients
) -> None:
    if who == "retired":
        ana.groups.add(Group.objects.get(name="Instructors"))
        User.objects.filter(pk=ana.pk).update(is_active=False)
    client = Client() if who == "nobody" else client_of(ana)
    for url in every_address(lambda model: ROWS[model].make(classroom, teacher)):
        Lesson.objects.all().delete()  # one is live at a time
        for response in (client.get(url), client.post(url, {"title": "taken", "post": "yes"})):
            assert response.status_code in (302, 403), url
            if response.status_code == 302:
                assert response["Location"].startswith("/teach/login/"), url
    assert not Classroom.objects.filter(title="taken").exists()


def test_a_superuser_sees_no_more_than_an_instructor(classroom: Classroom, client_of: Clients) -> None:
    root = User.objects.create_superuser("root", password=PASSWORD)
    assert client_of(root).get("/teach/").status_code == 302

    root.groups.add(Group.objects.get(name="Instructors"))

    assert SECRET not in text_of(client_of(root).get("/teach/"))
    assert refused(client_of(root).get(page_of(classroom)))


def test_permissions_granted_in_djangos_tables_open_nothing(
    classroom: Classroom, assistant: User, client_of: Clients
) -> None:
    from django.contrib.auth.models import Permission

    assistant.user_permissions.set(Permission.objects.all())
    client_of(assistant).post(page_of(classroom), ROWS[Classroom].forged | no_staff_changes())
    classroom.refresh_from_db()
    assert classroom.title == SECRET


def test_signing_in_leads_to_the_classrooms(teacher: User, client: Client) -> None:
    User.objects.filter(pk=teacher.pk).update(is_staff=False)  # Django's own flag means nothing here
    response = client.post("/teach/login/?next=/teach/", {"username": "teacher", "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/teach/")


def test_a_wrong_password_is_told_and_counted(teacher: User, client: Client) -> None:
    answers = [
        text_of(client.post("/teach/login/", {"username": "teacher", "password": "wrong"}, REMOTE_ADDR="192.0.2.7"))
        for _ in range(40)
    ]
    assert "do not belong together" in answers[0]
    assert "Too many tries" in answers[-1]


def test_signing_in_to_a_foreign_address_is_not_followed(teacher: User, client: Client) -> None:
    response = client.post("/teach/login/?next=//evil.example/", {"username": "teacher", "password": PASSWORD})
    assert "evil" not in response["Location"]


def test_every_change_needs_a_token(classroom: Classroom, teacher: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(teacher)
    for url in every_address(lambda model: ROWS[model].make(classroom, teacher)):
        Lesson.objects.all().delete()
        if not url.endswith(("jsi18n/", "progress/")):
            assert client.post(url, {"title": "taken", "post": "yes"}).status_code == 403, url


def test_looking_changes_nothing(classroom: Classroom, teacher: User, client_of: Clients) -> None:
    rows = {model: ROWS[model].make(classroom, teacher) for model in MODELS}
    before = {model: stored(row) for model, row in rows.items()}
    counts = [model.objects.count() for model in (Classroom, Staff, Deck, Slide, Lesson)]
    for url in every_address(rows.__getitem__):
        client_of(teacher).get(url, {"title": "taken", "post": "yes", "action": "hide"})
    assert {model: stored(row) for model, row in rows.items()} == before
    assert [model.objects.count() for model in (Classroom, Staff, Deck, Slide, Lesson)] == counts


def test_every_page_answers_its_owner_under_a_strict_policy(
    classroom: Classroom, teacher: User, client_of: Clients
) -> None:
    rows = {model: ROWS[model].make(classroom, teacher) for model in MODELS}
    for url in every_address(rows.__getitem__):
        response = client_of(teacher).get(url)
        text = text_of(response)
        assert "unsafe" not in response.headers.get("Content-Security-Policy", "unsafe"), url
        assert " style=" not in text, url
        assert "<style" not in text, url
        assert " onclick=" not in text, url


# --- classrooms ----------------------------------------------------------------------------------------------------


def test_an_instructor_makes_a_classroom_and_owns_it(outsider: User, client_of: Clients) -> None:
    fields = {"title": "Chemistry", "draw": "everyone", "edit": "own", "door": "open", "chat": "on"}
    response = client_of(outsider).post(address(Classroom, "add"), fields | {"_continue": "1"}, follow=True)

    made = Classroom.objects.get(title="Chemistry")
    assert [(staff.user, staff.role) for staff in made.staff.all()] == [(outsider, "owner")]
    assert made.roam is False
    assert made.code in text_of(response)
    assert f"/j/{made.code}/" in text_of(response)
    assert 'src="data:image/svg+xml' in text_of(response)


def test_staff_without_the_group_make_no_classroom(classroom: Classroom, assistant: User, client_of: Clients) -> None:
    assistant.groups.clear()
    assert client_of(assistant).get("/teach/").status_code == 200
    assert client_of(assistant).get(address(Classroom, "add")).status_code == 403
    assert client_of(assistant).post(address(Classroom, "add"), ROWS[Classroom].forged).status_code == 403


def test_an_assistant_looks_and_changes_nothing(classroom: Classroom, assistant: User, client_of: Clients) -> None:
    client = client_of(assistant)
    staff = Staff.objects.get(user=assistant)
    page = text_of(client.get(page_of(classroom)))
    assert classroom.code in page
    assert "Start a lesson" not in page

    forged = ROWS[Classroom].forged | staff_rows(classroom, (staff, "instructor", False))
    assert client.post(page_of(classroom), forged).status_code == 403
    assert refused(client.post(page_of(classroom, "delete"), {"post": "yes"}))
    client.post(page_of(classroom).replace("change/", "start/"), {"title": "Mine"})

    classroom.refresh_from_db()
    staff.refresh_from_db()
    assert (classroom.title, staff.role) == (SECRET, "assistant")
    assert not Lesson.objects.exists()


def staff_rows(
    classroom: Classroom, *rows: tuple[Staff, str, bool], new: tuple[str, str] | None = None
) -> dict[str, Any]:
    """Return the staff part of a classroom's form: rows with their role and whether to delete them, and a new one."""
    data: dict[str, Any] = {"staff-TOTAL_FORMS": len(rows) + bool(new), "staff-INITIAL_FORMS": len(rows)}
    for number, (staff, role, delete) in enumerate(rows):
        data |= {f"staff-{number}-id": staff.pk, f"staff-{number}-classroom": classroom.pk}
        data |= {f"staff-{number}-role": role} | ({f"staff-{number}-DELETE": "on"} if delete else {})
    if new:
        number = len(rows)
        data |= {f"staff-{number}-username": new[0], f"staff-{number}-role": new[1]}
        data |= {f"staff-{number}-classroom": classroom.pk}
    return data


GOOD = {"title": SECRET, "draw": "everyone", "edit": "own", "door": "open", "_continue": "1"}


def roles(classroom: Classroom) -> dict[str, str]:
    return dict(classroom.staff.values_list("user__username", "role"))


def test_a_colleague_is_added_by_user_name(
    classroom: Classroom, teacher: User, assistant: User, outsider: User, client_of: Clients
) -> None:
    row = (Staff.objects.get(user=assistant), "instructor", False)
    client_of(teacher).post(page_of(classroom), GOOD | staff_rows(classroom, row, new=("outsider", "assistant")))
    assert roles(classroom) == {"teacher": "owner", "assistant": "instructor", "outsider": "assistant"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nobody", "No account has this user name"),
        ("assistant", "on the staff already"),
        ("teacher", "on the staff already"),
        ("gone", "No account has this user name"),
    ],
)
def test_a_colleague_who_cannot_be_added_is_told_why(
    classroom: Classroom, teacher: User, assistant: User, client_of: Clients, name: str, said: str
) -> None:
    User.objects.create_user("gone", is_active=False)
    row = (Staff.objects.get(user=assistant), "assistant", False)
    response = client_of(teacher).post(page_of(classroom), GOOD | staff_rows(classroom, row, new=(name, "assistant")))
    assert said in text_of(response)
    assert roles(classroom) == {"teacher": "owner", "assistant": "assistant"}


def test_the_page_tells_no_names_but_the_staffs(
    classroom: Classroom, teacher: User, outsider: User, client_of: Clients
) -> None:
    assert "outsider" not in text_of(client_of(teacher).get(page_of(classroom)))


@pytest.mark.parametrize("who", ["teacher", "assistant"])
def test_the_owner_cannot_be_forged(
    classroom: Classroom, teacher: User, assistant: User, outsider: User, client_of: Clients, who: str
) -> None:
    Staff.objects.filter(user=assistant).update(role="instructor")
    mine, owner = Staff.objects.get(user=assistant), Staff.objects.get(user=teacher)
    client = client_of(teacher if who == "teacher" else assistant)
    theirs = Staff.objects.get(classroom=make_classroom(outsider, title="Theirs", code="AAAAAA"))
    for rows in (
        staff_rows(classroom, (mine, "owner", False)),
        staff_rows(classroom, (owner, "assistant", False)),
        staff_rows(classroom, (owner, "assistant", True)),
        staff_rows(classroom, (theirs, "assistant", False)),
        staff_rows(classroom, (mine, "instructor", False), new=("outsider", "owner")),
        staff_rows(classroom, (mine, "instructor", False)) | {"staff-0-user": outsider.pk, "staff-0-username": "ana"},
        staff_rows(classroom, (mine, "instructor", False)) | {"staff-0-classroom": theirs.classroom_id},
    ):
        client.post(page_of(classroom), GOOD | rows)
        assert roles(classroom) == {"teacher": "owner", "assistant": "instructor"}
        assert roles(theirs.classroom) == {"outsider": "owner"}


def test_a_classroom_that_never_had_a_lesson_is_deleted_by_its_owner(
    classroom: Classroom, teacher: User, client_of: Clients
) -> None:
    assert "teacher (owner)" in text_of(client_of(teacher).get(page_of(classroom, "delete")))
    client_of(teacher).post(page_of(classroom, "delete"), {"post": "yes"})
    assert not Classroom.objects.exists()


def test_a_classroom_with_a_lesson_is_kept(classroom: Classroom, teacher: User, client_of: Clients) -> None:
    make_lesson(classroom, status="ended")
    assert refused(client_of(teacher).post(page_of(classroom, "delete"), {"post": "yes"}))
    assert Classroom.objects.exists()


# --- lessons -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_lesson_is_started_opened_and_ended(client: Client) -> None:
    teacher = make_user("teacher")
    classroom = make_classroom(teacher)
    first, second = make_deck(teacher), make_deck(teacher, title="More")
    client.force_login(teacher)
    start = page_of(classroom).replace("change/", "start/")
    assert "More" in text_of(client.get(start))

    response = client.post(start, {"title": "Leaves", "decks": [second.pk, first.pk]})

    lesson = Lesson.objects.get()
    assert (lesson.title, lesson.status, response["Location"]) == ("Leaves", "live", f"/lessons/{lesson.pk}/")
    started = lesson.events.get(seq=1)
    assert [page["slide"]["deck"] for page in json.loads(started.data)["pages"]] == [first.pk, second.pk]
    assert f"/lessons/{lesson.pk}/" in text_of(client.get("/teach/"))
    assert "is live" in text_of(client.get(start))

    again = client.post(start, {"title": "Roots"})
    assert "A lesson is live" in text_of(again) or "is live" in text_of(again)
    assert Lesson.objects.count() == 1

    end = page_of(lesson).replace("change/", "end/")
    assert "End the lesson" in text_of(client.get(end))
    lesson.refresh_from_db()
    assert lesson.status == "live"
    assert "has ended" in text_of(client.post(end, follow=True))
    lesson.refresh_from_db()
    assert lesson.status == "ended"
    assert "It has ended already" in text_of(client.get(end))
    history = text_of(client.get(page_of(classroom, "history"))) + text_of(client.get(page_of(lesson, "history")))
    assert "Started the lesson" in history
    assert "Ended the lesson" in history


def test_a_lesson_starts_with_own_decks_that_are_ready(
    classroom: Classroom, teacher: User, outsider: User, client_of: Clients
) -> None:
    decks = [
        make_deck(outsider, title="Not yours"),
        make_deck(teacher, title="Not ready", status="converting"),
        make_deck(teacher, title="Not shown", hidden=True),
    ]
    start = page_of(classroom).replace("change/", "start/")
    page = text_of(client_of(teacher).get(start))
    assert "1 deck is still being converted" in page
    for deck in decks:
        assert deck.title not in page
        response = client_of(teacher).post(start, {"title": "Leaves", "decks": [deck.pk]})
        assert response.status_code == 200
    assert not Lesson.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_is_taken_off_the_staff_leaves_the_live_lesson(client: Client) -> None:
    from classrooms import actions

    teacher, assistant = make_user("teacher"), make_user("assistant")
    classroom = make_classroom(teacher, assistant=assistant)
    lesson = actions.start(classroom, title="Leaves", decks=[], by=teacher)
    seat = actions.seat_staff(lesson, assistant)
    client.force_login(teacher)

    row = (Staff.objects.get(user=assistant), "assistant", True)
    client.post(page_of(classroom), GOOD | staff_rows(classroom, row))

    assert roles(classroom) == {"teacher": "owner"}
    [removed] = lesson.events.filter(kind="person.removed")
    assert seat.participant in removed.data


# --- decks ---------------------------------------------------------------------------------------------------------


def upload(client: Client, content: bytes, accept: str = "text/html", **fields: str) -> HttpResponse:
    data = {"file": pdfs.upload(content)} | fields
    return client.post(address(Deck, "add"), data, HTTP_ACCEPT=accept)  # type: ignore[return-value]


def test_a_deck_is_uploaded_and_shown(
    teacher: User, client_of: Clients, settings: Any, tmp_path: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    client = client_of(teacher)

    response = upload(client, pdfs.good(2), title="Cells")
    deck = Deck.objects.get()
    assert (deck.owner, deck.title, response["Location"]) == (teacher, "Cells", page_of(deck))
    assert "Waiting to be converted" in text_of(client.get(page_of(deck)))

    from whiteboard import slides

    slides.convert.call(deck.pk)
    page = text_of(client.get(page_of(deck)))
    assert "2 pages" in page
    assert deck.slides.get(number=2).images["320"] in page
    assert "2 pages" in text_of(client.get(address(Deck, "changelist")))
    progress = client.get(page_of(deck).replace("change/", "progress/") + "?after=1").json()
    assert (progress["status"], progress["pages_done"]) == ("ready", 2)
    assert [slide["number"] for slide in progress["slides"]] == [2]


@pytest.mark.parametrize("content", [b"", b"not a pdf"])
def test_a_bad_file_is_refused_with_its_sentence(teacher: User, client_of: Clients, content: bytes) -> None:
    sentence = "This file cannot be read as a PDF. Export it again as a PDF and upload that."
    assert sentence in text_of(upload(client_of(teacher), content))
    answer = upload(client_of(teacher), content, "application/json")
    assert answer.status_code == 400
    assert answer.json() == {"code": "bad_file", "message": sentence}  # type: ignore[attr-defined]
    assert not Deck.objects.exists()


def test_a_page_of_ours_that_uploads_is_told_where_to_go(
    teacher: User, client_of: Clients, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    answer = upload(client_of(teacher), pdfs.good(1), "application/json")
    assert (answer.status_code, answer.json()) == (201, {"location": page_of(Deck.objects.get())})  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("file_encrypted", "locked with a password"),
        ("too_many_pages", "more than 200 pages"),
        ("try_again", "Upload it again"),
        ("bad_file", "cannot be read as a PDF"),
    ],
)
def test_a_failed_deck_says_why(teacher: User, client_of: Clients, code: str, said: str) -> None:
    deck = Deck.objects.create(owner=teacher, title="Broken", status="failed", error=code)
    assert said in text_of(client_of(teacher).get(page_of(deck)))
    assert said in text_of(client_of(teacher).get(address(Deck, "changelist")))


def test_decks_are_hidden_and_shown_and_never_deleted(teacher: User, client_of: Clients) -> None:
    deck, client = make_deck(teacher), client_of(teacher)
    for action, hidden in (("hide", True), ("show", False)):
        client.post(address(Deck, "changelist"), {"action": action, "_selected_action": [deck.pk], "index": "0"})
        deck.refresh_from_db()
        assert deck.hidden is hidden
    assert refused(client.post(page_of(deck, "delete"), {"post": "yes"}))
    assert Deck.objects.exists()


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_titles_are_text(classroom: Classroom, teacher: User, client_of: Clients, name: str) -> None:
    Classroom.objects.filter(pk=classroom.pk).update(title=name)
    rows = {Classroom: classroom, Deck: make_deck(teacher, title=name), Lesson: make_lesson(classroom, title=name)}
    for url in every_address(rows.__getitem__):
        assert name not in text_of(client_of(teacher).get(url)), url


def test_addresses_below_the_site_that_are_not_there_are_not_there(teacher: User, client_of: Clients) -> None:
    for url in ("/teach/r/1/1/", "/teach/autocomplete/", "/teach/auth/user/", "/teach/classrooms/staff/"):
        assert client_of(teacher).get(url).status_code == 404, url


def test_the_base_allows_nothing_by_itself(teacher: User, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = teacher
    bare = OwnedAdmin(Deck, teach)
    bare.owner_path = "owner"  # type: ignore[misc]
    assert not bare.has_add_permission(request)
    assert not bare.has_change_permission(request)
    assert not bare.has_delete_permission(request)
