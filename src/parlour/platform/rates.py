"""Rate limits by name and key."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Protocol

from parlour.platform.clock import Clock
from parlour.platform.errors import RateLimited

DEFAULT_RATES: dict[str, str] = {
    "register": "10/hour, burst 5",
    "login": "600/minute, burst 30",
    "refresh": "1200/minute",
    "renew": "60/minute",
    "password": "10/minute",
    "message": "6000/minute, burst 1000",
    "deliveries": "100000/second",
    "reaction": "1200/minute",
    "room": "300/minute",
    "membership": "1200/minute",
    "invite": "1200/hour, burst 3000",
    "history": "1200/minute, burst 300",
    "list": "1200/minute, burst 300",
    "search": "600/minute",
    "directory": "240/minute",
    "draft": "240/minute",
    "typing": "600/minute",
    "presence": "240/minute",
    "call": "20/minute, burst 10",
    "call_join": "240/minute, burst 60",
    "call_signal": "60/second, burst 300",
    "sync": "600/minute",
    "read": "600/minute",
}
"""What one key (a user or an address) may do: `600/minute` (second, minute, hour, day), all at once or, with `, burst 30`, so many at
once; the setting `rates` overrides by name."""


_PERIODS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
_notation = re.compile(r"(\d{1,9})/(second|minute|hour|day)(?:, ?burst (\d{1,9}))?").fullmatch
_PRUNE_FROM = 10_000


class RateLimits:
    """Counts by (name, key): a burst at once, then evenly (GCRA, the generic cell rate algorithm).

    A check costs less than a microsecond. Keys are remembered until they are as good as new. Ours, because every message takes one:
    the `limits` package costs seven, and its memory storage walks over all keys in a thread a hundred times a second.
    """

    def __init__(self, clock: Clock, overrides: Mapping[str, str] | None = None) -> None:
        """Take `DEFAULT_RATES` with `overrides`.

        Raises:
            ValueError: a name that does not exist, or a rate that is not in the notation.
        """
        unknown = set(overrides or ()) - set(DEFAULT_RATES)
        if unknown:
            raise ValueError(f"unknown rate: {', '.join(sorted(unknown))}; known: {', '.join(DEFAULT_RATES)}")
        self._now = clock.monotonic
        self._rates = {name: _parsed(name, rate) for name, rate in {**DEFAULT_RATES, **(overrides or {})}.items()}
        self._full_at: dict[tuple[str, str], float] = {}  # when a key will be as good as new
        self._prune_at = _PRUNE_FROM

    def check(self, name: str, key: str, cost: int = 1) -> None:
        """Count one use of `name` by `key` (`cost` of them); whatever its cost, it passes where one more would.

        Raises:
            RateLimited: there were too many; `retry_after` says when one more fits.
        """
        interval, tolerance = self._rates[name]
        now = self._now()
        full_at = max(self._full_at.get((name, key), now), now)
        if full_at - now > tolerance:
            raise RateLimited(retry_after=refusal(full_at - now - tolerance))
        self._full_at[name, key] = full_at + interval * cost
        if len(self._full_at) > self._prune_at:
            self._full_at = {each: at for each, at in self._full_at.items() if at > now}
            self._prune_at = max(_PRUNE_FROM, 2 * len(self._full_at))

    def rate(self, name: str) -> tuple[float, float]:
        """Return the seconds between two uses of `name`, and how far ahead of that a burst may be."""
        return self._rates[name]

    def check_address(self, name: str, address: str) -> None:
        """Count one use of `name` by a network address; the machine itself is exempt, as it is for sockets.

        Raises:
            RateLimited: as `check`.
        """
        if not is_loopback(address):
            self.check(name, address)


class SharedRates(Protocol):
    """Limits of what several processes count together: `register`, `login`, `refresh`, `password`, `invite`, `room`, `call`.

    What one key may do is bounded over all processes: checks of one key happen one after the other, wherever they come from. Failure:
    nothing but `RateLimited` is raised; while the engine is away each process counts alone, and the bound is that of each.
    """

    async def check(self, name: str, key: str, cost: int = 1) -> None:
        """Count one use of `name` by `key` (`cost` of them); whatever its cost, it passes where one more would.

        Raises:
            RateLimited: there were too many; `retry_after` says when one more fits.
        """
        ...

    async def check_address(self, name: str, address: str) -> None:
        """Count one use of `name` by a network address; the machine itself is exempt.

        Raises:
            RateLimited: as `check`.
        """
        ...


class LocalRates:
    """The `SharedRates` of a single process."""

    def __init__(self, rates: RateLimits) -> None:
        self._rates = rates

    async def check(self, name: str, key: str, cost: int = 1) -> None:
        """See SharedRates."""
        self._rates.check(name, key, cost)

    async def check_address(self, name: str, address: str) -> None:
        """See SharedRates."""
        self._rates.check_address(name, address)


def refusal(wait: float) -> float:
    """Return the `retry_after` of a refusal, in seconds with one digit, none too early."""
    return max(0.1, round(wait + 0.05, 1))


def is_loopback(address: str) -> bool:
    """Tell whether an address is of this machine: its owner, a demonstration, or a proxy that does not name its clients."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _parsed(name: str, rate: str) -> tuple[float, float]:
    """Return the seconds between two uses, and how far ahead of that a burst may be."""
    match = _notation(rate)
    if match is None or int(match[1]) == 0 or match[3] == "0":
        raise ValueError(
            f"rate {name}: {rate!r} is not like 600/minute (second, minute, hour or day) or 600/minute, burst 30"
        )
    interval = _PERIODS[match[2]] / int(match[1])
    burst = int(match[3] or match[1])
    return interval, (burst - 0.5) * interval  # half an interval, so that rounding never costs the last of a burst
