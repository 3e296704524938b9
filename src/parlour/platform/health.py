"""Health: is the process alive, is it ready for traffic, and how is each thing that it depends on."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from parlour.platform.clock import Clock

Check = Callable[[], Awaitable[None]]


class DependencyHealth(msgspec.Struct, omit_defaults=True):
    """How one dependency is: `ok` or `down`, the time its check took in ms, and why it is down."""

    status: str
    milliseconds: float
    error: str | None = None


class HealthReport(msgspec.Struct):
    """`ok` (all well), `degraded` (something that can be done without is down), `down`, or `draining`."""

    status: str
    version: str
    dependencies: dict[str, DependencyHealth]


class Health:
    """The named checks of a process.

    A check is a coroutine function that raises when its dependency does not work; each has `timeout` seconds. Who asks while a report
    is being made waits for that one, and it is remembered for a second, so that many who ask cost the engines one check a second.
    """

    def __init__(self, version: str, clock: Clock, *, timeout: float = 2.0) -> None:
        self._version = version
        self._clock = clock
        self._timeout = timeout
        self._checks: dict[str, tuple[Check, bool]] = {}
        self._latest: tuple[float, HealthReport] | None = None
        self._pending: asyncio.Task[HealthReport] | None = None
        self.draining = False

    def add(self, name: str, check: Check, *, essential: bool = True) -> None:
        """Name a dependency; without an essential one the process is not ready."""
        self._checks[name] = (check, essential)

    async def report(self) -> HealthReport:
        """Return how every dependency is, as of a second ago at most."""
        if self._latest is not None and self._clock.monotonic() - self._latest[0] <= 1.0:
            report = self._latest[1]
        else:
            if self._pending is None:
                self._pending = asyncio.create_task(self._make())
            report = await asyncio.shield(self._pending)  # whoever goes away leaves the others their report
        return HealthReport("draining", report.version, report.dependencies) if self.draining else report

    async def _make(self) -> HealthReport:
        """Run every check side by side."""
        begun = self._clock.monotonic()
        try:
            results = await asyncio.gather(*(self._run(check) for check, _ in self._checks.values()))
        finally:
            self._pending = None
        dependencies = dict(zip(self._checks, results, strict=True))
        failed = [self._checks[name][1] for name, health in dependencies.items() if health.status != "ok"]
        report = HealthReport("down" if any(failed) else "degraded" if failed else "ok", self._version, dependencies)
        self._latest = (begun, report)
        return report

    async def _run(self, check: Check) -> DependencyHealth:
        begun = self._clock.monotonic()
        error = None
        try:
            async with asyncio.timeout(self._timeout):
                await check()
        except TimeoutError:
            error = f"no answer within {self._timeout:g} s"
        except Exception as failure:
            error = type(failure).__name__
        milliseconds = round((self._clock.monotonic() - begun) * 1000, 2)
        return DependencyHealth("down" if error else "ok", milliseconds, error)
