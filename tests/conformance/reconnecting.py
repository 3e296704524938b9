"""Stock socket.io clients in one Node process, which report what happens to them."""

import asyncio
import json
import os
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from .processes import NODE, node_modules


@dataclass(slots=True)
class ReconnectingClients:
    """`count` clients with the default reconnection settings; use as an asynchronous context manager."""

    url: str
    transports: str
    count: int
    process: asyncio.subprocess.Process = field(init=False)
    reports: list[dict[str, object]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        node_modules()
        self.process = await asyncio.create_subprocess_exec(
            "node",
            str(NODE / "reconnecting-client.mjs"),
            env={
                **os.environ,
                "PARLOUR_URL": self.url,
                "PARLOUR_TRANSPORTS": self.transports,
                "PARLOUR_CLIENTS": str(self.count),
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.process.wait()

    async def until_all(self, event: str, within: float) -> list[object]:
        """Wait until every client has reported `event` since the last call; the details, by client."""
        assert self.process.stdout is not None
        heard: dict[object, object] = {}
        async with asyncio.timeout(within):
            while len(heard) < self.count:
                line = await self.process.stdout.readline()
                assert line, "the client process ended"
                report = json.loads(line)
                self.reports.append(report)
                if report["event"] == event:
                    heard[report["client"]] = report["detail"]
        return [heard[number] for number in range(self.count)]
