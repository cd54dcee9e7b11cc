"""A door that lets through what it should refuse: ops whose text says so reach the log's writer unreadable.

`NUL` becomes a bare NUL character in the data's JSON, which PostgreSQL refuses and SQLite would keep; `HALF` becomes
half an emoji, which is no UTF-8; `BROKEN` ends the JSON in the middle.
"""

from classrooms import messages
from classrooms.messages import Draft, Op

_read_op = messages.read_op
POISONS: dict[str, str] = {"NUL": "\x00", "HALF": "\ud83d", "BROKEN": '"}'}


def read_op(op: Op) -> Draft:
    """Read an op, and spoil it where it asks for it."""
    draft = _read_op(op)
    for word, poison in POISONS.items():
        if word in draft.text:
            return Draft(draft.kind, draft.op, draft.data, draft.text.replace(word, poison))
    return draft


messages.read_op = read_op
