"""Build the C beside the Python: `python scripts/build_native.py`; the wheel's hook (package.py) calls it, too."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

SOURCES = (Path(__file__).parent.parent / "src" / "parlour" / "realtime" / "send_all.c",)


def build(source: Path, *more: str) -> Path:
    """Compile a source to the shared library `<name>.native.so` beside it, with `$CC` or cc and `more` options.

    Raises:
        OSError: there is no compiler.
        subprocess.CalledProcessError: it refused.
    """
    library = source.with_suffix(".native.so")  # no name of a Python module
    compiler = shlex.split(os.environ.get("CC", "cc"))
    library.unlink(missing_ok=True)  # a running server keeps what it has mapped; a failure must not leave an old one
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-fPIC", "-shared"]
    subprocess.run([*compiler, *flags, *more, "-o", library, source], check=True)
    return library


def main() -> int:
    """Build all; without a compiler Parlour runs all the same, with dearer broadcasts."""
    try:
        for source in SOURCES:
            build(source)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"not built: {error}. Parlour runs without it; a C compiler makes broadcasts cheaper.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
