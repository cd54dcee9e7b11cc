"""Pure fold of one page's board: items made of registers, last write wins by seq. Twin: static/js/board.js."""

from collections import deque
from collections.abc import Callable, Container
from functools import lru_cache
from typing import Any, Protocol

import msgspec

KEPT_DEAD = 2_000  # events that a dead item stays restorable; then it is dropped, from the digest too
WRITE_ONCE = frozenset({"ink", "image"})
SAFE = 2**53 - 1  # the largest whole number that both languages hold exactly

_OFFSET, _PRIME, _MASK = 2166136261, 16777619, 0xFFFFFFFF  # FNV-1a-32


class BoardEvent(Protocol):
    """What the fold of a board reads of an event."""

    @property
    def seq(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def by(self) -> str | None: ...
    @property
    def data(self) -> dict[str, Any]: ...


class Register(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One field's value. `foreign` is the newest seq by anybody other than `by`; 0 when there is none."""

    value: Any
    by: str | None
    seq: int
    foreign: int


class Item(msgspec.Struct):
    """One thing on a board. `seq` and `n`: its add, and the place of that edit in its event."""

    kind: str
    by: str | None
    seq: int
    n: int
    fields: dict[str, Register]

    @property
    def alive(self) -> bool:
        return self.fields["alive"].value is True


class Rights(msgspec.Struct, frozen=True):
    """What the author may touch. `free`: everything; else items of `students`, and with `own` only the author's."""

    free: bool
    own: bool
    students: Container[str | None]


class Board:
    """A page's board. `digest` covers every register; `version` grows with each change and is never serialised."""

    __slots__ = ("cleared", "deaths", "digest", "encoded", "items", "live", "marks", "version")

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.cleared: dict[str, int] = {}
        self.digest = 0
        self.version = 0
        self.live = 0  # items that are alive
        self.deaths: deque[tuple[int, str]] = deque()  # (seq, item) in order; restored ones are skipped when due
        self.encoded: tuple[int, bytes] | None = None  # the version and its JSON, kept by the one who encodes
        self.marks: dict[str, int] = {}  # hash of "item|", where each of the item's registers goes on


def apply(board: Board, event: BoardEvent, rights: Rights) -> bool:
    """Fold one event of this page into `board` and say whether anything took effect. Never raises."""
    fold = _FOLDS.get(event.kind)
    if fold is None or not fold(board, event, rights):
        return False
    board.version += 1
    return True


def drop_dead(board: Board, seq: int) -> None:
    """Drop the items that have been dead for 2,000 events when event `seq` comes."""
    while board.deaths and board.deaths[0][0] <= seq - KEPT_DEAD:
        died, key = board.deaths.popleft()
        item = board.items.get(key)
        if item is None or item.alive or item.fields["alive"].seq != died:
            continue
        del board.items[key]
        mark = board.marks.pop(key)
        for field, register in item.fields.items():
            board.digest = (board.digest - _trace(mark, field, register.seq)) & _MASK
        board.version += 1


def paint_order(board: Board) -> list[str]:
    """Return the ids of the live items, the lowest first."""
    return sorted((key for key, item in board.items.items() if item.alive), key=lambda key: _height(board, key))


def _height(board: Board, key: str) -> tuple[float, int, str]:
    item = board.items[key]
    top = item.fields.get("top")
    return (item.seq if top is None or top.value is None else top.value, item.n, key)


def recomputed_digest(board: Board) -> int:
    """Return the digest computed from nothing: what `board.digest` must always be equal to."""
    return sum(
        _hash(f"{key}|{field}|{register.seq}")
        for key, item in board.items.items()
        for field, register in item.fields.items()
    ) & _MASK  # fmt: skip


def load(items: dict[str, Item], cleared: dict[str, int]) -> Board:
    """Return the board of a snapshot."""
    board = Board()
    board.items, board.cleared = items, cleared
    board.marks = {key: _hash(f"{key}|") for key in items}
    board.digest = recomputed_digest(board)
    dead = [(item.fields["alive"].seq, key) for key, item in items.items() if not item.alive]
    board.deaths = deque(sorted(dead))
    board.live = len(items) - len(dead)
    return board


def is_number(value: object) -> bool:
    """Say whether `value` is a number that both languages hold alike. A bool is none."""
    return type(value) in (int, float) and -SAFE <= value <= SAFE  # type: ignore[operator]


def is_whole(value: object) -> bool:
    """Say whether `value` is a whole number that both languages hold alike. 7.0 is one: JavaScript has no other."""
    return is_number(value) and value == int(value)  # type: ignore[call-overload]


def _hash(text: str, state: int = _OFFSET) -> int:
    for byte in text.encode("ascii"):
        state = (state ^ byte) * _PRIME & _MASK
    return state


class _Step:
    """How hashing on over one text changes a state: `state * factor + rest`, where `rest` hangs on the low byte alone.

    Only the low byte of a state meets the XOR of FNV-1a; all above it is multiplied.
    """

    __slots__ = ("factor", "rests")

    def __init__(self, text: str) -> None:
        self.factor = pow(_PRIME, len(text), _MASK + 1)
        self.rests = [(_hash(text, low) - low * self.factor) & _MASK for low in range(256)]


@lru_cache(maxsize=64)
def _step(field: str) -> _Step:
    return _Step(field + "|")


def _trace(mark: int, field: str, seq: int) -> int:
    """Return what a register adds to the digest: the hash of `item|field|seq`, from the mark of the item."""
    step = _step(field)
    state = (mark * step.factor + step.rests[mark & 0xFF]) & _MASK
    for byte in b"%d" % seq:
        state = (state ^ byte) * _PRIME & _MASK
    return state


# --- the events of a board -------------------------------------------------------------------------------------------


def _edited(board: Board, event: BoardEvent, rights: Rights) -> bool:
    edits, guard = event.data.get("edits"), event.data.get("guard")
    if type(edits) is not list or not (guard is None or is_number(guard)):
        return False
    took = False
    for n, edit in enumerate(edits):
        if type(edit) is not list or len(edit) < 2 or type(edit[0]) is not str or type(edit[1]) is not str:
            continue
        verb, key = edit[0], edit[1]
        if verb == "add":
            took |= _add(board, event, n, edit)
        elif (item := board.items.get(key)) is not None and _may_touch(item, event.by, rights):
            if verb == "set":
                took |= len(edit) > 2 and item.alive and _set(board, key, item, edit[2], event, guard)
            elif verb == "remove":
                took |= item.alive and _write(board, key, item, "alive", False, event.by, event.seq, guard)
            elif verb == "restore":
                took |= _may_restore(board, item, rights, guard) and _write(
                    board, key, item, "alive", True, event.by, event.seq, guard
                )
    return took


def _add(board: Board, event: BoardEvent, n: int, edit: list[Any]) -> bool:
    by, key = event.by, edit[1]
    if len(edit) < 4 or type(edit[2]) is not str or type(edit[3]) is not dict:
        return False
    if by is not None and not key.startswith(by + "."):  # the server may add under any id
        return False
    return _place(board, key, Item(edit[2], by, event.seq, n, {}), edit[3])


def _place(board: Board, key: str, item: Item, fields: dict[str, Any]) -> bool:
    if key in board.items or not key.isascii():
        return False
    board.items[key] = item
    board.marks[key] = _hash(key + "|")
    for field, value in fields.items():
        _write_field(board, key, item, field, value, item.by, item.seq, None)
    return _write(board, key, item, "alive", True, item.by, item.seq, None)


def _set(board: Board, key: str, item: Item, fields: object, event: BoardEvent, guard: float | None) -> bool:
    if type(fields) is not dict:
        return False
    took = False
    for field, value in fields.items():
        took |= _write_field(board, key, item, field, value, event.by, event.seq, guard)
    return took


def _may_touch(item: Item, by: str | None, rights: Rights) -> bool:
    return rights.free or (item.by in rights.students and (not rights.own or item.by == by))


def _may_restore(board: Board, item: Item, rights: Rights, guard: float | None) -> bool:
    """No undo pulls ink through a clear: not a student's, and nobody's whose guard is older than the clear."""
    alive = item.fields["alive"]
    if alive.value is True:
        return False
    clear = max(board.cleared.get("*", 0), board.cleared.get(item.by, 0) if item.by is not None else 0)
    if clear < alive.seq:
        return True
    return rights.free and (guard is None or guard >= clear)


def _write_field(
    board: Board, key: str, item: Item, field: str, value: Any, by: str | None, seq: int, guard: float | None
) -> bool:
    """Write a field that an event names. `alive` is not for the naming; `top` is stored as a height."""
    if field == "top" and value is not None:
        if value == "front":
            value = seq
        elif value == "back":
            value = -seq
        elif not is_number(value):
            return False
    elif field == "alive" or (field in WRITE_ONCE and field in item.fields) or not field.isascii():
        return False
    return _write(board, key, item, field, value, by, seq, guard)


def _write(
    board: Board, key: str, item: Item, field: str, value: Any, by: str | None, seq: int, guard: float | None
) -> bool:
    old = item.fields.get(field)
    foreign = 0
    if old is not None:
        foreign = old.foreign if old.by == by else old.seq  # the newest write by anybody but `by`
        if guard is not None and foreign > guard:
            return False
        board.digest -= _trace(board.marks[key], field, old.seq)
    item.fields[field] = Register(value, by, seq, foreign)
    board.digest = (board.digest + _trace(board.marks[key], field, seq)) & _MASK
    if field == "alive":
        if value:
            board.live += 1
        else:
            board.live -= 1
            board.deaths.append((seq, key))
    return True


def _cleared(board: Board, event: BoardEvent, _: Rights) -> bool:
    only = event.data.get("only")
    if not (only is None or type(only) is str):
        return False
    hit = [key for key, item in board.items.items() if item.alive and (only is None or item.by == only)]
    for key in hit:
        _write(board, key, board.items[key], "alive", False, event.by, event.seq, None)
    if hit:
        board.cleared["*" if only is None else only] = event.seq
    return bool(hit)


def _uncleared(board: Board, event: BoardEvent, _: Rights) -> bool:
    seq = event.data.get("seq")
    whose = next((key for key, cleared in board.cleared.items() if is_number(seq) and cleared == seq), None)
    if whose is None:
        return False
    hit = [key for key, item in board.items.items() if not item.alive and item.fields["alive"].seq == seq]
    for key in hit:
        _write(board, key, board.items[key], "alive", True, event.by, event.seq, None)
    if hit:
        del board.cleared[whose]
    return bool(hit)


def _seeded(board: Board, event: BoardEvent, _: Rights) -> bool:
    items = event.data.get("items")
    if type(items) is not dict:
        return False
    took, n = False, 0
    for key, seed in items.items():
        if type(seed) is not dict:
            continue
        kind, by, fields = seed.get("kind"), seed.get("by"), seed.get("fields")
        if type(kind) is not str or type(by) is not str or type(fields) is not dict or not key.startswith(by + "."):
            continue  # and does not count in `n`: in JavaScript, keys that look like numbers come out of their place
        took |= _place(board, key, Item(kind, by, event.seq, n, {}), fields)
        n += 1
    return took


_FOLDS: dict[str, Callable[[Board, BoardEvent, Rights], bool]] = {
    "board.edited": _edited,
    "page.cleared": _cleared,
    "page.uncleared": _uncleared,
    "board.seeded": _seeded,
}
