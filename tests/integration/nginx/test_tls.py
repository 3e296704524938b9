"""Which TLS and HTTP NGINX speaks, and under which names."""

import datetime
import http.server
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from parlour.nginx import Ocsp

from ...nginx_server import NAME, Certificate, NginxServer
from .behind import DEADLINE, ParlourNode, code_of, connected, gateway_of


def shake_hands(server: NginxServer, version: ssl.TLSVersion, *, name: str = NAME) -> str | None:
    """Return the version that was agreed on when this is the only one that the client knows."""
    context = server.certificate.client()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL itself would not try TLS 1.1
    context.minimum_version = context.maximum_version = version
    with connected(server, context, name=name) as tls:
        return tls.version()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_1_3_alone_is_spoken(gateway: NginxServer) -> None:
    assert shake_hands(gateway, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    for old in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_1):
        with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
            shake_hands(gateway, old)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_1_2_is_spoken_too_where_it_is_wanted(
    tmp_path: Path, certificate: Certificate, nodes: list[ParlourNode]
) -> None:
    with gateway_of(tmp_path, certificate, nodes, tls_1_2=True) as server:
        for version, agreed in ((ssl.TLSVersion.TLSv1_3, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2")):
            assert shake_hands(server, version) == agreed
        with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
            shake_hands(server, ssl.TLSVersion.TLSv1_1)


def test_http_2_is_agreed_on_and_answers(gateway: NginxServer) -> None:
    context = gateway.certificate.client()
    context.set_alpn_protocols(["h2", "http/1.1"])
    authority, path = f"{NAME}:{gateway.port}".encode(), b"/health/ready"
    # RFC 7541 appendix A: GET, https, then path and authority by the static table's names
    block = b"\x82\x87\x04" + bytes([len(path)]) + path + b"\x01" + bytes([len(authority)]) + authority
    with connected(gateway, context) as tls:
        assert tls.selected_alpn_protocol() == "h2"
        settings = b"\0\0\0\4\0\0\0\0\0"
        headers = len(block).to_bytes(3) + b"\1\5" + (1).to_bytes(4) + block  # HEADERS: END_STREAM, END_HEADERS
        tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + headers)
        reader = tls.makefile("rb")
        while True:
            head = reader.read(9)
            payload = reader.read(int.from_bytes(head[:3]))
            if head[3] == 1:
                break
    assert payload[0] == 0x88, "RFC 7541 appendix A: status 200"


def test_other_names_are_refused(gateway: NginxServer) -> None:
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        shake_hands(gateway, ssl.TLSVersion.TLSv1_3, name="other.example")
    with gateway.client() as client:
        refused = client.get("/health/ready", headers={"host": "other.example"}, extensions={"sni_hostname": NAME})
    assert refused.status_code == 421
    assert code_of(refused) == "invalid_request"
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):  # hung up, without a word
        httpx.get(f"http://127.0.0.1:{gateway.plain_port}/", headers={"host": "other.example"})


def test_plain_http_is_shown_the_way(gateway: NginxServer) -> None:
    answer = httpx.post(f"http://{NAME}:{gateway.plain_port}/api/rooms?a=b", follow_redirects=False)
    assert answer.status_code == 308
    assert answer.headers["location"] == f"https://{NAME}:{gateway.port}/api/rooms?a=b"
    wrong = httpx.get(f"http://{NAME}:{gateway.port}/x?y", follow_redirects=False)
    assert (wrong.status_code, wrong.headers["location"]) == (308, f"https://{NAME}:{gateway.port}/x?y")


class Responder(http.server.BaseHTTPRequestHandler):
    """An OCSP responder that has nothing against the one certificate."""

    certificate: ClassVar[Certificate]

    def do_GET(self) -> None:
        now = datetime.datetime.now(datetime.UTC)
        answer = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=self.certificate.certificate,
                issuer=self.certificate.authority,
                algorithm=hashes.SHA1(),
                cert_status=ocsp.OCSPCertStatus.GOOD,
                this_update=now - datetime.timedelta(hours=1),
                next_update=now + datetime.timedelta(hours=1),
                revocation_time=None,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, self.certificate.authority)
            .sign(self.certificate.authority_key, hashes.SHA256())
            .public_bytes(Encoding.DER)
        )
        self.send_response(200)
        self.send_header("content-type", "application/ocsp-response")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_what_the_authority_says_of_the_certificate_is_stapled_to_it(tmp_path: Path, nodes: list[ParlourNode]) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Responder) as responder:
        certificate = Certificate(tmp_path, ocsp=f"http://127.0.0.1:{responder.server_port}/")
        Responder.certificate = certificate
        thread = threading.Thread(target=responder.serve_forever)
        thread.start()
        try:
            stapling = Ocsp(str(certificate.authority_file))
            with gateway_of(tmp_path, certificate, nodes, ocsp=stapling) as server:
                asked = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", NAME, "-status"]
                deadline = time.monotonic() + DEADLINE
                said = ""
                while "OCSP Response Status: successful" not in said:  # NGINX asks when it is first asked
                    assert time.monotonic() < deadline, said
                    said = subprocess.run(
                        asked, input="", capture_output=True, text=True, timeout=60, check=True
                    ).stdout
                assert "Cert Status: good" in said
        finally:
            responder.shutdown()
            thread.join()
