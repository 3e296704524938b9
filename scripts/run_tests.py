"""Run all of the server's tests, two pytest side by side: each waits for servers for half of its time. With arguments, one pytest.

`--and COMMAND`: something else to test, when the first pytest has ended and the second, which takes longer, has not.

What failed beside the others is run once more by itself: some tests have the times of a protocol in them, for which a busy machine may
be too slow. Their names stand at the end.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HALVES = (
    ("architecture", "conformance", "contract", "history", "unit"),
    ("e2e", "faults", "integration"),
)
"""Folders of tests/; the second takes longer."""
_FAILED = 1
"""Pytest's exit status where tests failed, and nothing else."""


def main() -> int:
    """Return the first exit status that is not 0."""
    beside = sys.argv[2] if sys.argv[1:2] == ["--and"] else None
    if sys.argv[1:] and beside is None:
        return subprocess.run([sys.executable, "-m", "pytest", *sys.argv[1:]], cwd=ROOT, check=False).returncode
    there = {path.parent.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").glob("*/**/test_*.py")}
    if there != {folder for half in HALVES for folder in half}:
        print(
            f"scripts/run_tests.py: HALVES are not the folders with tests: {', '.join(sorted(there))}", file=sys.stderr
        )
        return 2
    with tempfile.TemporaryFile("w+") as said:
        second = _start(1, said.fileno())
        first = _start(0, None)
        statuses = [first.wait()]
        besides = subprocess.run(beside, shell=True, cwd=ROOT, check=False).returncode if beside else 0
        statuses.append(second.wait())
        said.seek(0)
        print(said.read(), flush=True)
    for half, status in enumerate(statuses):
        if status == _FAILED:
            print("run_tests: what failed, once more and by itself", flush=True)
            statuses[half] = _start(half, None, "--last-failed", "--verbose").wait()
    return next((status for status in (*statuses, besides) if status), 0)


def _start(half: int, output: int | None, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", *options, "--durations=15", "-o", f"cache_dir=.pytest_cache/{half}"]
    folders = [f"tests/{folder}" for folder in HALVES[half]]
    return subprocess.Popen(
        [*command, *folders],
        cwd=ROOT,
        env={**os.environ, "PARLOUR_TEST_SHARE": f"{half}/{len(HALVES)}"},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    )


if __name__ == "__main__":
    sys.exit(main())
