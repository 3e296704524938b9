"""Servers of a test run's own that speak MongoDB's protocol, with an empty database for each test that asks."""

import dataclasses
import signal
from itertools import count
from pathlib import Path

from scripts.stack.engine import Engine
from scripts.stack.mongodb import ferretdb, mongodb

from .ports import ENGINES, free_port
from .postgresql_server import PostgresqlServer


class MongodbServer:
    """Started when it is made; its data go with the test run."""

    def __init__(self, engine: Engine) -> None:
        self._engine = dataclasses.replace(engine, stop_signal=signal.SIGKILL)  # nothing of it is to be kept
        self._numbers = count()
        self.port = engine.ports[0]
        self._engine.start()

    def start(self) -> None:
        """Start it again."""
        self._engine.start()

    def stop(self) -> None:
        """End it as a crash does."""
        self._engine.stop()

    def create(self) -> str:
        """Return the URL of a database that nobody has used."""
        address, _, options = self._engine.url.partition("?")
        return f"{address.rpartition('/')[0]}/test_{next(self._numbers)}?{options}"


def secantus_server(folder: Path) -> MongodbServer:
    """Start a SecantusDB whose files are below a folder."""
    return MongodbServer(mongodb(port=free_port(ENGINES), root=folder))


def ferretdb_server(folder: Path, postgresql: PostgresqlServer) -> MongodbServer:
    """Start a FerretDB that keeps its documents in a PostgreSQL server."""
    return MongodbServer(ferretdb(port=free_port(ENGINES), root=folder, postgresql_port=postgresql.port))
