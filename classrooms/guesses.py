"""PURE. Who guesses, and how much: wrong secrets by address and in all, codes waited for, and codes that were right.

`now` is any clock in seconds.
"""

import ipaddress
from collections.abc import Callable
from typing import TypeVar

from classrooms.meter import Meter

T = TypeVar("T")

Rate = tuple[float, int]  # a second, and at once

# A school is one address, and of 300 children some mistype. 30 at once, then one every 2 s, is a hit at a join code in
# 100 days of trying from one address where 200 lessons are live.
EACH: Rate = (0.5, 30)
ALL: Rate = (5.0, 300)
WARY = 3  # at once, of each address while all together are over their rate; who never guessed wrong does not notice
CODES: Rate = (0.2, 50)  # new codes of each address at the waiting door
PROVEN = 50  # codes that were right, of each address: as many classrooms as a school has lessons in at once
MAX_ADDRESSES = 10_000  # remembered; past that the one that is known longest is forgotten


class Guesses:
    """How often who guessed wrong. A right guess leaves no trace, and needs none."""

    def __init__(self, each: Rate = EACH, all_together: Rate = ALL) -> None:
        self.each = each
        self.all_together = all_together
        self._each: dict[str, Meter] = {}
        self._all = Meter()

    def wait(self, address: str, now: float) -> float:
        """Return the seconds until this address may guess again; 0.0 is now."""
        meter = self._each.get(network(address))
        if meter is None:
            return 0.0
        rate, burst = self.each
        return meter.wait(now, rate, WARY if self._all.wait(now, *self.all_together) else burst)

    def count(self, address: str, now: float) -> None:
        """Count a wrong guess."""
        _of(self._each, address, Meter).take(now, *self.each)
        self._all.take(now, *self.all_together)


class Curiosity:
    """How many different codes who waits for. A school has as many classrooms; a guesser has no end of them."""

    def __init__(self) -> None:
        self._each: dict[str, tuple[Meter, dict[str, None]]] = {}

    def admit(self, address: str, code: str, now: float) -> bool:
        """Say whether this address may wait for a code: one of its latest, or a new one, at the rate of CODES."""
        meter, known = _of(self._each, address, lambda: (Meter(), {}))
        if code in known:
            return True
        if meter.take(now, *CODES):
            return False
        _keep(known, code, CODES[1])
        return True


class Proven:
    """Which codes were right, and where. There they are no secret, so whoever guesses there holds nobody up with them.

    A school is one address: one child who types at random would else keep everybody else out.
    """

    def __init__(self) -> None:
        self._each: dict[str, dict[str, None]] = {}

    def add(self, address: str, code: str) -> None:
        """A code was right, or somebody who knows it is there."""
        _keep(_of(self._each, address, dict), code, PROVEN)

    def has(self, address: str, code: str) -> bool:
        """Say whether a code was right at this address before."""
        return code in self._each.get(network(address), ())


def _of(table: dict[str, T], address: str, make: Callable[[], T]) -> T:
    """Return what is known of an address; where too many are known, the one known longest is forgotten."""
    where = network(address)
    if where not in table:
        if len(table) >= MAX_ADDRESSES:
            del table[next(iter(table))]
        table[where] = make()
    return table[where]


def _keep(known: dict[str, None], code: str, most: int) -> None:
    """Remember a code, and at most so many: the latest."""
    known.pop(code, None)
    known[code] = None
    if len(known) > most:
        del known[next(iter(known))]


def network(address: str) -> str:
    """Return what counts as one address: of IPv6 the /64 that every household has to itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
