"""Whatever people do in whatever order, calls stay whole: one place for each, no call without people, one end for each."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from parlour.platform.errors import ParlourError
from parlour.platform.permissions import RoomRole
from parlour.video.model import PEERS, Call, CallState, EndReason, Media

from ..chat.virtual_time import VirtualTimeLoop
from .world import Phone, World

T = TypeVar("T")

FREE = dict.fromkeys(("call", "call_join", "call_signal", "list"), "1000000/second")
DEVICES = st.integers(0, 7)
ROOMS = st.integers(0, 3)
CALLS = st.integers(0, 5)


class AnyOrder(RuleBasedStateMachine):
    """Four users with two devices each, two direct rooms, a room of three and one of four."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=VirtualTimeLoop)
        self.world = World(rates=FREE)
        people = [self.world.phone(name) for name in ("ann", "bob", "eve", "joe")]
        self.phones = [*people, *(phone.another(session=True) for phone in people)]
        users = [phone.user for phone in people]
        rooms = self.world.rooms
        self.rooms = [
            rooms.add(*users[:2], direct=True),
            rooms.add(*users[2:], direct=True),
            rooms.add(*users[:3]),
            rooms.add(*users, role=RoomRole.OWNER),
        ]
        self.begun: dict[str, Call] = {}
        self.journal: asyncio.Task[None] | None = None
        keep = self.world.journal.changed

        def changed(call: Call) -> None:
            self.begun.setdefault(call.id, call)
            keep(call)

        self.world.journal.changed = changed  # how the test hears of every call
        self.run(self._begin())

    async def _begin(self) -> None:
        self.journal = asyncio.create_task(self.world.journal.run())

    def run(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do something that may be refused, and let what it caused happen."""

        async def done() -> T | None:
            try:
                return await work
            except ParlourError:
                return None
            finally:
                await asyncio.sleep(0)

        return self.runner.run(done())

    def do(self, action: Callable[..., None], *args: Any) -> None:
        """Have something happen that nobody asked for."""

        async def happen() -> None:
            action(*args)

        self.run(happen())

    def call(self, number: int) -> Call | None:
        """One of the last calls, which may be over."""
        calls = list(self.begun.values())[-6:]
        return calls[number % len(calls)] if calls else None

    @rule(device=DEVICES, room=ROOMS, media=st.sampled_from(Media))
    def start(self, device: int, room: int, media: Media) -> None:
        self.run(self.phones[device].start(self.rooms[room], media))

    @rule(first=DEVICES, second=DEVICES, room=ROOMS)
    def start_at_once(self, first: int, second: int, room: int) -> None:
        async def both() -> None:
            starts = (self.phones[each].start(self.rooms[room]) for each in (first, second))
            await asyncio.gather(*starts, return_exceptions=True)

        self.run(both())

    @rule(device=DEVICES, number=CALLS, same=st.booleans())
    def join(self, device: int, number: int, same: bool) -> None:
        """By itself, or as the participant that the user is."""
        if call := self.call(number):
            phone = self.phones[device]
            mine = call.of_user(phone.user.user_id)
            self.run(phone.join(call, mine.id if mine and same else None))

    @rule(device=DEVICES, number=CALLS)
    def leave(self, device: int, number: int) -> None:
        if call := self.call(number):
            self.run(self.phones[device].leave(call))

    @rule(device=DEVICES, number=CALLS)
    def decline(self, device: int, number: int) -> None:
        if call := self.call(number):
            self.run(self.phones[device].decline(call))

    @rule(device=DEVICES, number=CALLS, sends=st.booleans())
    def mute(self, device: int, number: int, sends: bool) -> None:
        if call := self.call(number):
            self.run(self.phones[device].mute(call, audio=sends))

    @rule(device=DEVICES, number=CALLS)
    def kick_and_signal(self, device: int, number: int) -> None:
        if (call := self.call(number)) and call.participants:
            target = next(iter(call.participants))
            self.run(self.phones[device].signal(call, target))
            self.run(self.phones[device].kick(call, target))

    @rule(device=DEVICES)
    def lose_connection(self, device: int) -> None:
        """And have another socket by the next time."""
        self.do(self.phones[device].drop)
        user = self.phones[device].user
        self.phones[device] = Phone(self.world, user)
        self.do(self.world.live.socket_ready, user.user_id, self.phones[device].id)

    @rule(device=DEVICES)
    def end_session(self, device: int) -> None:
        user = self.phones[device].user
        self.do(self.world.live.sessions_ended, user.user_id, {user.session_id})

    @rule(device=DEVICES, room=st.integers(2, 3))
    def leave_the_room(self, device: int, room: int) -> None:
        """And be added again, so that something is left to be done."""
        self.do(self.world.live.member_removed, self.phones[device].user.user_id, self.rooms[room])

    @rule(seconds=st.sampled_from([0.1, 3.0, 16.0, 46.0]))
    def wait(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @invariant()
    def everybody_is_in_one_place(self) -> None:
        calls = list(self.world.live.registry)
        people = Counter(each.user_id for call in calls for each in call.participants.values())
        sockets = Counter(each.socket_id for call in calls for each in call.participants.values() if each.socket_id)
        rooms = Counter(call.room_id for call in calls)
        assert all(count == 1 for counter in (people, sockets, rooms) for count in counter.values())
        for call in calls:
            for participant in call.participants.values():
                assert self.world.live.registry.of_user(participant.user_id) is call
                if participant.socket_id:
                    assert self.world.live.registry.of_socket(participant.socket_id) == (call, participant)
        registry = self.world.live.registry
        assert set(registry._by_user) == set(people)
        assert set(registry._by_socket) == set(sockets)
        assert {user: set(calls) for user, calls in registry._ringing.items()} == {
            user: {call.id for call in calls if user in call.ringing} for call in calls for user in call.ringing
        }

    @invariant()
    def no_call_is_without_its_people(self) -> None:
        for call in self.world.live.registry:
            users = {each.user_id for each in call.participants.values()}
            assert call.ended_at is None
            assert 1 <= len(users) <= PEERS
            assert not users & call.ringing
            assert not users & call.kicked
            if call.state is CallState.RINGING:
                assert users == {call.started_by}
            elif call.private:
                assert len(users) == PEERS
            if len(users) == PEERS:
                assert not call.ringing

    def teardown(self) -> None:
        """Let all time pass: nothing is left, and the log has one start and one end of each call, in order."""
        try:
            for device in range(len(self.phones)):
                self.do(self.phones[device].drop)
            self.run(asyncio.sleep(60))
            assert len(self.world.live.registry) == 0
            ended = Counter(told.call.id for told in self.world.notices.named("ended"))
            assert ended == dict.fromkeys(self.begun, 1)
            assert all(isinstance(call.end_reason, EndReason) for call in self.begun.values())
            assert Counter(self.world.log.told) == {
                (what, each): 1 for each in self.begun for what in ("started", "ended")
            }
            for each in self.begun:
                assert self.world.log.told.index(("started", each)) < self.world.log.told.index(("ended", each))
            assert self.runner.run(self.world.store.load()) == []
        finally:
            assert self.journal is not None
            self.journal.cancel()
            self.runner.close()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
