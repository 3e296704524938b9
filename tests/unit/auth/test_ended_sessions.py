"""What is kept of ended sessions for nodes that could not hear of them."""

from collections.abc import Callable, Iterable
from pathlib import Path

from parlour.platform.bus import BusUnavailable, MemoryBus
from parlour.platform.contracts import SESSIONS_RECALLED
from parlour.platform.ended_sessions import MemoryEndedSessions
from parlour.platform.ids import SessionId

from .world import a_world, an_auth


class Away(MemoryEndedSessions):
    """The embedded adapter, whose engine can be away."""

    away = False

    async def add(self, session_ids: Iterable[SessionId], until: int) -> None:
        if self.away:
            raise BusUnavailable(retry_after=1)
        await super().add(session_ids, until)


class GappyBus(MemoryBus):
    """A bus that can have a gap."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[Callable[[], None]] = []

    def on_gap(self, listener: Callable[[], None]) -> None:
        self.gaps.append(listener)


async def test_what_ends_is_kept_for_others_as_long_as_its_tokens_live(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        ended = Away(world.clock)
        auth = an_auth(world.database, world.hasher, world.bus, world.clock, ended=ended)
        await auth.start()
        principal = auth.verifier.verify((await world.register()).access_token)
        await auth.sessions.log_out(principal)
        kept = await ended.all()
        assert set(kept) == {principal.session_id}
        assert kept[principal.session_id] >= principal.expires_at * 1000
        assert world.revoked[-1].until == kept[principal.session_id]


async def test_an_engine_that_is_away_delays_no_revocation_and_is_told_later(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        ended, recalled = Away(world.clock), list[bytes]()
        auth = an_auth(world.database, world.hasher, world.bus, world.clock, ended=ended)
        await auth.start()
        world.bus.subscribe(SESSIONS_RECALLED, recalled.append)
        principal = auth.verifier.verify((await world.register()).access_token)
        ended.away = True
        await auth.sessions.log_out(principal)
        assert world.revoked[-1].session_ids == [principal.session_id]
        await auth._watch.look()
        assert await ended.all() == {}
        ended.away = False
        recalled.clear()
        await auth._watch.look()
        assert set(await ended.all()) == {principal.session_id}
        assert recalled == [b""]
        await auth._watch.look()
        assert recalled == [b""]


async def test_after_a_gap_of_the_bus_everything_is_kept_anew(tmp_path: Path) -> None:
    """Redis may have been emptied."""
    async with a_world(tmp_path) as world:
        bus, ended = GappyBus(), Away(world.clock)
        auth = an_auth(world.database, world.hasher, bus, world.clock, ended=ended)
        await auth.start()
        principal = auth.verifier.verify((await world.register()).access_token)
        await auth.sessions.log_out(principal)
        ended._until.clear()
        await auth._watch.look()
        assert await ended.all() == {}
        for listener in bus.gaps:
            listener()
        await auth._watch.look()
        assert set(await ended.all()) == {principal.session_id}
