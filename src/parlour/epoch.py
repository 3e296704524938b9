"""Which history the data of a server tells: a random id beside the data, made anew when a backup takes their place.

It is a file of its own and no part of a backup: what was backed up would come back with the rest. Clients keep it with what they
hold of rooms. Where it differs, the seqs and markers that they know are of another history, also where a room's head has grown
past them since.
"""

import os
from pathlib import Path
from typing import Final

from parlour.platform.errors import Unavailable
from parlour.platform.ids import is_uuid, uuid4

FILE: Final = "epoch"
"""In the data directory."""


def epoch_of(data_dir: Path) -> str:
    """Return the id; where there is none, or one that is damaged, make it.

    Raises:
        Unavailable: it cannot be read or written.
    """
    file = data_dir / FILE
    try:
        known = file.read_text(encoding="utf-8", errors="replace").strip() if file.exists() else ""
        return known if is_uuid(known) else _make(file)
    except OSError as error:
        raise Unavailable(f"The file {file} cannot be used: {error}", retry_after=1) from error


def _make(file: Path) -> str:
    """Write a new id; the file gets its name once it is whole and on disk."""
    epoch = uuid4()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f"{FILE}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600), "w") as opened:
        opened.write(f"{epoch}\n")
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(file)
    return epoch
