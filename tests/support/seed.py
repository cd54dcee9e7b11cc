"""What a served database holds before a test begins: the cast, their API tokens, a superuser, and the classroom."""

from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token

from tests.support.cast import PASSWORD, make_classroom, make_user

STAFF = ("teacher", "assistant", "outsider")


def token_of(name: str) -> str:
    """Return the API token that a member of the cast always has."""
    return name.encode().hex().ljust(40, "0")


def seed() -> None:
    """Fill a migrated, empty database."""
    users = {name: make_user(name) for name in STAFF}
    for name, user in users.items():
        Token.objects.create(user=user, key=token_of(name))
    User.objects.create_superuser("root", password=PASSWORD)
    make_classroom(users["teacher"], assistant=users["assistant"])
