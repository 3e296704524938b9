"""What the API adds to the protocol, on the wire: cookies, CORS with an allow-list, refusals, handlers that raise."""

import asyncio
import json

import pytest

from .endpoint import Endpoint
from .websocket import WebSocket

ALLOWED = {"Origin": "http://allowed.example"}
OTHER = {"Origin": "http://other.example"}


async def enter(scenarios: Endpoint, packet: str = "40") -> WebSocket:
    """A Socket.IO connection whose CONNECT was answered."""
    socket = await scenarios.open_websocket()
    socket.send(packet)
    assert (await socket.text()).startswith(packet.split("{", maxsplit=1)[0])
    return socket


async def test_session_cookie_holds_the_session_id(scenarios: Endpoint) -> None:
    """Reference server, option `cookie`: set once, with the handshake, for load balancers that stick by cookie."""
    response = await scenarios.request(EIO="4", transport="polling")
    name, _, rest = response.headers["set-cookie"].partition("=")
    value, *attributes = [part.strip() for part in rest.split(";")]
    sid = json.loads(response.text[1:])["sid"]
    assert (name, value) == ("session", sid)
    assert {attribute.lower() for attribute in attributes} >= {"path=/", "httponly", "samesite=lax"}
    scenarios.http.cookies.clear()
    later = await scenarios.request("POST", content="6", EIO="4", transport="polling", sid=sid)
    assert "set-cookie" not in later.headers


async def test_allowed_origin_is_named_with_credentials(scenarios: Endpoint) -> None:
    """Fetch section 3.2.5: with credentials the header must name the origin, never `*`."""
    url = scenarios.url(EIO="4", transport="polling")
    response = await scenarios.http.get(url, headers=ALLOWED)
    assert response.headers["access-control-allow-origin"] == ALLOWED["Origin"]
    assert response.headers["access-control-allow-credentials"] == "true"
    assert "origin" in response.headers["vary"].lower()
    preflight = await scenarios.http.options(url, headers={**ALLOWED, "Access-Control-Request-Method": "POST"})
    assert preflight.headers["access-control-allow-origin"] == ALLOWED["Origin"]
    assert preflight.headers["access-control-allow-credentials"] == "true"


async def test_other_origin_is_not_allowed(scenarios: Endpoint) -> None:
    """Fetch section 3.2.3: without the header the browser keeps the response from the script."""
    url = scenarios.url(EIO="4", transport="polling")
    for response in (
        await scenarios.http.get(url, headers=OTHER),
        await scenarios.http.options(url, headers={**OTHER, "Access-Control-Request-Method": "POST"}),
    ):
        assert response.headers.get("access-control-allow-origin") not in {"*", OTHER["Origin"]}


async def test_refusal_by_middleware_carries_message_and_data(scenarios: Endpoint) -> None:
    """Connection: "a CONNECT_ERROR packet if the connection is not allowed", encoded as an object."""
    async with await scenarios.open_websocket() as socket:
        socket.send('40/guarded,{"token":"wrong"}')
        packet = await socket.text()
        assert packet.startswith("44/guarded,")
        assert json.loads(packet.removeprefix("44/guarded,")) == {
            "message": "not allowed",
            "data": {"code": "unauthorized", "given": "wrong"},
        }
        socket.send('40/guarded,{"token":"secret"}')
        assert (await socket.text()).startswith('40/guarded,{"sid":')


@pytest.mark.parametrize("name", ["/dynamic-1", "/dynamic-007"])
async def test_dynamic_namespace_is_entered_by_pattern(scenarios: Endpoint, name: str) -> None:
    """Connection: which names exist is the server's to say."""
    async with await enter(scenarios, f"40{name},") as socket:
        socket.send(f'42{name},1["add",1,2]')
        assert await socket.text() == f"43{name},1[3]"


@pytest.mark.parametrize("name", ["/dynamic-", "/dynamic-x", "/dynamic-1/more", "/xdynamic-1"])
async def test_name_outside_the_pattern_is_refused(scenarios: Endpoint, name: str) -> None:
    """Connection: CONNECT_ERROR for what the pattern does not match."""
    async with await scenarios.open_websocket() as socket:
        socket.send(f"40{name},")
        assert await socket.text() == f'44{name},{{"message":"Invalid namespace"}}'


