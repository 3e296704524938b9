"""Events and acknowledgements. Socket.IO v5, "Sending and receiving data", "Acknowledgement" and "Packet encoding"."""

import pytest

from .endpoint import Endpoint
from .websocket import ClosedError, WebSocket

ONE = '{"_placeholder":true,"num":0}'
HALF = pytest.param("0.5", marks=pytest.mark.node_deviates("hands on undefined for a fraction"))
TWO = '{"_placeholder":true,"num":1}'


async def assert_closes(socket: WebSocket, *messages: str | bytes) -> None:
    async with socket:
        socket.send(*messages)
        with pytest.raises(ClosedError):
            await socket.recv()


@pytest.mark.parametrize(
    "arguments",
    [
        '1,"2",{"3":[true]}',
        '""',
        "null,true,false,0,-1,1.5",
        '"€ ünï 😀 漢字","\\u0000\\n\\"\\\\"',
        '{"a":{"b":[[],{}]},"":1}',
        "9007199254740991",
        '"' + "x" * 70_000 + '"',
        '{"_placeholder":true,"num":0}',
        '"a,b","/custom,","5-"',
    ],
    ids=["official", "empty", "scalars", "unicode", "nested", "large", "long", "placeholder-as-text", "delimiters"],
)
async def test_event_comes_back_with_its_arguments(socketio: Endpoint, arguments: str) -> None:
    """Sending data: `2["foo"]`. The first is an official case."""
    async with await socketio.connect() as socket:
        socket.send(f'42["message",{arguments}]')
        assert await socket.text() == f'42["message-back",{arguments}]'


async def test_event_needs_no_arguments(socketio: Endpoint) -> None:
    """Sending data: the payload is "a non-empty array": the name alone will do."""
    async with await socketio.connect() as socket:
        socket.send('42["message"]')
        assert await socket.text() == '42["message-back"]'


async def test_white_space_in_the_payload_is_allowed(socketio: Endpoint) -> None:
    """Packet encoding: the payload is JSON, in whose grammar (RFC 8259 section 2) white space has no meaning."""
    async with await socketio.connect() as socket:
        socket.send('42[ "message" ,\n\t1 ] ')
        assert await socket.text() == '42["message-back",1]'


async def test_custom_namespace_is_named_in_both_directions(socketio: Endpoint) -> None:
    """Packet encoding: `2/admin,["bar"]`, "the namespace is only included if it is different from the main namespace"."""
    async with await socketio.connect("/custom") as socket:
        socket.send('42/custom,["message",1]', '42/custom,3["message-with-ack",2]')
        assert await socket.text() == '42/custom,["message-back",1]'
        assert await socket.text() == "43/custom,3[2]"


async def test_main_namespace_may_be_written_out(socketio: Endpoint) -> None:
    """Packet encoding: "/" is the main namespace, whether or not it is included."""
    async with await socketio.connect() as socket:
        socket.send('42/,7["message-with-ack",1]')
        assert await socket.text() == "437[1]"


async def test_events_keep_their_order(socketio: Endpoint) -> None:
    """Introduction: the channel is ordered, text and binary alike."""
    async with await socketio.connect() as socket:
        expected: list[str | bytes] = []
        for number in range(60):
            if number % 3:
                socket.send(f'42["message",{number}]')
                expected.append(f'42["message-back",{number}]')
            else:
                socket.send(f'451-["message",{ONE}]', bytes([number]))
                expected += [f'451-["message-back",{ONE}]', bytes([number])]
        assert [await socket.recv() for _ in expected] == expected


async def test_event_that_nobody_handles_is_ignored(socketio: Endpoint) -> None:
    """Sending data: an unknown name is no error of the protocol."""
    async with await socketio.connect() as socket:
        socket.send('42["nobody",1]', '42["message"]')
        assert await socket.text() == '42["message-back"]'


