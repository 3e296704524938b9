"""`make stack`: the real engines as local processes under .stack/, for machines without a container engine."""

import argparse
import sys

from scripts.stack.engine import Engine, StackError
from scripts.stack.kafka import KAFKA
from scripts.stack.mongodb import FERRETDB, MONGODB
from scripts.stack.postgresql import POSTGRESQL
from scripts.stack.redis import REDIS
from scripts.stack.toxiproxy import TOXIPROXY

ENGINES = (POSTGRESQL, REDIS, KAFKA, MONGODB, FERRETDB, TOXIPROXY)


def main() -> None:
    """Install, start, stop or list engines: all, or those named."""
    parser = argparse.ArgumentParser(prog="make stack", description=__doc__)
    parser.add_argument("action", choices=("install", "start", "stop", "status"))
    parser.add_argument(
        "names", nargs="*", metavar="engine", help=f"of {', '.join(each.name for each in ENGINES)} (default: all)"
    )
    options = parser.parse_args()
    known = {each.name: each for each in ENGINES}
    if unknown := sorted(set(options.names) - set(known)):
        parser.error(f"no such engine: {', '.join(unknown)}")
    wanted = [each for each in ENGINES if not options.names or each.name in options.names]
    try:
        {"install": _install, "start": _start, "stop": _stop, "status": _status}[options.action](wanted, known)
    except StackError as error:
        sys.exit(f"stack: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _install(wanted: list[Engine], _: dict[str, Engine]) -> None:
    for engine in wanted:
        engine.folder.mkdir(parents=True, exist_ok=True)
        engine.install()


def _start(wanted: list[Engine], known: dict[str, Engine]) -> None:
    needed = {name for each in wanted for name in each.needs}
    for engine in known.values():  # in order: what is needed comes first
        if engine in wanted or engine.name in needed:
            engine.start()
            print(f"stack: {engine.name} on {engine.url}", flush=True)


def _stop(wanted: list[Engine], _: dict[str, Engine]) -> None:
    for engine in reversed(wanted):
        if engine.pid() is not None:
            engine.stop()
            print(f"stack: {engine.name} ended", flush=True)


def _status(wanted: list[Engine], _: dict[str, Engine]) -> None:
    for engine in wanted:
        pid = engine.pid()
        print(f"{engine.name:12} {'not running' if pid is None else f'process {pid}':16} {engine.url}")
    if any(engine.pid() is None for engine in wanted):
        sys.exit(1)


if __name__ == "__main__":
    main()
