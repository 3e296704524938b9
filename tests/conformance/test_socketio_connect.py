"""Entering a namespace. Socket.IO v5, "Exchange protocol / Connection to a namespace"."""

import json

import pytest

from .endpoint import SEPARATOR, Endpoint
from .websocket import ClosedError


def sid_of(packet: str, prefix: str) -> str:
    """The session id in a CONNECT answer, which holds nothing else."""
    assert packet.startswith(prefix), packet
    data = json.loads(packet.removeprefix(prefix))
    assert set(data) == {"sid"}
    assert isinstance(data["sid"], str)
    return data["sid"]


@pytest.mark.parametrize(
    ("request_packet", "prefix", "auth"),
    [
        ("40", "", "{}"),
        ('40{"token":"123"}', "", '{"token":"123"}'),
        ("40/custom,", "/custom,", "{}"),
        ('40/custom,{"token":"abc"}', "/custom,", '{"token":"abc"}'),
        ("40/custom", "/custom,", "{}"),
        ("40/,", "", "{}"),
        ('40{"naïve":["€",{"a":null}],"n":1}', "", '{"naïve":["€",{"a":null}],"n":1}'),
    ],
)
async def test_namespace_is_entered_with_its_payload(
    socketio: Endpoint, request_packet: str, prefix: str, auth: str
) -> None:
    """Connection: "a CONNECT packet if the connection is successful, with the session ID in the payload". The first four
    are official cases.
    """
    async with await socketio.open_websocket() as socket:
        socket.send(request_packet)
        sid_of(await socket.text(), f"40{prefix}")
        assert await socket.text() == f'42{prefix}["auth",{auth}]'


async def test_namespace_is_entered_over_polling(socketio: Endpoint) -> None:
    """Sample session: "Request n°2 (namespace connection request)" and "Request n°3 (approval)"."""
    session = await socketio.poll_session()
    await session.send('40{"token":"123"}')
    connect, auth = await session.receive(2)
    assert sid_of(connect, "40") != session.sid
    assert auth == '42["auth",{"token":"123"}]'


@pytest.mark.parametrize(
    "name", ["/random", "/custom/", "/custo", "/custom2", "/Custom", "/custom?token=abc", "/__proto__", "/ünknown"]
)
async def test_unknown_namespace_is_refused(socketio: Endpoint, name: str) -> None:
    """Connection: "or a CONNECT_ERROR packet if the connection is not allowed". The first is an official case; a query
    string was part of the packet up to v4 and is now but a part of the name.
    """
    async with await socketio.open_websocket() as socket:
        socket.send(f"40{name},")
        assert await socket.text() == f'44{name},{{"message":"Invalid namespace"}}'


async def test_refusal_leaves_the_connection_open(socketio: Endpoint) -> None:
    """Connection: a refused namespace says nothing about the others."""
    async with await socketio.open_websocket() as socket:
        socket.send("40/random,", "40")
        assert await socket.text() == '44/random,{"message":"Invalid namespace"}'
        sid_of(await socket.text(), "40")


async def test_connection_that_enters_no_namespace_is_closed(socketio: Endpoint) -> None:
    """Connection: "the client MUST send a CONNECT packet"; the connect timeout is 1,000 ms here. Official case (whose
    client does not answer pings; this one does).
    """
    async with await socketio.open_websocket() as socket:
        await socket.wait_closed()


async def test_connection_that_was_only_refused_is_closed(socketio: Endpoint) -> None:
    """Connection: an unsuccessful CONNECT does not stop the connect timeout (reference server)."""
    async with await socketio.open_websocket() as socket:
        socket.send("40/random,")
        await socket.wait_closed()


async def test_polling_connection_that_enters_no_namespace_is_closed(socketio: Endpoint) -> None:
    """Connection: the connect timeout holds on either transport."""
    session = await socketio.poll_session()
    polled = await session.poll()
    while polled.status_code == 200 and polled.text == "2":
        await session.post("3")
        polled = await session.poll()
    assert polled.status_code == 400 or polled.text.endswith("1")
    await session.wait_gone()


async def test_connection_in_a_namespace_outlives_the_connect_timeout(socketio: Endpoint) -> None:
    """Connection: the timeout is for those who never connected."""
    async with await socketio.connect() as socket:
        for _ in range(4):
            assert (await socket.frame()).payload == b"2"
            socket.send("3")
        socket.send('42["message"]')
        assert await socket.text() == '42["message-back"]'