@pytest.mark.parametrize("identifier", ["0", "1", "456", "4294967296", "9007199254740991"])
async def test_acknowledgement_carries_the_id_of_the_event(socketio: Endpoint, identifier: str) -> None:
    """Acknowledgement: "The receiver MUST respond with an ACK packet with the same event ID". Official case with 456."""
    async with await socketio.connect() as socket:
        socket.send(f'42{identifier}["message-with-ack",1,"2",{{"3":[false]}}]')
        assert await socket.text() == f'43{identifier}[1,"2",{{"3":[false]}}]'


async def test_acknowledgement_may_be_empty(socketio: Endpoint) -> None:
    """Acknowledgement: "The payload is mandatory and MUST be an array (possibly empty)"."""
    async with await socketio.connect() as socket:
        socket.send('421["message-with-ack"]')
        assert await socket.text() == "431[]"


async def test_each_event_gets_its_own_acknowledgement(socketio: Endpoint) -> None:
    """Acknowledgement: ids tell apart what is under way at the same time; the sender may even use one twice."""
    async with await socketio.connect() as socket:
        socket.send(*(f'42{number % 5}["message-with-ack",{number}]' for number in range(20)))
        assert [await socket.text() for _ in range(20)] == [f"43{number % 5}[{number}]" for number in range(20)]


async def test_event_without_an_id_is_not_acknowledged(socketio: Endpoint) -> None:
    """Acknowledgement: "The sender MAY include an event ID in order to request an acknowledgement"."""
    async with await socketio.connect() as socket:
        socket.send('42["message",1]', '422["message-with-ack",3]')
        assert [await socket.text(), await socket.text()] == ['42["message-back",1]', "432[3]"]


async def test_acknowledgement_nobody_waits_for_is_ignored(socketio: Endpoint) -> None:
    """Acknowledgement: an unknown id may belong to an event whose sender has given up (reference server)."""
    async with await socketio.connect() as socket:
        socket.send("43999[1]", f"461-998[{ONE}]", b"\x01", '42["message"]')
        assert await socket.text() == '42["message-back"]'


async def test_event_with_attachments_comes_back(socketio: Endpoint) -> None:
    """Packet encoding: `52-["baz",{"_placeholder":true,"num":0},...]` "+ binary attachments extracted". Official case."""
    async with await socketio.connect() as socket:
        socket.send(f'452-["message",{ONE},{TWO}]', b"\x01\x02\x03", b"\x04\x05\x06")
        assert await socket.text() == f'452-["message-back",{ONE},{TWO}]'
        assert [await socket.recv(), await socket.recv()] == [b"\x01\x02\x03", b"\x04\x05\x06"]


async def test_acknowledgement_with_attachments(socketio: Endpoint) -> None:
    """Packet encoding: `61-15["bar",{"_placeholder":true,"num":0}]`. Official case."""
    async with await socketio.connect() as socket:
        socket.send(f'452-789["message-with-ack",{ONE},{TWO}]', b"\x01\x02\x03", b"\x04\x05\x06")
        assert await socket.text() == f"462-789[{ONE},{TWO}]"
        assert [await socket.recv(), await socket.recv()] == [b"\x01\x02\x03", b"\x04\x05\x06"]


async def test_attachments_in_a_custom_namespace(socketio: Endpoint) -> None:
    """Packet encoding: `52-/admin,["baz",...]`: attachments, then namespace, then id."""
    async with await socketio.connect("/custom") as socket:
        socket.send(f'451-/custom,12["message-with-ack",{ONE}]', b"\xff")
        assert await socket.text() == f"461-/custom,12[{ONE}]"
        assert await socket.recv() == b"\xff"


async def test_attachments_may_stand_anywhere_in_the_arguments(socketio: Endpoint) -> None:
    """Packet encoding: placeholders replace binary values at any depth, beside other values."""
    async with await socketio.connect() as socket:
        socket.send(f'452-["message",{{"a":[1,{ONE}],"b":{{"c":{TWO}}}}},"text"]', b"one", b"")
        assert await socket.text() == f'452-["message-back",{{"a":[1,{ONE}],"b":{{"c":{TWO}}}}},"text"]'
        assert [await socket.recv(), await socket.recv()] == [b"one", b""]


