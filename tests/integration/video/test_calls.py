"""Calls between real sockets of a whole server (DESIGN.md section 4)."""

import asyncio
import base64
import hashlib
import hmac
import time
from typing import Any
from uuid import uuid4

from ..whole_server import Person
from .house import ANSWER, CANDIDATE, OFFER, House, code, direct, ended, join, logged, start


async def test_call_from_ring_to_hang_up(house: House) -> None:
    """Every device of the callee rings, one answers, both negotiate, and the log tells how long it was."""
    ann, bob = await house.people("ann", "bob")
    room = await direct(ann, bob)
    caller, phone, laptop = await ann.connect(), await bob.connect(), await bob.connect()

    begun = await start(caller, room)
    call_id, first = begun["call"]["id"], begun["participant_id"]
    assert begun["call"] | {"started_at": 0} == {
        "id": call_id,
        "room_id": room,
        "state": "ringing",
        "mode": "p2p",
        "media": "video",
        "started_by": ann.id,
        "started_at": 0,
        "answered_at": None,
    }
    assert [each["user_id"] for each in begun["participants"]] == [ann.id]
    for device in (phone, laptop):
        assert (await device.wait_for("call.ringing"))["call"] == begun["call"]
    assert (await logged(phone, "call.started", call_id))["sender_id"] == ann.id

    joined = await join(phone, call_id)
    second = joined["participant_id"]
    assert joined["mode"] == "p2p"
    assert joined["call"]["state"] == "active"
    assert [each["id"] for each in joined["participants"]] == [first, second]
    assert first < second, "who joins later has the greater id, and is the polite one"
    stopped = await laptop.wait_for("call.ringing.stopped")
    assert stopped == {"call_id": call_id, "room_id": room, "reason": "answered_elsewhere"}
    assert phone.named("call.ringing.stopped") == []
    told = await caller.wait_for("call.participant.joined")
    assert told["participant"] == joined["participants"][1]

    await exchange(caller, phone, call_id, first, second)
    await caller.call("call.leave", {"call_id": call_id})
    assert (await phone.wait_for("call.participant.left"))["reason"] == "left"
    over = await ended(phone, call_id)
    assert (over["reason"], over["missed"]) == ("hangup", False)
    assert over["duration_ms"] > 0
    in_log = await logged(caller, "call.ended", call_id)
    assert in_log["sender_id"] == ann.id
    assert in_log["data"] == {
        "call_id": call_id,
        "media": "video",
        "reason": "hangup",
        "duration_ms": over["duration_ms"],
        "missed": False,
        "user_ids": [ann.id, bob.id],
    }
    for client in (caller, phone, laptop):
        await client.close()


async def exchange(caller: Any, callee: Any, call_id: str, first: str, second: str) -> None:
    """An offer, an answer, and candidates both ways, each with its acknowledgement."""
    for sender, to, receiver, signals in (
        (caller, second, callee, [{"description": OFFER}, {"candidate": CANDIDATE}]),
        (callee, first, caller, [{"description": ANSWER}, {"candidate": CANDIDATE}]),
    ):
        before = len(receiver.named("call.signal"))
        for signal in signals:
            assert await sender.call("call.signal", {"call_id": call_id, "to": to, **signal}) == {"ok": True}
        await receiver.until(lambda: len(receiver.named("call.signal")) >= before + 2, "signals")  # noqa: B023 - awaited here
        origin = first if to == second else second
        assert [each.data for each in receiver.named("call.signal")][before:] == [
            {"call_id": call_id, "from": origin, **signal} for signal in signals
        ]


async def test_decline_on_one_device_silences_the_others_and_ends_the_call(house: House) -> None:
    ann, bob = await house.people("ann", "bob")
    caller, phone, laptop = await ann.connect(), await bob.connect(), await bob.connect()
    call_id = (await start(caller, await direct(ann, bob), "audio"))["call"]["id"]
    await phone.wait_for("call.ringing")
    assert await phone.call("call.decline", {"call_id": call_id}) == {"ok": True}
    assert (await laptop.wait_for("call.ringing.stopped"))["reason"] == "declined_elsewhere"
    assert (await ended(caller, call_id))["reason"] == "declined"
    assert (await logged(laptop, "call.ended", call_id))["data"]["missed"] is False
    assert await code(phone, "call.decline", call_id=call_id) == "call_not_found"
    for client in (caller, phone, laptop):
        await client.close()


