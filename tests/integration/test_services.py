"""What one service asks of another over HTTP, and what it is told while that one is away, hangs, or talks nonsense."""

import asyncio
import contextlib
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from parlour.platform.errors import Internal, Unavailable
from parlour.platform.logging import correlation_id
from parlour.platform.services import MAX_REQUEST, ServiceClient, require_service

from ..http_services import SECRET, SayingServer, ServedApplication, saying
from ..nginx_server import Certificate
from ..ports import free_port
from .service_until_killed import Question, application
from .whole_server import PORTS

ECHO = "/internal/echo/echo"
Clients = Callable[..., ServiceClient]


class Answer(msgspec.Struct):
    number: int


async def ask(client: ServiceClient, number: int = 1, seconds: int = 0, *, repeatable: bool = False) -> int:
    return (await client.call(ECHO, Question(number, seconds), Answer, repeatable=repeatable)).number


@pytest.fixture
async def client_of() -> AsyncIterator[Clients]:
    made: list[ServiceClient] = []

    def make(url: str, secret: str = SECRET, **options: Any) -> ServiceClient:
        made.append(ServiceClient("echo", url, secret, **options))
        return made[-1]

    yield make
    for client in made:
        await client.close()


@pytest.fixture
async def service() -> AsyncIterator[ServedApplication]:
    async with ServedApplication(application(SECRET)) as served:
        yield served


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "parlour.platform.services"]


async def test_an_answer_comes_over_a_connection_that_is_kept(client_of: Clients) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(3):
            body = await reader.readexactly(len(msgspec.json.encode(Question(number))))
            answer = msgspec.json.encode(Answer(msgspec.json.decode(body, type=Question).number))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
            server.heads.append(await reader.readuntil(b"\r\n\r\n"))

    async with SayingServer(say) as server:
        client = client_of(server.url)
        token = correlation_id.set("0123456789")
        assert [await ask(client, number) for number in range(3)] == [0, 1, 2]
        correlation_id.reset(token)
    assert server.asked == 1
    assert all(b"x-request-id: 0123456789\r\n" in head.lower() for head in server.heads)
    assert server.heads[0].startswith(b"POST /internal/echo/echo HTTP/1.1\r\n")
    assert b"accept-encoding: identity\r\n" in server.heads[0].lower(), "the bound of an answer is that of what it says"


async def test_many_ask_at_once_and_no_more_connections_are_open_than_may_be(client_of: Clients) -> None:
    open_now = most = 0

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await saying("200 OK", b'{"number":7}')(reader, writer)
        open_now -= 1

    async with SayingServer(say) as server:
        client = client_of(server.url, connections=3, timeout=30.0)
        assert await asyncio.gather(*(ask(client) for _ in range(60))) == [7] * 60
    assert 1 <= most <= 3


async def test_the_other_side_lets_in_who_has_the_secret(service: ServedApplication, client_of: Clients) -> None:
    client = client_of(service.url)
    await client.check()
    assert await ask(client, 5) == 5


async def test_who_has_another_secret_is_told_so_and_the_operator_once(
    service: ServedApplication, client_of: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(service.url, "another")
    for _ in range(7):
        with pytest.raises(Unavailable):
            await ask(client, repeatable=True)
        with pytest.raises(Unavailable):
            await client.check()
    [complaint] = complaints(caplog)
    assert "PARLOUR_SERVICE_SECRET" in complaint
    assert "another" not in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 404, "not_found"),
        ({"authorization": "Bearer x"}, 401, "service_secret_wrong"),
        ({"authorization": SECRET}, 401, "service_secret_wrong"),
        ({"authorization": f"bearer {SECRET}"}, 401, "service_secret_wrong"),
        ({"authorization": f"Bearer {SECRET}x"}, 401, "service_secret_wrong"),
        ({"authorization": "Bearer ü".encode()}, 401, "service_secret_wrong"),
        ({"authorization": b"\xff\xfe"}, 401, "service_secret_wrong"),
    ],
)
async def test_strangers_find_nothing(headers: Any, status: int, code: str) -> None:
    transport = httpx.ASGITransport(application(SECRET))
    async with httpx.AsyncClient(transport=transport, base_url="http://parlour.test") as http:
        for answer in (
            await http.post(ECHO, json={"number": 1, "seconds": 0}, headers=headers),
            await http.post(ECHO, content=b"x" * (MAX_REQUEST + 1), headers=headers),
            await http.get("/internal/echo", headers=headers),
        ):
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        unknown = await http.post("/internal/nothing")
        assert answer.json() == unknown.json() or status == 401


