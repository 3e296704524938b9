"""The command line of the web client's figures: `python -m bench.web`.

Starts the server on data of its own, with a room of 100,000 messages; web/bench measures the built client in a real Chromium and
prints what it measured, repeat by repeat.
"""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import msgspec

from bench.report import write
from bench.results import Result, compared, emit, progress, verdict
from bench.setting import FOLDER, ROOT, Parlour, SeededUser
from bench.web_room import write_room
from load.machine import Broken, busiest
from parlour.platform.ids import RoomId, UserId

WEB = ROOT / "web"
PEOPLE = 12
PASSWORD = "a few words together"
RATES = dict.fromkeys(
    ("message", "reaction", "history", "room", "typing", "presence", "login", "refresh"), "100000/second"
)
"""An hour's events in a minute, and more pages of history than a person would read."""


class Measured(msgspec.Struct):
    """A line of web/bench: a figure of each repeat, and of the reference's where it has one."""

    name: str
    values: list[float]
    unit: str
    reference: str | None = None
    others: list[float] = []

    def result(self) -> Result:
        """Return the median, beside the reference's."""
        if self.reference is not None and self.others:
            return compared(self.name, self.values, self.others, self.unit, self.reference)
        return Result(self.name, median(self.values), self.unit, self.reference)


class World(msgspec.Struct):
    """What web/bench is told."""

    origin: str
    password: str
    people: list[SeededUser]
    room_id: str
    """The room of 100,000 messages, which all people are in."""
    quick: bool
    only: list[str]


async def measure(only: list[str], *, quick: bool) -> list[Result]:
    """Run web/bench against a server, and print each figure as it comes.

    Raises:
        Broken: there is no built client, or a measurement did not work.
    """
    if not (WEB / "dist" / "index.html").exists():
        raise Broken("web/dist is missing: make build")
    count = 5_000 if quick else 100_000

    async def fill(data: Path, people: list[SeededUser]) -> None:
        progress(f"writing a room of {count:,} messages")
        room = RoomId(people[0].room_ids[0])
        await write_room(data, room, [UserId(each.user_id) for each in people], count)

    settings = {"PARLOUR_RATES": msgspec.json.encode(RATES).decode()}
    async with Parlour(users=PEOPLE, room_size=PEOPLE, password=PASSWORD, settings=settings, prepare=fill) as parlour:
        origin = f"http://127.0.0.1:{parlour.server.port}"
        people = parlour.users
        world = World(origin, PASSWORD, people, people[0].room_ids[0], quick, only)
        return await _browse(world)


async def _browse(world: World) -> list[Result]:
    process = await asyncio.create_subprocess_exec(
        "node", "bench/run.mjs", cwd=WEB, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(msgspec.json.encode(world))
    process.stdin.close()
    results = [emit(msgspec.json.decode(line, type=Measured).result()) async for line in process.stdout]
    if await process.wait():
        raise Broken(f"web/bench ended with {process.returncode}")
    return results


def main() -> int:
    """Measure the web client; return 1 where something broke."""
    parser = argparse.ArgumentParser(prog="python -m bench.web", description="What the web client costs in a browser.")
    parser.add_argument(
        "names", nargs="*", metavar="name", help="which ones: loads scroll events memory (default: all)"
    )
    parser.add_argument("--quick", action="store_true", help="small and short, to see that all works: no figures")
    parser.add_argument("--check", action="store_true", help="print a verdict for each target on standard error")
    parser.add_argument("--write", action="store_true", help='write "The web client" in docs/load-report.md')
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    if (share := busiest()) > 0.1:
        progress(f"others spend {share:.0%} of a core: figures will be worse than the machine's")
    try:
        results = asyncio.run(measure(options.names, quick=options.quick))
    except (Broken, OSError) as error:
        progress(f"broke: {error}")
        return 1
    if options.check:
        for result in results:
            verdict(result)
    if options.write:
        write("\n".join(msgspec.json.encode(result).decode() for result in results), "web", datetime.now(UTC))
    return 0


if __name__ == "__main__":
    sys.exit(main())
