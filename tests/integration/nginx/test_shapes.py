"""NGINX likes the configuration of any gateway that may be made."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parlour.nginx import Gateway, Limits, Node, Ocsp, configuration

from ...nginx_server import Certificate, check

ports = st.integers(1_024, 31_000)
loopback = st.builds(
    lambda rest: f"127.{rest >> 16 & 255}.{rest >> 8 & 255}.{rest & 255}", st.integers(0x10000, 0xFEFFFE)
)
names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]{1,20}){1,3}", fullmatch=True)
paths = st.from_regex(r"/[A-Za-z0-9._@+=/-]{0,60}", fullmatch=True)
addresses = st.ip_addresses().map(str)
networks = st.builds(lambda address, kept: f"{address}/{kept}", addresses, st.integers(0, 32))
nodes = st.builds(Node, st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True), addresses, st.integers(1, 65_535))
pools = st.lists(nodes, max_size=5, unique_by=(lambda node: node.node_id, lambda node: node.address)).map(tuple)
limits = st.builds(
    Limits,
    requests_per_second=st.integers(1, 1_000_000),
    burst=st.integers(1, 1_000_000),
    connections=st.integers(1, 65_535),
    **{name: st.integers(1, 2**30) for name in ("body_bytes", "payload_bytes")},
    **{name: st.integers(1, 86_400) for name in ("header_seconds", "body_seconds", "answer_seconds")},
)


@st.composite
def gateways(draw: st.DrawFn, certificate: Certificate, folder: Path) -> Gateway:
    listeners = draw(st.lists(st.builds("{}:{}".format, loopback, ports), min_size=3, max_size=6, unique=True))
    chat = draw(pools.filter(bool))
    fields: dict[str, Any] = {
        "server_names": tuple(draw(st.lists(names, min_size=1, max_size=8, unique=True))),
        "certificate": str(certificate.file),
        "certificate_key": str(certificate.key_file),
        "chat": chat,
        "auth": draw(pools),
        "video": draw(pools),
        "status": listeners[0],
        "https": tuple(listeners[1:3]),
        "http": tuple(listeners[3:]),
        "trusted_proxies": tuple(draw(st.lists(st.one_of(addresses, networks), max_size=4, unique=True))),
        "limits": draw(limits),
        "ping_interval_ms": draw(st.integers(100, 3_600_000)),
        "ping_timeout_ms": draw(st.integers(100, 3_600_000)),
        "tls_1_2": draw(st.booleans()),
        "ocsp": draw(st.none() | st.just(Ocsp(str(certificate.authority_file), ("127.0.0.1", "::1")))),
        "acme_folder": draw(st.just("") | paths),
        "user": draw(st.sampled_from(["root", ""])),
        "pid_file": str(folder / "nginx.pid"),
        "log_folder": str(folder),
        "state_folder": str(folder),
    }
    return Gateway(**fields)


@pytest.mark.timeout(300)
def test_nginx_likes_every_gateway(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    file = tmp_path / "nginx.conf"

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(gateway=gateways(certificate, tmp_path))
    def likes(gateway: Gateway) -> None:
        file.write_text(configuration(gateway))
        checked = check(tmp_path, file)
        assert checked.returncode == 0, checked.stderr

    likes()
    file.write_text(file.read_text().replace("least_conn;", "most_conn;"))
    assert "most_conn" in check(tmp_path, file).stderr, "NGINX looks at what it is given"
