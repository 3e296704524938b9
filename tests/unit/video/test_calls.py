"""What people can do with calls, and what becomes of a call (DESIGN.md section 4)."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from parlour.platform.errors import Forbidden, RateLimited, RoomNotFound
from parlour.platform.ids import RoomId, uuid4
from parlour.platform.permissions import RoomRole
from parlour.video.errors import (
    AlreadyInCall,
    CallFull,
    CallNotFound,
    NobodyToCall,
    NotInCall,
    ParticipantAway,
    ParticipantNotFound,
    RemovedFromCall,
    TooManyCalls,
)
from parlour.video.model import Call, CallId, CallState, EndReason, LeaveReason, Media, ParticipantId, SilenceReason
from parlour.video.service.live import CallLimits

from ..chat.virtual_time import in_virtual_time
from .world import Phone, Told, World


class Pair:
    """Ann and Bob, with a direct room."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ann, self.bob = world.phone("ann"), world.phone("bob")
        self.room = world.rooms.add(self.ann.user, self.bob.user, direct=True)

    async def talking(self) -> Call:
        """Have them in a call."""
        call = (await self.ann.start(self.room)).call
        await self.bob.join(call)
        return call


def kinds(world: World) -> list[str]:
    return [told.what for told in world.told]


def last(world: World) -> Told:
    return world.told[-1]


@in_virtual_time
async def test_start_rings_the_other_member_and_puts_the_caller_in() -> None:
    pair = Pair(World())
    joined = await pair.ann.start(pair.room, Media.AUDIO)
    call = joined.call
    assert (call.state, call.media, call.private) == (CallState.RINGING, Media.AUDIO, True)
    assert (joined.participant.user_id, joined.participant.audio, joined.participant.video) == (
        pair.ann.user.user_id,
        True,
        False,
    )
    assert pair.world.told == [Told("ringing", call, pair.bob.user.user_id)]
    assert joined.ice_servers[0].username is not None
    assert await pair.world.calls.of_room(pair.bob.user, pair.room) is call
    assert await pair.world.calls.mine(pair.bob.user) == [call]


@in_virtual_time
async def test_answer_stops_the_users_other_devices_and_the_ring_timer() -> None:
    pair = Pair(World())
    call = (await pair.ann.start(pair.room)).call
    await asyncio.sleep(10)
    await pair.bob.join(call)
    assert call.state is CallState.ACTIVE
    assert pair.world.told[1:] == [
        Told("silenced", call, pair.bob.user.user_id, SilenceReason.ANSWERED_ELSEWHERE),
        Told("joined", call, pair.bob.user.user_id),
    ]
    await asyncio.sleep(100)
    assert pair.world.notices.named("ended") == []


@in_virtual_time
async def test_unanswered_call_is_missed_after_45_seconds() -> None:
    pair = Pair(World())
    call = (await pair.ann.start(pair.room)).call
    await asyncio.sleep(44.9)
    assert kinds(pair.world) == ["ringing"]
    await asyncio.sleep(0.2)
    assert last(pair.world) == Told("ended", call, None, EndReason.MISSED)
    assert call.missed
    assert await pair.world.calls.of_room(pair.ann.user, pair.room) is None
    assert call.ringing == {pair.bob.user.user_id}, "who tells of the end must know who rings"


@in_virtual_time
async def test_hang_up_ends_a_call_of_two_and_it_lasted_from_the_answer() -> None:
    pair = Pair(World())
    call = (await pair.ann.start(pair.room)).call
    await asyncio.sleep(5)
    await pair.bob.join(call)
    await asyncio.sleep(61)
    await pair.bob.leave(call)
    assert last(pair.world) == Told("ended", call, None, EndReason.HANGUP)
    assert call.duration_ms == pytest.approx(61_000, abs=5)
    assert not call.missed
    assert call.took_part == [pair.ann.user.user_id, pair.bob.user.user_id]
    await pair.ann.leave(call)  # harmless


@in_virtual_time
async def test_caller_who_leaves_while_it_rings_cancels() -> None:
    pair = Pair(World())
    call = (await pair.ann.start(pair.room)).call
    await pair.ann.leave(call)
    assert last(pair.world) == Told("ended", call, None, EndReason.CANCELLED)
    assert call.missed