async def test_server_asks_and_the_client_acknowledges(scenarios: Endpoint) -> None:
    """Acknowledgement: either side may include an event ID; binary answers come as BINARY_ACK."""
    async with await enter(scenarios) as socket:
        socket.send('42["ask",{"n":1}]')
        packet = await socket.text()
        identifier = packet.removeprefix("42").partition("[")[0]
        assert packet == f'42{identifier}["question",{{"n":1}}]'
        assert identifier.isdigit()
        socket.send(f'461-{identifier}[{{"_placeholder":true,"num":0}}]', b"\x07")
        assert await socket.text() == '451-["answered",{"_placeholder":true,"num":0}]'
        assert await socket.recv() == b"\x07"


async def test_second_answer_to_one_question_is_ignored(scenarios: Endpoint) -> None:
    """Acknowledgement: an ACK answers one event, once."""
    async with await enter(scenarios) as socket:
        socket.send('42["ask",1]')
        identifier = (await socket.text()).removeprefix("42").partition("[")[0]
        socket.send(f'43{identifier}["first"]', f'43{identifier}["second"]', '420["add",1,1]')
        packets = [await socket.text(), await socket.text()]
        assert sorted(packets) == ['42["answered","first"]', "430[2]"]


@pytest.mark.ours_only("Node leaves a handler's exception to crash the process")
async def test_handler_that_raises_is_acknowledged_with_an_error(scenarios: Endpoint) -> None:
    """Acknowledgement: "The receiver MUST respond with an ACK packet"; DESIGN.md section 4 says what an error is."""
    async with await enter(scenarios) as socket:
        socket.send('421["fail"]', '422["add",1,1]')
        packet = await socket.text()
        assert packet.startswith("431[")
        (answer,) = json.loads(packet.removeprefix("431"))
        assert answer["ok"] is False
        assert answer["error"]["code"] == "internal"
        assert "a handler that raises" not in packet
        assert await socket.text() == "432[2]"


@pytest.mark.ours_only("Node leaves the arguments to the handler")
async def test_arguments_that_do_not_fit_the_handler_are_acknowledged_with_an_error(scenarios: Endpoint) -> None:
    """A stranger chooses the number and types of arguments; neither may end more than the one event."""
    async with await enter(scenarios) as socket:
        for number, arguments in enumerate(("", ",1", ",1,2,3,4", ',{"a":1},[]')):
            socket.send(f'42{number}["add"{arguments}]')
            packet = await socket.text()
            assert packet.startswith(f"43{number}[")
            assert json.loads(packet.removeprefix(f"43{number}"))[0]["ok"] is False


@pytest.mark.ours_only("a refusal by Node's packet middleware stays on the server")
async def test_packet_that_middleware_refuses_is_acknowledged_with_an_error(scenarios: Endpoint) -> None:
    """Acknowledgement: "The receiver MUST respond with an ACK packet", refused or not; the handler is not called."""
    async with await enter(scenarios) as socket:
        socket.send('421["echo","forbidden"]', '42["echo","allowed"]')
        packet = await socket.text()
        assert packet.startswith("431[")
        (answer,) = json.loads(packet.removeprefix("431"))
        assert answer == {"ok": False, "error": {"code": "forbidden", "message": "a packet that middleware refuses"}}
        assert await socket.text() == '42["echo","allowed"]'


@pytest.mark.ours_only("Node starts every handler at once and lets them overtake each other")
async def test_handler_that_waits_holds_back_only_its_own_socket(scenarios: Endpoint) -> None:
    """DESIGN.md section 5: "events from one socket are handled in the order sent"; other sockets are not concerned."""
    async with await enter(scenarios) as slow, await enter(scenarios) as other:
        slow.send('421["slow-add",1,0.3]', '422["add",1,1]')
        other.send('421["add",2,2]')
        answers = asyncio.create_task(other.text())
        first = asyncio.create_task(slow.text())
        await asyncio.wait({answers, first}, return_when=asyncio.FIRST_COMPLETED)
        assert answers.done()
        assert await answers == "431[4]"
        assert [await first, await slow.text()] == ["431[1]", "432[2]"]


