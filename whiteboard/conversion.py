"""The parent of `rasterize.py`: starts the child, reads its answer as a stranger's, and always ends it."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

import msgspec

SCRIPT = Path(__file__).with_name("rasterize.py")
UNITS = 1600
WIDTHS = (1600, 800, 320)  # of the images of a page, in the order in which the child sends them
MAX_HEIGHT = 8 * UNITS
MAX_IMAGE = 8 * 1024 * 1024  # bytes; four million pixels of noise take 4 MB
MAX_LINE = 64 * 1024  # bytes; the text of a page, escaped, and change


class BadFile(Exception):  # noqa: N818 - a verdict, not a fault
    """This file does not become a deck; `code` is one of the refusal codes of protocol.md section 3.

    `page` is the number of the page at which the child was lost, None where the file as a whole is at fault.
    """

    def __init__(self, code: str, page: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.page = page


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one deck may cost. A page takes 0.12 s and 60 MB; these bounds are for files made to hurt."""

    max_pages: int
    seconds: float = 900  # by the clock, for the whole deck: on a busy machine it waits for others
    page_seconds: float = 60  # by the clock, between two pages
    cpu: int = 240  # seconds of processor time, for the whole deck
    memory: int = 1 << 30  # bytes of address space
    text: int = 4_000  # characters read from a page


@dataclass(frozen=True)
class Total:
    """The number of pages that the file has."""

    pages: int


@dataclass(frozen=True)
class Page:
    """One page: size in units, text as the PDF has it, WebP images in the order of WIDTHS."""

    number: int
    height: int
    text: str
    images: tuple[bytes, ...]


@dataclass(frozen=True)
class Failure:
    """A page that cannot be drawn, and the refusal code that says why."""

    number: int
    code: str


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    pages: int | None = None
    number: int | None = None
    width: int = 0
    height: int = 0
    text: str = ""
    sizes: list[int] = []
    done: bool = False
    error: str | None = None


class Child:
    """A child process that converts one PDF: `with Child(path, limits) as child: for part in child.parts()`.

    Pages whose numbers are in `skip` are left out.
    """

    def __init__(self, source: Path, limits: Limits, skip: Collection[int] = ()) -> None:
        self._source = source
        self._limits = limits
        self._skip = frozenset(skip)
        self._buffer = bytearray()
        self._end = 0.0

    def __enter__(self) -> "Child":
        limits = self._limits
        options = {name: getattr(limits, name) for name in ("memory", "cpu", "max_pages", "text")}
        options["skip"] = sorted(self._skip)
        with self._source.open("rb") as pdf:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", str(SCRIPT), json.dumps(options)],
                stdin=pdf,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,
            )
        self._answer = cast(BinaryIO, self._process.stdout)
        self._poll = select.poll()  # a server with thousands of sockets has descriptors that select() cannot take
        self._poll.register(self._answer, select.POLLIN)
        self._end = time.monotonic() + limits.seconds
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._answer.close()
        self._process.wait()

    def parts(self) -> Iterator[Total | Page | Failure]:
        """Yield the total, then every page in order. Raises BadFile, also when the child dies, dawdles or babbles."""
        total = self._line().pages
        if total is None or not 0 < total <= self._limits.max_pages:
            raise BadFile("bad_file")
        yield Total(total)
        for number in range(1, total + 1):
            if number not in self._skip:
                try:
                    part = self._page(number)
                except BadFile as bad:
                    raise BadFile(bad.code, number) from bad
                yield part
        if not self._line().done:
            raise BadFile("bad_file")

    def _page(self, number: int) -> Page | Failure:
        line = self._line()
        if line.error is not None and line.number == number:
            return Failure(number, "bad_file")
        fits = line.number == number and line.width == UNITS and 0 < line.height <= MAX_HEIGHT
        if not fits or len(line.sizes) != len(WIDTHS) or not all(0 < size <= MAX_IMAGE for size in line.sizes):
            raise BadFile("bad_file")
        deadline = self._deadline()
        images = tuple(self._take(size, deadline) for size in line.sizes)
        if not all(image[:4] == b"RIFF" and image[8:12] == b"WEBP" for image in images):
            raise BadFile("bad_file")
        return Page(number, line.height, line.text[: self._limits.text], images)

    def _line(self) -> _Line:
        deadline = self._deadline()
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_LINE:
                raise BadFile("bad_file")
            self._read(deadline)
        try:
            line = msgspec.json.decode(self._take(end + 1, deadline), type=_Line)
        except msgspec.MsgspecError:
            raise BadFile("bad_file") from None
        if line.error is not None and line.number is None:
            raise BadFile(line.error if line.error in ("file_encrypted", "too_many_pages") else "bad_file")
        return line

    def _take(self, size: int, deadline: float) -> bytes:
        while len(self._buffer) < size:
            self._read(deadline)
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _read(self, deadline: float) -> None:
        """Wait for more of the answer; no answer in time, or none any more, is a bad file's doing."""
        wait = deadline - time.monotonic()
        if wait <= 0 or not self._poll.poll(wait * 1000):
            raise BadFile("bad_file")
        chunk = os.read(self._answer.fileno(), 1 << 16)
        if not chunk:
            raise BadFile("bad_file")
        self._buffer += chunk

    def _deadline(self) -> float:
        return min(self._end, time.monotonic() + self._limits.page_seconds)
