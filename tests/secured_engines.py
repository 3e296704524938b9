"""The servers of a cluster with TLS and passwords, as an operator would have them: each with its URL."""

import contextlib
import dataclasses
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from pymongo import MongoClient

from scripts.stack.engine import HOST, Engine, answers
from scripts.stack.kafka import kafka
from scripts.stack.mongodb import mongodb
from scripts.stack.postgresql import postgresql, psql
from scripts.stack.redis import redis

from .nginx_server import NAME, Certificate
from .ports import ENGINES, free_port

USER, PASSWORD = "parlour", "p4ss:w/rd@20%"
QUOTED = "p4ss%3Aw%2Frd%4020%25"
"""The password as URLs have it."""


@contextlib.contextmanager
def running(engine: Engine) -> Iterator[Engine]:
    """Run it until the block ends."""
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


@contextlib.contextmanager
def secured_postgresql(folder: Path, certificate: Certificate) -> Iterator[str]:
    """PostgreSQL that takes connections by TLS with a password alone; yields its URL."""
    port = free_port(ENGINES)
    engine = postgresql(port=port, root=folder)
    with running(engine):
        quoted = PASSWORD.replace("'", "''")
        psql(port, f"CREATE ROLE app LOGIN SUPERUSER PASSWORD '{quoted}'")
    data = engine.folder / "data"
    for name, source in (("server.crt", certificate.file), ("server.key", certificate.key_file)):
        (data / name).write_bytes(source.read_bytes())
        (data / name).chmod(0o600)
        os.chown(data / name, data.stat().st_uid, data.stat().st_gid)
    (data / "pg_hba.conf").write_text("hostssl all all all scram-sha-256\n")
    secured = dataclasses.replace(
        engine, command=lambda: [*engine.command(), "-c", "ssl=on"], ready=lambda: answers(port)
    )
    with running(secured):
        yield f"postgresql://app:{QUOTED}@{NAME}:{port}/parlour?ssl=verify-full&sslrootcert={certificate.authority_file}"


@contextlib.contextmanager
def secured_redis(folder: Path, certificate: Certificate) -> Iterator[str]:
    """Redis by TLS with a user's password alone; yields its URL."""
    port = free_port(ENGINES)
    engine = redis(port=port, root=folder)
    tls = [
        *("--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(certificate.file), "--tls-key-file", str(certificate.key_file)),
        *("--tls-ca-cert-file", str(certificate.authority_file)),
        *("--user", "default", "off", "--user", USER, "on", f">{PASSWORD}", "~*", "&*", "+@all"),
    ]
    secured = dataclasses.replace(engine, command=lambda: [*engine.command(), *tls], ready=lambda: answers(port))
    with running(secured):
        yield f"rediss://{USER}:{QUOTED}@{NAME}:{port}/0?ssl_ca_certs={certificate.authority_file}"


@contextlib.contextmanager
def secured_mongodb(folder: Path, certificate: Certificate) -> Iterator[str]:
    """SecantusDB by TLS with a user's password alone; yields its URL."""
    port = free_port(ENGINES)
    engine = mongodb(port=port, root=folder)
    with running(engine), MongoClient[dict[str, object]](engine.url) as client:
        client.admin.command("createUser", USER, pwd=PASSWORD, roles=["root"])
    tls = ["--auth", "--tls-cert-file", str(certificate.file), "--tls-key-file", str(certificate.key_file)]
    secured = dataclasses.replace(engine, command=lambda: [*engine.command(), *tls], ready=lambda: answers(port))
    options = f"directConnection=true&tls=true&tlsCAFile={certificate.authority_file}&authSource=admin"
    with running(secured):
        yield f"mongodb://{USER}:{QUOTED}@{NAME}:{port}/parlour?{options}"


@contextlib.contextmanager
def secured_kafka(folder: Path, certificate: Certificate) -> Iterator[str]:
    """Kafka by TLS with SASL/PLAIN alone; yields its URL."""
    port, controller_port = free_port(ENGINES), free_port(ENGINES)
    while controller_port == port:
        controller_port = free_port(ENGINES)
    engine = kafka(port=port, controller_port=controller_port, root=folder)
    properties = engine.folder / "server.properties"

    def prepare() -> None:
        engine.prepare()
        properties.write_text(_secured(properties.read_text(), certificate, engine.folder))

    with running(dataclasses.replace(engine, prepare=prepare)):
        yield f"kafka://{USER}:{QUOTED}@{NAME}:{port}/secured?sasl=PLAIN&tls={certificate.authority_file}"


def _secured(properties: str, certificate: Certificate, folder: Path) -> str:
    """Return a configuration whose clients' listener has TLS and passwords."""
    store = folder / "keystore.p12"
    command = ["openssl", "pkcs12", "-export", "-out", str(store), "-passout", "pass:changeit"]
    files = ["-in", str(certificate.file), "-inkey", str(certificate.key_file)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    login = (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="broker" password="unused" user_{USER}="{PASSWORD}";'
    )
    changed = (
        properties.replace("PLAINTEXT://", "CLIENTS://")
        .replace("PLAINTEXT:PLAINTEXT,", "CLIENTS:SASL_SSL,")
        .replace(f"advertised.listeners=CLIENTS://{HOST}", f"advertised.listeners=CLIENTS://{NAME}")
    )
    return changed + "\n".join(
        [
            "inter.broker.listener.name=CLIENTS",
            "sasl.enabled.mechanisms=PLAIN",
            "sasl.mechanism.inter.broker.protocol=PLAIN",
            f"listener.name.clients.plain.sasl.jaas.config={login}",
            f"ssl.keystore.location={store}",
            "ssl.keystore.type=PKCS12",
            "ssl.keystore.password=changeit",
            f"ssl.truststore.location={certificate.authority_file}",
            "ssl.truststore.type=PEM",
            "",
        ]
    )


def other_password(url: str) -> str:
    """Return a URL with a password that is none."""
    return url.replace(QUOTED, "wrong")


def other_authority(url: str, file: Path) -> str:
    """Return a URL by which another authority than the server's is believed."""
    return f"{url.rpartition('=')[0]}={file}" if "authSource" not in url else _with_ca(url, file)


def _with_ca(url: str, file: Path) -> str:
    before, _, rest = url.partition("tlsCAFile=")
    return f"{before}tlsCAFile={file}&{rest.partition('&')[2]}"
