"""Answers between nodes over Redis: they arrive in order, and who waits hears of it when some may have been lost."""

import asyncio
from collections.abc import Callable

from parlour.chat.adapters.redis_answers import RedisAnswers
from parlour.realtime.redis_line import RedisLine

from ..redis_server import RedisProxy, RedisServer


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - whatever it is that comes to be
            await asyncio.sleep(0.005)


async def test_they_arrive_and_what_may_be_lost_is_told_once_they_can_arrive_again(redis: RedisServer) -> None:
    prefix = redis.prefix()
    async with RedisProxy(redis) as proxy:
        lines = {"here": RedisLine(proxy.url, prefix=prefix), "there": RedisLine(redis.url, prefix=prefix)}
        here, there = (RedisAnswers(line, name) for name, line in lines.items())
        heard: list[bytes] = []
        losses: list[None] = []
        unlisten = here.listen(heard.append, lambda: losses.append(None))
        for line in lines.values():
            await line.start()
        assert await lines["here"].settled()
        there.send("here", b"1")
        here.send("here", b"own")
        there.send("here", b"2")
        await until(lambda: len(heard) == 3)
        assert [each for each in heard if each != b"own"] == [b"1", b"2"]

        before = len(losses)
        proxy.cut = True
        proxy.disconnect()
        await until(lambda: not lines["here"].connected)
        there.send("here", b"lost")
        proxy.cut = False
        await until(lambda: len(losses) > before)
        there.send("here", b"3")
        await until(lambda: heard[-1] == b"3")
        assert b"lost" not in heard

        unlisten()
        for line in lines.values():
            await line.close()
