"""Pure: the closed list of refusal codes, each with a sentence for a person and an HTTP status."""

import enum


class Code(enum.StrEnum):
    """Why something was refused. Pages, REST and frames use the same list (docs/protocol.md)."""

    UNKNOWN_CODE = "unknown_code"
    NOT_LIVE = "not_live"
    DOOR_LOCKED = "door_locked"
    REMOVED = "removed"
    FULL = "full"
    SLOW_DOWN = "slow_down"
    BAD_FRAME = "bad_frame"
    UNKNOWN_KIND = "unknown_kind"
    NOT_ALLOWED = "not_allowed"
    ENDED = "ended"
    TOO_LARGE = "too_large"
    TOO_MANY_POINTS = "too_many_points"
    TOO_MANY_ITEMS = "too_many_items"
    TOO_LONG = "too_long"
    RATE_LIMITED = "rate_limited"
    UNKNOWN_PAGE = "unknown_page"
    UNKNOWN_PARTICIPANT = "unknown_participant"
    ALREADY_ANSWERED = "already_answered"
    CLOSED = "closed"
    OVERLOADED = "overloaded"
    TRY_AGAIN = "try_again"
    BAD_FILE = "bad_file"
    FILE_ENCRYPTED = "file_encrypted"
    TOO_MANY_PAGES = "too_many_pages"


SENTENCES: dict[Code, str] = {
    Code.UNKNOWN_CODE: "No classroom has this code. Look at the board again and compare each letter and digit.",
    Code.NOT_LIVE: "The lesson has not started yet. Stay here: you will come in when it does.",
    Code.DOOR_LOCKED: "The teacher has locked the door. Ask to be let in.",
    Code.REMOVED: "The teacher has removed you from this lesson. Ask the teacher if you think this is a mistake.",
    Code.FULL: "This lesson is full. Ask the teacher to make room.",
    Code.SLOW_DOWN: "Too many tries. Wait a moment, then try again.",
    Code.BAD_FRAME: "This message could not be read. Reload the page; if it happens again, tell the teacher.",
    Code.UNKNOWN_KIND: "This lesson does not know what was asked. Reload the page to get the newest version.",
    Code.NOT_ALLOWED: "You are not allowed to do this now. Ask the teacher.",
    Code.ENDED: "The lesson has ended. What you made before the end is kept.",
    Code.TOO_LARGE: "This is too large. Send it in smaller parts.",
    Code.TOO_MANY_POINTS: "This stroke is too long. Draw it in shorter strokes.",
    Code.TOO_MANY_ITEMS: "This page is full. Erase something or go on with a new page.",
    Code.TOO_LONG: "This text is too long. Shorten it.",
    Code.RATE_LIMITED: "That was too fast. It will be sent again in a moment.",
    Code.UNKNOWN_PAGE: "This page is not there any more. Choose another one.",
    Code.UNKNOWN_PARTICIPANT: "This person is not in the lesson. Choose somebody from the list of people.",
    Code.ALREADY_ANSWERED: "You have answered already. The first answer counts.",
    Code.CLOSED: "This is closed. The teacher can open it again.",
    Code.OVERLOADED: "Very many people are drawing at once. It will be sent again in a moment.",
    Code.TRY_AGAIN: "This could not be stored just now. It will be sent again.",
    Code.BAD_FILE: "This file cannot be read as a PDF. Export it again as a PDF and upload that.",
    Code.FILE_ENCRYPTED: "This PDF is locked with a password. Save it without the password and upload that.",
    Code.TOO_MANY_PAGES: "This PDF has too many pages. Split it and upload the parts.",
}

STATUS: dict[Code, int] = {
    Code.UNKNOWN_CODE: 404,
    Code.NOT_LIVE: 409,
    Code.DOOR_LOCKED: 403,
    Code.REMOVED: 403,
    Code.FULL: 409,
    Code.SLOW_DOWN: 429,
    Code.BAD_FRAME: 400,
    Code.UNKNOWN_KIND: 400,
    Code.NOT_ALLOWED: 403,
    Code.ENDED: 409,
    Code.TOO_LARGE: 413,
    Code.TOO_MANY_POINTS: 400,
    Code.TOO_MANY_ITEMS: 409,
    Code.TOO_LONG: 400,
    Code.RATE_LIMITED: 429,
    Code.UNKNOWN_PAGE: 404,
    Code.UNKNOWN_PARTICIPANT: 404,
    Code.ALREADY_ANSWERED: 409,
    Code.CLOSED: 409,
    Code.OVERLOADED: 503,
    Code.TRY_AGAIN: 503,
    Code.BAD_FILE: 400,
    Code.FILE_ENCRYPTED: 400,
    Code.TOO_MANY_PAGES: 400,
}


def N_(sentence: str) -> str:  # noqa: N802 - what such a mark is called everywhere
    """Mark a sentence for the catalogues; who shows it translates it."""
    return sentence


class Refused(Exception):  # noqa: N818
    """A refusal on its way to a door. `retry`: the same may be sent again, after `after` ms when that is given.

    `status` is for HTTP doors: the code's own, unless the case calls for another. `classroom` is the title of the
    one whose door was found, for whoever has to wait there.
    """

    def __init__(
        self,
        code: Code,
        *,
        retry: bool = False,
        after: int | None = None,
        message: str | None = None,
        status: int | None = None,
        classroom: str | None = None,
    ) -> None:
        super().__init__(code.value)
        self.code = code
        self.message = SENTENCES[code] if message is None else message
        self.retry = retry
        self.after = after
        self.classroom = classroom
        self.status = STATUS[code] if status is None else status
