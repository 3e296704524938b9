"""Calls of several nodes: who carries them, how the others ask, and what becomes of sockets and nodes that go."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from parlour.platform.errors import InvalidRequest, Unavailable
from parlour.platform.ids import UserId
from parlour.platform.tokens import Principal
from parlour.video.errors import AlreadyInCall, CallNotFound
from parlour.video.events import forwarding, roll
from parlour.video.events.desk import MINE, OF_ROOM, CallsFound, Mine, OfRoom
from parlour.video.events.gateway import CallGateway
from parlour.video.events.payloads import CallCommand, CallMute
from parlour.video.model import CallId, CallState

from ..chat.virtual_time import in_virtual_time
from .cluster_world import GRACE, Device, Held, stage


@in_virtual_time
async def test_one_of_three_nodes_carries_and_the_others_ask_it() -> None:
    async with stage() as s:
        assert s.cluster.carriers == [s.nodes[0]]
        begun = await s.ann.start(s.room)
        assert s.cluster.told("ringing") == [(s.bob.user.user_id, None)]
        joined = await s.bob.join(begun.call.id)
        assert joined.call.state is CallState.ACTIVE
        assert [each.user_id for each in joined.participants] == [s.ann.user.user_id, s.bob.user.user_id]
        await s.bob.ask("call.mute", CallMute(begun.call.id, audio=False))
        assert s.sockets() == [s.ann.id, s.bob.id]
        for device in (s.ann, s.bob, Device(s.nodes[0], s.ann.user)):
            found: CallsFound = await device.ask(OF_ROOM, OfRoom(s.room), CallsFound)
            assert [each.audio for each in found.calls[0].participants.values()] == [True, False]
            assert await device.ask(MINE, Mine(), CallsFound) == found
        await s.ann.leave(begun.call.id)
        assert (await s.bob.ask(OF_ROOM, OfRoom(s.room), CallsFound)).calls == []


@in_virtual_time
async def test_errors_cross_nodes_as_they_are() -> None:
    async with stage() as s:
        call_id, *_ = await s.talking()
        another = s.cluster.rooms.add(s.ann.user, s.bob.user)
        with pytest.raises(AlreadyInCall) as refused:
            await s.ann.start(another)
        assert refused.value.details == {"call_id": call_id}
        with pytest.raises(CallNotFound):
            await s.ann.join(CallId("none"))
        with pytest.raises(InvalidRequest):
            await s.ann.ask("call.unknown", CallCommand(call_id))
        with pytest.raises(InvalidRequest):
            await s.ann.ask("call.start", CallCommand(call_id))


@in_virtual_time
async def test_where_nobody_carries_it_is_unavailable_after_a_while_and_what_waits_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forwarding, "MOST_WAITING", 3)
    async with stage() as s:
        s.cluster.claims.failing = True
        s.cluster.claims.holder = None
        await asyncio.sleep(1.5)
        assert s.cluster.carriers == []
        before = asyncio.get_running_loop().time()
        asked = [asyncio.create_task(s.ann.start(s.room)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as refused:
            await s.ann.start(s.room)
        assert asyncio.get_running_loop().time() == before
        assert refused.value.retry_after == 1
        for outcome in await asyncio.gather(*asked, return_exceptions=True):
            assert isinstance(outcome, Unavailable)
            assert outcome.retry_after == 1
        assert asyncio.get_running_loop().time() - before == pytest.approx(forwarding.WAIT)
        before = asyncio.get_running_loop().time()
        with pytest.raises(Unavailable):  # and at once where nobody has been heard for so long
            await s.ann.start(s.room)
        assert asyncio.get_running_loop().time() == before
        s.cluster.claims.failing = False
        await asyncio.sleep(1.5)
        assert len(s.cluster.carriers) == 1
        assert (await s.ann.start(s.room)).call.state is CallState.RINGING


@in_virtual_time
async def test_the_carrier_refuses_what_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as s:
        monkeypatch.setattr(forwarding, "MOST_WORKING", 0)
        with pytest.raises(Unavailable):
            await s.ann.start(s.room)
        assert s.call() is None


@in_virtual_time
async def test_what_is_no_message_of_ours_is_left_out() -> None:
    async with stage() as s:
        topics = [forwarding.REQUEST, "calls.answer.two", roll.ALIVE, roll.SOCKETS, roll.CENSUS]
        for topic in topics:
            for payload in (b"", b"\xc1", msgspec.msgpack.encode(["x" * 10_000]), msgspec.msgpack.encode({"id": 1})):
                await s.nodes[2].bus.publish(topic, payload)
        await s.talking()
        assert s.sockets() == [s.ann.id, s.bob.id]


@in_virtual_time
async def test_who_connects_on_another_node_is_rung() -> None:
    async with stage() as s:
        await s.ann.start(s.room)
        second = Device(s.nodes[1], s.bob.user, 2)
        await asyncio.sleep(0.1)
        assert s.cluster.told("ringing") == [(s.bob.user.user_id, None), (s.bob.user.user_id, second.id)]


@in_virtual_time
async def test_a_socket_that_is_lost_on_another_node_has_its_time_to_come_back() -> None:
    async with stage() as s:
        call_id, _, bobs = await s.talking()
        s.bob.drop()
        await asyncio.sleep(1)
        assert s.sockets() == [s.ann.id, None]
        again = Device(s.nodes[0], s.bob.user, 2)
        assert (await again.join(call_id, bobs)).participant_id == bobs
        assert s.sockets() == [s.ann.id, again.id]
        s.ann.drop()
        await asyncio.sleep(GRACE + 1)
        assert s.call() is None


@in_virtual_time
async def test_an_end_that_the_bus_lost_is_found_by_the_census() -> None:
    async with stage() as s:
        await s.talking()
        s.nodes[2].bus.lost.add(roll.SOCKETS)
        s.bob.drop()
        await asyncio.sleep(0.5)
        assert s.sockets() == [s.ann.id, s.bob.id]
        s.nodes[2].bus.lost.clear()
        await asyncio.sleep(roll.ALL_EVERY * roll.EVERY + 1)
        assert s.sockets() == [s.ann.id, None]


@in_virtual_time
async def test_a_node_that_dies_takes_its_sockets_with_it() -> None:
    async with stage() as s:
        await s.talking()
        await s.nodes[2].die()
        await asyncio.sleep(4)
        assert s.sockets() == [s.ann.id, s.bob.id]
        await asyncio.sleep(4)
        assert s.sockets() == [s.ann.id, None]
        await asyncio.sleep(GRACE)
        assert s.call() is None
        await asyncio.sleep(1)
        assert [kind for kind, _ in s.cluster.log.told] == ["started", "ended"]


@in_virtual_time
async def test_a_node_that_was_silent_for_a_while_has_its_sockets_in_the_call_again() -> None:
    async with stage() as s:
        await s.talking()
        s.nodes[2].bus.cut = True
        await asyncio.sleep(8)
        assert s.sockets() == [s.ann.id, None]
        s.nodes[2].bus.cut = False
        await asyncio.sleep(2)
        assert s.sockets() == [s.ann.id, s.bob.id]
        await asyncio.sleep(GRACE)
        assert s.call() is not None


@in_virtual_time
async def test_while_the_bus_is_away_silence_tells_nothing() -> None:
    async with stage() as s:
        await s.talking()
        for node in s.nodes:
            node.bus.cut, node.connected = True, False
        await asyncio.sleep(60)
        assert s.sockets() == [s.ann.id, s.bob.id]
        s.bob.node.sockets.discard(s.bob.id)
        for node in s.nodes:
            node.bus.cut, node.connected = False, True
            node.bus.gap()
        await asyncio.sleep(1.5)
        assert s.sockets() == [s.ann.id, None]


@in_virtual_time
async def test_another_node_carries_on_with_the_sockets_that_are_there_still() -> None:
    async with stage() as s:
        call_id, anns, bobs = await s.talking()
        before = s.call()
        await s.nodes[0].die()
        await asyncio.sleep(2)
        (carrier,) = s.cluster.carriers
        assert carrier is not s.nodes[0]
        assert s.call() is not before
        assert s.sockets() == [s.ann.id, s.bob.id]
        await asyncio.sleep(2 * GRACE)
        call = s.call()
        assert call is not None
        assert list(call.participants) == [anns, bobs]
        await s.bob.leave(call_id)
        await asyncio.sleep(1)
        assert [kind for kind, _ in s.cluster.log.told if kind == "ended"] == ["ended"]
        assert s.cluster.store._kept == {}


@in_virtual_time
async def test_what_was_asked_of_a_carrier_that_died_is_refused_when_the_next_one_speaks() -> None:
    async with stage() as s:
        await s.nodes[0].die()
        before = asyncio.get_running_loop().time()
        with pytest.raises(Unavailable):
            await s.ann.start(s.room)
        assert asyncio.get_running_loop().time() - before < 2 < forwarding.WAIT
        assert (await s.ann.start(s.room)).call.state is CallState.RINGING


@in_virtual_time
async def test_who_was_on_the_node_that_died_may_come_back_as_who_they_were_and_else_is_lost() -> None:
    async with stage() as s:
        cleo, dan = (s.cluster.people.phone(name).user for name in ("cleo", "dan"))
        room = s.cluster.rooms.add(cleo, dan)
        await s.talking()
        cleos, dans = Device(s.nodes[0], cleo), Device(s.nodes[0], dan)
        begun = await cleos.start(room)
        joined = await dans.join(begun.call.id)
        await asyncio.sleep(0.5)
        await s.nodes[0].die()
        await asyncio.sleep(2)
        again = Device(s.nodes[1], cleo, 2)
        assert (await again.join(begun.call.id, begun.participant_id)).participant_id == begun.participant_id
        await asyncio.sleep(GRACE)
        left = await again.ask(OF_ROOM, OfRoom(room), CallsFound)
        assert list(left.calls[0].participants) == [begun.participant_id]
        assert joined.participant_id not in left.calls[0].participants


@in_virtual_time
async def test_who_is_called_is_rung_again_by_the_next_carrier() -> None:
    async with stage() as s:
        begun = await s.ann.start(s.room)
        await asyncio.sleep(0.5)
        await s.nodes[0].die()
        await asyncio.sleep(2)
        assert s.cluster.told("ringing") == [(s.bob.user.user_id, None)] * 2
        assert (await s.bob.join(begun.call.id)).call.state is CallState.ACTIVE


@in_virtual_time
async def test_a_claim_that_is_lost_ends_the_term_and_nothing_of_it_is_written_any_more() -> None:
    async with stage() as s:
        call_id, *_ = await s.talking()
        await asyncio.sleep(0.25)  # between two looks at the claim
        old = s.nodes[0].carried.live
        assert old is not None
        journal = old._journal
        kept = dict(s.cluster.store._kept)
        thief = Held(s.cluster.claims)
        s.cluster.claims.holder = thief
        # What changes between the loss and its discovery must not overwrite what another has written.
        s.cluster.store.write, write = never, s.cluster.store.write
        await s.bob.ask("call.mute", CallMute(call_id, audio=False))
        await asyncio.sleep(1.5)
        s.cluster.store.write = write
        assert s.cluster.carriers == []
        await asyncio.sleep(3)
        assert journal._changed == {}
        assert s.cluster.store._kept == kept
        await thief.release()
        await asyncio.sleep(1.5)
        assert len(s.cluster.carriers) == 1
        assert s.sockets() == [s.ann.id, s.bob.id]


async def never(*_: object) -> None:
    raise Unavailable(retry_after=1)


@in_virtual_time
@pytest.mark.parametrize("asking", [0, 1], ids=["on the carrier", "on another node"])
async def test_what_a_term_does_not_live_to_see_done_is_not_acknowledged(
    asking: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage() as s:
        require = s.cluster.rooms.require

        async def slow(*args: Any) -> Any:
            await asyncio.sleep(1)
            return await require(*args)

        monkeypatch.setattr(s.cluster.rooms, "require", slow)
        device = Device(s.nodes[asking], s.ann.user, 2)
        asked = asyncio.create_task(device.start(s.room))
        await asyncio.sleep(0.5)
        s.nodes[0].carried.drain()
        before = asyncio.get_running_loop().time()
        with pytest.raises(Unavailable):
            await asked
        assert asyncio.get_running_loop().time() - before < 1
        assert s.cluster.told("ringing") == []
        await asyncio.sleep(1)
        assert s.call() is None


@in_virtual_time
async def test_a_node_that_drains_writes_what_is_left_and_hands_the_calls_over() -> None:
    async with stage() as s:
        call_id, *_ = await s.talking()
        await s.bob.ask("call.mute", CallMute(call_id, audio=False))
        s.nodes[0].carried.drain()
        await asyncio.sleep(2)
        (carrier,) = s.cluster.carriers
        assert carrier is not s.nodes[0]
        found = await Device(s.nodes[0], s.ann.user, 2).ask(OF_ROOM, OfRoom(s.room), CallsFound)
        assert [each.audio for each in found.calls[0].participants.values()] == [True, False]
        assert s.sockets() == [s.ann.id, s.bob.id]


@in_virtual_time
async def test_who_is_removed_by_another_node_is_out_of_the_call_and_rings_no_more() -> None:
    async with stage() as s:
        await s.talking()
        s.nodes[0].carried.members_changed([s.ann.user.user_id])
        await asyncio.sleep(0.1)
        assert s.call() is not None
        del s.cluster.rooms.members[s.room][s.bob.user.user_id]
        s.nodes[0].carried.members_changed([s.bob.user.user_id])
        await asyncio.sleep(0.1)
        assert s.cluster.told("left") == [(s.bob.user.user_id, "removed")]
        assert s.call() is None  # of a direct room


@in_virtual_time
async def test_a_removal_that_the_bus_lost_is_found_after_the_gap() -> None:
    async with stage() as s:
        await s.talking()
        del s.cluster.rooms.members[s.room][s.bob.user.user_id]
        await asyncio.sleep(1)
        assert s.cluster.told("left") == []
        for node in s.nodes:
            node.bus.gap()
        await asyncio.sleep(0.1)
        assert s.cluster.told("left") == [(s.bob.user.user_id, "removed")]


@in_virtual_time
async def test_memberships_that_cannot_be_read_are_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as s:
        await s.talking()
        del s.cluster.rooms.members[s.room][s.bob.user.user_id]
        with monkeypatch.context() as away:
            away.setattr(s.cluster.rooms, "of_user", never)
            s.nodes[0].carried.members_changed([s.bob.user.user_id])
            await asyncio.sleep(3)
            assert s.cluster.told("left") == []
        await asyncio.sleep(2)
        assert s.cluster.told("left") == [(s.bob.user.user_id, "removed")]


@in_virtual_time
@pytest.mark.parametrize("asking", [0, 1], ids=["on the carrier", "on another node"])
async def test_a_socket_that_goes_while_it_is_let_in_is_not_taken_for_there(
    asking: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage() as s:
        node = s.nodes[asking]
        namespace = HandlersOnly()
        gateway = CallGateway(namespace, node.carried, node.bus)  # the part that it needs
        gateway.start()
        socket = OneSocket(f"{node.name}.a", s.ann.user)
        node.sockets.add(socket.id)

        async def others(*_: object) -> list[UserId]:
            node.sockets.discard(socket.id)
            socket.connected = False
            gateway.socket_gone(socket)  # the part that it needs
            await asyncio.sleep(0.5)
            return [s.bob.user.user_id]

        monkeypatch.setattr(s.cluster.rooms, "others", others)
        await namespace.handlers["call.start"](socket, {"room_id": s.room, "media": "audio"})
        await asyncio.sleep(0.1)
        assert s.sockets() == [None]
        gateway.stop()


class HandlersOnly:
    """What registers handlers, of a namespace."""

    def __init__(self) -> None:
        self.handlers: dict[str, Any] = {}

    def on(self, event: str) -> Callable[[Any], None]:
        return lambda handler: self.handlers.update({event: handler})


class OneSocket:
    """What handlers look at, of a socket."""

    def __init__(self, socket_id: str, data: Principal) -> None:
        self.id = socket_id
        self.data = data
        self.connected = True


@in_virtual_time
async def test_who_was_removed_while_nobody_carried_is_out_of_the_call_at_once() -> None:
    async with stage() as s:
        await s.ann.start(s.room)
        await asyncio.sleep(0.5)
        await s.nodes[0].die()
        del s.cluster.rooms.members[s.room][s.bob.user.user_id]
        await asyncio.sleep(2)
        assert s.cluster.told("silenced") == [(s.bob.user.user_id, "removed")]
        assert s.call() is None, "nobody is left who might answer"
