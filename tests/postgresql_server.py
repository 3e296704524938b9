"""A PostgreSQL server of a test run's own, with an empty database for each test that asks."""

import dataclasses
import signal
from itertools import count
from pathlib import Path

from sqlalchemy.engine import make_url

from scripts.stack.engine import Engine
from scripts.stack.postgresql import postgresql, psql

from .ports import ENGINES, free_port


class PostgresqlServer:
    """Started when it is made; its data go with the test run."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port(ENGINES)
        engine = postgresql(port=self.port, root=folder)
        self._engine: Engine = dataclasses.replace(engine, stop_signal=signal.SIGQUIT)  # nothing of it is to be kept
        self._numbers = count()
        self._engine.start()

    def start(self) -> None:
        """Start it again."""
        self._engine.start()

    def stop(self) -> None:
        """End it as a crash does."""
        self._engine.stop()

    def create(self, name: str = "", *, template: str = "template0") -> str:
        """Make a database, and return its URL."""
        name = name or f"test_{next(self._numbers)}"
        psql(self.port, f"CREATE DATABASE {name} TEMPLATE {template}")
        return make_url(self._engine.url).set(database=name).render_as_string()

    def drop(self, url: str) -> None:
        """Forget a database, and whoever uses it."""
        psql(self.port, f"DROP DATABASE {make_url(url).database} WITH (FORCE)")