@pytest.mark.ours_only("Node bounds neither")
async def test_client_that_sends_faster_than_handlers_run_loses_nothing(scenarios: Endpoint) -> None:
    """Packets behind a waiting handler are held back, past a bound in the client's own socket buffer."""
    async with await enter(scenarios) as socket:
        socket.send('420["slow-add",0,0.3]')
        socket.send(*(f'42{number}["add",{number},0]' for number in range(1, 90)))
        assert [await socket.text() for _ in range(90)] == [f"43{number}[{number}]" for number in range(90)]


async def test_broadcast_reaches_polling_and_websocket_members_alike(scenarios: Endpoint) -> None:
    """Transports: which one a member uses makes no difference to what it is sent, binary included."""
    session = await scenarios.poll_session()
    await session.send("40")
    await session.receive()
    async with await enter(scenarios) as socket:
        await session.send('420["join","mixed"]')
        socket.send('420["join","mixed"]')
        assert await session.receive() == ["430[]"]
        assert await socket.text() == "430[]"
        socket.send('451-["tell-all","mixed",{"_placeholder":true,"num":0},1]', b"\x01\x02", '42["tell-all","mixed"]')
        assert await session.receive(3) == ['451-["told",{"_placeholder":true,"num":0},1]', "bAQI=", '42["told"]']
        assert await socket.text() == '451-["told",{"_placeholder":true,"num":0},1]'
        assert [await socket.recv(), await socket.text()] == [b"\x01\x02", '42["told"]']


@pytest.mark.parametrize("polls", [True, False], ids=["while a poll hangs", "between two polls"])
async def test_event_that_ends_its_connection_was_received_all_the_same(scenarios: Endpoint, polls: bool) -> None:
    """Sending data: 200 and "ok"; a client that is told 400 takes it for an error and hears no more of what the polls bring."""
    session = await scenarios.poll_session()
    await session.send("40")
    await session.receive()
    hanging = asyncio.create_task(session.receive()) if polls else None
    await asyncio.sleep(0.02)
    await session.send('42["close-me"]')
    packets = await hanging if hanging else []
    while "1" not in packets:
        packets += await session.receive()
    assert [packet for packet in packets if packet != "6"] == ["41", "1"]


async def test_order_of_broadcasts_acks_and_own_events_is_the_order_of_the_server(scenarios: Endpoint) -> None:
    """Joined writes must not let an acknowledgement overtake the broadcast before it, or the other way round."""
    async with await enter(scenarios) as socket:
        socket.send('420["join","ordered"]')
        assert await socket.text() == "430[]"
        expected = []
        for number in range(1, 40):
            socket.send(f'42["tell-all","ordered",{number}]', f'42{number}["add",{number},0]', f'42["echo",{number}]')
            expected += [f'42["told",{number}]', f"43{number}[{number}]", f'42["echo",{number}]']
        assert [await socket.text() for _ in expected] == expected


async def test_member_that_leaves_hears_what_was_said_before_and_nothing_after(scenarios: Endpoint) -> None:
    """Rooms: joining and leaving take their place among the broadcasts."""
    async with await enter(scenarios) as socket, await enter(scenarios) as speaker:
        socket.send('421["join","doors"]')
        assert await socket.text() == "431[]"
        speaker.send('42["tell-all","doors","before"]', '421["add",0,0]')
        assert await speaker.text() == "431[0]"
        socket.send('422["leave","doors"]')
        assert [await socket.text(), await socket.text()] == ['42["told","before"]', "432[]"]
        speaker.send('42["tell-all","doors","after"]', '422["add",0,0]')
        assert await speaker.text() == "432[0]"
        socket.send('423["add",0,0]')
        assert await socket.text() == "433[0]"


async def test_member_that_is_gone_is_out_of_its_rooms(scenarios: Endpoint) -> None:
    """Disconnection: a socket that left is in no room, however it went."""
    async with await enter(scenarios) as stays:
        stays.send('420["join","gone"]')
        assert await stays.text() == "430[]"
        goes = await enter(scenarios)
        goes.send('420["join","gone"]')
        assert await goes.text() == "430[]"
        goes.abort()
        members = 2
        async with asyncio.timeout(10):
            while members != 1:
                stays.send('421["members","gone"]')
                while not (packet := await stays.text()).startswith("431"):
                    assert packet.startswith('42["gone"')
                members = len(json.loads(packet.removeprefix("431"))[0])
