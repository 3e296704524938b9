"""Two servers that speak MongoDB's protocol: the room log. The official one is in no package registry.

SecantusDB keeps documents in WiredTiger, as MongoDB does, and is for everything; FerretDB keeps them in PostgreSQL and is a second
opinion for the contract suite.
"""

import sys
from pathlib import Path

from scripts.stack.engine import HOST, STACK, Engine, answers, program, run
from scripts.stack.postgresql import PORT as POSTGRESQL_PORT

PORT = 17017
FERRETDB_PORT = 17018
# An OP_MSG with {hello: 1, $db: "admin"}: length, request id, response to, op code, flags, section 0, BSON.
_BSON = b"\x1f\x00\x00\x00\x10hello\x00\x01\x00\x00\x00\x02$db\x00\x06\x00\x00\x00admin\x00\x00"
_HELLO = (
    (16 + 5 + len(_BSON)).to_bytes(4, "little") + bytes(4) + bytes(4) + (2013).to_bytes(4, "little") + bytes(5) + _BSON
)

_SECANTUS = "secantusdb==0.7.0b3"
_GO = Path(__file__).parent / "go"


def _venv() -> Path:
    return STACK / "mongodb" / "venv"


def _install_secantus() -> None:
    stamp = _venv() / _SECANTUS
    if stamp.exists():
        return
    run("a venv for SecantusDB", [sys.executable, "-m", "venv", "--clear", str(_venv())])
    pip = [str(_venv() / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run("SecantusDB from PyPI", [*pip, _SECANTUS])
    stamp.touch()


def _install_ferretdb() -> None:
    build_go(STACK / "ferretdb" / "ferretdb", "./ferretdb")


def build_go(into: Path, package: str) -> None:
    """Build a program of scripts/stack/go, unless it was built from these versions before."""
    stamp = into.with_suffix(".built-from")
    source = "".join(path.read_text() for path in sorted(_GO.rglob("*")) if path.suffix in {".go", ".mod", ".sum"})
    if into.exists() and stamp.exists() and stamp.read_text() == source:
        return
    go = program("go", "install Go 1.24 or newer (https://go.dev/dl)", "/usr/local/go/bin")
    run(f"{into.name}, built from its Go modules (some minutes)", [go, "build", "-o", str(into), package], cwd=_GO)
    stamp.write_text(source)


def mongodb(*, port: int = PORT, root: Path = STACK) -> Engine:
    """Return SecantusDB on a port, with its files below a folder; the program itself is shared, below `.stack`."""
    return Engine(
        name="mongodb",
        ports=[port],
        url=f"mongodb://{HOST}:{port}/parlour?directConnection=true",
        install=_install_secantus,
        prepare=lambda: None,
        command=lambda: [
            str(_venv() / "bin" / "secantusd-py"),
            *("--host", HOST, "--port", str(port)),
            *("--storage-path", str(root / "mongodb" / "data"), "--sync-on-commit"),
        ],
        ready=lambda: answers(port, sends=_HELLO, expects=b"maxWireVersion"),
        root=root,
    )


def ferretdb(*, port: int = FERRETDB_PORT, root: Path = STACK, postgresql_port: int = POSTGRESQL_PORT) -> Engine:
    """Return FerretDB on a port, which keeps its documents in the PostgreSQL server on another."""
    return Engine(
        name="ferretdb",
        ports=[port],
        url=f"mongodb://{HOST}:{port}/parlour?directConnection=true",
        install=_install_ferretdb,
        prepare=lambda: None,
        command=lambda: [
            str(STACK / "ferretdb" / "ferretdb"),
            f"-listen={HOST}:{port}",
            f"-postgresql=postgres://parlour@{HOST}:{postgresql_port}/ferretdb",
        ],
        ready=lambda: answers(port, sends=_HELLO, expects=b"maxWireVersion"),
        needs=["postgresql"],
        root=root,
    )


MONGODB = mongodb()
FERRETDB = ferretdb()
