"""The configuration of the NGINX in front of Parlour, written from what an operator says of the deployment."""

import re
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from string import Template
from typing import Final

import msgspec

from parlour.platform.errors import (
    Internal,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    ParlourError,
    RateLimited,
    TooLarge,
    Unavailable,
)

_node_id = re.compile(r"[a-z0-9-]{1,32}").fullmatch
_host_name = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
).fullmatch
_path = re.compile(r"/[A-Za-z0-9._@+=/-]{0,1023}").fullmatch
_user = re.compile(r"[a-z_][a-z0-9_-]{0,31}").fullmatch

_MAX_NODES: Final = 256
_MOST: Final = {"connections": 65_535, "seconds": 86_400, "bytes": 2**30, "": 1_000_000}
"""By the last word of a limit's name; NGINX takes no more connections."""
_MARGIN: Final = 15
"""Seconds beyond a ping and its timeout: the engine, which knows more of a socket, ends it before NGINX does."""

_TLS_1_2_CIPHERS: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `parlour serve` process: its `PARLOUR_NODE_ID`, and where NGINX reaches it by plain HTTP."""

    node_id: str
    host: str
    port: int

    def __post_init__(self) -> None:
        """Raise ValueError where something does not fit."""
        _check(bool(_node_id(self.node_id)), "node_id", self.node_id, "1 to 32 small letters, digits and hyphens")
        _check(_address(self.host) is not None or _is_name(self.host), "host", self.host, "an address or a host name")
        _check(0 < self.port < 65_536, "port", self.port, "1 to 65535")

    @property
    def address(self) -> str:
        """As `upstream` takes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one address may do (of IPv6: one /64), sizes in bytes, and times in seconds."""

    requests_per_second: int = 100
    burst: int = 500
    """Requests beyond the rate that are let through at once."""
    connections: int = 2_000
    """WebSockets, polls and requests under way. Parlour itself lets an address have 1,000 sockets."""
    body_bytes: int = 131_072
    """As Parlour's own limit of a request's body."""
    payload_bytes: int = 1_000_000
    """What one POST of long-polling may bring: `PARLOUR_MAX_PAYLOAD_BYTES`."""
    header_seconds: int = 10
    """All of a request's header has to arrive within them, and a TLS handshake has to be done."""
    body_seconds: int = 15
    """The longest pause within a body."""
    answer_seconds: int = 35
    """The longest pause of an answer; more than `PARLOUR_REQUEST_TIMEOUT_SECONDS`, so that Parlour answers first."""

    def __post_init__(self) -> None:
        """Raise ValueError where something does not fit."""
        for name in self.__struct_fields__:
            value, most = getattr(self, name), _MOST.get(name.rpartition("_")[2], _MOST[""])
            _check(0 < value <= most, f"limits.{name}", value, f"1 to {most:,}")