@in_virtual_time
async def test_decline_by_the_only_callee_ends_it_and_nothing_was_missed() -> None:
    pair = Pair(World())
    call = (await pair.ann.start(pair.room)).call
    await pair.bob.decline(call)
    assert kinds(pair.world) == ["ringing", "silenced", "ended"]
    assert last(pair.world).reason is EndReason.DECLINED
    assert not call.missed
    with pytest.raises(CallNotFound):
        await pair.bob.decline(call)


@in_virtual_time
async def test_decline_by_one_of_many_silences_that_one_and_by_the_last_ends_it() -> None:
    world = World()
    ann, bob, eve = (world.phone(name) for name in ("ann", "bob", "eve"))
    room = world.rooms.add(ann.user, bob.user, eve.user)
    call = (await ann.start(room)).call
    await bob.decline(call)
    assert last(world) == Told("silenced", call, bob.user.user_id, SilenceReason.DECLINED_ELSEWHERE)
    await bob.decline(call)
    await ann.decline(call)
    assert call.ended_at is None
    await eve.decline(call)
    assert last(world).reason is EndReason.DECLINED


@in_virtual_time
async def test_who_declined_may_join_after_all() -> None:
    world = World()
    ann, bob, eve = (world.phone(name) for name in ("ann", "bob", "eve"))
    call = (await ann.start(world.rooms.add(ann.user, bob.user, eve.user))).call
    await bob.decline(call)
    await bob.join(call)
    assert call.state is CallState.ACTIVE


@in_virtual_time
async def test_callee_in_another_call_is_busy_and_the_caller_hears_it_after_the_acknowledgement() -> None:
    world = World()
    ann, bob, eve = (world.phone(name) for name in ("ann", "bob", "eve"))
    first = world.rooms.add(bob.user, eve.user, direct=True)
    await bob.start(first)
    second = world.rooms.add(ann.user, bob.user, direct=True)
    call = (await ann.start(second)).call
    assert call.ended_at is None
    await asyncio.sleep(0)
    assert last(world) == Told("ended", call, None, EndReason.BUSY)
    assert call.missed
    assert [told.about for told in world.notices.named("ringing")] == [eve.user.user_id]


@in_virtual_time
async def test_busy_members_of_a_room_do_not_ring_but_the_others_do() -> None:
    world = World()
    ann, bob, eve, joe = (world.phone(name) for name in ("ann", "bob", "eve", "joe"))
    await bob.start(world.rooms.add(bob.user, joe.user, direct=True))
    call = (await ann.start(world.rooms.add(ann.user, bob.user, eve.user))).call
    assert call.ringing == {eve.user.user_id}


@in_virtual_time
async def test_of_two_who_start_at_once_both_end_up_in_the_first_call() -> None:
    """Glare: both look for the room's members before either call is there."""
    pair = Pair(World())
    first, second = await asyncio.gather(pair.ann.start(pair.room), pair.bob.start(pair.room))
    assert first.call is second.call
    assert first.call.started_by == pair.ann.user.user_id
    assert first.call.state is CallState.ACTIVE
    assert len(first.call.participants) == 2
    assert len(pair.world.live.registry) == 1


@in_virtual_time
async def test_third_finds_the_call_full_and_a_place_when_one_leaves() -> None:
    world = World()
    ann, bob, eve = (world.phone(name) for name in ("ann", "bob", "eve"))
    room = world.rooms.add(ann.user, bob.user, eve.user)
    call = (await ann.start(room)).call
    await bob.join(call)
    assert Told("silenced", call, eve.user.user_id, SilenceReason.ANSWERED) in world.told
    for attempt in (eve.join(call), eve.start(room)):
        with pytest.raises(CallFull):
            await attempt
    await ann.leave(call)
    await asyncio.sleep(10)
    await eve.join(call)
    await asyncio.sleep(100)
    assert call.ended_at is None


@in_virtual_time
async def test_who_is_left_alone_in_a_room_is_waited_for_15_seconds() -> None:
    world = World()
    ann, bob, eve = (world.phone(name) for name in ("ann", "bob", "eve"))
    call = (await ann.start(world.rooms.add(ann.user, bob.user, eve.user))).call
    await bob.join(call)
    await ann.leave(call)
    await asyncio.sleep(14.9)
    assert call.ended_at is None
    await asyncio.sleep(0.2)
    assert last(world) == Told("ended", call, None, EndReason.HANGUP)


