"""Rate limits by name and key, over the `limits` package."""

from collections.abc import Mapping

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from parlour.platform.clock import Clock
from parlour.platform.errors import RateLimited

DEFAULT_RATES: dict[str, str] = {
    "register": "300/minute",
    "login": "600/minute",
    "refresh": "1200/minute",
    "renew": "60/minute",
    "password": "10/minute",
    "message": "6000/minute",
    "reaction": "1200/minute",
    "room": "300/minute",
    "membership": "1200/minute",
    "search": "600/minute",
    "directory": "240/minute",
    "draft": "240/minute",
    "typing": "600/minute",
    "presence": "240/minute",
    "sync": "600/minute",
    "read": "600/minute",
}
"""What one key (a user or an address) may do: the `limits` notation, `600/minute`; the setting `rates` overrides by name."""


class RateLimits:
    """Counts by (name, key) in a sliding window; about 10 µs a check, bounded by the keys seen within a window."""

    def __init__(self, clock: Clock, overrides: Mapping[str, str] | None = None) -> None:
        """Take `DEFAULT_RATES` with `overrides`.

        Raises:
            ValueError: a name that does not exist, or a rate that is not in the notation.
        """
        unknown = set(overrides or ()) - set(DEFAULT_RATES)
        if unknown:
            raise ValueError(f"unknown rate: {', '.join(sorted(unknown))}; known: {', '.join(DEFAULT_RATES)}")
        self._clock = clock
        self._rates: dict[str, RateLimitItem] = {
            name: parse(rate) for name, rate in {**DEFAULT_RATES, **(overrides or {})}.items()
        }
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def check(self, name: str, key: str) -> None:
        """Count one use of `name` by `key`.

        Raises:
            RateLimited: there were too many; `retry_after` says when one more fits.
        """
        rate = self._rates[name]
        if not self._limiter.hit(rate, name, key):
            reset = self._limiter.get_window_stats(rate, name, key).reset_time
            raise RateLimited(retry_after=round(max(0.1, reset - self._clock.now() / 1000), 1))
