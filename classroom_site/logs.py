"""Lines of the log: one line a thing, as text or as JSON, without the names, addresses and passes of people.

Whoever logs says no name, and gives the lesson and the participant as `extra`. What errors say by themselves is
searched: a database quotes the row that it refuses.
"""

import ipaddress
import logging
import re
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import structlog

FIELDS = ("lesson", "participant")  # of a record's `extra`; whatever else libraries put there is not ours to show
KEEPS_HOSTS = "django.security.DisallowedHost"  # a host of the server's, which the operator has to see

_PASSES = re.compile(
    r"[\w-]{16,}:[\w-]{4,10}:[\w-]{27,}|\b[0-9a-f]{40}\b|\b(?:Bearer|Ticket|Token) [\w.:=/+-]{8,}", re.ASCII
)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ROW = re.compile(r"\b(DETAIL|CONTEXT):[^\n]*")
_ADDRESS = re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)(?![\w])")

Fields = MutableMapping[str, Any]


def as_json() -> logging.Formatter:
    """Return what makes a record one line of JSON: time, level, logger, event, lesson, participant, exception."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_when, structlog.stdlib.add_log_level, structlog.stdlib.ExtraAdder(allow=FIELDS)],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _without_people,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )


def as_text() -> logging.Formatter:
    """Return what makes a record a line for a terminal; a traceback follows it."""
    return Text("%(asctime)s %(levelname)s %(name)s: %(message)s")


class Text(logging.Formatter):
    """Says the lesson and the participant behind the message."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        known = ((name, getattr(record, name, None)) for name in FIELDS)
        return super().formatMessage(record) + "".join(f" {name}={value}" for name, value in known if value is not None)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return without_people(super().format(record), hosts=record.name == KEEPS_HOSTS)


def without_people(text: str, *, hosts: bool = False) -> str:
    """Return a text without passes, mail addresses, rows that a database quotes, and addresses but for `hosts`."""
    text = _MAIL.sub("[mail]", _PASSES.sub("[pass]", _ROW.sub(r"\1: …", text)))
    return text if hosts else _ADDRESS.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    try:
        own = ipaddress.ip_address(found[0]).is_loopback
    except ValueError:
        return found[0]  # a time of day
    return found[0] if own else "[address]"


def _when(logger: object, method: str, fields: Fields) -> Fields:
    record = fields["_record"]
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return {"time": moment, "logger": record.name, **fields}


def _without_people(logger: object, method: str, fields: Fields) -> Fields:
    hosts = fields.get("logger") == KEEPS_HOSTS
    shown = {
        name: without_people(value, hosts=hosts) if isinstance(value, str) else value for name, value in fields.items()
    }
    return {name: value for name, value in shown.items() if value is not None}
