"""Redis as an engine: its URL, its guard, and that no exception of the driver leaks."""

import asyncio

import pytest

from parlour.platform.bus import BusUnavailable
from parlour.platform.redis import RedisEngine

from ..redis_server import RedisServer


async def test_answers_and_says_when_it_does_not(redis: RedisServer) -> None:
    engine = RedisEngine(redis.url, prefix="here:")
    await engine.check()
    await engine.call(lambda client: client.set(engine.key("a", "b"), "1"))
    assert redis.command("GET", "here:a:b") == "$1\r\n1\r\n"
    await asyncio.to_thread(redis.kill)
    with pytest.raises(BusUnavailable) as refused:
        await engine.check()
    assert refused.value.retry_after == 1
    for _ in range(6):
        with pytest.raises(BusUnavailable):
            await engine.call(lambda client: client.get("x"), repeatable=True)
    await asyncio.to_thread(redis.start)
    async with asyncio.timeout(30):
        while True:
            try:
                await engine.check()
                break
            except BusUnavailable:
                await asyncio.sleep(0.1)
    await engine.close()


async def test_what_redis_refuses_is_no_drivers_error(redis: RedisServer) -> None:
    engine = RedisEngine(redis.url)
    with pytest.raises(BusUnavailable):
        await engine.call(lambda client: client.execute_command("NO SUCH COMMAND"))
    with pytest.raises(BusUnavailable):
        await engine.script("return redis.call('NONE')")([], [])
    assert await engine.script("return {KEYS[1], ARGV[1]}")(["k"], ["a"]) == [b"k", b"a"]
    await engine.close()


async def test_user_password_and_database_of_the_url_are_used(redis: RedisServer) -> None:
    redis.command("ACL", "SETUSER", "ann", "on", ">p@ss", "~*", "&*", "+@all")
    host = redis.url.removeprefix("redis://").removesuffix("/0")
    engine = RedisEngine(f"redis://ann:p%40ss@{host}/3")
    assert await engine.call(lambda client: client.execute_command("ACL WHOAMI")) == "ann"
    assert (await engine.call(lambda client: client.client_info()))["db"] == 3
    await engine.close()
    wrong = RedisEngine(f"redis://ann:wrong@{host}/0")
    with pytest.raises(BusUnavailable):
        await wrong.check()
    await wrong.close()


async def test_a_server_that_hangs_is_given_up_in_time() -> None:
    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        engine = RedisEngine(f"redis://127.0.0.1:{port}/0", timeout=0.2)
        async with asyncio.timeout(20):
            with pytest.raises(BusUnavailable):
                await engine.check()
        await engine.close()


def test_the_url_is_checked_at_once() -> None:
    with pytest.raises(ValueError, match="redis://"):
        RedisEngine("http://localhost")