async def test_call_that_nobody_answers_is_missed(house: House) -> None:
    ann, bob = await house.people("ann", "bob")
    caller, phone = await ann.connect(), await bob.connect()
    call_id = (await start(caller, await direct(ann, bob)))["call"]["id"]
    for client in (caller, phone):
        over = await ended(client, call_id)
        assert (over["reason"], over["missed"], over["duration_ms"]) == ("missed", True, 0)
        assert (await logged(client, "call.ended", call_id))["data"]["missed"] is True
    await caller.close()
    await phone.close()


async def test_caller_who_hangs_up_while_it_rings_cancels_it(house: House) -> None:
    ann, bob = await house.people("ann", "bob")
    caller, phone = await ann.connect(), await bob.connect()
    call_id = (await start(caller, await direct(ann, bob)))["call"]["id"]
    await phone.wait_for("call.ringing")
    await caller.call("call.leave", {"call_id": call_id})
    assert (await ended(phone, call_id))["reason"] == "cancelled"
    assert (await logged(phone, "call.ended", call_id))["data"]["missed"] is True
    await caller.close()
    await phone.close()


async def test_callee_in_another_call_is_busy_and_finds_the_missed_call_in_the_log(house: House) -> None:
    ann, bob, eve = await house.people("ann", "bob", "eve")
    caller, phone, other = await ann.connect(), await bob.connect(), await eve.connect()
    talking = (await start(phone, await direct(bob, eve)))["call"]["id"]
    await join(other, talking)
    call_id = (await start(caller, await direct(ann, bob)))["call"]["id"]
    assert (await ended(caller, call_id))["reason"] == "busy"
    names = [(each.name, each.data) for each in caller.received if each.name == "call.ended"]
    assert len(names) == 1
    in_log = await logged(phone, "call.ended", call_id)
    assert (in_log["data"]["reason"], in_log["data"]["missed"]) == ("busy", True)
    assert phone.named("call.ringing") == []
    for client in (caller, phone, other):
        await client.close()


async def test_two_who_start_at_once_end_up_in_one_call(house: House) -> None:
    ann, bob = await house.people("ann", "bob")
    room = await direct(ann, bob)
    first, second = await ann.connect(), await bob.connect()
    answers = await asyncio.gather(start(first, room), start(second, room))
    calls = {answer["call"]["id"] for answer in answers}
    assert len(calls) == 1
    later = max(answers, key=lambda answer: len(answer["participants"]))
    assert {each["user_id"] for each in later["participants"]} == {ann.id, bob.id}
    assert later["call"]["state"] == "active"
    await first.call("call.leave", {"call_id": calls.pop()})
    await first.close()
    await second.close()


async def test_connection_that_is_lost_comes_back_as_the_same_participant(house: House) -> None:
    ann, bob = await house.people("ann", "bob")
    caller, phone = await ann.connect(), await bob.connect()
    begun = await start(caller, await direct(ann, bob))
    call_id, mine = begun["call"]["id"], begun["participant_id"]
    theirs = (await join(phone, call_id))["participant_id"]
    caller.abort()
    away = await phone.wait_for("call.participant.updated")
    assert (away["participant"]["id"], away["participant"]["state"]) == (mine, "reconnecting")
    assert await code(phone, "call.signal", call_id=call_id, to=mine, candidate=CANDIDATE) == "participant_away"
    again = await ann.connect()
    assert await code(again, "call.signal", call_id=call_id, to=theirs, candidate=CANDIDATE) == "not_in_call"
    back = await join(again, call_id, participant_id=mine)
    assert back["participant_id"] == mine
    await phone.wait_for("call.participant.updated", lambda event: event["participant"]["state"] == "connected")
    assert await phone.call("call.signal", {"call_id": call_id, "to": mine, "description": OFFER}) == {"ok": True}
    await again.wait_for("call.signal")
    assert phone.named("call.participant.left") == []
    await again.call("call.leave", {"call_id": call_id})
    await again.close()
    await phone.close()


async def test_connection_that_does_not_come_back_ends_the_call(house: House) -> None:
    ann, bob = await house.people("ann", "bob")
    caller, phone = await ann.connect(), await bob.connect()
    call_id = (await start(caller, await direct(ann, bob)))["call"]["id"]
    await join(phone, call_id)
    caller.abort()
    assert (await phone.wait_for("call.participant.left"))["reason"] == "lost"
    assert (await ended(phone, call_id))["reason"] == "lost"
    await phone.close()


