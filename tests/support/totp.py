"""An authenticator app, as allauth reckons."""

import time

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value


def code(secret: str, ahead: int = 0) -> str:
    """What the app shows, now or so many half minutes later."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + ahead)))
