"""Accounts of staff: who may sign in, by password or by the school's own sign-in, and who a newcomer becomes.

django-allauth does the signing in; what it may do here is said by these adapters. Guests have no account.
"""

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from classrooms import access, origins
from classrooms.refusals import Refused


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Passwords: nobody signs up by themselves, and wrong ones are counted where the API's are."""

    error_messages = DefaultAccountAdapter.error_messages | {
        f"{method}_password_mismatch": _(access.WRONG_PASSWORD) for method in ("username", "email")
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made at /admin/, or by the school's sign-in."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the asker's address, by the rule of all our doors."""
        return origins.address(request.META)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse before any hashing where too many wrong passwords came from."""
        try:
            access.may_try_password(self.get_client_ip(request))
        except Refused as refusal:
            raise ValidationError(_(refusal.message), code=refusal.code) from None

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Count a wrong password."""
        access.password_was_wrong(self.get_client_ip(request))


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors: a copy of the database alone signs nobody in."""

    def encrypt(self, text: str) -> str:
        """Return a secret as the database keeps it."""
        return _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a secret from the database. Raises InvalidToken where the secret key was changed and not kept on."""
        return _keys().decrypt(encrypted_text.encode()).decode()


def _keys() -> MultiFernet:
    """Keys made of Django's: the newest writes, older ones still read."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    digests = (hashlib.sha256(b"lectern.second-factor" + secret.encode()).digest() for secret in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


class SchoolAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """The school's sign-in (OIDC): an account with the same verified e-mail is theirs; others come in by OIDC_NEW."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Make an account of a newcomer where the settings say that such a person teaches."""
        return teaches(settings.OIDC_NEW, claims(sociallogin))

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Turn away, in words of ours, who has no account and gets none."""
        if sociallogin.is_existing:
            return
        taken = User.objects.filter(
            email__iexact=sociallogin.user.email or "-"
        ).exists()  # and not verified to be theirs
        if taken or not self.is_open_for_signup(request, sociallogin):
            raise ImmediateHttpResponse(redirect("account_stranger"))

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Ask a newcomer nothing: the school has said who they are."""
        return True

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """Make a newcomer's account, an instructor's."""
        user: User = super().save_user(request, sociallogin, form)
        user.groups.add(Group.objects.get_or_create(name=access.INSTRUCTORS)[0])
        return user


def claims(sociallogin: SocialLogin) -> dict[str, Any]:
    """Return what the school's sign-in says of a person; `userinfo` says more than the token."""
    data = sociallogin.account.extra_data
    return {**(data.get("id_token") or {}), **(data.get("userinfo") or {})}


def teaches(rule: str, told: dict[str, Any]) -> bool:
    """Whether a rule makes an instructor of somebody new: "" nobody, "*" everybody, "claim=value" whoever has that.

    A claim may hold one value or a list of them.
    """
    if rule in ("", "*"):
        return rule == "*"
    claim, _, wanted = rule.partition("=")
    value = told.get(claim)
    return wanted in value if isinstance(value, list) else value is not None and str(value) == wanted
