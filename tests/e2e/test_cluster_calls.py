"""Calls in a cluster: sockets of any node take part, and another node carries them on when the one that did is killed."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from parlour.platform.sql import open_database

from ..integration.socketio_client import Client
from .conftest import MakeServer
from .parlour_server import DEADLINE, ParlourServer
from .test_cluster import Person, person

pytestmark = pytest.mark.timeout(600)  # the first test starts four engines

OFFER = {"type": "offer", "sdp": "v=0 offer"}
ANSWER = {"type": "answer", "sdp": "v=0 answer"}


async def until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110 - neither sockets nor logs tell
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"{what}: not within {DEADLINE:.0f} s")


async def ask(someone: Person, event: str, **payload: Any) -> dict[str, Any]:
    """Ask until there is an answer from whoever carries the calls."""
    async with asyncio.timeout(DEADLINE):
        while True:
            answer: dict[str, Any] = (await someone.socket.start(event, payload))[0]
            if answer["ok"] or answer["error"]["code"] != "unavailable":
                return answer
            await asyncio.sleep(0.1)


async def done(someone: Person, event: str, **payload: Any) -> dict[str, Any]:
    answer = await ask(someone, event, **payload)
    assert answer["ok"], answer
    return answer


async def hears(someone: Person, event: str, matches: Callable[[Any], bool] = lambda _: True) -> Any:
    """Wait for an event, and return the first that matches."""

    def heard() -> list[Any]:
        return [each.data for each in someone.socket.named(event) if matches(each.data)]

    await until(lambda: bool(heard()), f"{event}, beside {someone.socket.received[-10:]}")
    return heard()[0]


async def direct(first: Person, second: Person) -> str:
    room = await first.post("/api/rooms", kind="direct", members=[second.id])
    room_id = str(room["id"])
    await hears(second, "room.added", lambda added: added["room"]["id"] == room_id)
    return room_id


async def logged(someone: Person, room_id: str) -> list[tuple[str, Any]]:
    """Wait until the log has the end of a call; return all that it has of calls."""

    async def calls() -> list[tuple[str, Any]]:
        answer = (await someone.socket.start("sync", {"rooms": {room_id: 0}}))[0]
        events = answer["rooms"][room_id]["events"]
        return [(each["type"], each["data"].get("reason")) for each in events if each["type"].startswith("call.")]

    async with asyncio.timeout(DEADLINE):
        while "call.ended" not in [kind for kind, _ in await calls()]:  # noqa: ASYNC110 - the log comes late
            await asyncio.sleep(0.1)
    await hears(someone, "event", lambda event: event["type"] == "call.ended")
    return await calls()


def terms(node: ParlourServer) -> int:
    """How often a node took the calls."""
    return node.output().count('"carrying calls"')


async def kept(node: ParlourServer, condition: Callable[[Any], bool]) -> None:
    """Wait until a call is kept as it is: what the carrier has not written yet dies with it."""
    database = open_database(node._environment["PARLOUR_DATABASE_URL"])
    try:
        async with asyncio.timeout(DEADLINE):
            while True:
                rows = await database.rows(sa.text("SELECT state FROM live_calls"))
                if any(condition(json.loads(state)) for (state,) in rows):
                    return
                await asyncio.sleep(0.05)
    finally:
        await database.close()


async def carrier(node: ParlourServer) -> ParlourServer:
    """Start a node, and wait until it carries the calls."""
    await asyncio.to_thread(node.start)
    await until(lambda: terms(node) == 1, "the first node carries the calls")
    return node


async def talking(caller: Person, callee: Person, room_id: str) -> tuple[str, list[str]]:
    """Have two people in a call that is kept; return its id, and who they are in it."""
    begun = await done(caller, "call.start", room_id=room_id, media="audio")
    call_id = begun["call"]["id"]
    await hears(callee, "call.ringing", lambda rung: rung["call"]["id"] == call_id)
    joined = await done(callee, "call.join", call_id=call_id)
    await hears(caller, "call.participant.joined", lambda told: told["call_id"] == call_id)
    await hears(callee, "event", lambda event: event["type"] == "call.started")
    return call_id, [begun["participant_id"], joined["participant_id"]]


async def test_people_on_two_nodes_call_each_other(make_node: MakeServer) -> None:
    one = await carrier(make_node("one"))
    two = await asyncio.to_thread(make_node("two").start)
    async with person(one, "ann") as ann, person(two, "ben") as ben:
        room = await direct(ann, ben)
        for caller, callee in ((ann, ben), (ben, ann)):
            call_id, (first, second) = await talking(caller, callee, room)
            of_call = {"call_id": call_id}
            for person_, to, description, sender, other in (
                (caller, second, OFFER, first, callee),
                (callee, first, ANSWER, second, caller),
            ):
                await done(person_, "call.signal", **of_call, to=to, description=description)
                expected = {**of_call, "from": sender, "description": description}
                assert await hears(other, "call.signal", lambda told: told["call_id"] == call_id) == expected  # noqa: B023
            await done(callee, "call.mute", **of_call, audio=False)
            muted = await hears(caller, "call.participant.updated", lambda told: told["call_id"] == call_id)  # noqa: B023
            assert (muted["participant"]["id"], muted["participant"]["audio"]) == (second, False)
            for each in (ann, ben):
                there = (await each.http.get(f"/api/rooms/{room}/call", headers=each.headers)).raise_for_status().json()
                assert there["call"]["id"] == call_id
                assert [one["id"] for one in there["participants"]] == [first, second]
                mine = (await each.http.get("/api/calls", headers=each.headers)).raise_for_status().json()
                assert [found["call"]["id"] for found in mine["calls"]] == [call_id]
            await done(caller, "call.leave", **of_call)
            ended = await hears(callee, "call.ended", lambda told: told["call_id"] == call_id)  # noqa: B023
            assert ended["reason"] == "hangup"
        refused = await ask(ben, "call.signal", call_id=call_id, to=first, description=OFFER)
        assert refused["error"]["code"] == "call_not_found"
        await until(lambda: two_ended(ben), "both ends in the log")
        events = await logged(ben, room)
        assert events == [("call.started", None), ("call.ended", "hangup")] * 2
    assert terms(two) == 0


def two_ended(someone: Person) -> bool:
    return len([each for each in someone.socket.named("event") if each.data["type"] == "call.ended"]) == 2


async def test_who_is_lost_or_removed_on_another_node_is_out_of_the_call(make_node: MakeServer) -> None:
    one = await carrier(make_node("one", call_grace_seconds="2"))
    two = await asyncio.to_thread(make_node("two", call_grace_seconds="2").start)
    async with person(one, "ann") as ann, person(two, "ben") as ben, person(two, "cleo") as cleo:
        room = await cleo.post("/api/rooms", name="lunch", kind="private", members=[ann.id, ben.id])
        await hears(ann, "room.added")
        await hears(ben, "room.added")
        call_id, (_, bens) = await talking(ann, ben, room["id"])
        removed = await cleo.http.delete(f"/api/rooms/{room['id']}/members/{ben.id}", headers=cleo.headers)
        assert removed.status_code == httpx.codes.NO_CONTENT
        left = await hears(ann, "call.participant.left")
        assert (left["participant_id"], left["reason"]) == (bens, "removed")
        joined = await done(cleo, "call.join", call_id=call_id)
        await hears(ann, "call.participant.joined", lambda told: told["participant"]["user_id"] == cleo.id)
        await asyncio.to_thread(two.kill)
        lost = await hears(ann, "call.participant.left", lambda told: told["reason"] == "lost")
        assert lost["participant_id"] == joined["participant_id"]


async def test_a_call_goes_on_when_the_node_that_carries_it_is_killed(make_node: MakeServer) -> None:
    one = await carrier(make_node("one"))
    others = [await asyncio.to_thread(make_node(name).start) for name in ("two", "three")]
    async with person(others[0], "ann") as ann, person(others[1], "ben") as ben:
        room = await direct(ann, ben)
        call_id, (first, second) = await talking(ann, ben, room)
        await done(ben, "call.mute", call_id=call_id, audio=False)
        await kept(one, lambda call: [each["audio"] for each in call["participants"].values()] == [True, False])
        await asyncio.to_thread(one.kill)
        await until(lambda: sum(map(terms, others)) == 1, "another node carries the calls")

        # Both sockets stay, and neither has to say anything to be in the call still.
        await in_call_again(ann, call_id, second)
        heard = await hears(ben, "call.signal", lambda told: told["description"] == OFFER)
        assert heard["from"] == first
        await in_call_again(ben, call_id, first)
        heard = await hears(ann, "call.signal", lambda told: told["description"] == OFFER)
        assert heard["from"] == second
        there = (await ann.http.get(f"/api/rooms/{room}/call", headers=ann.headers)).raise_for_status().json()
        assert [(each["id"], each["state"], each["audio"]) for each in there["participants"]] == [
            (first, "connected", True),
            (second, "connected", False),
        ]
        await done(ben, "call.leave", call_id=call_id)
        assert (await hears(ann, "call.ended"))["reason"] == "hangup"
        assert await logged(ann, room) == [("call.started", None), ("call.ended", "hangup")]
        assert not [told for told in ann.socket.named("call.participant.left") if told.data["participant_id"] != second]


async def in_call_again(someone: Person, call_id: str, to: str) -> None:
    """Signal to the other as soon as the new carrier has found the sockets of both."""
    async with asyncio.timeout(DEADLINE):
        while True:
            answer = await ask(someone, "call.signal", call_id=call_id, to=to, description=OFFER)
            if answer["ok"]:
                return
            assert answer["error"]["code"] in {"call_not_found", "not_in_call", "participant_away"}, answer
            await asyncio.sleep(0.1)


async def test_a_session_that_ends_and_people_who_are_busy_are_so_on_every_node(make_node: MakeServer) -> None:
    one = await carrier(make_node("one"))
    two = await asyncio.to_thread(make_node("two").start)
    async with person(one, "ann") as ann, person(two, "ben") as ben, person(two, "cleo") as cleo:
        room, cleos = await direct(ann, ben), await direct(cleo, ann)
        await talking(ann, ben, room)
        refused = await done(cleo, "call.start", room_id=cleos, media="audio")
        acknowledged = len(cleo.socket.received)
        assert (await hears(cleo, "call.ended"))["reason"] == "busy"
        assert "call.ended" not in [event.name for event in cleo.socket.received[:acknowledged]]
        assert refused["call"]["state"] == "ringing"
        await ben.post("/api/auth/logout")
        left = await hears(ann, "call.participant.left")
        assert (left["user_id"], left["reason"]) == (ben.id, "revoked")
        assert (await hears(ann, "call.ended"))["reason"] == "hangup"


async def test_answering_on_one_node_silences_the_devices_on_all_but_the_one_that_answered(
    make_node: MakeServer,
) -> None:
    one = await carrier(make_node("one"))
    two = await asyncio.to_thread(make_node("two").start)
    async with person(one, "ann") as ann, person(two, "ben") as ben:
        room = await direct(ann, ben)
        token = {"token": ben.headers["Authorization"].removeprefix("Bearer ")}
        others = [await Client.connect(node.url, token) for node in (one, two)]
        devices = [Person(ben.http, {"user": {"id": ben.id}, **access(ben)}, socket) for socket in others]
        for device in devices:
            await hears(device, "ready")
        call_id, _ = await talking(ann, ben, room)
        for device in devices:
            await hears(device, "call.ringing")
            stopped = await hears(device, "call.ringing.stopped")
            assert (stopped["call_id"], stopped["reason"]) == (call_id, "answered_elsewhere")
        late = await Client.connect(two.url, token)
        await done(ben, "call.mute", call_id=call_id, audio=False)  # what was told before is here by now
        assert ben.socket.named("call.ringing.stopped") == []
        assert late.named("call.ringing") == []
        for socket in (*others, late):
            socket.abort()


def access(someone: Person) -> dict[str, str]:
    return {"access_token": someone.headers["Authorization"].removeprefix("Bearer ")}


@pytest.mark.parametrize("stop", ["kill", "terminate"])
async def test_who_was_on_the_node_that_carried_the_call_comes_back_to_another(
    make_node: MakeServer, stop: str
) -> None:
    one = await carrier(make_node("one", call_grace_seconds="30"))
    two = await asyncio.to_thread(make_node("two", call_grace_seconds="30").start)
    async with person(one, "ann") as ann, person(two, "ben") as ben:
        room = await direct(ann, ben)
        call_id, (first, second) = await talking(ann, ben, room)
        await kept(one, lambda call: len(call["participants"]) == 2)
        await asyncio.to_thread(getattr(one, stop))
        await until(lambda: terms(two) == 1, "the other node carries the calls")
        token = {"token": ann.headers["Authorization"].removeprefix("Bearer ")}
        ann.socket = await Client.connect(two.url, token)
        await hears(ann, "ready")
        back = await done(ann, "call.join", call_id=call_id, participant_id=first)
        assert (back["participant_id"], back["call"]["state"]) == (first, "active")
        await in_call_again(ann, call_id, second)
        await done(ann, "call.leave", call_id=call_id)
        assert (await hears(ben, "call.ended"))["reason"] == "hangup"
        assert await logged(ben, room) == [("call.started", None), ("call.ended", "hangup")]
        ann.socket.abort()
