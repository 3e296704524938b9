"""The client's address behind proxies: what a stranger writes into X-Forwarded-For is never believed."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.platform.http import forwarded_address, trusted_peer
from parlour.realtime.limits import subscriber

PROXY, STRANGER, CLIENT = "10.0.0.1", "203.0.113.9", "198.51.100.7"
named_by = forwarded_address(["10.0.0.0/8", "::1"])


@pytest.mark.parametrize(
    ("peer", "header", "address"),
    [
        (CLIENT, None, CLIENT),
        (PROXY, None, PROXY),
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"{CLIENT}, 10.9.9.9", CLIENT),
        ("::1", CLIENT, CLIENT),
        # Of IPv6 the /64, wherever it comes from; IPv4 mapped into it is IPv4
        (PROXY, "2001:db8::7", "2001:db8::/64"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        ("fe80::1%eth0", None, "fe80::/64"),
        ("::1", None, "::1"),
        (f"::ffff:{STRANGER}", None, STRANGER),
        (f"::ffff:{STRANGER}", CLIENT, STRANGER),
        (f"::ffff:{PROXY}", CLIENT, CLIENT),
        (f"::ffff:{PROXY}", f"::ffff:{CLIENT}, ::ffff:10.9.9.9", CLIENT),
        # Ports
        (PROXY, f"{CLIENT}:1234", CLIENT),
        (PROXY, f"{CLIENT}:1234, 10.0.0.3:80", CLIENT),
        (PROXY, "[2001:db8::7]:1234", "2001:db8::/64"),
        (PROXY, "[2001:db8::7]", "2001:db8::/64"),
        (PROXY, f"{CLIENT}:12x", PROXY),
        (PROXY, f"{CLIENT}:", PROXY),
        (PROXY, "[2001:db8::7", PROXY),
        # Spoofing
        (STRANGER, CLIENT, STRANGER),
        (STRANGER, "10.0.0.1", STRANGER),
        (PROXY, f"127.0.0.1, {CLIENT}", CLIENT),
        (PROXY, f"{STRANGER}, {CLIENT}, 10.0.0.2", CLIENT),
        # Nonsense
        (PROXY, "", PROXY),
        (PROXY, ", ,", PROXY),
        (PROXY, "unknown", PROXY),
        (PROXY, "<script>", PROXY),
        (PROXY, "10.0.0.7, 10.0.0.8", "10.0.0.7"),
        ("", CLIENT, ""),
        ("a unix socket", CLIENT, "a unix socket"),
    ],
)
def test_address(peer: str, header: str | None, address: str) -> None:
    assert named_by({} if header is None else {"x-forwarded-for": header}, peer) == address


@given(st.text())
def test_stranger_stays_a_stranger_whatever_the_header(header: str) -> None:
    assert named_by({"x-forwarded-for": header}, STRANGER) == STRANGER


@given(st.text())
def test_last_hop_before_our_proxy_wins_whatever_stands_before_it(prefix: str) -> None:
    assert named_by({"x-forwarded-for": f"{prefix}, {CLIENT}"}, PROXY) == CLIENT


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert forwarded_address([])({"x-forwarded-for": CLIENT}, "127.0.0.1") == "127.0.0.1"


def test_wrong_network_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        forwarded_address(["nonsense"])


def test_proxy_may_be_named_as_a_socket_of_both_families_sees_it() -> None:
    assert forwarded_address(["::ffff:10.0.0.0/104"])({"x-forwarded-for": CLIENT}, PROXY) == CLIENT


@given(st.ip_addresses())
def test_the_engine_counts_a_client_as_http_does(address: IPv4Address | IPv6Address) -> None:
    """It folds by itself, since it knows nothing of the platform; what is folded already stays as it is."""
    folded = named_by({}, str(address))
    assert subscriber(str(address)) == subscriber(folded) == folded


def test_peers_that_are_proxies_are_told_from_strangers() -> None:
    trusts = trusted_peer(["10.0.0.0/8", "::1"])
    assert [trusts(peer) for peer in (PROXY, f"::ffff:{PROXY}", "::1", "")] == [True] * 4
    assert [trusts(peer) for peer in (STRANGER, "2001:db8::7", "nonsense")] == [False] * 3
