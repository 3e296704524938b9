"""The command line: `python -m bench [names…]`."""

import argparse
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from bench import calls, connections, fanout, login_storm, rest, room_log, rooms, scaling
from bench.results import progress, verdict
from bench.setting import FOLDER, Setting
from load.http import HttpError
from load.machine import Broken, busiest, cores, settle_generator
from load.socketio import Lost, Refused

BENCHES: dict[str, Callable[[Setting], Coroutine[Any, Any, None]]] = {
    "fanout_1000": fanout.fanout_1000,
    "fanout_1000_whole": fanout.fanout_1000_whole,
    "rooms_50": rooms.rooms_50,
    "connect": connections.connect,
    "memory": connections.memory,
    "append": room_log.append,
    "history": room_log.history,
    "search": room_log.search,
    "rest": rest.rest,
    "login_storm": login_storm.login_storm,
    "calls_1000": calls.calls_1000,
    "scaling": scaling.scaling,
}


def main() -> int:
    """Run the benches that are named (all without a name); return 1 where something broke."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="What Parlour costs, beside peers and floors.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"which ones: {' '.join(BENCHES)} (default: all)")
    parser.add_argument("--seconds", type=float, default=60.0, help="measuring time of rooms_50 (default: 60)")
    parser.add_argument("--repeats", type=int, default=3, help="of each measurement; the median counts (default: 3)")
    parser.add_argument("--quick", action="store_true", help="small and short, to see that all works: no figures")
    parser.add_argument("--check", action="store_true", help="print a verdict for each target on standard error")
    options = parser.parse_args()
    unknown = set(options.names) - set(BENCHES)
    if unknown:
        parser.error(f"unknown: {' '.join(sorted(unknown))}")
    setting = Setting(seconds=options.seconds, repeats=1 if options.quick else options.repeats, quick=options.quick)
    broken = []
    server_core, own_core = cores()
    if server_core == own_core:
        progress("one core only: servers and generator share it, so that latencies and rates say little")
    if options.quick:
        progress("quick: everything is small and short, and the figures mean nothing")
    for name in options.names or BENCHES:
        progress(f"— {name}")
        FOLDER.mkdir(exist_ok=True)
        if (share := busiest()) > 0.1:
            progress(f"others spend {share:.0%} of a core: figures will be worse than the machine's")
        try:
            settle_generator()
            uvloop.run(BENCHES[name](setting))
        except (Broken, ExceptionGroup, HttpError, Lost, Refused, OSError) as error:
            broken.append(name)
            progress(f"{name} broke: {_told(error)}")
    if options.check:
        for result in setting.results:
            verdict(result)
    if broken:
        progress(f"broken: {' '.join(broken)}")
    return 1 if broken else 0


def _told(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_told(inner) for inner in error.exceptions[:3])
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main())
