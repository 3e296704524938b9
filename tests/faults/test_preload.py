"""The library that slows disks and moves clocks does it, and nothing else."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from .preload import Preload, build, compiler

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C compiler: no slow disks and no jumps of clocks")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("preload"))


_BEFORE = """
import os, sys, time
def attempt(call, file):
    try: eval(call)
    except OSError as error: return error.errno
"""


class Program:
    """A Python program with the library, which answers each line that it is told with one."""

    def __init__(self, preload: Preload, program: str) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"{_BEFORE}for line in sys.stdin: print({program}, flush=True)",
            ],
            env=preload.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, line: str = "") -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(line, file=self._process.stdin, flush=True)
        return self._process.stdout.readline().strip()

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(20) == 0


@pytest.mark.parametrize("seconds", [7200.25, -7200.25])
def test_the_wall_clock_jumps_and_comes_back_while_the_monotonic_one_goes_on(
    library: Path, tmp_path: Path, seconds: float
) -> None:
    preload = Preload(library, tmp_path / "control")
    program = Program(preload, "(time.time(), time.monotonic())")

    def ahead() -> tuple[float, float]:
        before = time.time(), time.monotonic()
        wall, monotonic = eval(program.ask())
        assert before[1] <= monotonic <= time.monotonic()
        return wall - time.time(), wall - before[0]

    least, most = ahead()
    assert least <= 0 <= most
    preload.jump(seconds)
    least, most = ahead()
    assert least <= seconds <= most
    preload.jump(0)
    least, most = ahead()
    assert least <= 0 <= most
    program.end()


def test_a_wait_takes_as_long_as_the_clock_that_jumped_says(library: Path, tmp_path: Path) -> None:
    """Who waits until a time of the wall clock, as librdkafka does, must not wait for an hour because it is ahead."""
    waiting = f"""
import ctypes, time
libc = ctypes.CDLL({str(library)!r})
condition, lock = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)
libc.cnd_init(condition), libc.mtx_init(lock, 0), libc.mtx_lock(lock)
def wait(seconds):
    until = time.time_ns() + int(seconds * 1e9)
    while libc.cnd_timedwait(condition, lock, (ctypes.c_int64 * 2)(*divmod(until, 10**9))) == 0: pass
    return time.time_ns() >= until
"""
    preload = Preload(library, tmp_path / "control")
    preload.jump(3600)
    program = Program(preload, f"exec({waiting!r}, globals()) or wait(float(line))")
    assert program.ask("0.2") == "True"
    preload.jump(-3600)
    assert program.ask("0.2") == "True"
    program.end()


@pytest.mark.parametrize(
    ("write", "sync"), [("os.pwrite(file, b'x', 0)", "os.fsync"), ("os.writev(file, [b'x'])", "os.fdatasync")]
)
def test_a_disk_is_slow_for_its_time(library: Path, tmp_path: Path, write: str, sync: str) -> None:
    preload = Preload(library, tmp_path / "control")
    opened = f"(file := os.open({str(tmp_path / 'data')!r}, os.O_RDWR | os.O_CREAT))"
    program = Program(preload, f"({opened}, time.monotonic(), {write}, {sync}(file), time.monotonic())")

    def took() -> float:
        _, began, _, _, ended = eval(program.ask())
        return ended - began

    preload.slow(sync=0.6, write=0.4)
    assert took() >= 1
    preload.slow(sync=0, write=0)
    assert min(took() for _ in range(20)) < 0.4
    program.end()


def test_nothing_but_files_is_slow(library: Path, tmp_path: Path) -> None:
    preload = Preload(library, tmp_path / "control")
    preload.slow(sync=1000, write=1000)
    program = Program(preload, "os.getpid()")  # to a pipe
    assert program.ask()
    program.end()


def test_on_a_full_disk_no_file_grows_and_where_there_is_no_writing_over_nothing_is_written(
    library: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.write_bytes(b"0123456789")
    preload = Preload(library, tmp_path / "control")
    program = Program(preload, f"attempt(line, os.open({str(data)!r}, os.O_RDWR))")
    ways = {
        "over": "os.pwrite(file, b'x', 9)",
        "past the end": "os.pwrite(file, b'xx', 9)",
        "append": "os.write(os.open('/proc/self/fd/%d' % file, os.O_WRONLY | os.O_APPEND), b'x')",
        "allocate": "os.posix_fallocate(file, 0, 100)",
    }

    def refused() -> set[str]:
        return {way for way, call in ways.items() if program.ask(call) == "28"}

    preload.fill("no file grows")
    assert refused() == {"past the end", "append", "allocate"}
    assert data.read_bytes() == b"012345678x"
    preload.fill("nothing is written")
    assert refused() == set(ways)
    preload.fill(None)
    assert refused() == set()
    program.end()
