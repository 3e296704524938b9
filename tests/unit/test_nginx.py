"""What a gateway may be said to be, and that nothing else comes into the configuration."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.nginx import Gateway, Limits, Node, Ocsp, configuration
from parlour.platform.http.application import MAX_BODY

FIELDS: dict[str, Any] = {
    "server_names": ("chat.example.org",),
    "certificate": "/etc/ssl/chat.pem",
    "certificate_key": "/etc/ssl/chat.key",
    "chat": (Node("a", "10.0.0.1", 8000),),
}

PLACES: dict[str, Any] = {
    "server_names": lambda text: Gateway(**FIELDS | {"server_names": ("chat.example.org", text)}),
    "certificate": lambda text: Gateway(**FIELDS | {"certificate": text}),
    "certificate_key": lambda text: Gateway(**FIELDS | {"certificate_key": text}),
    "https": lambda text: Gateway(**FIELDS, https=(text,)),
    "http": lambda text: Gateway(**FIELDS, http=(text,)),
    "status": lambda text: Gateway(**FIELDS, status=text),
    "trusted_proxies": lambda text: Gateway(**FIELDS, trusted_proxies=(text,)),
    "acme_folder": lambda text: Gateway(**FIELDS, acme_folder=text),
    "user": lambda text: Gateway(**FIELDS, user=text),
    "pid_file": lambda text: Gateway(**FIELDS, pid_file=text),
    "log_folder": lambda text: Gateway(**FIELDS, log_folder=text),
    "state_folder": lambda text: Gateway(**FIELDS, state_folder=text),
    "node_id": lambda text: Node(text, "10.0.0.1", 8000),
    "host": lambda text: Node("a", text, 8000),
    "ocsp.chain": Ocsp,
    "ocsp.resolvers": lambda text: Ocsp("/etc/ssl/chain.pem", (text,)),
}

FITTING = {
    "server_names": "rooms.example.org",
    "https": "127.0.0.1:8443",
    "http": "[::1]:8080",
    "status": "[::1]:8090",
    "trusted_proxies": "10.0.0.0/8",
    "user": "nginx",
    "node_id": "b-2",
    "host": "node.example.org",
    "ocsp.resolvers": "9.9.9.9",
}

HOSTILE = [
    " ",
    ";",
    "{",
    "}",
    '"',
    "'",
    "\\",
    "$",
    "#",
    "\n",
    "\r",
    "\t",
    "\0",
    "%",
    "*",
    "~",
    "(",
    "|",
    "\x7f",
    "é",
    "\u2028",
    "٣",
]
ENDINGS = ["\n", "\r\n", " ", ";", "\0", "$a"]


@pytest.mark.parametrize("place", PLACES)
@given(data=st.data())
def test_no_hostile_string_is_taken(place: str, data: st.DataObject) -> None:
    around = st.text(st.characters(max_codepoint=0x2100, exclude_categories=("Cs",)), max_size=20)
    text = data.draw(around) + data.draw(st.sampled_from(HOSTILE)) + data.draw(around)
    with pytest.raises(ValueError, match=place.replace("ocsp.", "")):
        PLACES[place](text)


@pytest.mark.parametrize("place", PLACES)
def test_fitting_string_is_taken_but_nothing_after_it(place: str) -> None:
    fitting = FITTING.get(place, "/srv/parlour")
    PLACES[place](fitting)
    for ending in ENDINGS:
        with pytest.raises(ValueError, match=place.replace("ocsp.", "")):
            PLACES[place](fitting + ending)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"server_names": ()}, "server_names"),
        ({"server_names": ("a.org", "a.org")}, "server_names"),
        ({"server_names": ("10.0.0.1",)}, "server_names"),
        ({"server_names": ("_",)}, "server_names"),
        ({"chat": ()}, "chat"),
        ({"chat": (Node("a", "10.0.0.1", 1), Node("a", "10.0.0.2", 1))}, "node ids"),
        ({"chat": (Node("a", "10.0.0.1", 1), Node("b", "10.0.0.1", 1))}, "addresses"),
        ({"chat": tuple(Node(f"n{index}", "10.0.0.1", index + 1) for index in range(257))}, "chat"),
        ({"https": ()}, "https"),
        ({"https": ("0.0.0.0:443", "0.0.0.0:443")}, "listeners"),
        ({"https": ("0.0.0.0:80",), "http": ("0.0.0.0:80",)}, "listeners"),
        ({"https": ("0.0.0.0:65536",)}, "https"),
        ({"https": ("[10.0.0.1]:443",)}, "https"),
        ({"status": "0.0.0.0:8089"}, "status"),
        ({"status": "10.0.0.1:8089"}, "status"),
        ({"status": "[::]:8089"}, "status"),
        ({"trusted_proxies": ("proxy.example",)}, "trusted_proxies"),
        ({"certificate": "certificate.pem"}, "certificate"),
        ({"ping_interval_ms": 1}, "ping_interval_ms"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Gateway(**FIELDS | fields)


@pytest.mark.parametrize(
    "values", [("a", "10.0.0.1", 0), ("a", "10.0.0.1", 65_536), ("", "10.0.0.1", 1), ("A", "h", 1)]
)
def test_node_that_does_not_fit_is_refused(values: tuple[str, str, int]) -> None:
    with pytest.raises(ValueError, match="is not"):
        Node(*values)


@pytest.mark.parametrize("name", Limits.__struct_fields__)
def test_limits_are_bounded(name: str) -> None:
    for value in (0, 2**30 + 1, 65_536 if name == "connections" else -1):
        with pytest.raises(ValueError, match=name):
            Limits(**{name: value})


def test_values_read_from_json_are_checked_alike() -> None:
    said = msgspec.json.encode(Gateway(**FIELDS))
    assert msgspec.json.decode(said, type=Gateway) == Gateway(**FIELDS)
    with pytest.raises(msgspec.ValidationError, match="user"):
        msgspec.json.decode(said.replace(b"www-data", b"www-data; load_module x"), type=Gateway)
    with pytest.raises(msgspec.ValidationError, match="servername"):
        msgspec.json.decode(said.replace(b"server_names", b"servername"), type=Gateway)


def test_bodies_are_bounded_as_parlour_bounds_them() -> None:
    assert Limits().body_bytes == MAX_BODY


@pytest.mark.parametrize("name", ["default", "hostnames", "include", "volatile", "-", "127"])
def test_node_may_be_called_what_means_something_in_a_map(name: str) -> None:
    gateway = Gateway(**FIELDS | {"chat": (Node(name, "10.0.0.1", 8000),)})
    assert f"\n        node-{name} chat_node_{name};\n" in configuration(gateway)


def test_sockets_and_polls_may_be_silent_for_longer_than_a_ping_and_its_timeout() -> None:
    text = configuration(Gateway(**FIELDS, ping_interval_ms=25_000, ping_timeout_ms=20_000))
    assert "proxy_read_timeout 61s;" in text.partition("location /socket.io {")[2].partition("}")[0]


def test_old_tls_is_off_until_it_is_asked_for() -> None:
    assert "ssl_protocols TLSv1.3;" in configuration(Gateway(**FIELDS))
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in configuration(Gateway(**FIELDS, tls_1_2=True))
