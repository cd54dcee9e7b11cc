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

# What a hostile client gets into a line may be long: each pattern begins where a word does, so each is linear.
_PASSES = re.compile(
    r"(?<![\w-])(?:[\w-]{16,}:[\w-]{4,10}:[\w-]{27,}|[0-9a-f]{40}(?!\w)|(?:Bearer|Ticket|Token) [\w.:=/+-]{8,})",
    re.ASCII,
)
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ROW = re.compile(r"\b(DETAIL|CONTEXT):[^\n]*")
_ADDRESS = re.compile(r"(?<![\w.:])[0-9a-fA-F:.]{3,50}(?!\w)")

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
    """Return "[address]" for an address with or without a port, and anything else, such as a time of day, as it is."""
    text = found[0].rstrip(".:")
    for part in (text, text.rpartition(":")[0]):
        try:
            address = ipaddress.ip_address(part)
        except ValueError:
            continue
        return found[0] if address.is_loopback else found[0].replace(part, "[address]", 1)
    return found[0]


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
