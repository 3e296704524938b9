"""A library between a process and libc: while the process runs, its disk is made slow or full and its wall clock wrong."""

import mmap
import os
import shlex
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Literal

SOURCE = Path(__file__).with_name("preload.c")
_CONTROL = struct.Struct("=4q")
_NANO = 1_000_000_000

Full = Literal["no file grows", "nothing is written"]
_FULL: dict[Full | None, int] = {None: 0, "no file grows": 1, "nothing is written": 2}


def compiler() -> str | None:
    """The command of a C compiler, None where there is none: then nothing of this can be had."""
    command = os.environ.get("CC", "cc")
    return command if shutil.which(shlex.split(command)[0]) else None


def build(folder: Path) -> Path:
    """Compile the library into a folder, and return its path."""
    library = folder / "preload.so"
    flags = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]
    command = [*shlex.split(compiler() or "cc"), *flags, "-o", str(library), str(SOURCE), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return library


class Preload:
    """The library as one process (and its children) has it, with what it does at the moment."""

    def __init__(self, library: Path, control: Path) -> None:
        """`control` is a file that is made: one for each process that is to be hurt by itself."""
        control.write_bytes(bytes(_CONTROL.size))
        with control.open("r+b") as file:
            self._control = mmap.mmap(file.fileno(), _CONTROL.size)
        self.environment = {"LD_PRELOAD": str(library), "PRELOAD_CONTROL": str(control)}

    def jump(self, seconds: float) -> None:
        """Put the wall clock ahead of the machine's, or behind it."""
        self._put(0, round(seconds * _NANO))

    def slow(self, *, sync: float, write: float) -> None:
        """Have each fsync, and each write to a file, take so many seconds longer."""
        self._put(1, round(sync * _NANO))
        self._put(2, round(write * _NANO))

    def fill(self, how: Full | None) -> None:
        """Leave no room on the disk, or with None give it back; where nothing is written, writing over a file takes room, too."""
        self._put(3, _FULL[how])

    def _put(self, place: int, value: int) -> None:
        struct.pack_into("=q", self._control, 8 * place, value)