async def test_user_who_joins_by_another_device_moves_there(house: House) -> None:
    ann, bob = await house.people("ann", "bob")
    caller, phone, laptop = await ann.connect(), await bob.connect(), await bob.connect()
    call_id = (await start(caller, await direct(ann, bob)))["call"]["id"]
    on_phone = (await join(phone, call_id))["participant_id"]
    on_laptop = (await join(laptop, call_id))["participant_id"]
    assert on_laptop != on_phone
    for client in (caller, phone):
        left = await client.wait_for("call.participant.left")
        assert (left["participant_id"], left["reason"]) == (on_phone, "moved")
    await caller.wait_for("call.participant.joined", lambda event: event["participant"]["id"] == on_laptop)
    assert await code(phone, "call.signal", call_id=call_id, to=on_laptop, candidate=CANDIDATE) == "not_in_call"
    assert await phone.call("call.leave", {"call_id": call_id}) == {"ok": True}
    assert await laptop.call("call.mute", {"call_id": call_id, "audio": False}) == {"ok": True}
    muted = await caller.wait_for("call.participant.updated")
    assert muted["participant"]["audio"] is False
    for client in (caller, phone, laptop):
        await client.close()


async def test_device_that_connects_while_it_rings_rings_too(house: House) -> None:
    ann, bob = await house.people("ann", "bob")
    caller = await ann.connect()
    call_id = (await start(caller, await direct(ann, bob)))["call"]["id"]
    phone = await bob.connect()
    assert (await phone.wait_for("call.ringing"))["call"]["id"] == call_id
    await join(phone, call_id)
    await caller.close()
    await phone.close()


async def test_room_rings_all_and_takes_two(house: House) -> None:
    ann, bob, eve = await house.people("ann", "bob", "eve")
    room = await asyncio.to_thread(ann.room, "private", (bob, eve))
    first, second, third = await ann.connect(), await bob.connect(), await eve.connect()
    call_id = (await start(first, room))["call"]["id"]
    await third.wait_for("call.ringing")
    await join(second, call_id)
    assert (await third.wait_for("call.ringing.stopped"))["reason"] == "answered"
    assert await code(third, "call.join", call_id=call_id) == "call_full"
    assert await code(third, "call.start", room_id=room, media="audio") == "call_full"
    seen = await asyncio.to_thread(eve.request, "GET", f"/api/rooms/{room}/call")
    assert seen.json()["call"]["id"] == call_id
    assert [each["user_id"] for each in seen.json()["participants"]] == [ann.id, bob.id]
    mine = (await asyncio.to_thread(eve.request, "GET", "/api/calls")).json()["calls"]
    assert [each["call"]["id"] for each in mine] == [call_id]
    await first.call("call.leave", {"call_id": call_id})
    assert (await second.wait_for("call.participant.left"))["reason"] == "left"
    await join(third, call_id)
    assert second.named("call.ended") == []
    await third.call("call.leave", {"call_id": call_id})
    assert (await ended(second, call_id))["reason"] == "hangup", "alone for the grace"
    empty = await asyncio.to_thread(eve.request, "GET", f"/api/rooms/{room}/call")
    assert empty.json() == {"call": None, "participants": []}
    for client in (first, second, third):
        await client.close()


async def test_large_room_does_not_ring_but_hears_of_the_call(house: House) -> None:
    ann, *others = await house.people("ann", "bob", "eve", "joe", "kim")
    room = await asyncio.to_thread(ann.room, "private", tuple(others))
    caller, member = await ann.connect(), await others[0].connect()
    call_id = (await start(caller, room))["call"]["id"]
    await logged(member, "call.started", call_id)
    assert member.named("call.ringing") == []
    await join(member, call_id)
    await caller.close()
    await member.close()


async def test_moderator_removes_a_participant_for_good(house: House) -> None:
    ann, bob, eve = await house.people("ann", "bob", "eve")
    room = await asyncio.to_thread(ann.room, "private", (bob, eve))
    owner, first, second = await ann.connect(), await bob.connect(), await eve.connect()
    begun = await start(first, room)
    call_id = begun["call"]["id"]
    kicked = (await join(second, call_id))["participant_id"]
    command = {"call_id": call_id, "participant_id": kicked}
    assert await code(first, "call.kick", **command) == "forbidden"
    assert await owner.call("call.kick", command) == {"ok": True}
    assert (await second.wait_for("call.participant.left"))["reason"] == "kicked"
    assert await code(second, "call.join", call_id=call_id) == "removed_from_call"
    assert await code(owner, "call.kick", **command) == "participant_not_found"
    for client in (owner, first, second):
        await client.close()