async def test_placeholders_name_attachments_by_number(socketio: Endpoint) -> None:
    """Packet encoding: "num" says which attachment, so they need not stand in order."""
    async with await socketio.connect() as socket:
        socket.send(f'452-["message",{TWO},{ONE}]', b"first", b"second")
        assert await socket.text() == f'452-["message-back",{ONE},{TWO}]'
        assert [await socket.recv(), await socket.recv()] == [b"second", b"first"]


async def test_attachments_over_polling_are_base64(socketio: Endpoint) -> None:
    """Packet encoding of Engine.IO: binary is "base64-encoded and prefixed with a b", in the payload or in the next."""
    session = await socketio.poll_session()
    await session.send("40")
    await session.receive(2)
    await session.send(f'452-["message",{ONE},{TWO}]', "bAQID", "bBAUG")
    assert await session.receive(3) == [f'452-["message-back",{ONE},{TWO}]', "bAQID", "bBAUG"]
    await session.send(f'451-3["message-with-ack",{ONE}]')
    await session.send("bAQID")
    assert await session.receive(2) == [f"461-3[{ONE}]", "bAQID"]


async def test_heartbeat_may_come_between_attachments(socketio: Endpoint) -> None:
    """Packet encoding: attachments follow in Engine.IO message packets; a pong is none and does not disturb them."""
    async with await socketio.connect() as socket:
        socket.send(f'452-["message",{ONE},{TWO}]', b"one", "3", "6", b"two")
        assert await socket.text() == f'452-["message-back",{ONE},{TWO}]'
        assert [await socket.recv(), await socket.recv()] == [b"one", b"two"]


async def test_large_attachment_comes_back_whole(socketio: Endpoint) -> None:
    """Packet encoding: an attachment may be as large as maxPayload."""
    async with await socketio.connect() as socket:
        data = bytes(range(250)) * 4_000
        socket.send(f'451-["message",{ONE}]', data)
        assert await socket.text() == f'451-["message-back",{ONE}]'
        assert await socket.recv() == data


@pytest.mark.parametrize("packet", ["4abc", "47", "48", "49", "4-1", "4", "4 ", '4é["message"]'])
async def test_unknown_packet_type_closes_the_connection(socketio: Endpoint, packet: str) -> None:
    """Exchange protocol: "the list of available packet types" ends at 6. The first is an official case."""
    await assert_closes(await socketio.connect(), packet)


@pytest.mark.parametrize(
    "payload",
    [
        "{}",
        '"message"',
        "[]",
        "[null]",
        "[{}]",
        "[true]",
        '[["message"]]',
        "[",
        '["message"',
        '["message"]]',
        "message",
    ],
)
async def test_invalid_event_payload_closes_the_connection(socketio: Endpoint, payload: str) -> None:
    """Sending data: "The payload is mandatory and MUST be a non-empty array. If that's not the case, then the receiver
    MUST close the connection". The first is an official case.
    """
    await assert_closes(await socketio.connect(), f"42{payload}")


@pytest.mark.node_deviates("hands an event without a payload to nobody and goes on")
@pytest.mark.parametrize("packet", ["42", "421", "42/,"])
async def test_event_without_a_payload_closes_the_connection(socketio: Endpoint, packet: str) -> None:
    """Sending data: "The payload is mandatory"."""
    async with await socketio.connect() as socket:
        socket.send(packet)
        with pytest.raises(ClosedError):
            await socket.recv(within=1)


@pytest.mark.parametrize(
    "identifier",
    ["abc", "-1", "1.5", "1a", pytest.param("1 2", marks=pytest.mark.node_deviates("takes a blank for the digit 0"))],
)
async def test_invalid_ack_id_closes_the_connection(socketio: Endpoint, identifier: str) -> None:
    """Exchange protocol: "optionally, an acknowledgment id (integer)". The first is an official case."""
    await assert_closes(await socketio.connect(), f'42{identifier}["message-with-ack",1,"2",{{"3":[false]}}]')


@pytest.mark.parametrize("payload", ["{}", '"text"', "1.5", "true", "null", "[1"])
async def test_invalid_ack_payload_closes_the_connection(socketio: Endpoint, payload: str) -> None:
    """Acknowledgement: "The payload is mandatory and MUST be an array (possibly empty)"."""
    await assert_closes(await socketio.connect(), f"43/,1{payload}" if payload[0].isdigit() else f"431{payload}")


