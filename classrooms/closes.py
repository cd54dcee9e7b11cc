"""PURE. The closed list of close codes of a live connection, each with its sentence (docs/protocol.md section 5).

4000-4099 do not come back unchanged, 4100-4199 come back after a while, 4200 at once.
"""

import enum


class Close(enum.IntEnum):
    """Why a connection ends."""

    DONE = 1000
    TICKET = 4001
    REMOVED = 4003
    ENDED = 4004
    PROTOCOL = 4005
    REPLACED = 4006
    BAD_HELLO = 4007
    TOO_MANY_TABS = 4009
    NO_HELLO = 4108
    SILENT = 4110
    RESTARTING = 4112
    OVERLOADED = 4113
    TOO_SLOW = 4114
    FLOODING = 4129
    INTERNAL = 4150
    RESYNC = 4200


SENTENCES: dict[Close, str] = {
    Close.DONE: "Goodbye.",
    Close.TICKET: "This pass is not valid any more. Join again.",
    Close.REMOVED: "The teacher has removed you from this lesson.",
    Close.ENDED: "The lesson has ended.",
    Close.PROTOCOL: "This page is too old for the server. Reload it.",
    Close.REPLACED: "This page was opened again, and goes on there.",
    Close.BAD_HELLO: "The first message was no readable hello.",
    Close.TOO_MANY_TABS: "The lesson is open in too many tabs of yours. Close some.",
    Close.NO_HELLO: "No hello came within ten seconds.",
    Close.SILENT: "Nothing was heard for a minute.",
    Close.RESTARTING: "The server restarts. You will be back in a moment.",
    Close.OVERLOADED: "Very many people come at once. You will be let in soon.",
    Close.TOO_SLOW: "This connection is too slow to keep up. It will catch up.",
    Close.FLOODING: "Too much was sent too fast.",
    Close.INTERNAL: "Something went wrong here. You will be back in a moment.",
    Close.RESYNC: "The lesson has to be loaded again.",
}