class Ocsp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stapling: the file with the issuers' certificates, and the DNS servers that find the responder."""

    chain: str
    resolvers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError where something does not fit."""
        _check_path("ocsp.chain", self.chain)
        for resolver in self.resolvers:
            _check(_address(resolver) is not None, "ocsp.resolvers", resolver, "an address")


class Gateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One NGINX and the nodes behind it. What does not fit is refused with ValueError when it is made: nothing of it is quoted later."""

    server_names: tuple[str, ...]
    """The host names that people use; the first is the main one. Requests for any other are refused."""
    certificate: str
    certificate_key: str
    chat: tuple[Node, ...]
    """Who serves rooms, sockets and the web client."""
    auth: tuple[Node, ...] = ()
    """Who serves accounts; empty: the nodes of chat."""
    video: tuple[Node, ...] = ()
    """Who serves the HTTP side of calls; empty: the nodes of chat."""
    https: tuple[str, ...] = ("0.0.0.0:443", "[::]:443")
    http: tuple[str, ...] = ("0.0.0.0:80", "[::]:80")
    """Where plain HTTP is answered with the way to https; may be empty."""
    status: str = "127.0.0.1:8089"
    """Where `/stub_status` is; on loopback only."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of load balancers in front, whose X-Forwarded-For is believed."""
    limits: Limits = msgspec.field(default_factory=Limits)
    ping_interval_ms: int = 25_000
    ping_timeout_ms: int = 20_000
    tls_1_2: bool = False
    """Also take TLS 1.2, for clients from before 2018 or so."""
    ocsp: Ocsp | None = None
    acme_folder: str = ""
    """Where the ACME client (certbot --webroot) puts its challenges."""
    user: str = "www-data"
    """Whom the workers run as; empty where NGINX is not started by root."""
    pid_file: str = "/run/nginx.pid"
    log_folder: str = "/var/log/nginx"
    state_folder: str = "/var/lib/nginx"
    """Where bodies that wait and copies of assets are kept."""

    def __post_init__(self) -> None:
        """Raise ValueError where something does not fit."""
        _check(bool(self.server_names), "server_names", self.server_names, "at least one host name")
        for name in self.server_names:
            _check(_is_name(name), "server_names", name, "a host name in small letters")
        _check_distinct("server_names", self.server_names)
        for field in ("certificate", "certificate_key", "pid_file", "log_folder", "state_folder"):
            _check_path(field, getattr(self, field))
        if self.acme_folder:
            _check_path("acme_folder", self.acme_folder)
        _check(0 < len(self.chat) <= _MAX_NODES, "chat", len(self.chat), f"1 to {_MAX_NODES} nodes")
        for role in ("chat", "auth", "video"):
            nodes: tuple[Node, ...] = getattr(self, role)
            _check(len(nodes) <= _MAX_NODES, role, len(nodes), f"at most {_MAX_NODES} nodes")
            _check_distinct(f"{role}: node ids", [node.node_id for node in nodes])
            _check_distinct(f"{role}: addresses", [node.address for node in nodes])
        _check(bool(self.https), "https", self.https, "at least one address:port")
        for field, listeners in (("https", self.https), ("http", self.http), ("status", (self.status,))):
            for listener in listeners:
                _check(_listener(listener) is not None, field, listener, "address:port, of IPv6 [address]:port")
        _check_distinct("listeners", [*self.https, *self.http, self.status])
        listening = _listener(self.status)
        _check(listening is not None and listening[0].is_loopback, "status", self.status, "an address of loopback")
        for proxy in self.trusted_proxies:
            _check(_is_network(proxy), "trusted_proxies", proxy, "an address or a network")
        _check(not self.user or bool(_user(self.user)), "user", self.user, "the name of a user, or empty")
        for field in ("ping_interval_ms", "ping_timeout_ms"):
            _check(100 <= getattr(self, field) <= 3_600_000, field, getattr(self, field), "100 to 3,600,000")


def configuration(gateway: Gateway) -> str:
    """Return the whole of an nginx.conf, for NGINX 1.19.4 to 1.24 (later ones warn of `listen … http2`)."""
    template = files("parlour").joinpath("nginx.conf.template").read_text(encoding="utf-8")
    limits = gateway.limits
    hang = (gateway.ping_interval_ms + gateway.ping_timeout_ms) // 1000 + 1 + _MARGIN
    return _Template(template).substitute(
        user=f"user {gateway.user};" if gateway.user else "",
        pid_file=gateway.pid_file,
        log_folder=gateway.log_folder,
        state_folder=gateway.state_folder,
        server_names=" ".join(gateway.server_names),
        certificate=gateway.certificate,
        certificate_key=gateway.certificate_key,
        protocols="TLSv1.2 TLSv1.3" if gateway.tls_1_2 else "TLSv1.3",
        ciphers=f"ssl_ciphers {_TLS_1_2_CIPHERS};" if gateway.tls_1_2 else "",
        stapling=_lines(4, _stapling(gateway.ocsp)),
        trusted_proxies=_lines(4, _trusted(gateway.trusted_proxies)),
        upstreams=_lines(4, _upstreams(gateway)),
        nodes=_lines(8, [f"node-{node.node_id} chat_node_{node.node_id};" for node in gateway.chat]),
        listen=_lines(8, [f"listen {address} ssl http2;" for address in gateway.https]),
        listen_default=_lines(8, [f"listen {address} ssl http2 default_server;" for address in gateway.https]),
        plain=_lines(4, _plain(gateway)),
        status=gateway.status,
        rate=str(limits.requests_per_second),
        burst=str(limits.burst),
        connections=str(limits.connections),
        body_bytes=str(limits.body_bytes),
        payload_bytes=str(limits.payload_bytes),
        header_seconds=str(limits.header_seconds),
        body_seconds=str(limits.body_seconds),
        answer_seconds=str(limits.answer_seconds),
        hang_seconds=str(hang),
        invalid=_envelope(InvalidRequest("This is no request that can be understood.")),
        misdirected=_envelope(InvalidRequest("This server does not answer for that name.")),
        not_found=_envelope(NotFound("There is nothing at this address.")),
        method_not_allowed=_envelope(MethodNotAllowed()),
        too_large=_envelope(TooLarge(details={"limit": "$body_limit"})).replace('"$body_limit"', "$body_limit"),
        rate_limited=_envelope(RateLimited(retry_after=1)),
        internal=_envelope(Internal()),
        unavailable=_envelope(Unavailable(retry_after=1)),
    )


