"""The client's address: behind proxies that are trusted to name it theirs, and of IPv6 the network that one subscriber has."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_SUBSCRIBER_PREFIX = 64
"""What one subscriber of IPv6 has at least (RFC 6177), and addresses in it without end."""

_MAPPED_PREFIX = 96
"""The bits before the IPv4 address in `::ffff:1.2.3.4`, as a socket of both families names its IPv4 peers."""


def forwarded_address(trusted: Iterable[str]) -> Callable[[Mapping[str, str], str], str]:
    """Return a function (headers with lower-case names, peer) -> the client, as everything that counts by address knows it.

    Where the peer is in `trusted` (addresses or networks), it is the last address of X-Forwarded-For that is not: what stands
    before that one a stranger may have written. A port behind an address is left out, an IPv4 address mapped into IPv6 is IPv4,
    and any other of IPv6 but loopback stands for its /64: `2001:db8:1:2::/64`.

    Raises:
        ValueError: something in `trusted` is neither an address nor a network.
    """
    is_trusted = _membership(trusted)

    def client_address(headers: Mapping[str, str], peer: str) -> str:
        forwarded = headers.get("x-forwarded-for")
        if not forwarded and ":" not in peer:  # IPv4 without a proxy: nothing to look into
            return peer
        own = _parsed(peer)
        if own is None:
            return peer
        client = own
        if forwarded and is_trusted(own):
            for item in reversed([item for item in forwarded.split(",") if item.strip()]):
                named = _parsed(_without_port(item.strip()))
                if named is None:
                    client = own
                    break
                client = named
                if not is_trusted(named):
                    break
        return _subscriber(client)

    return client_address


def trusted_peer(trusted: Iterable[str]) -> Callable[[str], bool]:
    """Return a function (peer) -> whether it is one of `trusted`, addresses or networks. A Unix socket's, "", always is."""
    is_trusted = _membership(trusted)

    @lru_cache(maxsize=1_024)  # asked for each TCP connection
    def trusts(peer: str) -> bool:
        address = _parsed(peer)
        return not peer or (address is not None and is_trusted(address))

    return trusts


def _membership(trusted: Iterable[str]) -> Callable[[IPv4Address | IPv6Address], bool]:
    networks = [_unmapped(ip_network(item, strict=False)) for item in trusted]
    return lambda address: any(address in network for network in networks)


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    first = network.network_address
    if isinstance(first, IPv6Address) and first.ipv4_mapped and network.prefixlen >= _MAPPED_PREFIX:
        return IPv4Network((first.ipv4_mapped, network.prefixlen - _MAPPED_PREFIX))
    return network


def _without_port(item: str) -> str:
    if item.startswith("["):
        address, closed, rest = item[1:].partition("]")
        return address if closed and (not rest or _is_port(rest)) else item
    address, colon, rest = item.partition(":")
    return address if colon and "." in address and _is_port(colon + rest) else item


def _is_port(text: str) -> bool:
    return text[:1] == ":" and text[1:].isascii() and text[1:].isdigit()


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _subscriber(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address) or address.is_loopback:
        return str(address)
    return str(IPv6Network((int(address), _SUBSCRIBER_PREFIX), strict=False))