@pytest.mark.parametrize(
    "packet", ['42["message","x"]', "41", '431["x"]', "44", '451-["message",{"_placeholder":true,"num":0}]', "4abc"]
)
async def test_anything_before_connect_closes_the_connection(socketio: Endpoint, packet: str) -> None:
    """Connection: "If the server does not receive a CONNECT packet first, it MUST close the connection immediately". The
    last is an official case.
    """
    async with await socketio.open_websocket() as socket:
        socket.send(packet, b"\x01")
        with pytest.raises(ClosedError):
            await socket.recv(within=0.9)


@pytest.mark.parametrize("payload", ["[]", '"text"', "12[]", "{", "{]", "null", "nonsense", "true"])
async def test_connect_payload_that_is_no_object_closes_the_connection(socketio: Endpoint, payload: str) -> None:
    """Connection: the payload of CONNECT is an object ("optionally, a payload (Object | Array)")."""
    async with await socketio.open_websocket() as socket:
        socket.send(f"40{payload}")
        with pytest.raises(ClosedError):
            await socket.recv()


async def test_second_connect_to_one_namespace_closes_the_connection(socketio: Endpoint) -> None:
    """Connection: a namespace is entered once (reference server: invalid state)."""
    async with await socketio.connect() as socket:
        socket.send("40")
        with pytest.raises(ClosedError):
            await socket.recv()


async def test_connect_error_from_a_client_closes_the_connection(socketio: Endpoint) -> None:
    """Connection: CONNECT_ERROR is the server's to send (reference server: invalid state)."""
    async with await socketio.connect() as socket:
        socket.send('44{"message":"no"}')
        with pytest.raises(ClosedError):
            await socket.recv()


async def test_several_namespaces_share_one_connection(socketio: Endpoint) -> None:
    """Connection: "A client MAY be connected to multiple namespaces at the same time, with the same underlying WebSocket
    connection"; each has a session id of its own.
    """
    async with await socketio.open_websocket() as socket:
        socket.send("40", '40/custom,{"a":1}')
        packets = [await socket.text() for _ in range(4)]
        in_custom = [packet for packet in packets if "/custom," in packet]
        in_main = [packet for packet in packets if packet not in in_custom]
        assert sid_of(in_main[0], "40") != sid_of(in_custom[0], "40/custom,")
        assert (in_main[1], in_custom[1]) == ('42["auth",{}]', '42/custom,["auth",{"a":1}]')
        socket.send('42/custom,["message","to custom"]', '42["message","to main"]')
        assert await socket.text() == '42/custom,["message-back","to custom"]'
        assert await socket.text() == '42["message-back","to main"]'


async def test_main_namespace_is_not_entered_implicitly(socketio: Endpoint) -> None:
    """Difference between v5 and v4: "remove the implicit connection to the default namespace"."""
    async with await socketio.connect("/custom") as socket:
        socket.send('42["message","x"]')
        with pytest.raises(ClosedError):
            await socket.recv()


async def test_events_sent_right_behind_connect_are_handled_after_it(socketio: Endpoint) -> None:
    """Connection: a client that does not wait for the answer is served in order... or closed, if the server needs time to
    connect it (reference server); here nothing has to be awaited.
    """
    session = await socketio.poll_session()
    await session.send("40")
    await session.send('42["message","x"]')
    packets = await session.receive(3)
    assert packets[1:] == ['42["auth",{}]', '42["message-back","x"]']


async def test_session_ids_of_sockets_are_unique(socketio: Endpoint) -> None:
    """Connection: "with the session ID in the payload"."""
    ids = set()
    for _ in range(20):
        async with await socketio.open_websocket() as socket:
            socket.send("40")
            ids.add(sid_of(await socket.text(), "40"))
    assert len(ids) == 20


async def test_sample_session_of_the_specification(socketio: Endpoint) -> None:
    """Sample session: polling, both packets in one payload, upgrade, second namespace, acknowledgement in binary."""
    session = await socketio.poll_session()
    await session.send("40")
    connect, auth = await session.receive(2)
    sid_of(connect, "40")
    assert auth == '42["auth",{}]'
    await session.send('42["message","hello"]', '42["message","world"]')
    assert SEPARATOR.join(await session.receive(2)) == '42["message-back","hello"]\x1e42["message-back","world"]'
    async with await socketio.probe(session.sid) as socket:
        socket.send("5", '42["message","hello"]', "40/custom,")
        assert await socket.text() == '42["message-back","hello"]'
        sid_of(await socket.text(), "40/custom,")
        assert await socket.text() == '42/custom,["auth",{}]'
        socket.send('451-/custom,1["message-with-ack",{"_placeholder":true,"num":0}]', b"\x01\x02")
        assert await socket.text() == '461-/custom,1[{"_placeholder":true,"num":0}]'
        assert await socket.recv() == b"\x01\x02"
        socket.send("1")
