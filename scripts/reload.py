"""Run a command and run it again whenever a file below a folder changes: `reload.py FOLDER -- COMMAND…`."""

import signal
import subprocess
import sys
import time
from pathlib import Path


def fingerprint(folder: Path) -> dict[str, int]:
    """Return the time of change of every source file."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*.py")}


def main(folder: Path, command: list[str]) -> int:
    """Run until interrupted, or until the command ends by itself with no change to run it for again."""
    while True:
        seen = fingerprint(folder)
        process = subprocess.Popen(command)
        try:
            while fingerprint(folder) == seen:
                time.sleep(0.5)
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            return process.wait()
        print("reload: the source changed", file=sys.stderr)
        process.terminate()
        process.wait()


if __name__ == "__main__":
    separator = sys.argv.index("--")
    sys.exit(main(Path(sys.argv[1]), sys.argv[separator + 1 :]))