async def test_a_question_has_a_bound(service: ServedApplication) -> None:
    async with httpx.AsyncClient(base_url=service.url, headers={"authorization": f"Bearer {SECRET}"}) as http:
        answer = await http.post(ECHO, content=b'{"number":1,"seconds":0}'.ljust(MAX_REQUEST + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_no_schema_tells_of_the_routes() -> None:
    assert not application(SECRET).openapi_schema.paths


@pytest.mark.parametrize("secret", ["", " padded", "line\nbreak", "ümlaut"])
def test_a_secret_that_cannot_stand_in_a_header_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        require_service(secret)
    with pytest.raises(ValueError, match="secret"):
        ServiceClient("echo", "http://localhost", secret)


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://localhost", "http://", "http://\n"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address of the echo service"):
        ServiceClient("echo", url, SECRET)


async def test_an_error_there_is_unavailable_here_and_what_may_be_repeated_is(client_of: Clients) -> None:
    async with SayingServer(saying("500 Internal Server Error", b"oh")) as server:
        client = client_of(server.url)
        with pytest.raises(Unavailable) as raised:
            await ask(client)
        assert raised.value.retry_after
        assert server.asked == 1
        with pytest.raises(Unavailable):
            await ask(client, repeatable=True)
        assert server.asked == 4
        server.say = saying("200 OK", b'{"number":7}')
        assert await ask(client) == 7


async def test_while_it_fails_it_is_left_alone_and_the_log_has_a_line(
    client_of: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with SayingServer(saying("503 Service Unavailable", b"")) as server:
        client = client_of(server.url)
        for _ in range(20):
            with pytest.raises(Unavailable):
                await ask(client)
        assert server.asked < 20
        assert complaints(caplog) == ["the echo service is of no use: it does not answer"]
        server.say = saying("200 OK", b'{"number":7}')
        await until_answered(client)
    assert complaints(caplog)[1:] == ["the echo service is of use again"]


async def test_a_certificate_is_believed_where_the_system_knows_its_authority(
    client_of: Clients, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = Certificate(tmp_path)
    context.load_cert_chain(certificate.file, certificate.key_file)
    server = await asyncio.start_server(saying("200 OK", b'{"number":7}'), "127.0.0.1", 0, ssl=context)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
    strange = client_of(url)
    for _ in range(5):
        with pytest.raises(Unavailable):
            await ask(strange)
    [record] = [record for record in caplog.records if record.name == "parlour.platform.services"]
    assert "CERTIFICATE_VERIFY_FAILED" in record.__dict__["error"]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority_file))
    assert await ask(client_of(url)) == 7
    server.close()


async def until_answered(client: ServiceClient) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(Unavailable):
                await ask(client)
                return
            await asyncio.sleep(0.05)


async def test_one_that_hangs_holds_up_nobody_for_longer_than_the_timeout(client_of: Clients) -> None:
    gone = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await gone.wait()

    async def trickle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with SayingServer(hang) as server:
        client = client_of(server.url, timeout=0.3, connections=2)
        for say in (hang, trickle):
            server.say = say
            async with asyncio.timeout(30):
                answers = await asyncio.gather(*(ask(client) for _ in range(10)), return_exceptions=True)
            assert {type(answer) for answer in answers} == {Unavailable}
            server.say = saying("200 OK", b'{"number":7}')
            await until_answered(client)
        assert await asyncio.gather(*(ask(client) for _ in range(10))) == [7] * 10
        gone.set()


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        ("200 OK", b"<html>", ()),
        ("200 OK", b"", ()),
        ("200 OK", b'{"number":"seven"}', ()),
        ("200 OK", b"[" * 100_000, ()),
        ("200 OK", b"\x1f\x8b\x08\x00", ("Content-Encoding: gzip",)),
        ("204 No Content", b"", ()),
        ("302 Found", b"", ("Location: http://127.0.0.1:1/",)),
        ("401 Unauthorized", b"who are you?", ()),
        ("404 Not Found", b'{"error":{"code":"not_found","message":""}}', ()),
        ("429 Too Many Requests", b"", ("Retry-After: 100",)),
    ],
    ids=lambda value: str(value)[:24],
)
async def test_what_is_no_answer_is_unavailable_and_told_once(
    client_of: Clients, caplog: pytest.LogCaptureFixture, status: str, body: bytes, headers: tuple[str, ...]
) -> None:
    async with SayingServer(saying(status, body, *headers)) as server:
        client = client_of(server.url)
        for _ in range(7):
            with pytest.raises(Unavailable):
                await ask(client, repeatable=True)
        assert server.asked == 7, "an answer that will not change is not asked for again"
        assert len(complaints(caplog)) == 1
        server.say = saying("200 OK", b'{"number":7}')
        assert await ask(client) == 7
        server.say = saying(status, body, *headers)
        with pytest.raises(Unavailable):
            await ask(client)
        assert len(complaints(caplog)) == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000,
        b"",
    ],
    ids=["garbage", "half", "bad-chunk", "endless-head", "nothing"],
)
async def test_what_is_no_http_is_unavailable(client_of: Clients, raw: bytes) -> None:
    async def say(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    async with SayingServer(say) as server:
        client = client_of(server.url)
        with pytest.raises(Unavailable):
            await ask(client)
        with pytest.raises(Unavailable):
            await client.check()


async def test_more_than_an_answer_may_have_is_not_read(client_of: Clients, caplog: pytest.LogCaptureFixture) -> None:
    sent = 0

    async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b" " * 65_536)
            await writer.drain()
            sent += 65_536

    async with SayingServer(pour) as server:
        client = client_of(server.url, largest=100_000, timeout=60.0)
        with pytest.raises(Unavailable):
            await ask(client)
    assert sent < 60_000_000
    assert len(complaints(caplog)) == 1


