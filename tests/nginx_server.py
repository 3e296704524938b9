"""NGINX as `parlour.nginx` configures it, on free ports of loopback, with a certificate of its own."""

import datetime
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from parlour.nginx import Gateway, Limits, Node, configuration

NGINX = "/usr/sbin/nginx"
NAME = "localhost"
OPEN = Limits(requests_per_second=1_000_000, burst=1_000_000, connections=65_535)
"""For tests of something else than limits."""

_DEADLINE = 30.0


class Certificate:
    """An authority, and the certificate that it gave `localhost`; `ocsp` is where the authority is said to answer."""

    def __init__(self, folder: Path, *, ocsp: str = "") -> None:
        self.authority_key = ec.generate_private_key(ec.SECP256R1())
        self.authority = self._sign("Authority", self.authority_key.public_key(), [])
        key = ec.generate_private_key(ec.SECP256R1())
        extensions: list[x509.ExtensionType] = [x509.SubjectAlternativeName([x509.DNSName(NAME)])]
        if ocsp:
            where = x509.UniformResourceIdentifier(ocsp)
            extensions.append(
                x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.OCSP, where)])
            )
        self.certificate = self._sign(NAME, key.public_key(), extensions)
        self.authority_file, self.file, self.key_file = (
            folder / f"{name}.pem" for name in ("authority", "certificate", "key")
        )
        self.authority_file.write_bytes(self.authority.public_bytes(serialization.Encoding.PEM))
        whole = [each.public_bytes(serialization.Encoding.PEM) for each in (self.certificate, self.authority)]
        self.file.write_bytes(b"".join(whole))
        self.key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def _sign(
        self, name: str, key: ec.EllipticCurvePublicKey, extensions: Sequence[x509.ExtensionType]
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=name == "Authority", path_length=None), critical=True)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self.authority_key, hashes.SHA256())

    def client(self) -> ssl.SSLContext:
        """A client's TLS that believes the authority alone."""
        return ssl.create_default_context(cafile=str(self.authority_file))


class NginxServer:
    """Started when it is made, and again with `reload`; fields of `Gateway` that are not given fit a test's folder."""

    def __init__(self, folder: Path, certificate: Certificate, ports: Sequence[int], **fields: Any) -> None:
        self.folder = folder
        self.certificate = certificate
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self.plain_port, self.status_port = ports
        self._fields: dict[str, Any] = {
            "server_names": (NAME,),
            "certificate": str(certificate.file),
            "certificate_key": str(certificate.key_file),
            "https": (f"127.0.0.1:{self.port}",),
            "http": (f"127.0.0.1:{self.plain_port}",),
            "status": f"127.0.0.1:{self.status_port}",
            "limits": OPEN,
            "user": "root" if os.geteuid() == 0 else "",
            "pid_file": str(folder / "nginx.pid"),
            "log_folder": str(folder),
            "state_folder": str(folder),
            **fields,
        }
        self.url = f"https://{NAME}:{self.port}"
        self.access_log = folder / "access.log"
        self._configuration = folder / "nginx.conf"
        self.write()
        command = [NGINX, "-p", str(folder), "-c", str(self._configuration), "-g", "daemon off;"]
        with (folder / "output").open("ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self._wait_until_ready()

    def write(self, **fields: Any) -> None:
        """Write the configuration with these fields changed; `nginx -t` must like it."""
        self._fields |= fields
        self._configuration.write_text(configuration(Gateway(**self._fields)))
        checked = check(self.folder, self._configuration)
        assert checked.returncode == 0, checked.stderr

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _DEADLINE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.status().status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        self.stop()
        said = [path.read_text(errors="replace") for path in (self.folder / "output", self.folder / "error.log")]
        raise AssertionError(f"NGINX did not get ready:\n{said}")

    def status(self) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.status_port}/stub_status", timeout=5)

    def _workers(self) -> set[int]:
        """The ids of workers that take new connections."""
        workers = set()
        for process in psutil.Process(self.process.pid).children():
            try:
                if process.cmdline()[:1] == ["nginx: worker process"]:
                    workers.add(process.pid)
            except psutil.NoSuchProcess:
                continue
        return workers

    def reload(self, **fields: Any) -> None:
        """Let new workers take over with these fields changed; the old ones finish what they have."""
        before = self._workers()
        self.write(**fields)
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + _DEADLINE
        while not (workers := self._workers()) or workers & before:
            assert time.monotonic() < deadline, "NGINX did not reload"
            time.sleep(0.05)

    def client(self, **options: Any) -> httpx.Client:
        """Somebody who believes the authority, from `address`."""
        address = options.pop("address", None)
        transport = httpx.HTTPTransport(verify=self.certificate.client(), local_address=address)
        return httpx.Client(transport=transport, base_url=self.url, timeout=_DEADLINE, **options)

    def log_bytes(self) -> list[bytes]:
        """The lines of the access log that are whole."""
        return self.access_log.read_bytes().split(b"\n")[:-1]

    def stop(self) -> None:
        """End it, the workers first."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(_DEADLINE)


@contextmanager
def nginx(
    folder: Path, certificate: Certificate, ports: Sequence[int], nodes: Sequence[Node], **fields: Any
) -> Iterator[NginxServer]:
    """Run it in front of `nodes` until the block ends."""
    server = NginxServer(folder, certificate, ports, chat=tuple(nodes), **fields)
    try:
        yield server
    finally:
        server.stop()


def check(folder: Path, file: Path) -> subprocess.CompletedProcess[str]:
    """Ask NGINX what it thinks of a configuration."""
    return subprocess.run(
        [NGINX, "-t", "-p", str(folder), "-c", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