@in_virtual_time
async def test_lost_connection_is_told_and_may_come_back_as_the_same_participant() -> None:
    pair = Pair(World())
    call = await pair.talking()
    mine = call.of_user(pair.ann.user.user_id)
    assert mine is not None
    pair.ann.drop()
    assert last(pair.world) == Told("updated", call, pair.ann.user.user_id, None)
    await asyncio.sleep(14)
    back = pair.ann.another()
    joined = await back.join(call, mine.id)
    assert joined.participant is mine
    assert last(pair.world) == Told("updated", call, pair.ann.user.user_id, back.id)
    await asyncio.sleep(100)
    assert call.ended_at is None
    assert pair.world.notices.named("left") == []


@in_virtual_time
async def test_lost_connection_that_does_not_come_back_ends_a_call_of_two() -> None:
    pair = Pair(World())
    call = await pair.talking()
    pair.ann.drop()
    await asyncio.sleep(15.1)
    assert [(told.what, told.reason) for told in pair.world.told[-2:]] == [
        ("left", LeaveReason.LOST),
        ("ended", EndReason.LOST),
    ]
    with pytest.raises(CallNotFound):
        await pair.ann.join(call)


@in_virtual_time
async def test_lost_connection_of_a_caller_who_is_not_answered_cancels_after_the_grace() -> None:
    pair = Pair(World())
    call = (await pair.ann.start(pair.room)).call
    pair.ann.drop()
    await asyncio.sleep(15.1)
    assert last(pair.world) == Told("ended", call, None, EndReason.CANCELLED)


@in_virtual_time
async def test_time_to_come_back_ends_with_the_part_in_the_call() -> None:
    """Whoever moves or hangs up while somebody's connection is lost leaves no timer behind."""
    pair = Pair(World())
    call = await pair.talking()
    pair.ann.drop()
    await pair.ann.another().join(call)
    await asyncio.sleep(20)
    assert call.ended_at is None
    pair.bob.drop()
    pair.world.live.sessions_ended(pair.ann.user.user_id)
    assert call.ended_at is not None
    before = len(pair.world.told)
    await asyncio.sleep(100)
    assert len(pair.world.told) == before


@in_virtual_time
async def test_participant_id_of_somebody_else_gives_a_new_one() -> None:
    pair = Pair(World())
    call = (await pair.ann.start(pair.room)).call
    foreign = next(iter(call.participants))
    joined = await pair.bob.join(call, foreign)
    assert joined.participant.id != foreign
    again = await pair.bob.another().join(call, ParticipantId(uuid4()))
    assert last(pair.world).what == "joined"
    assert again.participant.id != joined.participant.id


@in_virtual_time
async def test_joining_by_another_device_moves_there_and_answers_nothing() -> None:
    pair = Pair(World())
    joined = await pair.ann.start(pair.room)
    laptop = pair.ann.another()
    moved = await laptop.join(joined.call)
    assert moved.participant.id != joined.participant.id
    assert [(told.what, told.reason) for told in pair.world.told[1:]] == [("left", LeaveReason.MOVED), ("joined", None)]
    assert joined.call.state is CallState.RINGING
    await pair.ann.leave(joined.call)
    assert joined.call.ended_at is None, "the device that it moved from takes no part any more"
    pair.ann.drop()
    with pytest.raises(NotInCall):
        await pair.ann.mute(joined.call, audio=False)


@in_virtual_time
async def test_joining_again_by_the_same_socket_changes_nothing() -> None:
    pair = Pair(World())
    call = await pair.talking()
    before = list(pair.world.told)
    assert (await pair.bob.join(call)).participant is call.of_user(pair.bob.user.user_id)
    assert pair.world.told == before


@in_virtual_time
async def test_user_is_in_one_call_at_a_time() -> None:
    pair = Pair(World())
    call = await pair.talking()
    eve = pair.world.phone("eve")
    other = pair.world.rooms.add(pair.ann.user, eve.user, direct=True)
    with pytest.raises(AlreadyInCall) as refused:
        await pair.ann.start(other)
    assert refused.value.details == {"call_id": call.id}
    pair.ann.drop()
    second = (await pair.ann.another().start(other)).call
    assert call.end_reason is EndReason.HANGUP, "who starts anew does not come back"
    assert second.state is CallState.RINGING


