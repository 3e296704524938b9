"""Serving: one uvicorn on one port, and an orderly end."""

import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

import uvicorn
import uvloop

from parlour.app import Process, build
from parlour.claim import claimed, claimed_server
from parlour.config import ConfigurationError, Settings
from parlour.realtime import send_all

logger = logging.getLogger(__name__)

_SWITCH_INTERVAL = 0.001
"""Seconds after which a thread that wants the interpreter gets it. The room log's thread asks a few times a batch, and at Python's
own 5 ms a batch would take tens of milliseconds while the loop is busy with fan-out."""

_GC_THRESHOLDS = (10_000, 20, 100)
"""Sockets live long and make next to no cycles: a collection of the youngest 10,000 objects stops the loop for 3 ms, one of all that
10,000 sockets have for 100 ms or more, so that the latter has to be rare."""


_SOCKETS_UNTIL: Final = 0.6
_REQUESTS_UNTIL: Final = 0.8
"""Of the time to stop: until then sockets, then HTTP requests are waited for; the rest belongs to what was accepted and the engines."""


def listening(host: str, port: int) -> socket.socket:
    """Return a bound socket; port 0 takes a free one.

    Raises:
        ConfigurationError: the address cannot be bound.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another with --host or --port"
        ) from error
    return bound


class _Server(uvicorn.Server):
    """A uvicorn whose signals are the caller's, so that sockets are drained while it still serves."""

    def stop_within(self, seconds: float) -> None:
        """Ask it to end, and to cancel requests that are not answered after so many seconds."""
        self.config.timeout_graceful_shutdown = seconds  # type: ignore[assignment]  # an int, but fractions do
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status. A second signal ends at once.

    Raises:
        ConfigurationError: the data directory or the address cannot be had.
    """
    _raise_file_limit()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    with (
        claimed(settings),
        listening(settings.host, settings.port) as bound,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_serve(settings, bound))


async def _serve(settings: Settings, bound: socket.socket) -> int:
    async with claimed_server(settings):
        return await _serve_claimed(settings, bound)


async def _serve_claimed(settings: Settings, bound: socket.socket) -> int:
    stop = asyncio.Event()
    process = await build(settings, on_failure=stop.set)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _asked_to_stop, stop)
    try:
        if not await _started(process, stop, settings.drain_seconds):
            return _status(process)
        server = _Server(_uvicorn_config(process))
        gc.collect()
        gc.freeze()
        gc.enable()
        gc.set_threshold(*_GC_THRESHOLDS)
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        stopping = asyncio.create_task(stop.wait())
        host, port = bound.getsockname()[:2]
        about = {"address": f"http://{host}:{port}", "native_broadcasts": send_all.native}
        logger.info("serving", extra={**about, "settings": settings.redacted()})
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        deadline = Deadline(settings.drain_seconds, lambda: _status(process))
        if not serving.done():
            logger.info("draining", extra={"seconds": settings.drain_seconds})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(deadline.left(_SOCKETS_UNTIL)):
                    await process.drain(deadline.left(_SOCKETS_UNTIL))
        server.stop_within(deadline.left(_REQUESTS_UNTIL))
        await serving
    finally:
        await process.close()
        gc.freeze()  # what is left goes with the process; the interpreter would look through all of it once more
    logger.info("stopped")
    return _status(process)


def _status(process: Process) -> int:
    return 1 if process.failed else 0


async def _started(process: Process, stop: asyncio.Event, drain_seconds: float) -> bool:
    """Start the process, which may wait for other services; return False where it is asked to stop, or fails, meanwhile.

    Then all the rest has `drain_seconds`.
    """
    starting = asyncio.create_task(process.start())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if starting.done() and starting.exception() is None:
        return True
    Deadline(drain_seconds, lambda: 1 if starting.done() else _status(process))
    if starting.done():
        await starting
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    return False


class Deadline:
    """The one bound on everything between the wish to stop and the end of the process, `seconds` from now, with what `status` says then.

    Each part gets what is left up to its share. What still hangs at the end, be it a thread, goes with the process: nothing that
    was acknowledged depends on an orderly end.
    """

    def __init__(self, seconds: float, status: Callable[[], int]) -> None:
        self._seconds = seconds
        self._began = time.monotonic()
        last = threading.Timer(seconds, lambda: _give_up(status()))
        last.daemon = True
        last.start()

    def left(self, share: float) -> float:
        """Return the seconds until `share` of the time is over."""
        return max(0.0, self._began + share * self._seconds - time.monotonic())


def _give_up(status: int) -> None:
    logger.warning("could not end in time: stopping at once")
    os._exit(status)


def _asked_to_stop(stop: asyncio.Event) -> None:
    if stop.is_set():
        logger.warning("asked twice: stopping at once")
        os._exit(1)
    stop.set()


def _uvicorn_config(process: Process) -> uvicorn.Config:
    return uvicorn.Config(
        process.asgi,
        http=process.realtime.http_protocol(),
        ws=process.realtime.websocket_protocol() if process.serves_sockets else "none",
        interface="asgi3",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,  # the shell and the realtime engine name the client, both by the setting trusted_proxies
        server_header=False,
        backlog=4096,
        timeout_keep_alive=75,
    )


def _raise_file_limit() -> None:
    """Let the process open as many sockets as the system allows it without asking root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
