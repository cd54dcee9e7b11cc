"""Whose pages may open a socket or send for a guest: our own, and an explicit list with scheme and port."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def allowed(origin: str | None, host: str, secure: bool) -> bool:
    """Say whether a request with this `Origin` header may change something here.

    `host` is the request's `Host` header, `secure` whether it came over TLS. A program that is no browser sends no
    origin and is admitted: what protects the doors is the ticket, which no foreign page has. "null" is a foreign page.
    """
    if origin is None:
        return True
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    theirs = _place(origin)
    return theirs is not None and theirs == _place(f"{'https' if secure else 'http'}://{host}")


def address(meta: Mapping[str, Any]) -> str:
    """Return where a request (its `META`) comes from; behind the proxy that we trust, what that one saw."""
    forwarded = meta.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip() if settings.HTTPS else ""
    return forwarded or str(meta.get("REMOTE_ADDR", ""))


def own_origins_only(application: Any) -> Any:
    """Wrap an ASGI application of sockets: the handshake of a foreign page is refused with 403."""

    async def guarded(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await (application if _own(scope) else refuse_socket)(scope, receive, send)

    return guarded


def _own(scope: dict[str, Any]) -> bool:
    """Whether a handshake names us and comes from a page of ours."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    secure = scope.get("scheme") == "wss" or _forwarded_secure(headers)
    host = headers.get(b"host", "")
    return _is_ours(host) and allowed(headers.get(b"origin"), host, secure)


async def refuse_socket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An ASGI application: close before the handshake is accepted, which a browser sees as 403."""
    await receive()
    await send({"type": "websocket.close"})


def _is_ours(host: str) -> bool:
    """Whether `Host` names us: a name that a foreign page has pointed at us (DNS rebinding) does not."""
    return validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)


def _forwarded_secure(headers: dict[bytes, str]) -> bool:
    """Whether the proxy that we trust (settings.HTTPS) says that it ended TLS."""
    return settings.HTTPS and headers.get(b"x-forwarded-proto") == "https"


def _place(address: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of an address, or None where it is none."""
    try:
        parts = urlsplit(address)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None
