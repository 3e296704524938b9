"""The keys of access tokens as a process without the auth service knows them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from parlour.auth.http import router
from parlour.auth.model import SECOND, Lifetimes
from parlour.platform import jwks
from parlour.platform.errors import Unavailable
from parlour.platform.health import Health
from parlour.platform.http import create_application
from parlour.platform.jwks import JwksKeys
from parlour.platform.services import ServiceClient
from parlour.platform.tokens import TokenInvalid, TokenVerifier

from ..http_services import SECRET, SayingServer, ServedApplication, saying
from ..unit.auth.world import World, a_world

X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
GOOD = {"kty": "OKP", "crv": "Ed25519", "x": X, "kid": "one", "use": "sig", "alg": "EdDSA"}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - whatever it is that comes to be
            await asyncio.sleep(0.005)


def said(*keys: object) -> bytes:
    return msgspec.json.encode({"keys": keys})


@contextlib.asynccontextmanager
async def keys_of(url: str, interval: float = 0.01) -> AsyncIterator[JwksKeys]:
    client = ServiceClient("auth", url, SECRET)
    yield JwksKeys(client, interval=interval)
    await client.close()


@contextlib.asynccontextmanager
async def looking(keys: JwksKeys) -> AsyncIterator[None]:
    task = asyncio.create_task(keys.run())
    yield
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.fixture
async def auth(world: World) -> AsyncIterator[ServedApplication]:
    application = create_application([router(world.auth)], world.auth.verifier, Health("0", world.clock), version="0")
    async with ServedApplication(application) as served:
        yield served


async def test_tokens_are_verified_through_a_rotation_without_a_gap(world: World, auth: ServedApplication) -> None:
    async with keys_of(auth.url) as keys:
        await keys.start()
        verifier = TokenVerifier(keys, world.clock)
        ann = await world.register("ann")
        assert verifier.verify(ann.access_token).username == "ann"
        [before] = keys.public_keys()
        async with looking(keys):
            after = await world.auth.keys.rotate()
            await until(lambda: keys.public_keys().keys() == {before, after})
            signed = await world.register("ben")
            assert world.auth.keys.signing_kid(world.clock.now()) == before
            world.clock.advance(5)
            assert world.auth.keys.signing_kid(world.clock.now()) == after
            later = await world.register("cem")
            for token in (ann, signed, later):
                assert verifier.verify(token.access_token).user_id == token.user.id
            world.clock.advance(Lifetimes().access / SECOND + 31)
            fresh = await world.register("dan")
            await world.auth.keys.load()
            await until(lambda: keys.public_keys().keys() == {after})
            assert verifier.verify(fresh.access_token).username == "dan"
            with pytest.raises(TokenInvalid):
                TokenVerifier(keys, world.clock).verify(ann.access_token)


def test_a_new_key_is_here_before_it_signs() -> None:
    """By 2 s of auth/service/watch.py for keys, and the 0.5 s of its looks."""
    assert Lifetimes().key_lead / SECOND >= 2.0 + 0.5 + jwks.INTERVAL + 1.0


async def test_the_first_keys_are_waited_for(
    world: World, auth: ServedApplication, caplog: pytest.LogCaptureFixture
) -> None:
    await auth.stop()
    async with keys_of(auth.url) as keys:
        starting = asyncio.create_task(keys.start())
        await until(lambda: "waiting for the auth service" in caplog.text)
        with pytest.raises(Unavailable):
            await keys.look()
        assert not starting.done()
        await auth.start()
        await asyncio.wait_for(starting, 60)
        assert keys.public_keys().keys() == world.auth.keys.public_keys().keys()
    assert caplog.text.count("waiting for the auth service") == 1


async def test_while_auth_is_away_the_keys_stay(
    world: World, auth: ServedApplication, caplog: pytest.LogCaptureFixture
) -> None:
    ann = await world.register("ann")
    async with keys_of(auth.url) as keys:
        await keys.start()
        async with looking(keys):
            await auth.stop()
            await until(lambda: "does not tell its keys" in caplog.text)
            assert TokenVerifier(keys, world.clock).verify(ann.access_token).username == "ann"
            kid = await world.auth.keys.rotate()
            await auth.start()
            await until(lambda: kid in keys.public_keys())
            await auth.stop()
            await until(lambda: caplog.text.count("does not tell its keys") == 2)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        said(),
        said({**GOOD, "kty": "RSA"}),
        said({**GOOD, "crv": "X25519"}),
        said({**GOOD, "x": X[1:]}),
        said({**GOOD, "x": X[:-1] + "="}),
        said({**GOOD, "x": X + "\n"}),
        said({**GOOD, "x": None}),
        said({**GOOD, "kid": ""}),
        said(GOOD, "two"),
        said(*[GOOD] * 1_001),
    ],
    ids=lambda body: str(body)[:40],
)
async def test_what_is_no_set_of_keys_is_not_taken_over(body: bytes) -> None:
    async with SayingServer(saying("200 OK", body)) as server, keys_of(server.url) as keys:
        starting = asyncio.create_task(keys.start())
        await until(lambda: server.asked > 1)
        assert not keys.public_keys()
        server.say = saying("200 OK", said(GOOD))
        await asyncio.wait_for(starting, 30)
        server.say = saying("200 OK", body)
        with pytest.raises(Unavailable):
            await keys.look()
        assert keys.public_keys().keys() == {"one"}


async def test_no_cache_on_the_way_is_asked() -> None:
    async with SayingServer(saying("200 OK", said(GOOD))) as server, keys_of(server.url) as keys:
        await keys.look()
    [head] = server.heads
    assert head.startswith(b"GET /.well-known/jwks.json HTTP/1.1\r\n")
    assert b"cache-control: no-cache\r\n" in head.lower()
