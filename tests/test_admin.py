"""/teach/: everybody does what their role allows with their own rows, and nothing of another's by any road."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.admin import ModelAdmin, RelatedOnlyFieldListFilter
from django.contrib.auth.models import Group, User
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, QuerySet
from django.forms import ModelChoiceField
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, URLPattern, reverse
from pytest_django import Settings

from classrooms.admin import OwnedAdmin, teach
from classrooms.models import Classroom, Lesson, RosterEntry, Staff
from tests.support.cast import PASSWORD, make_classroom
from tests.support.decks import make_deck
from tests.support.teach import address, client_of, make_lesson, page_of, refused, staff_rows, stored, text_of
from whiteboard.models import Deck, Slide

SECRET = "Photosynthesis"  # a word in everything that the teacher owns


@dataclass(frozen=True)
class Row:
    """How a model of the site is attacked: a row of the teacher's, and what is tried on it."""

    make: Callable[[Classroom, User], Model]
    forged: dict[str, Any]  # a POST that would change the row
    lookups: tuple[str, ...]  # filters through relations that would tell of others
    views: tuple[str, ...] = ()  # addresses of our own, below the row's: imports and exports too
    actions: tuple[str, ...] = ()
    inlines: tuple[type[Model], ...] = ()


ROWS: dict[type[Model], Row] = {
    Classroom: Row(
        make=lambda classroom, teacher: classroom,
        forged={"title": "taken", "draw": "staff", "edit": "own", "door": "locked"},
        lookups=("staff__user__password__startswith", "staff__user__username", "lessons__title__contains"),
        views=("start/", "code/", "projector/", "owner/", "leave/", "roster/", "roster/export/"),
        inlines=(Staff,),
    ),
    Deck: Row(
        make=lambda classroom, teacher: make_deck(teacher, SECRET, title=SECRET),
        forged={"title": "taken", "hidden": "on"},
        lookups=("owner__password__startswith", "owner__username", "slides__text__contains"),
        views=("progress/", "page/", "retry/", "replace/", "original/"),
        actions=("hide", "show"),
    ),
    Lesson: Row(
        make=lambda classroom, teacher: make_lesson(classroom, title=SECRET),
        forged={"title": "taken", "status": "ended"},
        lookups=("classroom__staff__user__username", "classroom__code", "participants__name", "events__data__contains"),
        views=("end/", "attendance/"),
    ),
    RosterEntry: Row(
        make=lambda classroom, teacher: RosterEntry.objects.create(classroom=classroom, name=SECRET, identifier="7"),
        forged={"name": "taken", "identifier": "7"},
        lookups=("classroom__staff__user__username", "classroom__code__startswith", "classroom__lessons__title"),
    ),
}
MODELS = sorted(teach._registry, key=lambda model: model.__name__)
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


# --- every model, every road, another instructor -------------------------------------------------------------------


def test_every_model_of_the_site_has_a_row_here() -> None:
    assert set(ROWS) == set(teach._registry)


def test_every_view_action_and_inline_of_ours_has_a_row_here() -> None:
    for model, model_admin in teach._registry.items():
        stock = {str(pattern.pattern) for pattern in OwnedAdmin(model, teach).get_urls()}
        ours = {str(pattern.pattern) for pattern in model_admin.get_urls()} - stock
        assert ours == {f"<int:pk>/{view}" for view in ROWS[model].views}, model
        assert set(model_admin.actions or ()) == set(ROWS[model].actions), model
        assert {inline.model for inline in model_admin.inlines} == set(ROWS[model].inlines), model


def test_the_site_has_no_other_address() -> None:
    own = {str(pattern.pattern) for pattern in teach.get_urls() if isinstance(pattern, URLPattern)}
    assert own == {
        "", "login/", "logout/", "password_change/", "password_change/done/", "jsi18n/",
        "^(?P<app_label>classrooms|whiteboard)/$", "(?P<url>.*)$",
    }  # fmt: skip


def test_no_relation_of_a_model_is_offered_unasked() -> None:
    for model_admin in teach._registry.values():
        assert isinstance(model_admin, OwnedAdmin)
        for name in ("autocomplete_fields", "raw_id_fields", "list_editable", "filter_horizontal", "filter_vertical"):
            assert not getattr(model_admin, name), (model_admin, name)
        filters: Any = model_admin.list_filter
        for entry in filters:
            if isinstance(entry, type):
                continue  # a filter of ours: `test_filters_name_own_rows_alone` reads what it offers
            field = model_admin.model._meta.get_field(entry if isinstance(entry, str) else entry[0])
            assert not field.is_relation or entry[1] is RelatedOnlyFieldListFilter, (model_admin, entry)


