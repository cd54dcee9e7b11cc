"""`manage.py reencrypt`: second factors under the newest secret key, so that an older one can be forgotten."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt, encrypt
from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

SECRETS = ("secret", "seed")  # what a second factor keeps that signs in: of the app, and of the recovery codes


class Command(BaseCommand):
    """With SECRET_KEY changed and the one before in SECRET_KEY_FALLBACKS (docs/operations.md)."""

    help = "Encrypt all second factors anew with SECRET_KEY; after that SECRET_KEY_FALLBACKS is not needed for them."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for factor in Authenticator.objects.select_for_update().order_by("pk"):
            for name in SECRETS:
                if name in factor.data:
                    factor.data[name] = _anew(factor.data[name])
            factor.save(update_fields=["data"])
            count += 1
        self.stdout.write(f"{count} second factors are encrypted with the present key.")


def _anew(encrypted: str) -> str:
    try:
        return str(encrypt(decrypt(encrypted)))
    except InvalidToken as error:
        raise CommandError(
            "Neither SECRET_KEY nor SECRET_KEY_FALLBACKS reads a second factor: nothing was changed."
        ) from error