@in_virtual_time
async def test_signals_go_to_the_one_participant_that_they_are_for() -> None:
    pair = Pair(World())
    call = await pair.talking()
    ann, bob = call.participants
    await pair.ann.signal(call, bob, "offer")
    assert (last(pair.world).what, last(pair.world).about) == ("signal", pair.bob.id)
    await pair.bob.signal(call, ann, "answer")
    assert last(pair.world).about == pair.ann.id
    with pytest.raises(ParticipantNotFound):
        await pair.ann.signal(call, ann)
    with pytest.raises(ParticipantNotFound):
        await pair.ann.signal(call, ParticipantId(uuid4()))
    pair.bob.drop()
    with pytest.raises(ParticipantAway):
        await pair.ann.signal(call, bob)


@in_virtual_time
async def test_only_sockets_that_take_part_may_signal_and_mute() -> None:
    pair = Pair(World())
    call = await pair.talking()
    other = pair.ann.another()
    stranger = pair.world.phone("eve")
    for phone, error in ((other, NotInCall), (stranger, CallNotFound)):
        for attempt in (phone.signal(call, next(iter(call.participants))), phone.mute(call, audio=False)):
            with pytest.raises(error):
                await attempt


@in_virtual_time
async def test_mute_tells_what_changed_and_nothing_else() -> None:
    pair = Pair(World())
    call = await pair.talking()
    participant = call.of_user(pair.ann.user.user_id)
    assert participant is not None
    await pair.ann.mute(call, audio=False, screen=True)
    assert (participant.audio, participant.video, participant.screen) == (False, True, True)
    assert last(pair.world).what == "updated"
    before = len(pair.world.told)
    await pair.ann.mute(call, audio=False)
    await pair.ann.mute(call)
    assert len(pair.world.told) == before


@in_virtual_time
async def test_moderator_kicks_for_good() -> None:
    world = World()
    ann, bob, eve = (world.phone(name) for name in ("ann", "bob", "eve"))
    room = world.rooms.add(ann.user, bob.user, eve.user)
    world.rooms.members[room][eve.user.user_id] = RoomRole.MODERATOR
    call = (await ann.start(room)).call
    bobs = (await bob.join(call)).participant.id
    with pytest.raises(Forbidden):
        await ann.kick(call, bobs)
    await eve.kick(call, bobs)
    assert last(world) == Told("left", call, bob.user.user_id, LeaveReason.KICKED)
    with pytest.raises(RemovedFromCall):
        await bob.join(call)
    with pytest.raises(RemovedFromCall):
        await bob.start(room)
    with pytest.raises(ParticipantNotFound):
        await eve.kick(call, bobs)


@in_virtual_time
async def test_guest_of_a_room_joins_but_does_not_start() -> None:
    world = World()
    ann, bob = world.phone("ann"), world.phone("bob")
    room = world.rooms.add(ann.user, bob.user)
    world.rooms.members[room][bob.user.user_id] = RoomRole.GUEST
    with pytest.raises(Forbidden):
        await bob.start(room)
    await bob.join((await ann.start(room)).call)


@in_virtual_time
async def test_removed_member_and_ended_session_leave_at_once() -> None:
    pair = Pair(World())
    call = await pair.talking()
    pair.world.live.sessions_ended(pair.bob.user.user_id, {pair.ann.user.session_id})
    assert call.ended_at is None, "another session's end"
    pair.world.live.sessions_ended(pair.bob.user.user_id, {pair.bob.user.session_id})
    assert [(told.what, told.reason) for told in pair.world.told[-2:]] == [
        ("left", LeaveReason.REVOKED),
        ("ended", EndReason.HANGUP),
    ]
    call = await pair.talking()
    pair.world.live.sessions_ended(pair.ann.user.user_id)
    assert call.ended_at is not None
    call = await pair.talking()
    pair.world.live.member_removed(pair.bob.user.user_id, pair.room)
    assert pair.world.notices.named("left")[-1].reason is LeaveReason.REMOVED
    assert call.ended_at is not None


