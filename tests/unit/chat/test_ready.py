"""What a client begins with, and that a storm of clients costs a few loads."""

import asyncio
import itertools

from parlour.chat.model import RoomKind
from parlour.chat.service.membership import Memberships
from parlour.chat.service.ready import ReadyState, Summaries
from parlour.platform.contracts import Profile
from parlour.platform.ids import UserId
from parlour.platform.tokens import Principal

from .doubles import FakeDirectory, FakeHeads, FakeLog, FakeMemberships, ManualClock, a_principal, a_profile, a_room
from .memory_rooms import MemoryRooms


class House:
    def __init__(self, *profiles: Profile) -> None:
        self.log, self.heads, self.memberships = FakeLog(), FakeHeads(), FakeMemberships()
        self.directory = FakeDirectory(*profiles)
        self.clock = ManualClock()
        self.summaries = Summaries(self.log, self.directory, self.heads, self.clock, epoch="epoch")


async def test_ready_names_the_user_its_session_and_its_rooms_with_their_counts() -> None:
    ann = a_principal("ann")
    house = House(Profile(ann.user_id, "ann", "Ann", "member"))
    room = a_room(name="lunch")
    house.memberships.add(ann, room, "moderator", read=4)
    house.heads.at[room.id] = 9
    house.heads.times[room.id] = 1_234
    house.log.mention_counts[ann.user_id, room.id, 4] = 2
    state = await house.summaries.ready(ann, house.memberships.of[ann.user_id])
    assert (state.user.display_name, state.session_id, state.server_time) == ("Ann", ann.session_id, house.clock.wall)
    summary = state.rooms[0]
    assert (summary.id, summary.name, summary.role) == (room.id, "lunch", "moderator")
    assert (summary.head, summary.read, summary.unread, summary.mentions) == (9, 4, 5, 2)
    assert summary.last_at == 1_234


async def test_a_room_in_which_nothing_has_happened_was_last_active_when_it_was_made() -> None:
    ann, house = a_principal("ann"), House()
    room = a_room()
    house.memberships.add(ann, room)
    (summary,) = await house.summaries.rooms(ann.user_id, list(house.memberships.of[ann.user_id].values()))
    assert (summary.head, summary.last_at) == (0, room.created_at)


async def test_direct_rooms_name_the_other_member() -> None:
    ann, bob = a_principal("ann"), a_profile("bob")
    house = House(bob)
    house.memberships.add(ann, a_room(RoomKind.DIRECT, ""), peer=bob.id)
    house.memberships.add(ann, a_room(RoomKind.DIRECT, ""), peer=UserId("gone"))
    summaries = await house.summaries.rooms(ann.user_id, list(house.memberships.of[ann.user_id].values()))
    assert [summary.peer for summary in summaries] == [bob, None]


async def test_a_user_unknown_to_the_directory_is_who_the_token_says() -> None:
    ann = a_principal("ann")
    state = await House().summaries.ready(ann, {})
    assert (state.user.id, state.user.username, state.rooms) == (ann.user_id, "ann", [])


async def test_rooms_that_are_read_ask_for_no_mentions() -> None:
    ann = a_principal()
    house = House()
    room = a_room()
    house.memberships.add(ann, room, read=7)
    house.heads.at[room.id] = 7
    await house.summaries.ready(ann, house.memberships.of[ann.user_id])
    assert house.log.mention_calls == []


async def test_a_hundred_who_connect_at_once_cost_one_load_of_each_kind() -> None:
    users = [a_principal(str(number)) for number in range(100)]
    house = House(*(Profile(user.user_id, user.username, user.username, "member") for user in users))
    store = MemoryRooms()
    memberships = Memberships(store)
    lunch = a_room()
    await store.create(lunch, {user.user_id: "member" for user in users})
    house.heads.at[lunch.id] = 101
    for user, peer in itertools.pairwise(users):
        await store.create(a_room(RoomKind.DIRECT, ""), {user.user_id: "member", peer.user_id: "member"})

    async def connect(user: Principal) -> ReadyState:
        return await house.summaries.ready(user, await memberships.load(user.user_id))

    states = await asyncio.gather(*(connect(user) for user in users))
    assert {len(state.rooms) for state in states} == {2, 3}
    assert all(room.peer for state in states for room in state.rooms[1:])
    assert (len(store.loads), len(house.directory.calls), len(house.log.mention_calls)) == (1, 1, 1)


async def test_a_thousand_who_connect_at_once_share_their_loads() -> None:
    users = [a_principal(str(number)) for number in range(1000)]
    house = House(*(Profile(user.user_id, user.username, user.username, "member") for user in users))
    room = a_room()
    house.heads.at[room.id] = 1
    for user in users:
        house.memberships.add(user, room)
    states = await asyncio.gather(*(house.summaries.ready(user, house.memberships.of[user.user_id]) for user in users))
    assert [state.user.username for state in states] == [user.username for user in users]
    assert len(house.log.mention_calls) <= 4
    assert len(house.directory.calls) <= 4