class _Template(Template):
    """`%{name}`: the dollar is NGINX's own."""

    delimiter = "%"


def _envelope(error: ParlourError) -> str:
    """Return an answer's body as a string of NGINX, in single quotes."""
    text = msgspec.json.encode({"error": error.body()}).decode()
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _lines(indentation: int, lines: Iterable[str]) -> str:
    return f"\n{' ' * indentation}".join(lines)


def _upstreams(gateway: Gateway) -> list[str]:
    lines = []
    for role, nodes in (("chat", gateway.chat), ("auth", gateway.auth), ("video", gateway.video)):
        lines += _pool(role, nodes or gateway.chat)
    for node in gateway.chat:  # alone, so that nobody else is asked for what only this node knows
        name = f"chat_node_{node.node_id}"
        lines += [f"upstream {name} {{", f"    server {node.address};", "    keepalive 64;", "}"]
    return lines


def _pool(name: str, nodes: Sequence[Node]) -> list[str]:
    servers = [f"    server {node.address} max_fails=3 fail_timeout=2s;" for node in nodes]
    return [f"upstream {name} {{", f"    zone {name} 512k;", "    least_conn;", *servers, "    keepalive 64;", "}"]


def _trusted(proxies: Sequence[str]) -> list[str]:
    if not proxies:
        return []
    own = [f"set_real_ip_from {ip_network(proxy, strict=False)};" for proxy in proxies]
    return [*own, "real_ip_header X-Forwarded-For;", "real_ip_recursive on;"]


def _stapling(ocsp: Ocsp | None) -> list[str]:
    if ocsp is None:
        return []
    lines = ["ssl_stapling on;", "ssl_stapling_verify on;", f"ssl_trusted_certificate {ocsp.chain};"]
    if ocsp.resolvers:
        resolvers = [f"[{each}]" if ":" in each else each for each in ocsp.resolvers]
        lines += [f"resolver {' '.join(resolvers)} valid=300s;", "resolver_timeout 5s;"]
    return lines


def _plain(gateway: Gateway) -> list[str]:
    if not gateway.http:
        return []
    ports = [listener.rpartition(":")[2] for listener in gateway.https]
    port = "" if "443" in ports else f":{ports[0]}"
    challenges = [
        "    location /.well-known/acme-challenge/ {",
        f"        root {gateway.acme_folder};",
        "        default_type text/plain;",
        "    }",
    ]
    return [
        "server {",
        *(f"    listen {address} default_server;" for address in gateway.http),
        "    return 444;",
        "}",
        "",
        "server {",
        *(f"    listen {address};" for address in gateway.http),
        f"    server_name {' '.join(gateway.server_names)};",
        *(challenges if gateway.acme_folder else []),
        "    location / {",
        f"        return 308 https://$host{port}$request_uri;",
        "    }",
        "}",
    ]


def _check(fits: bool, field: str, value: object, expected: str) -> None:
    if not fits:
        raise ValueError(f"{field}: {value!r} is not {expected}")


def _check_path(field: str, value: str) -> None:
    _check(bool(_path(value)), field, value, "an absolute path of letters, digits and ._@+=/-")


def _check_distinct(field: str, values: Sequence[str]) -> None:
    _check(len(set(values)) == len(values), field, ", ".join(values), "without repetition")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return None if isinstance(address, IPv6Address) and address.scope_id else address


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return "%" not in text


def _is_name(text: str) -> bool:
    """Tell whether it is a host name; what looks like an address of IPv4 is none."""
    return bool(_host_name(text)) and not text.rpartition(".")[2].isdigit()


_split_listener: Final[Callable[[str], re.Match[str] | None]] = re.compile(
    r"(?:\[([0-9a-f:.]+)\]|([0-9.]+)):([1-9][0-9]{0,4})"
).fullmatch


def _listener(text: str) -> tuple[IPv4Address | IPv6Address, int] | None:
    found = _split_listener(text)
    address = _address(found[1] or found[2]) if found else None
    if found is None or address is None or int(found[3]) > 65_535 or (address.version == 6) != bool(found[1]):
        return None
    return address, int(found[3])