async def test_a_question_that_does_not_fit_is_a_fault_of_ours(
    service: ServedApplication, client_of: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    class Other(msgspec.Struct):
        other: int = 1

    with pytest.raises(Internal):
        await client_of(service.url).call(ECHO, Other(), Answer, repeatable=True)
    assert "malformed" in complaints(caplog)[0]


@contextlib.contextmanager
def killable(port: int) -> Iterator[Callable[[], "asyncio.Future[asyncio.subprocess.Process]"]]:
    started: list[asyncio.subprocess.Process] = []

    async def start() -> asyncio.subprocess.Process:
        program = str(Path(__file__).with_name("service_until_killed.py"))
        started.append(await asyncio.create_subprocess_exec(sys.executable, program, str(port), SECRET))
        return started[-1]

    try:
        yield start
    finally:
        for process in started:
            with contextlib.suppress(ProcessLookupError):
                process.kill()


async def test_one_that_is_killed_is_found_again_when_it_is_back(client_of: Clients) -> None:
    port = free_port(PORTS)
    client = client_of(f"http://127.0.0.1:{port}", timeout=60.0)
    with pytest.raises(Unavailable):
        await ask(client)
    with killable(port) as start:
        process = await start()
        await until_answered(client)
        waiting = [asyncio.create_task(ask(client, seconds=600)) for _ in range(3)]
        await asyncio.sleep(0)
        assert await ask(client, 2) == 2
        process.send_signal(signal.SIGKILL)
        await process.wait()
        assert {type(each) for each in await asyncio.gather(*waiting, return_exceptions=True)} == {Unavailable}
        with pytest.raises(Unavailable):
            await ask(client, repeatable=True)
        process = await start()
        await until_answered(client)
        process.kill()
        await process.wait()
