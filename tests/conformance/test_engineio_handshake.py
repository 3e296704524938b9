"""Opening a session. Engine.IO v4, "Protocol / Handshake" and "Transports"; the error bodies are the reference server's."""

import json

import httpx
import pytest

from .endpoint import Endpoint
from .websocket import ClosedError, UpgradeRefusedError, WebSocket

KEYS = {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}


async def assert_refused(endpoint: Endpoint, **query: str) -> None:
    """The server either refuses the upgrade or closes the WebSocket at once."""
    with pytest.raises((UpgradeRefusedError, ClosedError)) as ending:
        await (await endpoint.websocket(**query)).recv()
    if isinstance(ending.value, UpgradeRefusedError):
        assert ending.value.status in {0, 400}


async def test_polling_answers_a_get_with_an_open_packet(either: Endpoint) -> None:
    """Handshake: "it MUST respond with an open packet with the following JSON-encoded payload". Official case."""
    response = await either.request(EIO="4", transport="polling")
    assert response.status_code == 200
    assert response.text[0] == "0"
    handshake = json.loads(response.text[1:])
    assert set(handshake) == KEYS
    assert isinstance(handshake["sid"], str)
    assert handshake["upgrades"] == ["websocket"]
    assert (handshake["pingInterval"], handshake["pingTimeout"], handshake["maxPayload"]) == (300, 200, 1_000_000)


async def test_websocket_sends_an_open_packet_that_offers_no_upgrade(either: Endpoint) -> None:
    """Handshake: "upgrades: the list of available transport upgrades", none from WebSocket. Official case."""
    async with await either.websocket() as socket:
        message = await socket.text()
    assert message[0] == "0"
    handshake = json.loads(message[1:])
    assert set(handshake) == KEYS
    assert isinstance(handshake["sid"], str)
    assert handshake["upgrades"] == []
    assert (handshake["pingInterval"], handshake["pingTimeout"], handshake["maxPayload"]) == (300, 200, 1_000_000)


async def test_open_packet_is_plain_text_in_utf8(engine: Endpoint) -> None:
    """Packet encoding: "The character encoding is UTF-8 for plain text"."""
    response = await engine.request(EIO="4", transport="polling")
    assert response.headers["content-type"].lower() == "text/plain; charset=utf-8"


async def test_sessions_have_different_ids(engine: Endpoint) -> None:
    """Handshake: "sid: the session ID"; at least 15 random bytes, or one could poll another's session."""
    ids = {(await engine.poll_session()).sid for _ in range(20)}
    assert len(ids) == 20
    assert min(map(len, ids)) >= 20


async def test_unknown_query_parameters_are_ignored(engine: Endpoint) -> None:
    """Sample session: "the t query param is used to ensure that the request is not cached by the browser"."""
    response = await engine.request(t="N8hyd6w", b64="1", EIO="4", transport="polling")
    assert response.status_code == 200


@pytest.mark.parametrize("query", [{"transport": "polling"}, {"EIO": "abc", "transport": "polling"}], ids=str)
async def test_polling_refuses_an_invalid_protocol_version(either: Endpoint, query: dict[str, str]) -> None:
    """Query parameters: "If a mandatory query parameter is missing, the server MUST respond with 400". Official case."""
    response = await either.request(**query)
    assert response.status_code == 400
    assert response.json() == {"code": 5, "message": "Unsupported protocol version"}


async def test_polling_refuses_the_third_protocol_version(engine: Endpoint) -> None:
    """Query parameters: "EIO: 4, mandatory, the version of the protocol"."""
    response = await engine.request(EIO="3", transport="polling")
    assert response.status_code == 400
    assert response.json()["code"] == 5


@pytest.mark.parametrize("query", [{"EIO": "4"}, {"EIO": "4", "transport": "abc"}], ids=str)
async def test_polling_refuses_an_invalid_transport(either: Endpoint, query: dict[str, str]) -> None:
    """Query parameters: "transport: mandatory, the name of the transport". Official case."""
    response = await either.request(**query)
    assert response.status_code == 400
    assert response.json() == {"code": 0, "message": "Transport unknown"}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_polling_refuses_any_method_but_get(either: Endpoint, method: str) -> None:
    """Handshake: "the client MUST send an HTTP GET request". Official case."""
    response = await either.request(method, EIO="4", transport="polling")
    assert response.status_code == 400
    assert response.json() == {"code": 2, "message": "Bad handshake method"}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_polling_refuses_an_unknown_session_id(either: Endpoint, method: str) -> None:
    """Sending and Receiving data: "The server MUST return an HTTP 400 response if the session ID is not known"."""
    response = await either.request(method, EIO="4", transport="polling", sid="unknown")
    assert response.status_code == 400
    assert response.json() == {"code": 1, "message": "Session ID unknown"}


