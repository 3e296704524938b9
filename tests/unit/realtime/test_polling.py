"""Long-polling beyond what the conformance tests hold: what an application and an operator see."""

import asyncio
from typing import Any

import httpx
import pytest

from parlour.realtime import CorsPolicy, Limits, Server, SessionCookie


class Session:
    """A client on long-polling."""

    def __init__(self, site: Any, client: httpx.AsyncClient) -> None:
        self.client = client
        self.url = f"{site.url}?EIO=4&transport=polling"

    async def open(self) -> "Session":
        answer = await self.client.get(self.url)
        sid = answer.text[1:].split('"sid":"')[1].split('"')[0]
        self.url += f"&sid={sid}"
        await self.post("40")
        assert (await self.poll()).startswith("40{")
        return self

    async def post(self, body: str) -> httpx.Response:
        return await self.client.post(self.url, content=body)

    async def poll(self) -> str:
        return (await self.client.get(self.url)).text


@pytest.fixture
async def client() -> Any:
    async with httpx.AsyncClient() as client:
        yield client


async def test_a_broadcast_reaches_both_transports(serve: Any, client: httpx.AsyncClient) -> None:
    server = Server()
    site = await serve(server)
    session, peer = await Session(site, client).open(), await site.connect()
    server.emit("m", 1, b"\x01")
    server.emit("n")
    assert await peer.take(3) == ['451-["m",1,{"_placeholder":true,"num":0}]', b"\x01", '42["n"]']
    assert await session.poll() == '451-["m",1,{"_placeholder":true,"num":0}]\x1ebAQ==\x1e42["n"]'


async def test_volatile_packets_need_a_waiting_poll(serve: Any, client: httpx.AsyncClient, until: Any) -> None:
    server = Server()
    site = await serve(server)
    session = await Session(site, client).open()
    (socket,) = server.of("/").sockets.values()
    server.of("/").volatile.emit("lost")
    socket.volatile.emit("lost, too")
    poll = asyncio.ensure_future(session.poll())
    await until(lambda: socket.connection.writable)
    server.of("/").volatile.emit("caught")
    assert await poll == '42["caught"]'


async def test_the_last_words_of_a_closed_session_wait_for_the_next_poll(serve: Any, client: httpx.AsyncClient) -> None:
    server = Server()
    site = await serve(server)
    session = await Session(site, client).open()
    (socket,) = server.of("/").sockets.values()
    socket.emit("bye")
    socket.disconnect(close=True)
    assert await session.poll() == '42["bye"]\x1e41\x1e1'
    assert (await client.get(session.url)).json() == {"code": 1, "message": "Session ID unknown"}


async def test_a_client_that_never_polls_is_cut_off_at_the_bound(
    serve: Any, client: httpx.AsyncClient, until: Any
) -> None:
    server = Server(limits=Limits(max_outbox_bytes=10_000))
    site = await serve(server)
    await Session(site, client).open()
    server.emit("m", "x" * 20_000)  # whatever its size, one answer may wait
    await asyncio.sleep(0.01)
    assert site.engine.connections
    server.emit("m")
    await until(lambda: not site.engine.connections)


async def test_a_post_is_answered_when_its_packets_are_no_longer_held_back(
    serve: Any, client: httpx.AsyncClient
) -> None:
    server = Server(limits=Limits(max_waiting_packets=2))
    gate = asyncio.Event()
    handled = []

    @server.on("m")
    async def message(_: Any, number: int) -> None:
        await gate.wait()
        handled.append(number)

    session = await Session(await serve(server), client).open()
    post = asyncio.ensure_future(session.post("\x1e".join(f'42["m",{number}]' for number in range(10))))
    done, _ = await asyncio.wait((post,), timeout=0.05)
    assert not done
    gate.set()
    assert (await post).text == "ok"
    assert handled[:8] == list(range(8))


