"""What outlives a process: each call has one start and one end in the log, whatever fails in between."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from parlour.platform.errors import InvalidRequest, Unavailable
from parlour.video.adapters.memory import MemoryCallStore
from parlour.video.model import Call, CallId, CallState, EndReason, Media
from parlour.video.service.journal import Journal

from ..chat.virtual_time import in_virtual_time
from .world import Phone, World


class FailingStore(MemoryCallStore):
    """Fails as often as it is asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0
        self.writes = 0

    async def write(self, kept: object, gone: object) -> None:
        self.writes += 1
        if self.failures:
            self.failures -= 1
            raise Unavailable(retry_after=1)
        await super().write(kept, gone)


@asynccontextmanager
async def running(journal: Journal) -> AsyncIterator[None]:
    """Write until the block ends."""
    task = asyncio.create_task(journal.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def talking(world: World) -> tuple[Phone, Phone, Call]:
    ann, bob = world.phone("ann"), world.phone("bob")
    call = (await ann.start(world.rooms.add(ann.user, bob.user, direct=True))).call
    await bob.join(call)
    return ann, bob, call


@in_virtual_time
async def test_log_is_told_of_start_and_end_once_and_then_the_call_is_forgotten() -> None:
    world = World()
    async with running(world.journal):
        ann, _, call = await talking(world)
        await asyncio.sleep(1)
        assert world.log.told == [("started", call.id)]
        assert [kept.id for kept in await world.store.load()] == [call.id]
        await ann.leave(call)
        await asyncio.sleep(1)
    assert world.log.told == [("started", call.id), ("ended", call.id)]
    assert await world.store.load() == []


@in_virtual_time
async def test_call_that_ends_before_it_was_kept_has_both_in_order() -> None:
    world = World()
    async with running(world.journal):
        ann, _, call = await talking(world)
        await ann.leave(call)
        await asyncio.sleep(1)
    assert world.log.told == [("started", call.id), ("ended", call.id)]
    assert await world.store.load() == []


@in_virtual_time
async def test_call_that_ends_while_it_is_being_kept_is_told_of_once() -> None:
    class SlowStore(MemoryCallStore):
        async def write(self, kept: Sequence[Call], gone: Sequence[CallId]) -> None:
            await super().write(kept, gone)
            await asyncio.sleep(0.2)

    world = World(store=SlowStore())
    async with running(world.journal):
        ann, _, call = await talking(world)
        await asyncio.sleep(0.1)
        await ann.leave(call)
        await asyncio.sleep(2)
    assert world.log.told == [("started", call.id), ("ended", call.id)]
    assert await world.store.load() == []


@in_virtual_time
async def test_engines_that_are_away_hold_up_no_call_and_are_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    store = FailingStore()
    world = World(store=store)
    store.failures, world.log.failures = 3, 3
    async with running(world.journal):
        ann, _, call = await talking(world)
        assert call.state is CallState.ACTIVE
        await ann.leave(call)
        await asyncio.sleep(60)
    assert world.log.told == [("started", call.id), ("ended", call.id)]
    assert await store.load() == []
    assert {record.levelno for record in caplog.records} <= {logging.INFO, logging.WARNING}


@in_virtual_time
async def test_end_of_the_process_writes_what_is_left() -> None:
    world = World()
    async with running(world.journal):
        _, _, call = await talking(world)
        await asyncio.sleep(0)
    assert world.log.told == [("started", call.id)]
    assert [kept.state for kept in await world.store.load()] == [CallState.ACTIVE]


@in_virtual_time
async def test_what_is_abandoned_is_not_written_even_where_a_write_is_under_way() -> None:
    class StuckStore(MemoryCallStore):
        def __init__(self) -> None:
            super().__init__()
            self.begun = 0

        async def write(self, kept: Sequence[Call], gone: Sequence[CallId]) -> None:
            self.begun += 1
            if self.begun == 1:
                await asyncio.Event().wait()
            await super().write(kept, gone)

    store = StuckStore()
    world = World(store=store)
    async with running(world.journal):
        ann, _, call = await talking(world)
        await asyncio.sleep(1)
        assert store.begun == 1
        world.journal.abandon()
        await ann.leave(call)
    assert store.begun == 1
    assert world.log.told == []


@in_virtual_time
async def test_end_of_the_process_does_not_wait_for_engines_that_are_away() -> None:
    store = FailingStore()
    store.failures = 1_000_000
    world = World(store=store)
    before = asyncio.get_running_loop().time()
    async with running(world.journal):
        await talking(world)
        await asyncio.sleep(10)
    assert asyncio.get_running_loop().time() - before < 13


@in_virtual_time
async def test_call_that_the_log_refuses_for_good_costs_the_others_nothing(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.log.refusal = InvalidRequest()
    async with running(world.journal):
        ann, _, call = await talking(world)
        await ann.leave(call)
        await asyncio.sleep(1)
        assert await world.store.load() == []
        world.log.refusal = None
        _, _, other = await talking(world)
        await asyncio.sleep(1)
    assert world.log.told == [("started", other.id)]
    assert "the log refuses a call" in caplog.text


@in_virtual_time
async def test_writes_under_load_are_gathered() -> None:
    store = FailingStore()
    world = World(store=store)
    async with running(world.journal):
        for _ in range(100):
            await talking(world)
            await asyncio.sleep(0.01)
    assert store.writes < 40


async def next_process(world: World) -> World:
    """What starts on the store of a process that was killed."""
    after = World(store=world.store)
    after.rooms, after.sockets = world.rooms, world.sockets
    after.calls._rooms = world.rooms
    after.live.restore(await after.journal.load())
    return after


def moved(phone: Phone, world: World) -> Phone:
    """The same user at the next process, on a new connection."""
    return Phone(world, phone.user)


@in_virtual_time
async def test_call_goes_on_in_the_next_process_for_those_who_come_back() -> None:
    world = World()
    async with running(world.journal):
        ann, bob, call = await talking(world)
    after = await next_process(world)
    kept = after.live.registry.get(call.id)
    assert kept is not None
    first, second = kept.participants
    async with running(after.journal):
        await asyncio.sleep(5)
        assert (await moved(ann, after).join(kept, first)).participant.id == first
        back = moved(bob, after)
        assert (await back.join(kept, second)).participant.id == second
        await asyncio.sleep(60)
        assert kept.ended_at is None
        await back.leave(kept)
        await asyncio.sleep(1)
    assert after.log.told == [("started", call.id), ("ended", call.id)]
    reason, duration, missed = after.log.ends[call.id]
    assert (reason, missed) == (EndReason.HANGUP, False)
    assert duration == pytest.approx(65_000, abs=200)
    assert await after.store.load() == []


@in_virtual_time
async def test_call_that_nobody_comes_back_to_ends_in_the_log() -> None:
    world = World()
    async with running(world.journal):
        _, _, call = await talking(world)
    after = await next_process(world)
    async with running(after.journal):
        await asyncio.sleep(20)
    assert after.log.ends[call.id][0] is EndReason.LOST
    assert await after.store.load() == []


@in_virtual_time
async def test_call_that_rings_goes_on_ringing_for_what_is_left_of_its_time() -> None:
    world = World()
    ann, bob = world.phone("ann"), world.phone("bob")
    async with running(world.journal):
        call = (await ann.start(world.rooms.add(ann.user, bob.user, direct=True))).call
        await asyncio.sleep(30)
    after = await next_process(world)
    after.live.socket_ready(bob.user.user_id, "new")
    assert [(told.what, told.reason) for told in after.told] == [("ringing", "new")]
    async with running(after.journal):
        kept = after.live.registry.get(call.id)
        assert kept is not None
        await moved(ann, after).join(kept, next(iter(kept.participants)))
        await asyncio.sleep(14)
        assert kept.ended_at is None
        await asyncio.sleep(2)
    assert after.log.ends[call.id] == (EndReason.MISSED, 0, True)


@in_virtual_time
async def test_call_left_alone_in_a_room_is_waited_for_after_a_restart_too() -> None:
    world = World()
    ann, bob, eve = (world.phone(name) for name in ("ann", "bob", "eve"))
    async with running(world.journal):
        call = (await ann.start(world.rooms.add(ann.user, bob.user, eve.user))).call
        await bob.join(call)
        await ann.leave(call)
    after = await next_process(world)
    kept = after.live.registry.get(call.id)
    assert kept is not None
    await moved(bob, after).join(kept, next(iter(kept.participants)))
    await asyncio.sleep(20)
    assert kept.end_reason is EndReason.HANGUP


@in_virtual_time
async def test_end_that_the_log_was_not_told_of_is_told_by_the_next_process() -> None:
    world = World()
    async with running(world.journal):
        ann, _, call = await talking(world)
        await asyncio.sleep(1)
        world.log.failures = 1_000_000
        await ann.leave(call)
        await asyncio.sleep(1)
    assert world.log.told == [("started", call.id)]
    after = await next_process(world)
    assert len(after.live.registry) == 0
    async with running(after.journal):
        await asyncio.sleep(1)
    assert after.log.told == [("started", call.id), ("ended", call.id)]
    assert after.log.ends[call.id][0] is EndReason.HANGUP


@in_virtual_time
async def test_paused_process_takes_nobody_out_of_a_call() -> None:
    world = World()
    ann, bob, call = await talking(world)
    world.live.pause()
    ann.drop()
    bob.drop()
    await asyncio.sleep(100)
    assert call.ended_at is None


async def test_journal_that_is_cancelled_while_it_tells_forgets_nothing() -> None:
    class SlowLog:
        def __init__(self) -> None:
            self.ended_calls: list[str] = []

        async def started(self, call: Call) -> None:
            await asyncio.sleep(0)
            begun.set()
            await let_go.wait()

        async def ended(self, call: Call) -> None:
            self.ended_calls.append(call.id)

    begun, let_go = asyncio.Event(), asyncio.Event()
    store, log = MemoryCallStore(), SlowLog()
    journal = Journal(store, log)
    call = Call(CallId("call"), World().rooms.add(), True, Media.AUDIO, World().phone("ann").user.user_id, 1)
    call.ended_at, call.end_reason = 2, EndReason.HANGUP
    task = asyncio.create_task(journal.run())
    journal.changed(call)
    await begun.wait()
    let_go.set()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert log.ended_calls == ["call"]
    assert await store.load() == []
