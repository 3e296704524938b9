"""`parlour serve` with a wall clock that stands where a file says: `serve_at.py FILE ARGUMENT…`.

The file holds milliseconds UTC, and is replaced as a whole. Whoever does so tells a story of days within seconds, on the real
server; what is measured (`time.monotonic`) goes on as ever.
"""

import sys
import time
from pathlib import Path
from unittest.mock import patch


def main() -> None:
    """Take the file's name off the command line and hand over to `parlour`."""
    told = Path(sys.argv.pop(1))
    with patch.object(time, "time_ns", lambda: int(told.read_text()) * 1_000_000):
        from parlour.cli import main as parlour

        parlour()


if __name__ == "__main__":
    main()