async def test_who_is_removed_from_the_room_or_logs_out_leaves_at_once(house: House) -> None:
    ann, bob, eve = await house.people("ann", "bob", "eve")
    room = await asyncio.to_thread(ann.room, "private", (bob, eve))
    owner, second, third = await ann.connect(), await bob.connect(), await eve.connect()
    call_id = (await start(owner, room))["call"]["id"]
    await join(second, call_id)
    await asyncio.to_thread(ann.request, "DELETE", f"/api/rooms/{room}/members/{bob.id}")
    for client in (owner, second):
        assert (await client.wait_for("call.participant.left"))["reason"] == "removed"
    assert await code(second, "call.join", call_id=call_id) == "call_not_found"
    await join(third, call_id)
    await asyncio.to_thread(eve.request, "POST", "/api/auth/logout")
    left = await owner.wait_for("call.participant.left", lambda event: event["user_id"] == eve.id)
    assert left["reason"] == "revoked"
    for client in (owner, second):
        await client.close()


async def test_stranger_cannot_tell_a_call_from_none(house: House) -> None:
    ann, bob, eve = await house.people("ann", "bob", "eve")
    room = await direct(ann, bob)
    caller, phone, stranger = await ann.connect(), await bob.connect(), await eve.connect()
    begun = await start(caller, room)
    call_id, first = begun["call"]["id"], begun["participant_id"]
    await join(phone, call_id)
    commands: dict[str, dict[str, Any]] = {
        "call.join": {},
        "call.decline": {},
        "call.mute": {"audio": False},
        "call.kick": {"participant_id": first},
        "call.signal": {"to": first, "description": OFFER},
    }
    for event, fields in commands.items():
        for known in (call_id, str(uuid4())):
            assert await code(stranger, event, call_id=known, **fields) == "call_not_found", event
    assert await stranger.call("call.leave", {"call_id": call_id}) == {"ok": True}
    assert await code(stranger, "call.start", room_id=room, media="video") == "room_not_found"
    answer = await asyncio.to_thread(eve.request, "GET", f"/api/rooms/{room}/call")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "room_not_found")
    assert (await asyncio.to_thread(eve.request, "GET", "/api/calls")).json() == {"calls": []}
    assert [each for each in stranger.received if each.name.startswith("call")] == []
    assert caller.named("call.participant.left") == caller.named("call.signal") == []
    for client in (caller, phone, stranger):
        await client.close()


async def test_nobody_to_call_and_one_call_at_a_time(house: House) -> None:
    ann, bob, eve = await house.people("ann", "bob", "eve")
    client = await ann.connect()
    alone = await asyncio.to_thread(ann.room, "private")
    assert await code(client, "call.start", room_id=alone, media="audio") == "nobody_to_call"
    call_id = (await start(client, await direct(ann, bob)))["call"]["id"]
    answer = await client.call("call.start", {"room_id": await direct(ann, eve), "media": "audio"})
    assert (answer["error"]["code"], answer["error"]["details"]) == ("already_in_call", {"call_id": call_id})
    await client.close()


async def test_credentials_of_turn_are_what_coturn_computes(house: House) -> None:
    """`<expiry>:<user id>`, and the Base64 of its HMAC-SHA1 under the shared secret."""
    ann, bob = await house.people("ann", "bob")
    client = await ann.connect()
    stun, turn = (await start(client, await direct(ann, bob)))["ice_servers"]
    assert stun == {"urls": ["stun:127.0.0.1:41599"]}
    expiry, _, user_id = turn["username"].partition(":")
    assert 800 < int(expiry) - time.time() < 1000
    assert user_id == ann.id
    digest = hmac.new(b"a secret for the tests of calls", turn["username"].encode(), hashlib.sha1).digest()
    assert turn["credential"] == base64.b64encode(digest).decode()
    await client.close()


async def test_log_has_one_start_and_one_end_of_each_call_in_order(house: House) -> None:
    ann, bob = await house.people("ann", "bob")
    room = await direct(ann, bob)
    caller, phone = await ann.connect(), await bob.connect()
    calls = []
    for _ in range(3):
        call_id = (await start(caller, room))["call"]["id"]
        await join(phone, call_id)
        await caller.call("call.leave", {"call_id": call_id})
        await logged(phone, "call.ended", call_id)
        calls.append(call_id)
    assert await told(ann, room) == [(kind, each) for each in calls for kind in ("call.started", "call.ended")]
    await caller.close()
    await phone.close()


async def told(person: Person, room_id: str) -> list[tuple[str, str]]:
    """The calls in the log of a room, as `sync` brings them."""
    client = await person.connect()
    answer = await client.call("sync", {"rooms": {room_id: 0}})
    events = answer["rooms"][room_id]["events"]
    await client.close()
    return [(event["type"], event["data"]["call_id"]) for event in events if event["type"].startswith("call.")]