def test_the_site_takes_no_model_whose_admin_does_not_keep_instructors_apart() -> None:
    with pytest.raises(ImproperlyConfigured):
        teach.register(Staff, ModelAdmin)
    with pytest.raises(ImproperlyConfigured):
        teach.register(Staff)


def test_a_system_check_finds_one_that_came_by_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "lectern.E007" not in [message.id for message in run_checks()]
    registry: dict[Any, Any] = dict(teach._registry)
    registry[Staff] = ModelAdmin(Staff, teach)
    monkeypatch.setattr(teach, "_registry", registry)
    assert "lectern.E007" in [message.id for message in run_checks()]


@every_model
def test_an_outsider_sees_none_of_it_in_lists_and_searches(
    model: type[Model], classroom: Classroom, teacher: User, outsider: User
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
    model: type[Model], page: str, classroom: Classroom, teacher: User, outsider: User
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
    model: type[Model], classroom: Classroom, teacher: User, outsider: User
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
    model: type[Model], classroom: Classroom, teacher: User, outsider: User
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
def test_filters_reach_through_no_relation(model: type[Model], classroom: Classroom, teacher: User) -> None:
    ROWS[model].make(classroom, teacher)
    for lookup in (*ROWS[model].lookups, f"{teach._registry[model].owner_path}__username"):  # type: ignore[attr-defined]
        response = client_of(teacher).get(address(model, "changelist") + f"?{lookup}=t")
        assert refused(response), lookup


@every_model
def test_filters_name_own_rows_alone(model: type[Model], classroom: Classroom, teacher: User, outsider: User) -> None:
    ROWS[model].make(classroom, teacher)
    other = make_classroom(outsider, title="Ours", code="AAAAAA")
    make_lesson(other, title="ours")
    make_lesson(make_classroom(outsider, title="Ours too", code="BBBBBB"), title="ours too")
    page = text_of(client_of(outsider).get(address(model, "changelist")))
    assert SECRET not in page
    assert teacher.username not in page


@every_model
def test_autocompletion_tells_nothing(model: type[Model], classroom: Classroom, teacher: User, outsider: User) -> None:
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
def test_owners_are_changed_by_no_form(model: type[Model], classroom: Classroom, teacher: User, outsider: User) -> None:
    row = ROWS[model].make(classroom, teacher)
    other = make_classroom(outsider, title="Theirs", code="AAAAAA")
    forged = ROWS[model].forged | {"owner": outsider.pk, "owner_id": outsider.pk, "user": outsider.pk}
    forged |= {"classroom": other.pk, "classroom_id": other.pk, "key": "f" * 32, "code": "FORGED", "pk": 99, "id": 99}
    client_of(teacher).post(page_of(row), forged | staff_rows(classroom) | {"_continue": "1"})

    after = stored(row)
    assert after is not None
    assert not [value for value in after.values() if value in ("f" * 32, "FORGED")]
    assert after.get("owner_id") in (None, teacher.pk)
    assert after.get("classroom_id") in (None, classroom.pk)
    assert Staff.objects.get(classroom=classroom, role="owner").user == teacher


@every_model
def test_what_is_added_with_a_forged_relation_is_nobody_elses(
    model: type[Model], classroom: Classroom, teacher: User, outsider: User, rf: RequestFactory
) -> None:
    row: Any = ROWS[model].make(classroom, teacher)
    make_classroom(outsider, title="Theirs", code="AAAAAA")  # who leads nothing may add nothing
    request = rf.get("/")
    request.user = teacher
    model_admin: Any = teach._registry[model]
    before = set(model_admin.get_queryset(request))
    relations = {field.name: getattr(row, field.attname) for field in model._meta.concrete_fields if field.is_relation}

    client_of(outsider).post(address(model, "add"), ROWS[model].forged | relations | {"_continue": "1"})

    assert set(model_admin.get_queryset(request)) == before


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
def test_only_those_who_teach_get_in(who: str, classroom: Classroom, teacher: User, ana: User) -> None:
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


def test_a_superuser_sees_no_more_than_an_instructor(classroom: Classroom) -> None:
    root = User.objects.create_superuser("root", password=PASSWORD)
    assert client_of(root).get("/teach/").status_code == 302

    root.groups.add(Group.objects.get(name="Instructors"))

    assert SECRET not in text_of(client_of(root).get("/teach/"))
    assert refused(client_of(root).get(page_of(classroom)))


def test_permissions_granted_in_djangos_tables_open_nothing(classroom: Classroom, assistant: User) -> None:
    from django.contrib.auth.models import Permission

    assistant.user_permissions.set(Permission.objects.all())
    client_of(assistant).post(page_of(classroom), ROWS[Classroom].forged | staff_rows(classroom))
    classroom.refresh_from_db()
    assert classroom.title == SECRET


def test_signing_in_leads_to_the_classrooms(teacher: User, client: Client) -> None:
    User.objects.filter(pk=teacher.pk).update(is_staff=False)  # Django's own flag means nothing here
    response = client.post("/teach/login/?next=/teach/", {"login": "teacher", "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/teach/")


def test_a_wrong_password_is_told_and_counted(teacher: User, client: Client) -> None:
    answers = [
        text_of(client.post("/teach/login/", {"login": "teacher", "password": "wrong"}, REMOTE_ADDR="192.0.2.7"))
        for _ in range(40)
    ]
    assert "do not belong together" in answers[0]
    assert "Too many tries" in answers[-1]


def test_behind_our_proxy_one_guesser_locks_nobody_else_out(teacher: User, client: Client, settings: Settings) -> None:
    settings.HTTPS = True

    def sign_in(password: str, seen: str) -> int:
        fields = {"login": "teacher", "password": password}
        return client.post("/teach/login/", fields, headers={"X-Forwarded-For": seen}).status_code

    for _ in range(40):
        sign_in("wrong", "192.0.2.21")
    assert sign_in(PASSWORD, "192.0.2.21") == 200
    assert sign_in(PASSWORD, "192.0.2.22") == 302


def test_signing_in_to_a_foreign_address_is_not_followed(teacher: User, client: Client) -> None:
    response = client.post("/teach/login/?next=//evil.example/", {"login": "teacher", "password": PASSWORD})
    assert "evil" not in response["Location"]


def test_every_change_needs_a_token(classroom: Classroom, teacher: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(teacher)
    for url in every_address(lambda model: ROWS[model].make(classroom, teacher)):
        Lesson.objects.all().delete()
        if not url.endswith(("jsi18n/", "progress/")):
            assert client.post(url, {"title": "taken", "post": "yes"}).status_code == 403, url


def test_looking_changes_nothing(classroom: Classroom, teacher: User) -> None:
    rows = {model: ROWS[model].make(classroom, teacher) for model in MODELS}
    before = {model: stored(row) for model, row in rows.items()}
    counts = [model.objects.count() for model in (Classroom, Staff, Deck, Slide, Lesson)]
    for url in every_address(rows.__getitem__):
        client_of(teacher).get(url, {"title": "taken", "post": "yes", "action": "hide"})
    assert {model: stored(row) for model, row in rows.items()} == before
    assert [model.objects.count() for model in (Classroom, Staff, Deck, Slide, Lesson)] == counts


def test_every_page_answers_its_owner_under_a_strict_policy(classroom: Classroom, teacher: User) -> None:
    rows = {model: ROWS[model].make(classroom, teacher) for model in MODELS}
    for url in every_address(rows.__getitem__):
        response = client_of(teacher).get(url)
        text = text_of(response)
        assert "unsafe" not in response.headers.get("Content-Security-Policy", "unsafe"), url
        assert " style=" not in text, url
        assert "<style" not in text, url
        assert " onclick=" not in text, url


def test_no_form_shows_what_djangos_scripts_would_move(classroom: Classroom, teacher: User) -> None:
    rows = {model: ROWS[model].make(classroom, teacher) for model in MODELS}
    for url in every_address(rows.__getitem__):
        text = text_of(client_of(teacher).get(url))
        for leftover in ("related-widget-wrapper", "admin/img/", ">---------<", "__prefix__"):
            assert leftover not in text, (url, leftover)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_titles_are_text(classroom: Classroom, teacher: User, name: str) -> None:
    Classroom.objects.filter(pk=classroom.pk).update(title=name)
    rows: dict[type[Model], Model] = {
        Classroom: classroom,
        Deck: make_deck(teacher, title=name),
        Lesson: make_lesson(classroom, title=name),
        RosterEntry: RosterEntry.objects.create(classroom=classroom, name=name),
    }
    for url in every_address(rows.__getitem__):
        response = client_of(teacher).get(url)
        assert name not in text_of(response) or response["Content-Type"].startswith("text/csv"), url


def test_addresses_below_the_site_that_are_not_there_are_not_there(teacher: User) -> None:
    for url in ("/teach/r/1/1/", "/teach/autocomplete/", "/teach/auth/user/", "/teach/classrooms/staff/"):
        assert client_of(teacher).get(url).status_code == 404, url
    for name, args in (("view_on_site", [1, 1]), ("autocomplete", [])):
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:{name}", args=args, current_app="teach")


def test_the_base_allows_nothing_by_itself(teacher: User, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = teacher
    bare = OwnedAdmin(Deck, teach)
    bare.owner_path = "owner"  # type: ignore[misc]
    assert not bare.has_add_permission(request)
    assert not bare.has_change_permission(request)
    assert not bare.has_delete_permission(request)