async def test_polling_refuses_another_protocol_version_on_an_open_session(engine: Endpoint) -> None:
    """Query parameters: EIO stays mandatory on every request. The session is unharmed."""
    session = await engine.poll_session()
    response = await engine.request(EIO="3", transport="polling", sid=session.sid)
    assert response.status_code == 400
    assert await session.is_open()


async def test_websocket_transport_needs_an_upgrade_request(either: Endpoint) -> None:
    """Handshake: a WebSocket-only session starts with HTTP 101, so a plain GET is a bad request."""
    response = await either.request(EIO="4", transport="websocket")
    assert response.status_code == 400
    assert response.json() == {"code": 3, "message": "Bad request"}


@pytest.mark.parametrize("query", [{"transport": "websocket"}, {"EIO": "abc", "transport": "websocket"}], ids=str)
async def test_websocket_refuses_an_invalid_protocol_version(either: Endpoint, query: dict[str, str]) -> None:
    """WebSocket: "If a mandatory query parameter is missing, the server MUST close the connection". Official case."""
    await assert_refused(either, **query)


@pytest.mark.parametrize("query", [{"EIO": "4"}, {"EIO": "4", "transport": "abc"}], ids=str)
async def test_websocket_refuses_an_invalid_transport(either: Endpoint, query: dict[str, str]) -> None:
    """WebSocket: "transport: websocket, mandatory". Official case."""
    await assert_refused(either, **query)


async def test_websocket_refuses_the_name_of_the_other_transport(either: Endpoint) -> None:
    """WebSocket: "transport: websocket"; polling cannot be spoken over an upgraded connection."""
    await assert_refused(either, EIO="4", transport="polling")


async def test_websocket_refuses_an_unknown_session_id(either: Endpoint) -> None:
    """WebSocket: "sid: the session identifier"; an unknown one is refused as on polling."""
    await assert_refused(either, EIO="4", transport="websocket", sid="unknown")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-WebSocket-Version": "12"},
        {"Sec-WebSocket-Key": ""},
        {"Sec-WebSocket-Key": "too short"},
        {"Sec-WebSocket-Version": ""},
    ],
    ids=str,
)
async def test_websocket_refuses_a_malformed_upgrade_request(either: Endpoint, headers: dict[str, str]) -> None:
    """RFC 6455 section 4.2.1: the version is 13 and the key 16 bytes in base64, or the server answers with an error."""
    with pytest.raises(UpgradeRefusedError) as refused:
        await either.websocket(headers=headers)
    assert refused.value.status in {400, 405, 426}


async def test_header_names_and_upgrade_token_are_case_insensitive(either: Endpoint) -> None:
    """RFC 6455 section 4.2.1: "containing the value websocket treated as an ASCII case-insensitive value"."""
    headers = {"Upgrade": "WebSocket", "Connection": "keep-alive, upgrade", "Origin": "http://somewhere.example"}
    async with await either.websocket(headers=headers) as socket:
        assert (await socket.text())[0] == "0"


async def test_no_compression_is_negotiated_by_default(either: Endpoint) -> None:
    """WebSocket: permessage-deflate is off, as in the reference server, even for a client that offers it."""
    headers = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    async with await either.websocket(headers=headers) as socket:
        assert "sec-websocket-extensions" not in socket.headers
        assert (await socket.text())[0] == "0"


async def test_frames_that_come_with_the_upgrade_request_are_handled(engine: Endpoint, http: httpx.AsyncClient) -> None:
    """RFC 6455 section 4.1 lets a server take frames at once; those in the request's own segment must not get lost."""
    async with await engine.websocket() as socket:
        socket.send("4first", "4second")
        assert (await socket.text())[0] == "0"
        assert [await socket.text(), await socket.text()] == ["4first", "4second"]


async def test_two_websockets_are_two_sessions(engine: Endpoint) -> None:
    """Handshake: each WebSocket without a sid opens a session; what one sends only that one gets back."""
    one: WebSocket
    async with await engine.open_websocket() as one, await engine.open_websocket() as other:
        one.send("4one")
        other.send("4other")
        assert await other.text() == "4other"
        assert await one.text() == "4one"
