"""`login_storm`: what 50 people who log in at once do to the messages of a quiet room."""

import asyncio
from collections.abc import Sequence

from bench.results import Result, progress
from bench.rooms import Outcome, WholeLoad
from bench.setting import Parlour, SeededUser, Setting
from load.http import open_connection
from load.machine import Broken, ServerProcess
from load.socketio import LoadSocket, connect_all

ROOM_SIZE = 50
CONCURRENT = 50
ACCOUNTS = 10
PASSWORD = "kettle-orbit-lantern-42"
MESSAGES_PER_SECOND = 20.0
FREE_RATES = '{"login": "1000000/minute", "register": "1000000/minute"}'
"""The rates per address would end a storm that comes from one address."""


class Storm:
    """Logs in with the right passwords, 50 at a time, until it is ended."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.logins = 0

    async def __aenter__(self) -> "Storm":
        self._workers = [asyncio.create_task(self._worker(n)) for n in range(CONCURRENT)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.cancel()
        for ended in await asyncio.gather(*self._workers, return_exceptions=True):
            if not isinstance(ended, asyncio.CancelledError):
                raise Broken(f"a login failed: {ended}")

    async def _worker(self, n: int) -> None:
        connection = await open_connection(self._port)
        body = {"login": _name(n % ACCOUNTS), "password": PASSWORD}
        while True:
            await connection.call("POST", "/api/auth/login", body=body)
            self.logins += 1


def _name(n: int) -> str:
    return f"stormy{n}"


async def _register(port: int) -> None:
    connection = await open_connection(port)
    for n in range(ACCOUNTS):
        body = {"username": _name(n), "email": f"{_name(n)}@example.org", "password": PASSWORD}
        await connection.call("POST", "/api/auth/register", body=body)


async def login_storm(setting: Setting) -> None:
    """p95 of a quiet room's deliveries during the storm, beside the same without it."""
    seconds = 3.0 if setting.quick else 20.0
    async with Parlour(users=ROOM_SIZE, room_size=ROOM_SIZE, settings={"PARLOUR_RATES": FREE_RATES}) as parlour:
        port = parlour.server.port
        await _register(port)
        sockets = await connect_all(port, [user.access_token for user in parlour.users], until_ready=True)
        calm = await _listen(parlour.server, sockets, parlour.users, seconds)
        async with Storm(port) as storm:
            stormy = await _listen(parlour.server, sockets, parlour.users, seconds)
            rate = storm.logins / seconds
    for outcome in (calm, stormy):
        if outcome.failure or outcome.lost:
            raise Broken(f"{outcome.lost} deliveries lost; {outcome.failure}")
    progress(f"login_storm: p95 {calm.p95:.2f} ms without, {stormy.p95:.2f} ms with {rate:.0f} logins/s")
    reference = "the same room without the storm"
    setting.report(Result("login_storm_p95", stormy.p95, "ms", reference, stormy.p95 / calm.p95))
    setting.report(Result("login_storm_p99", stormy.p99, "ms", reference, stormy.p99 / calm.p99))
    setting.report(Result("login_storm_rate", rate, "logins/s"))


async def _listen(
    server: ServerProcess, sockets: Sequence[LoadSocket], users: Sequence[SeededUser], seconds: float
) -> Outcome:
    rooms = [user.room_ids[0] for user in users]
    load = WholeLoad(server, sockets, rooms, rate=MESSAGES_PER_SECOND, seconds=seconds)
    return await load.run()
