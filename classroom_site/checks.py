"""System checks: settings that run but would lose data or let the wrong people in."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

from classroom_site import lan

SHORTEST_TOKEN = 24  # characters


@register(Tags.security, deploy=True)
def https(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Production speaks HTTPS: tickets and join codes must not cross the open network."""
    if settings.HTTPS:
        return []
    return [checks.Warning("HTTPS is off.", hint="Set HTTPS=1 behind a proxy that ends TLS.", id="lectern.W001")]


@register(Tags.security, deploy=True)
def hosts(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A wildcard host would make any page's own origin a trusted one."""
    if not any(host == "*" or host.startswith(".") for host in settings.ALLOWED_HOSTS):
        return []
    return [Error("ALLOWED_HOSTS has a wildcard.", hint="Name each host.", id="lectern.E001")]


@register(Tags.security, deploy=True)
def reachable(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """With no name but this machine's own, whoever comes by the proxy is turned away with 400."""
    if not settings.HTTPS or set(settings.ALLOWED_HOSTS) - set(lan.LOOPBACK):
        return []
    hint = "Name the host that browsers ask for, such as ALLOWED_HOSTS=lectern.school.example."
    return [checks.Warning("ALLOWED_HOSTS names this machine alone.", hint=hint, id="lectern.W003")]


@register(Tags.database, deploy=True)
def several_processes(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Redis is there for several processes, and several processes want a database server."""
    sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    if not (settings.REDIS_URL and sqlite):
        return []
    return [
        checks.Warning(
            "REDIS_URL is set and the database is SQLite.",
            hint="Processes on one machine can share a SQLite file; several machines need DATABASE_URL=postgres://…",
            id="lectern.W002",
        )
    ]


@register(Tags.database)
def durability(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A misspelt PRAGMA value is taken for 0 by SQLite, silently: a power cut would lose committed events."""
    command = settings.DATABASES["default"].get("OPTIONS", {}).get("init_command", "")
    if not command or any(f"synchronous={mode};" in command for mode in ("FULL", "NORMAL", "EXTRA")):
        return []
    return [Error("SQLITE_SYNCHRONOUS must be FULL, NORMAL or EXTRA.", id="lectern.E002")]


@register(Tags.security)
def metrics_token(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Nobody counts how often a token is guessed at: it has to be long."""
    token = settings.METRICS_TOKEN
    if not token or (len(token) >= SHORTEST_TOKEN and token.isascii() and token.isprintable() and " " not in token):
        return []
    hint = f"Take {SHORTEST_TOKEN} or more letters and digits, drawn at random."
    return [Error("METRICS_TOKEN is short, or holds what a header cannot.", hint=hint, id="lectern.E003")]


@register(Tags.database)
def connections(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A writer keeps its connection: with none left over nobody could read."""
    pool = settings.DATABASES["default"].get("OPTIONS", {}).get("pool")
    if not isinstance(pool, dict) or 1 <= settings.LOG_WRITERS <= pool["max_size"] // 2:
        return []
    return [Error("LOG_WRITERS must be 1 or more, and half of DATABASE_POOL at most.", id="lectern.E005")]


@register()
def keep_lessons(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Nobody means to delete lessons before students have had their days."""
    if settings.KEEP_LESSONS is None or settings.KEEP_LESSONS >= 0:
        return []
    return [Error("KEEP_LESSONS must be 0 or more.", id="lectern.E006")]


@register()
def log_format(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A misspelt format would be taken for plain lines."""
    if settings.LOG_FORMAT in ("plain", "json"):
        return []
    return [Error("LOG_FORMAT must be plain or json.", id="lectern.E004")]
