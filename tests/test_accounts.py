"""Signing in as staff: password, second factor, the school's own sign-in; and a teacher's account page."""

import io
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings
from rest_framework.authtoken.models import Token

from classrooms import accounts
from classrooms.models import Classroom
from tests.support.api import Api
from tests.support.cast import PASSWORD
from tests.support.school import CLIENT, School
from tests.support.totp import code

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("forgotten")]


def text_of(response: Any) -> str:
    return unescape(response.content.decode())


def sign_in(client: Client, password: str = PASSWORD, name: str = "teacher") -> Any:
    return client.post("/teach/login/", {"login": name, "password": password})


def confirm(client: Client) -> None:
    """Say the password once more, as what guards an account asks for."""
    client.post("/teach/account/confirm/", {"password": PASSWORD})


def protect(client: Client) -> str:
    """Switch the second factor on for whoever has just signed in; return its secret."""
    confirm(client)
    page = text_of(client.get("/teach/account/app/activate/"))
    secret = re.search(r"<code>([A-Z2-7]{16,})</code>", page)
    assert secret, page
    response = client.post("/teach/account/app/activate/", {"code": code(secret[1])})
    assert (response.status_code, response["Location"]) == (302, "/teach/account/codes/")
    return secret[1]


# --- passwords -----------------------------------------------------------------------------------------------------


def test_an_e_mail_address_is_as_good_as_the_name(teacher: User, client: Client) -> None:
    User.objects.filter(pk=teacher.pk).update(email="teacher@school.example")
    assert sign_in(client, name="teacher@school.example")["Location"] == "/teach/"


@pytest.mark.parametrize("path", ["signup/", "password/reset/", "email/"])
def test_nobody_makes_an_account_by_themselves(client: Client, path: str) -> None:
    assert client.get(f"/teach/account/{path}").status_code in (302, 404)
    assert client.post(f"/teach/account/{path}", {"username": "x", "password1": PASSWORD}).status_code in (302, 404)
    assert not User.objects.exists()


def test_who_teaches_nothing_is_told_so_and_can_sign_out(ana: User, client: Client) -> None:
    client.force_login(ana)
    response = client.get("/teach/", follow=True)
    assert response.status_code == 403
    assert "You teach nothing here yet" in text_of(response)
    assert client.post("/teach/login/away/")["Location"] == "/"
    assert "_auth_user_id" not in client.session


# --- the second factor ---------------------------------------------------------------------------------------------


def test_with_a_second_factor_the_password_alone_opens_nothing(teacher: User, client: Client) -> None:
    sign_in(client)
    secret = protect(client)
    other = Client()
    assert sign_in(other)["Location"].startswith("/teach/login/code/")
    assert other.get("/teach/")["Location"].startswith("/teach/login/")
    wrong = other.post("/teach/login/code/", {"code": "000000"})
    assert "Incorrect code" in text_of(wrong)
    right = other.post("/teach/login/code/", {"code": code(secret, 1)})
    assert right["Location"] == "/teach/"
    assert other.get("/teach/").status_code == 200


def test_a_code_is_guessed_five_times_and_no_more(teacher: User, client: Client) -> None:
    sign_in(client)
    secret = protect(client)
    other = Client()
    sign_in(other)
    for _ in range(5):
        other.post("/teach/login/code/", {"code": "000000"})
    assert "Too many" in text_of(other.post("/teach/login/code/", {"code": code(secret, 1)}))


def test_the_database_keeps_no_secret_that_signs_in_and_an_older_key_still_reads(
    teacher: User, client: Client, settings: Settings
) -> None:
    sign_in(client)
    secret = protect(client)
    kept = Authenticator.objects.get(type="totp")
    assert secret not in str(kept.data)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, drawn after somebody had seen the first one"
    assert accounts.SecondFactorAdapter().decrypt(kept.data["secret"]) == secret


def test_after_encrypting_anew_the_key_before_can_be_forgotten(
    teacher: User, client: Client, settings: Settings
) -> None:
    sign_in(client)
    secret = protect(client)
    spare = re.findall(r"<li><code>(\w+)</code>", text_of(client.get("/teach/account/codes/")))
    before, settings.SECRET_KEY = settings.SECRET_KEY, "another key, drawn after somebody had seen the first one"
    with pytest.raises(CommandError, match="nothing was changed"):
        call_command("reencrypt")
    settings.SECRET_KEY_FALLBACKS = [before]
    call_command("reencrypt", stdout=io.StringIO())
    settings.SECRET_KEY_FALLBACKS = []
    app, codes = Authenticator.objects.get(type="totp"), Authenticator.objects.get(type="recovery_codes")
    assert accounts.SecondFactorAdapter().decrypt(app.data["secret"]) == secret
    assert RecoveryCodes(codes).generate_codes() == spare


def test_a_recovery_code_works_once(teacher: User, client: Client) -> None:
    sign_in(client)
    protect(client)
    spare = re.findall(r"<li><code>(\w+)</code>", text_of(client.get("/teach/account/codes/")))
    assert len(spare) == 10
    for expected in (302, 200):
        other = Client()
        sign_in(other)
        assert other.post("/teach/login/code/", {"code": spare[0]}).status_code == expected
    assert "9 recovery codes are left" in text_of(client.get("/teach/account/"))


def test_switching_it_off_asks_for_the_code_again_after_a_while(teacher: User, client: Client) -> None:
    sign_in(client)
    protect(client)
    session = client.session
    session["account_authentication_methods"] = [
        method | {"at": method["at"] - 3600} for method in session["account_authentication_methods"]
    ]
    session.save()
    assert "confirm" in client.post("/teach/account/app/deactivate/")["Location"]
    assert Authenticator.objects.filter(type="totp").exists()


