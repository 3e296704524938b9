"""Health: how dependencies are, without costing them much."""

import asyncio

from parlour.platform.health import Health

from ..auth.world import ManualClock


class Engine:
    """A dependency that can fail, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.failure: Exception | None = None

    async def check(self) -> None:
        self.asked += 1
        if self.failure is not None:
            raise self.failure


def a_health(clock: ManualClock | None = None, *, timeout: float = 1.0) -> tuple[Health, Engine, Engine]:
    health = Health("1.2.3", clock or ManualClock(), timeout=timeout)
    essential, optional = Engine(), Engine()
    health.add("database", essential.check)
    health.add("search", optional.check, essential=False)
    return health, essential, optional


async def test_all_well_is_ok() -> None:
    report = await a_health()[0].report()
    assert (report.status, report.version) == ("ok", "1.2.3")
    assert {name: health.status for name, health in report.dependencies.items()} == {"database": "ok", "search": "ok"}


async def test_without_an_essential_dependency_it_is_down() -> None:
    health, essential, _ = a_health()
    essential.failure = ConnectionError("secret://user:password@host")
    report = await health.report()
    assert report.status == "down"
    assert report.dependencies["database"].error == "ConnectionError", "the type alone: a message may hold a password"


async def test_without_an_optional_one_it_is_degraded() -> None:
    health, _, optional = a_health()
    optional.failure = OSError()
    report = await health.report()
    assert (report.status, report.dependencies["search"].status) == ("degraded", "down")


async def test_check_that_hangs_is_down_and_holds_nobody_up() -> None:
    health, _, _ = a_health(timeout=0.01)
    health.add("broker", asyncio.Event().wait)
    report = await health.report()
    assert report.dependencies["broker"].error == "no answer within 0.01 s"
    assert report.dependencies["database"].status == "ok"


async def test_report_is_remembered_for_a_second() -> None:
    clock = ManualClock()
    health, essential, _ = a_health(clock)
    for _ in range(5):
        await health.report()
    assert essential.asked == 1
    essential.failure = OSError()
    clock.advance(1.0)
    assert (await health.report()).status == "ok"
    clock.advance(0.1)
    assert (await health.report()).status == "down"
    assert essential.asked == 2


async def test_many_who_ask_at_once_share_one_check() -> None:
    health, essential, _ = a_health()
    reports = await asyncio.gather(*(health.report() for _ in range(50)))
    assert essential.asked == 1
    assert {report.status for report in reports} == {"ok"}


async def test_one_who_goes_away_leaves_the_others_their_report() -> None:
    health, _, _ = a_health()
    answered = asyncio.Event()
    health.add("slow", answered.wait)
    first, second = asyncio.create_task(health.report()), asyncio.create_task(health.report())
    await asyncio.sleep(0)
    first.cancel()
    answered.set()
    assert (await second).status == "ok"


async def test_draining_is_told_at_once() -> None:
    health, _, _ = a_health()
    assert (await health.report()).status == "ok"
    health.draining = True
    assert (await health.report()).status == "draining"
