"""Run a `parlour serve` for each role behind NGINX, on the engines of `make stack`, until Ctrl-C or SIGTERM.

Where the environment names an engine (PARLOUR_DATABASE_URL and its like), that one is used instead of the stack's.
"""

import argparse
import itertools
import os
import secrets
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from parlour.nginx import Gateway, Limits, Node, configuration
from scripts.stack.engine import HOST, STACK, Engine, StackError, answers, program, run
from scripts.stack.kafka import KAFKA
from scripts.stack.mongodb import MONGODB
from scripts.stack.postgresql import POSTGRESQL
from scripts.stack.redis import REDIS

ENGINES = {
    "PARLOUR_DATABASE_URL": POSTGRESQL.url,
    "PARLOUR_MESSAGES_URL": MONGODB.url,
    "PARLOUR_BROKER_URL": KAFKA.url,
    "PARLOUR_BUS_URL": REDIS.url,
}
ROLES = (
    ("auth", 1, "for accounts"),
    ("worker", 2, "workers"),
    ("chat", 2, "for sockets and rooms"),
    ("video", 1, "for calls"),
)
"""What `parlour serve --roles` takes, in the order of starting, how many there are of each, and what for."""
NAME = "localhost"
LOOK_EVERY = 0.2
"""Seconds between two looks at the processes."""
_SERVE = "import sys; from parlour.cli import main; sys.argv[0] = 'parlour'; main()"


def main() -> None:
    """Start everything, say where it is, and end it when asked to."""
    parser = argparse.ArgumentParser(prog="make run-cluster", description=__doc__)
    for role, number, what in ROLES:
        parser.add_argument(f"--{role}", type=int, default=number, help=f"how many {what} (default: {number})")
    parser.add_argument("--port", type=int, default=18443, help="of https (default: 18443)")
    parser.add_argument("--status-port", type=int, default=18089, help="of NGINX's own figures (default: 18089)")
    parser.add_argument(
        "--first-port", type=int, default=18101, help="of the first process; others have the next (default: 18101)"
    )
    parser.add_argument("--folder", type=Path, default=STACK / "cluster", help="for logs, certificate, configuration")
    options = parser.parse_args()
    for role, _, _ in ROLES:
        if not 1 <= getattr(options, role) <= 64:
            parser.error(f"--{role}: 1 to 64")
    folder: Path = options.folder.resolve()
    ports = itertools.count(options.first_port)
    nodes = {
        role: [Node(f"{role}-{number}", HOST, next(ports)) for number in range(1, getattr(options, role) + 1)]
        for role, _, _ in ROLES
    }
    public_url = f"https://{NAME}:{options.port}"
    shared = {
        "PARLOUR_PUBLIC_URL": public_url,
        "PARLOUR_AUTH_URL": f"http://{nodes['auth'][0].address}",
        "PARLOUR_CHAT_URL": f"http://{nodes['chat'][0].address}",
        "PARLOUR_SERVICE_SECRET": secrets.token_urlsafe(32),
    }
    processes = [_node(node, role, shared, folder) for role, some in nodes.items() for node in some]
    processes.append(_nginx(nodes, options.port, options.status_port, folder))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _ask)
    status = 1
    try:
        for process in processes:
            process.stop()  # what an earlier run that was killed has left
            _check_asked()
            process.start()
            print(f"cluster: {process.name} on {process.url}, log {process.log}", flush=True)
        print(f"cluster: Parlour on {public_url} (its certificate is its own); Ctrl-C ends it", flush=True)
        _watch(processes)
    except StackError as error:
        print(f"cluster: {error}", file=sys.stderr, flush=True)
    except _AskedToEnd:
        status = 0
    finally:
        for process in reversed(processes):
            if process.pid() is not None:
                process.stop()
                print(f"cluster: {process.name} ended", flush=True)
    sys.exit(status)


class _AskedToEnd(BaseException):
    """Passes by whatever waits for something to get ready."""


_asked: list[int] = []


def _ask(number: int, _frame: object) -> None:
    """Take note of a signal. An exception could come up where Python drops it; asked twice, it ends in order all the same."""
    _asked.append(number)


def _check_asked() -> None:
    if _asked:
        raise _AskedToEnd