async def test_what_waited_for_a_poll_moves_to_the_websocket(serve: Any, client: httpx.AsyncClient) -> None:
    server = Server()
    site = await serve(server)
    session = await Session(site, client).open()
    peer = await site.websocket(session.url.split("?")[1].replace("polling", "websocket"))
    peer.send("2probe")
    assert await peer.next() == "3probe"
    server.emit("waited")
    await asyncio.sleep(0)
    peer.send("5")
    assert await peer.next() == '42["waited"]'
    server.emit("direct")
    assert await peer.next() == '42["direct"]'


async def test_a_probe_that_goes_away_leaves_the_session_on_polling(
    serve: Any, client: httpx.AsyncClient, until: Any
) -> None:
    server = Server()
    site = await serve(server)
    session = await Session(site, client).open()
    (connection,) = site.engine.connections.values()
    query = session.url.split("?")[1].replace("polling", "websocket")
    peer = await site.websocket(query)
    peer.send("2probe")
    assert await peer.next() == "3probe"
    peer.transport.disconnect()
    await until(lambda: not connection.session.probing)
    server.emit("still here")
    assert await session.poll() == '42["still here"]'
    again = await site.websocket(query)  # and it may be tried again
    again.send("2probe")
    assert await again.next() == "3probe"


async def test_answers_are_compressed_when_asked_for_and_worth_it(serve: Any, client: httpx.AsyncClient) -> None:
    server = Server(compress_http=True)
    session = await Session(await serve(server), client).open()
    server.emit("m", "x" * 5_000)
    answer = await client.get(session.url)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text == f'42["m","{"x" * 5_000}"]'
    server.emit("m")
    assert "content-encoding" not in (await client.get(session.url)).headers


async def test_the_session_cookie_names_the_session(serve: Any, client: httpx.AsyncClient) -> None:
    site = await serve(Server(cookie=SessionCookie(name="io", secure=True, max_age=60)))
    answer = await client.get(f"{site.url}?EIO=4&transport=polling")
    (sid,) = site.engine.connections
    assert answer.headers["set-cookie"] == f"io={sid}; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax"


async def test_preflights_are_answered(serve: Any, client: httpx.AsyncClient) -> None:
    site = await serve(Server(cors=CorsPolicy(origins=("https://a.example",), max_age=600, expose_headers="x-a")))
    answer = await client.options(
        site.url, headers={"origin": "https://a.example", "access-control-request-headers": "content-type"}
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert answer.headers["access-control-allow-headers"] == "content-type"
    assert answer.headers["access-control-max-age"] == "600"
    assert answer.headers["vary"] == "Origin, Access-Control-Request-Headers"


async def test_bodies_past_the_maximum_get_413_and_the_session_lives_on(serve: Any, client: httpx.AsyncClient) -> None:
    site = await serve(Server(max_payload=1_000))
    session = await Session(site, client).open()

    async def chunks() -> Any:
        for _ in range(3):
            yield b"4" * 600

    for content in ("4" * 2_000, chunks()):
        answer = await client.post(session.url, content=content)
        assert answer.status_code == 413
    assert len(site.engine.connections) == 1


async def test_a_body_that_does_not_come_ends_the_session(serve: Any, client: httpx.AsyncClient, until: Any) -> None:
    site = await serve(Server(limits=Limits(request_body_timeout=0.03)))
    session = await Session(site, client).open()
    _, writer = await asyncio.open_connection("127.0.0.1", site.port)
    target = session.url.split(str(site.port))[1]
    writer.write(f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4".encode())
    await until(lambda: not site.engine.connections)
    writer.close()


async def test_other_paths_are_not_found(serve: Any, client: httpx.AsyncClient) -> None:
    site = await serve(Server())
    answer = await client.get(f"http://127.0.0.1:{site.port}/elsewhere?EIO=4&transport=polling")
    assert answer.status_code == 404


async def test_a_session_that_ends_takes_its_probing_websocket_along(serve: Any, client: httpx.AsyncClient) -> None:
    site = await serve(Server())
    session = await Session(site, client).open()
    peer = await site.websocket(session.url.split("?")[1].replace("polling", "websocket"))
    peer.send("2probe")
    assert await peer.next() == "3probe"
    assert (await session.post("1")).text == "ok"
    await peer.until_closed()
