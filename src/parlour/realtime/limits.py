"""Who is let in, and how much: bounds and token buckets. Pure; the clock is passed in as `time.monotonic()` seconds."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one process. Rates are per second with a burst on top of an idle second.

    The defaults let 10,000 sockets in at once from the machine itself and stop a stranger: bounds per address do not apply to
    loopback addresses, which belong to a reverse proxy, a load generator or the owner; the bounds of the process do. Of IPv6 an
    "address" is a whole /64, which is the least that one subscriber has.
    """

    max_connections: int = 50_000
    max_connections_per_address: int = 1_000
    handshakes_per_second: float = 2_000
    handshake_burst: int = 15_000
    handshakes_per_second_per_address: float = 50
    handshake_burst_per_address: int = 500
    max_tcp_connections: int = 60_000
    """Of any kind, idle ones and plain HTTP too; what comes on top is closed at once. Leave descriptors for the rest of the process."""
    max_tcp_connections_per_address: int = 2_000
    """A session on long-polling takes two. Counted by the peer; a proxy, which `exempt_peer` of the server names, has no bound."""
    max_half_open: int = 12_000
    """Sessions that have not joined a namespace yet; past it the oldest of them goes."""
    max_half_open_per_address: int = 200
    packets_per_second: float = 1_000
    packet_burst: int = 3_000
    """Past its rate a connection is not read from until it is within it again; TCP holds the sender back. One that has
    already sent a second burst beyond that, in a single read, is closed."""
    max_waiting_packets: int = 100
    """Packets of one socket that wait for a handler; past it the connection is not read from."""
    max_outbox_bytes: int = 2_000_000
    """What may wait for one connection that does not read; past it volatile packets are dropped and then it is closed.
    A single write may exceed it for as long as `stall_timeout`."""
    outbox_budget: int = 512 * 2**20
    """What may wait for all connections of the process together; past it those for which most waits are closed first."""
    stall_timeout: float = 5.0
    """Seconds after which a WebSocket that has not taken in what one large write left behind is held to the bound."""
    request_head_timeout: float = 10.0
    """Seconds from the opening of a TCP connection, or the first byte of a request, to the end of its headers."""
    max_request_head_bytes: int = 65_536
    request_body_timeout: float = 30.0
    """Seconds for the body of a long-polling POST."""
    max_tracked_addresses: int = 100_000


_FORGET_EVERY: Final = 1.0
"""Seconds between sweeps of a full table of addresses: a flood from many must not buy one sweep a handshake."""


class TokenBucket:
    """`rate` tokens a second, at most `burst` saved up."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = now

    def take(self, now: float) -> bool:
        """Takes a token if there is one."""
        tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if tokens < 1.0:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1.0
        return True

    def is_full(self, now: float) -> bool:
        """Whether the bucket is as good as new."""
        return self._tokens + (now - self._at) * self._rate >= self._burst


class Refusal(msgspec.Struct, frozen=True):
    """Why a handshake is refused: for the observer, for the client, and when to come back (seconds)."""

    reason: str
    status: int
    code: int
    message: str
    retry_after: int


# Codes 0 to 5 are the reference server's; ours follow.
DRAINING: Final = Refusal("draining", 503, 6, "Server is restarting", 1)
FULL: Final = Refusal("connections", 503, 7, "Too many connections", 5)
ADDRESS_FULL: Final = Refusal("address_connections", 429, 8, "Too many connections from this address", 5)
BUSY: Final = Refusal("handshake_rate", 503, 9, "Too many handshakes", 1)
ADDRESS_BUSY: Final = Refusal("address_handshake_rate", 429, 10, "Too many handshakes from this address", 1)
ADDRESS_HALF_OPEN: Final = Refusal("half_open", 429, 11, "Too many unfinished handshakes from this address", 5)


class _Address:
    __slots__ = ("bucket", "connections", "half_open")

    def __init__(self, bucket: TokenBucket) -> None:
        self.connections = 0
        self.half_open = 0
        self.bucket = bucket

    def refuse(self, limits: Limits, now: float) -> Refusal | None:
        """Why nobody more may come from here now."""
        if self.connections >= limits.max_connections_per_address:
            return ADDRESS_FULL
        if self.half_open >= limits.max_half_open_per_address:
            return ADDRESS_HALF_OPEN
        return None if self.bucket.take(now) else ADDRESS_BUSY


class Admission:
    """Counts connections and handshakes and says who may come in."""

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._handshakes = TokenBucket(limits.handshakes_per_second, limits.handshake_burst, now)
        self._addresses: dict[str, _Address] = {}
        self._forget_at = now
        self.connections = 0
        self.draining = False

    def admit(self, address: str, now: float) -> Refusal | None:
        """Counts a new session of `address` in, or says why not. What was admitted must be `release`d."""
        limits = self._limits
        if self.draining:
            return DRAINING
        if self.connections >= limits.max_connections:
            return FULL
        entry = None if is_loopback(address) else self._entry(subscriber(address), now)
        if entry is not None:
            refusal = entry.refuse(limits, now)
            if refusal is not None:
                return refusal
        if not self._handshakes.take(now):
            return BUSY
        self.connections += 1
        if entry is not None:
            entry.connections += 1
            entry.half_open += 1
        return None

    def joined(self, address: str) -> None:
        """The session joined its first namespace: it is no longer half open."""
        entry = self._addresses.get(subscriber(address))
        if entry is not None:
            entry.half_open -= 1

    def release(self, address: str, *, half_open: bool) -> None:
        """The session ended."""
        self.connections -= 1
        entry = self._addresses.get(subscriber(address))
        if entry is not None:
            entry.connections -= 1
            entry.half_open -= half_open

    def _entry(self, address: str, now: float) -> _Address:
        entry = self._addresses.get(address)
        if entry is None:
            if len(self._addresses) >= self._limits.max_tracked_addresses and now >= self._forget_at:
                self._forget_at = now + _FORGET_EVERY
                self._forget_idle(now)
            bucket = TokenBucket(
                self._limits.handshakes_per_second_per_address, self._limits.handshake_burst_per_address, now
            )
            entry = self._addresses[address] = _Address(bucket)
        return entry

    def _forget_idle(self, now: float) -> None:
        idle = [name for name, entry in self._addresses.items() if not entry.connections and entry.bucket.is_full(now)]
        for name in idle:
            del self._addresses[name]


class PeerConnections:
    """Counts the TCP connections of each peer that is not exempt."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[str, int] = {}

    def opened(self, address: str) -> bool:
        """Counts one more of `address`; False, and nothing counted, when it has too many."""
        count = self._open.get(address, 0)
        if count >= self._limit:
            return False
        self._open[address] = count + 1
        return True

    def closed(self, address: str) -> None:
        """One that was counted is gone."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]


def is_loopback(address: str) -> bool:
    """Whether an address is the machine itself; an empty one (a Unix socket) is."""
    if address in ("", "127.0.0.1", "::1"):
        return True
    try:
        return ip_address(subscriber(address)).is_loopback
    except ValueError:
        return False


def subscriber(address: str) -> str:
    """What limits count an address as: IPv4 mapped into IPv6 as IPv4, other IPv6 but loopback as its /64."""
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return address if parsed.is_loopback else str(IPv6Network((int(parsed), 64), strict=False))
