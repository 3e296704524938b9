"""The composition root: builds a process from its settings, and is the only place that names a concrete adapter."""

from parlour.app.accounts import open_accounts
from parlour.app.engines import Engines, is_clustered, is_file, needed, sqlite_path
from parlour.app.process import SERVICES, Process, build

__all__ = [
    "SERVICES",
    "Engines",
    "Process",
    "build",
    "is_clustered",
    "is_file",
    "needed",
    "open_accounts",
    "sqlite_path",
]