# --- API tokens ----------------------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_taken_back(classroom: Classroom, teacher: User, client: Client) -> None:
    sign_in(client)
    assert client.post("/teach/account/token/")["Location"].startswith("/teach/account/confirm/")
    assert not Token.objects.exists()
    confirm(client)
    page = text_of(client.post("/teach/account/token/"))
    key = Token.objects.get(user=teacher).key
    assert key in page
    assert key not in text_of(client.get("/teach/account/"))
    assert Client().get("/api/classrooms/", headers={"Authorization": f"Token {key}"}).status_code == 200
    client.post("/teach/account/token/drop/")
    assert Client().get("/api/classrooms/", headers={"Authorization": f"Token {key}"}).status_code == 401


def test_a_password_buys_no_token_where_a_code_is_asked_for_too(teacher: User, client: Client) -> None:
    credentials = {"username": "teacher", "password": PASSWORD}
    assert Api().post("token/", credentials)[0] == 200
    sign_in(client)
    protect(client)
    status, told = Api().post("token/", credentials)
    assert (status, told["code"]) == (403, "not_allowed")
    assert "/teach/account/" in told["message"]


def test_a_get_makes_and_takes_no_token(teacher: User, client: Client) -> None:
    sign_in(client)
    assert client.get("/teach/account/token/").status_code == 405
    assert client.get("/teach/account/token/drop/").status_code == 405
    assert not Token.objects.exists()


def test_a_teacher_is_called_what_they_say(teacher: User, client: Client) -> None:
    sign_in(client)
    client.post("/teach/account/", {"first_name": "Ms", "last_name": "Okafor", "username": "root", "is_superuser": "1"})
    teacher.refresh_from_db()
    assert (teacher.get_full_name(), teacher.username, teacher.is_superuser) == ("Ms Okafor", "teacher", False)


# --- the school's sign-in --------------------------------------------------------------------------------------------


@pytest.fixture
def school(settings: Settings) -> Iterator[School]:
    with School() as school:
        settings.OIDC_SERVER = school.url
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": {
                "APPS": [
                    {
                        "provider_id": "school", "name": "Example School", "client_id": CLIENT, "secret": "s",
                        "settings": {"server_url": school.url},
                    }
                ]
            }
        }  # fmt: skip
        yield school


def come_from(school: School, client: Client, **person: Any) -> Any:
    """Press the school's button, sign in there as a person, and come back."""
    school.person = {"sub": "s1", **person}
    page = text_of(client.get("/teach/login/"))
    assert "Sign in with Example School" in page
    away = client.post("/teach/oidc/school/login/")
    assert away["Location"].startswith(f"{school.url}/sign-in?")
    back = school.answer(away["Location"])
    return client.get(back.removeprefix("http://testserver"))


def test_the_school_signs_in_whose_address_it_vouches_for(school: School, teacher: User, client: Client) -> None:
    User.objects.filter(pk=teacher.pk).update(email="teacher@school.example")
    response = come_from(school, client, email="teacher@school.example", email_verified=True)
    assert response["Location"] == "/teach/"
    assert client.session["_auth_user_id"] == str(teacher.pk)
    assert User.objects.count() == 1


def test_an_address_that_the_school_does_not_vouch_for_opens_nothing(
    school: School, teacher: User, client: Client, settings: Settings
) -> None:
    settings.OIDC_NEW = "*"
    User.objects.filter(pk=teacher.pk).update(email="teacher@school.example")
    response = come_from(school, client, email="teacher@school.example", email_verified=False)
    assert response["Location"] == "/teach/login/stranger/"
    assert "_auth_user_id" not in client.session
    assert User.objects.count() == 1


@pytest.mark.parametrize(("rule", "comes_in"), [("", False), ("groups=pupils", False), ("groups=teachers", True)])
def test_a_newcomer_comes_in_by_the_rule(
    school: School, client: Client, settings: Settings, rule: str, comes_in: bool
) -> None:
    settings.OIDC_NEW = rule
    response = come_from(
        school, client, email="new@school.example", email_verified=True, groups=["teachers"],
        given_name="Noor", family_name="Haddad", preferred_username="noor",
    )  # fmt: skip
    assert response["Location"] == ("/teach/" if comes_in else "/teach/login/stranger/")
    made = User.objects.filter(email="new@school.example")
    assert [(one.get_full_name(), one.is_staff, one.is_superuser) for one in made] == (
        [("Noor Haddad", False, False)] if comes_in else []
    )
    assert Group.objects.filter(user__in=made, name="Instructors").exists() == comes_in
    if comes_in:
        assert client.get("/teach/").status_code == 200


def test_the_school_does_not_pass_by_the_second_factor(school: School, teacher: User, client: Client) -> None:
    User.objects.filter(pk=teacher.pk).update(email="teacher@school.example")
    sign_in(client)
    protect(client)
    other = Client()
    response = come_from(school, other, email="teacher@school.example", email_verified=True)
    assert response["Location"].startswith("/teach/login/code/")


@pytest.mark.parametrize(
    ("rule", "told", "comes_in"),
    [
        ("", {"groups": ["a"]}, False),
        ("*", {}, True),
        ("groups=a", {"groups": ["b", "a"]}, True),
        ("groups=a", {"groups": "a"}, True),
        ("groups=a", {"groups": "ab"}, False),
        ("groups=a", {}, False),
        ("groups", {"groups": ["a"]}, False),
        ("staff=True", {"staff": True}, True),
    ],
)
def test_what_a_rule_means(rule: str, told: dict[str, Any], comes_in: bool) -> None:
    assert accounts.teaches(rule, told) == comes_in