@pytest.mark.parametrize(
    "name", ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]
)
async def test_reserved_event_name_closes_the_connection(socketio: Endpoint, name: str) -> None:
    """Sending data: names with a meaning of their own in the API are refused (reference parser)."""
    await assert_closes(await socketio.connect(), f'42["{name}"]')


@pytest.mark.parametrize(
    "count",
    ["", "x", "-", "1.5", "-1", "0", "1x"],
    ids=["none", "letter", "dash", "fraction", "negative", "zero", "1x"],
)
async def test_invalid_number_of_attachments_closes_the_connection(socketio: Endpoint, count: str) -> None:
    """Packet encoding: `[<# of binary attachments>-]`, a positive integer (reference parser)."""
    await assert_closes(await socketio.connect(), f'45{count}-["message",{ONE}]', b"\x01")


async def test_missing_number_of_attachments_closes_the_connection(socketio: Endpoint) -> None:
    """Packet encoding: a binary event says how many attachments follow."""
    await assert_closes(await socketio.connect(), f'45["message",{ONE}]', b"\x01")


async def test_absurd_number_of_attachments_closes_the_connection(socketio: Endpoint) -> None:
    """Packet encoding: what a server has to hold back is bounded (reference parser: 10 attachments)."""
    await assert_closes(await socketio.connect(), '451000000-["message"]')


@pytest.mark.parametrize("number", ["1", "-1", '"0"', HALF, "null", "1e9"])
async def test_placeholder_without_an_attachment_closes_the_connection(socketio: Endpoint, number: str) -> None:
    """Packet encoding: "num" is the index of an attachment of this packet."""
    packet = f'451-["message",{{"_placeholder":true,"num":{number}}}]'
    await assert_closes(await socketio.connect(), packet, b"\x01")


async def test_text_while_attachments_are_due_closes_the_connection(socketio: Endpoint) -> None:
    """Packet encoding: attachments come right behind their packet (reference parser)."""
    await assert_closes(await socketio.connect(), f'452-["message",{ONE},{TWO}]', b"\x01", '42["message"]')


async def test_binary_without_a_packet_closes_the_connection(socketio: Endpoint) -> None:
    """Packet encoding: an attachment belongs to a packet (reference parser)."""
    await assert_closes(await socketio.connect(), b"\x01")


async def test_one_attachment_too_many_closes_the_connection(socketio: Endpoint) -> None:
    """Packet encoding: "# of binary attachments" are all there are."""
    async with await socketio.connect() as socket:
        socket.send(f'451-["message",{ONE}]', b"\x01", b"\x02")
        assert (await socket.wait_closed()).code != 1006


async def test_event_for_a_namespace_not_entered_closes_the_connection(socketio: Endpoint) -> None:
    """Connection: CONNECT comes first, in each namespace (reference server: invalid state)."""
    await assert_closes(await socketio.connect(), '42/custom,["message",1]')


async def test_malformed_packet_closes_every_namespace_but_no_other_connection(socketio: Endpoint) -> None:
    """Sending data: "the receiver MUST close the connection", that one."""
    async with await socketio.connect() as other, await socketio.connect() as socket:
        socket.send("40/custom,", "42{}")
        await socket.wait_closed()
        other.send('42["message"]')
        assert await other.text() == '42["message-back"]'


async def test_malformed_packet_over_polling_closes_the_session(socketio: Endpoint) -> None:
    """Sending data: "the receiver MUST close the connection", on either transport."""
    session = await socketio.poll_session()
    await session.send("40")
    await session.receive(2)
    await session.post("42{}")
    await session.wait_gone()


async def test_connection_lost_between_attachments_harms_nobody(socketio: Endpoint) -> None:
    """Packet encoding: a packet that never completes is dropped."""
    async with await socketio.connect() as other:
        socket = await socketio.connect()
        socket.send(f'452-["message",{ONE},{TWO}]', b"\x01")
        socket.abort()
        other.send('42["message"]')
        assert await other.text() == '42["message-back"]'
