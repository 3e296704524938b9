"""What a socket has under way into a room never overtakes what was refused of it for a while."""

import asyncio
import contextlib

import pytest

from parlour.chat.errors import Busy
from parlour.chat.events.order import LONGEST, MAX_AWAITED, SendingOrder
from parlour.chat.ports import Pending
from parlour.platform.errors import Forbidden, ParlourError, RateLimited, Unavailable
from parlour.platform.ids import ClientId, RoomId

ROOM, OTHER = RoomId("room"), RoomId("other")


class Socket:
    def __init__(self, name: str) -> None:
        self.id = name
        self.connected = True


class Sender:
    def __init__(self) -> None:
        self.order = SendingOrder()
        self.done: list[str] = []
        self.sockets: dict[str, Socket] = {}

    def socket(self, name: str) -> Socket:
        return self.sockets.setdefault(name, Socket(name))

    async def send(
        self, client_id: str, error: ParlourError | None = None, *, room: RoomId = ROOM, socket: str = "socket"
    ) -> Pending:
        async def work() -> Pending:
            if error is not None:
                raise error
            self.done.append(client_id)
            return asyncio.get_running_loop().create_future()

        return await self.order.submit(self.socket(socket), room, ClientId(client_id), work())


async def refused(sender: Sender, client_id: str, **options: str) -> ParlourError:
    with pytest.raises(ParlourError) as caught:
        await sender.send(client_id, **options)
    return caught.value


@pytest.mark.parametrize("error", [Unavailable(retry_after=2), Busy(retry_after=2), RateLimited(retry_after=2)])
async def test_what_follows_a_refusal_waits_for_it_to_come_again(error: ParlourError) -> None:
    sender = Sender()
    with pytest.raises(type(error)):
        await sender.send("a", error)
    for client_id in ("b", "c"):
        again = await refused(sender, client_id)
        assert (type(again), again.retry_after) == (type(error), 2)
    for client_id in ("a", "b", "c"):
        await sender.send(client_id)
    assert sender.done == ["a", "b", "c"]


async def test_what_was_refused_comes_again_in_the_order_in_which_it_came_first() -> None:
    """Whichever of them the client sends again first."""
    sender = Sender()
    with pytest.raises(Unavailable):
        await sender.send("a", Unavailable())
    await refused(sender, "b")
    await refused(sender, "c")
    with pytest.raises(Unavailable):
        await sender.send("a", Unavailable())
    await refused(sender, "c")
    await sender.send("a")
    await refused(sender, "c")
    await refused(sender, "d")
    await sender.send("b")
    await sender.send("c")
    await sender.send("d")
    await sender.send("e")
    assert sender.done == ["a", "b", "c", "d", "e"]


async def test_a_command_that_fails_later_is_waited_for_too() -> None:
    sender = Sender()
    pending = await sender.send("a")
    pending.set_exception(Unavailable(retry_after=1))
    await asyncio.sleep(0)
    await refused(sender, "b")
    await sender.send("a")
    await sender.send("b")
    assert sender.done == ["a", "a", "b"]
    pending.exception()


async def test_a_refusal_for_good_holds_up_nothing() -> None:
    sender = Sender()
    with pytest.raises(Forbidden):
        await sender.send("a", Forbidden())
    await sender.send("b")
    assert sender.done == ["b"]


async def test_other_rooms_and_sockets_go_on() -> None:
    sender = Sender()
    with pytest.raises(Unavailable):
        await sender.send("a", Unavailable())
    await sender.send("b", room=OTHER)
    await sender.send("c", socket="another")
    assert sender.done == ["b", "c"]


async def test_a_socket_that_comes_back_begins_anew() -> None:
    sender = Sender()
    with pytest.raises(Unavailable):
        await sender.send("a", Unavailable())
    sender.order.forget("socket")
    await sender.send("b")
    assert sender.done == ["b"]


async def test_what_never_comes_again_is_waited_for_no_longer_than_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does what was refused for its sake prolong that, however often it comes."""
    monkeypatch.setattr("parlour.chat.events.order.WAIT", 0.1)
    sender = Sender()
    with pytest.raises(Unavailable):
        await sender.send("a", Unavailable())
    began = asyncio.get_running_loop().time()
    number = 0
    async with asyncio.timeout(20):
        while not sender.done:
            number += 1
            with contextlib.suppress(Unavailable):
                await sender.send(f"b{number}")
            await asyncio.sleep(0.01)
    assert asyncio.get_running_loop().time() - began >= 0.1
    await sender.send("c")


async def test_nothing_is_remembered_of_a_socket_that_has_gone() -> None:
    sender = Sender()
    pending = await sender.send("a")
    sender.socket("socket").connected = False
    sender.order.forget("socket")
    pending.set_exception(Unavailable())
    await asyncio.sleep(0)
    assert sender.order._sockets == {}
    pending.exception()


async def test_the_number_of_commands_is_bounded() -> None:
    sender = Sender()
    for number in range(MAX_AWAITED + 1):
        with pytest.raises(Unavailable):  # of the longest wait: a machine may be slow
            await sender.send("a", Unavailable(retry_after=LONGEST), room=RoomId(f"room {number}"))
    await sender.send("b", room=RoomId("room 0"))
    await refused(sender, "b", room="room 1")
    for number in range(2 * MAX_AWAITED):
        with pytest.raises(Unavailable):
            await sender.send(f"{number}", Unavailable(), room=OTHER)
    assert sum(len(each) for each in sender.order._sockets["socket"].values()) <= 2 * MAX_AWAITED