@in_virtual_time
@pytest.mark.parametrize("disabled", [False, True])
async def test_who_may_answer_no_more_is_rung_no_more_and_a_call_that_rings_nobody_ends(disabled: bool) -> None:
    pair = Pair(World())
    call = (await pair.ann.start(pair.room)).call
    pair.world.live.sessions_ended(pair.bob.user.user_id, {pair.bob.user.session_id})
    pair.world.live.member_removed(pair.bob.user.user_id, RoomId(uuid4()))
    assert call.ringing == {pair.bob.user.user_id}, "may log in again, and still is in this room"
    if disabled:
        pair.world.live.sessions_ended(pair.bob.user.user_id)
    else:
        pair.world.live.member_removed(pair.bob.user.user_id, pair.room)
    assert pair.world.notices.named("silenced") == [
        Told("silenced", call, pair.bob.user.user_id, SilenceReason.REMOVED)
    ]
    assert call.end_reason is EndReason.MISSED


@in_virtual_time
async def test_who_is_removed_while_the_members_are_looked_up_starts_nothing() -> None:
    pair = Pair(World())
    pair.world.rooms.before_answer = lambda: pair.world.rooms.members[pair.room].pop(pair.ann.user.user_id, None)
    with pytest.raises(RoomNotFound):
        await pair.ann.start(pair.room)
    assert len(pair.world.live.registry) == 0


@in_virtual_time
async def test_device_that_connects_while_it_rings_is_told() -> None:
    pair = Pair(World())
    call = (await pair.ann.start(pair.room)).call
    pair.world.live.socket_ready(pair.bob.user.user_id, "late")
    assert last(pair.world) == Told("ringing", call, pair.bob.user.user_id, "late")
    await pair.bob.join(call)
    before = len(pair.world.told)
    pair.world.live.socket_ready(pair.bob.user.user_id, "later")
    assert len(pair.world.told) == before


@in_virtual_time
async def test_room_of_more_than_the_bound_rings_nobody() -> None:
    world = World(limits=CallLimits(ring_members=2))
    ann, *others = (world.phone(f"user{number}") for number in range(4))
    call = (await ann.start(world.rooms.add(ann.user, *(phone.user for phone in others)))).call
    assert call.ringing == set()
    assert world.told == []
    await others[0].join(call)
    assert call.state is CallState.ACTIVE


@in_virtual_time
async def test_process_carries_so_many_calls_and_no_more() -> None:
    world = World(limits=CallLimits(max_calls=1))
    first, second = Pair(world), Pair(world)
    call = (await first.ann.start(first.room)).call
    with pytest.raises(TooManyCalls):
        await second.ann.start(second.room)
    await first.ann.leave(call)
    await second.ann.start(second.room)


@in_virtual_time
async def test_nobody_calls_an_empty_room_or_one_that_they_are_not_in() -> None:
    world = World()
    ann, bob = world.phone("ann"), world.phone("bob")
    with pytest.raises(NobodyToCall):
        await ann.start(world.rooms.add(ann.user))
    with pytest.raises(RoomNotFound):
        await ann.start(world.rooms.add(bob.user))
    with pytest.raises(RoomNotFound):
        await world.calls.of_room(ann.user, world.rooms.add(bob.user))
    with pytest.raises(CallNotFound):
        await world.calls.join(ann.user, ann.id, CallId("nonsense"))


@in_virtual_time
async def test_starts_and_signals_have_a_rate() -> None:
    pair = Pair(World(rates={"call": "10/minute, burst 2", "call_signal": "10/second, burst 3"}))
    call = await pair.talking()
    bob = (await pair.bob.join(call)).participant.id
    assert await refused_after(3, lambda: pair.ann.signal(call, bob))
    await pair.ann.leave(call)
    assert await refused_after(1, lambda: start_and_leave(pair.ann, pair.room))


async def start_and_leave(phone: Phone, room: RoomId) -> None:
    await phone.leave((await phone.start(room)).call)


async def refused_after(count: int, action: Callable[[], Awaitable[None]]) -> bool:
    """Whether an action is taken `count` times and refused the next."""
    for _ in range(count):
        await action()
    try:
        await action()
    except RateLimited as error:
        return error.retry_after is not None
    return False