def _watch(processes: Sequence[Engine]) -> NoReturn:
    """Tell of each process that ends, while the others go on.

    Raises:
        StackError: NGINX has ended, or the last node.
        _AskedToEnd: a signal came.
    """
    *nodes, nginx = processes
    living = list(processes)
    while True:
        time.sleep(LOOK_EVERY)
        _check_asked()
        for process in [each for each in living if each.pid() is None]:
            living.remove(process)
            print(f"cluster: {process.name} ended by itself; the end of {process.log}:\n{_tail(process)}", flush=True)
        if nginx not in living or not any(node in living for node in nodes):
            raise StackError("nobody is left to serve")


def _tail(process: Engine) -> str:
    return "\n".join(process.log.read_text(errors="replace").splitlines()[-15:])


def _node(node: Node, role: str, shared: Mapping[str, str], folder: Path) -> Engine:
    data, log = folder / node.node_id / "data", folder / node.node_id / "log"
    said_before = 0

    def prepare() -> None:
        nonlocal said_before
        said_before = log.stat().st_size if log.exists() else 0

    def ready() -> None:
        _ready(f"http://{node.address}/health/ready")
        with log.open("rb") as file:
            file.seek(said_before)
            if b'"serving"' not in file.read():
                raise OSError(f"{node.address} is answered by another process")

    engines = {name: os.environ.get(name) or url for name, url in ENGINES.items()}
    return Engine(
        name=node.node_id,
        ports=[node.port],
        url=f"http://{node.address}",
        install=lambda: None,
        prepare=prepare,
        command=lambda: [
            *(sys.executable, "-c", _SERVE, "serve", "--host", node.host, "--port", str(node.port)),
            *("--data-dir", str(data), "--roles", role),
        ],
        ready=ready,
        environment={
            **engines,
            "PARLOUR_LOG_FORMAT": "json",
            "PARLOUR_LOG_LEVEL": "info",  # in which a node says that it serves
            "PARLOUR_NODE_ID": node.node_id,
            **shared,
        },
        root=folder,
    )


def _nginx(nodes: Mapping[str, Sequence[Node]], port: int, status_port: int, folder: Path) -> Engine:
    own = folder / "nginx"
    file, certificate, key = own / "nginx.conf", folder / "certificate.pem", folder / "key.pem"
    url = f"https://{NAME}:{port}"

    def prepare() -> None:
        _make_certificate(certificate, key)
        gateway = Gateway(
            server_names=(NAME,),
            certificate=str(certificate),
            certificate_key=str(key),
            chat=tuple(nodes["chat"]),
            auth=tuple(nodes["auth"]),
            video=tuple(nodes["video"]),
            https=(f"{HOST}:{port}",),
            http=(),
            status=f"{HOST}:{status_port}",
            user="root" if os.geteuid() == 0 else "",  # only root may name one; another could not read the folder
            pid_file=str(own / "nginx.pid"),
            log_folder=str(own),
            state_folder=str(own),
            limits=Limits(
                requests_per_second=10_000, burst=10_000, connections=20_000
            ),  # here everybody has one address
        )
        file.write_text(configuration(gateway))

    return Engine(
        name="nginx",
        ports=[port, status_port],
        url=url,
        install=lambda: program("nginx", "on Debian, apt-get install nginx"),
        prepare=prepare,
        command=lambda: [program("nginx", ""), "-p", str(own), "-c", str(file), "-g", "daemon off;"],
        ready=lambda: _ready_through(port, certificate),
        root=folder,
    )


def _make_certificate(certificate: Path, key: Path) -> None:
    """Make one that signs itself, unless there is one that holds for another day."""
    openssl = program("openssl", "on Debian, apt-get install openssl")
    if certificate.exists() and key.exists():
        look = [openssl, "x509", "-in", str(certificate), "-noout", "-checkend", "86400"]
        if subprocess.run(look, check=False, capture_output=True).returncode == 0:
            return
    key.touch(mode=0o600)
    options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "365"]
    name = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    run(
        "a certificate for this machine",
        [openssl, "req", "-x509", *options, *name, "-keyout", str(key), "-out", str(certificate)],
    )


def _ready(url: str, context: ssl.SSLContext | None = None) -> None:
    _check_asked()
    with urllib.request.urlopen(url, timeout=5, context=context) as answer:
        if answer.status != 200:
            raise OSError(f"{url} answers {answer.status}")


def _ready_through(port: int, certificate: Path) -> None:
    _check_asked()
    answers(port)
    _ready(f"https://{NAME}:{port}/health/ready", ssl.create_default_context(cafile=str(certificate)))


if __name__ == "__main__":
    main()
