"""One process: the services of its roles on its engines, one HTTP application, one realtime server."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

from litestar.types import ASGIApp, Receive, Scope, Send

import parlour
from parlour.app.engines import Engines, needed
from parlour.app.services import Services
from parlour.chat.adapters.sqlite_log import SqliteRoomLog
from parlour.config import ProcessRole, Settings
from parlour.platform.clock import SystemClock
from parlour.platform.health import Health
from parlour.platform.http import Shell, create_application, forwarded_address
from parlour.platform.sql import migrate
from parlour.platform.supervision import Supervisor, watch_loop_lag
from parlour.sockets import SOCKETS, realtime_server

SERVICES: Final = {
    ProcessRole.AUTH: "parlour.auth",
    ProcessRole.CHAT: "parlour.chat",
    ProcessRole.VIDEO: "parlour.video",
}
"""Who keeps tables in the SQL database; none uses another's."""


class Process:
    """Everything that one process runs: the services of its roles, on the engines that the settings name.

    `await build(settings)` makes one with its engines open. `await start()` before the first connection; `await drain()` when it shall
    stop: sockets are told to come back elsewhere; `await close()` at the very end.
    """

    def __init__(self, settings: Settings, engines: Engines, on_failure: Callable[[], None]) -> None:
        self._engines = engines
        self._supervisor = Supervisor(on_failure)
        self.serves_sockets = ProcessRole.CHAT in settings.roles
        self.realtime = realtime_server(settings, engines.cluster)
        self._polling = Shell(
            cast(ASGIApp, self.realtime.asgi),  # ASGI, but not in Litestar's types
            timeout=None,
            secure=settings.secure,
            client_address=forwarded_address(settings.trusted_proxies),
            route=SOCKETS,
        )
        self.services = Services(settings, engines, self.realtime)
        self.health = Health(parlour.__version__, SystemClock())
        for name, (check, essential) in (engines.checks | self.services.checks).items():
            self.health.add(name, check, essential=essential)
        accounts = self.services.accounts
        self.http = create_application(
            self.services.routers(),
            None if accounts is None else accounts.verifier,
            self.health,
            version=parlour.__version__,
            cors_origins=settings.cors_origins,
            timeout=settings.request_timeout_seconds,
            secure=settings.secure,
            trusted_proxies=settings.trusted_proxies,
            web=settings.web if self.serves_sockets else None,
        )

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3): long-polling under /socket.io/, everything else over HTTP."""
        polls = self.serves_sockets and self.realtime.serves(scope["path"])
        application: Any = self._polling if polls else self.http
        await application(scope, receive, send)

    async def connect(self) -> None:
        """Connect the engines and load the keys: enough for who serves nobody.

        Raises:
            Unavailable: an engine is away that a server would wait for.
        """
        for check in self._engines.needs:
            check()
        await self._engines.start()
        await self.services.connect()

    async def start(self) -> None:
        """Load what must be known before the first request and start what runs beside them."""
        await self._engines.start()
        self._supervisor.start("loop lag", watch_loop_lag())
        for name, run in self._engines.runs:
            self._supervisor.start(name, run())
        await self.services.start(self._supervisor)

    async def drain(self, within: float) -> None:
        """Take no new sockets and send the present ones elsewhere, within seconds; a send under way may lose its acknowledgement."""
        self.health.draining = True
        self.services.drain()
        await self.realtime.drain(within)

    async def close(self) -> None:
        """Finish what was accepted, then close the engines."""
        await self.services.stop()
        await self._supervisor.stop()
        await self.services.close()
        await self._engines.close()

    async def backup(self, database: Path, log: Path) -> None:
        """Copy the engines' data into new files, each as it is at one moment: first the database, then the log (admin.py says why)."""
        await needed(self._engines.database).backup(database)
        if isinstance(self._engines.log, SqliteRoomLog):  # what a server keeps is copied by its own tools
            await self._engines.log.backup(log)

    @property
    def failed(self) -> bool:
        """Whether a background task ended by itself, so that the process must not go on."""
        return self._supervisor.failed


async def build(settings: Settings, on_failure: Callable[[], None] = lambda: None) -> Process:
    """Open the engines, bring their tables to the newest version and put the process together.

    Raises:
        Unavailable, TablesNewer: an engine cannot be opened, or a newer Parlour wrote its tables.
    """
    engines = await Engines.open(settings)
    async with contextlib.AsyncExitStack() as opened:
        opened.push_async_callback(engines.close)
        for role in settings.roles & SERVICES.keys():
            await migrate(needed(engines.database), SERVICES[role])
        process = Process(settings, engines, on_failure)
        opened.pop_all()
    return process
