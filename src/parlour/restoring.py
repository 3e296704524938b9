"""Putting a backup in the place of a server's data so that a crash at any moment leaves one whole set of files."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from parlour import epoch
from parlour.config import ConfigurationError

MARKER: Final = "restoring"
"""A file in the data directory: the new files are complete and on disk, and take the places of the old ones."""


def replace(data_dir: Path, copies: Sequence[Path], places: Sequence[Path]) -> None:
    """Put copies of `copies` at `places`; the caller holds the data directory.

    Until the marker is there the old files are untouched. From then on only `finish` may come next: in the same breath, or
    first thing when anybody opens the data directory again.

    Raises:
        ConfigurationError: there is no room for them, or they cannot be written.
    """
    finish(data_dir, places)
    try:
        for copy, place in zip(copies, places, strict=True):
            place.parent.mkdir(parents=True, exist_ok=True)
            _copy(copy, _fresh(place))
            _sync(place.parent)
        _mark(data_dir)
    except OSError as error:
        for place in places:
            _fresh(place).unlink(missing_ok=True)
        raise ConfigurationError(f"the backup cannot be put in place: {error}; nothing was changed") from error
    finish(data_dir, places)


def is_due(data_dir: Path) -> bool:
    """Tell whether a restoration was begun and has to be finished before anything is read."""
    return (data_dir / MARKER).exists()


def finish(data_dir: Path, places: Sequence[Path]) -> None:
    """Do the rest of a restoration that was begun, if any; the caller holds the data directory."""
    if not is_due(data_dir):
        return
    _remove(data_dir / epoch.FILE)  # first of all, so that no client takes the restored history for that which it knows
    _sync(data_dir)
    for place in places:
        if _fresh(place).exists():
            for suffix in ("-wal", "-shm"):  # of the old file: SQLite would add them to the new one
                _remove(place.with_name(place.name + suffix))
            _sync(place.parent)
            _rename(_fresh(place), place)
            _sync(place.parent)
    _remove(data_dir / MARKER)
    _sync(data_dir)


def _fresh(place: Path) -> Path:
    return place.with_name(place.name + ".restored")


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    target.chmod(0o600)
    _sync(target)


def _mark(data_dir: Path) -> None:
    (data_dir / MARKER).touch(mode=0o600)
    _sync(data_dir)


def _rename(source: Path, target: Path) -> None:
    source.replace(target)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
