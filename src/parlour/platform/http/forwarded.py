"""The client's address behind proxies that are trusted to name it."""

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address, ip_network


def forwarded_address(trusted: Iterable[str]) -> Callable[[Mapping[str, str], str], str]:
    """Return a function (headers with lower-case names, peer) -> address.

    Where the peer is in `trusted` (addresses or networks), it is the last address of X-Forwarded-For that is not: what stands
    before that one a stranger may have written.
    """
    networks = [ip_network(item, strict=False) for item in trusted]

    def is_trusted(address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in networks)

    def client_address(headers: Mapping[str, str], peer: str) -> str:
        forwarded = headers.get("x-forwarded-for")
        if not forwarded or not is_trusted(peer):
            return peer
        named = [item.strip() for item in forwarded.split(",") if item.strip()]
        for address in reversed(named):
            if not is_trusted(address):
                return address if _is_address(address) else peer
        return named[0] if named else peer

    return client_address


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
