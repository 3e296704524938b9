"""Signing keys: the first, rotation with an overlap, and what other processes rotate."""

from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from parlour.auth.adapters.sql import SqlKeyStore
from parlour.auth.model import Lifetimes
from parlour.auth.service import KeyRing
from parlour.platform.tokens import TokenExpired, TokenInvalid

from .world import ORIGIN, ManualClock, World, a_world


def kids(world: World) -> list[str]:
    return [key["kid"] for key in world.auth.keys.jwks()["keys"]]


async def test_the_key_set_verifies_tokens_and_holds_no_private_part(world: World) -> None:
    grant = await world.register()
    published = world.auth.keys.jwks()
    [key] = published["keys"]
    assert key.keys() == {"kty", "crv", "x", "kid", "use", "alg"}
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("OKP", "Ed25519", "sig", "EdDSA")
    token = jwt.decode(grant.access_token, KeySet.import_key_set(published), algorithms=["EdDSA"])
    assert token.header == {"alg": "EdDSA", "kid": key["kid"], "typ": "JWT"}
    assert token.claims == {
        "iss": "parlour",
        "sub": grant.user.id,
        "sid": world.principal(grant).session_id,
        "name": "ann",
        "role": "owner",
        "iat": world.clock.now() // 1000,
        "exp": world.clock.now() // 1000 + 600,
    }


async def test_a_rotated_key_is_published_before_it_signs(world: World) -> None:
    [old] = kids(world)
    new = await world.auth.keys.rotate()
    assert kids(world) == [old, new]
    assert world.auth.keys.signing_kid(world.clock.now()) == old
    world.clock.advance(5)
    assert world.auth.keys.signing_kid(world.clock.now()) == new


async def test_the_old_key_verifies_until_its_last_token_expired(world: World) -> None:
    [old] = kids(world)
    await world.auth.keys.rotate()
    world.clock.advance(4.9)
    last = await world.register()
    world.clock.advance(599)
    await world.auth.keys.load()
    assert world.principal(last)
    world.clock.advance(60)
    await world.auth.keys.load()
    assert old not in kids(world)
    with pytest.raises((TokenInvalid, TokenExpired)):
        world.principal(last)
    assert world.principal(await world.auth.sessions.refresh(last.refresh_token, ORIGIN))


async def test_a_key_outlives_tokens_of_more_than_the_usual_lifetime(world: World) -> None:
    [seeded] = await world.auth.administration.seed(1, lifetime=3_600_000)
    await world.auth.keys.rotate()
    world.clock.advance(3500)
    await world.auth.keys.load()
    assert world.auth.verifier.verify(seeded.access_token).username == "user1"
    world.clock.advance(300)
    await world.auth.keys.load()
    assert len(kids(world)) == 1


async def test_two_processes_that_start_at_once_make_one_first_key(world: World, tmp_path: Path) -> None:
    async with a_world(tmp_path) as other:
        assert kids(other) == kids(world)
    store = SqlKeyStore(world.database)
    [key] = await store.keys()
    assert not await store.add(key, only_first=True)


async def test_keys_that_another_process_rotated_are_known_before_they_sign(world: World, tmp_path: Path) -> None:
    async with a_world(tmp_path, world.clock) as admin:
        await admin.auth.start()
        new = await admin.auth.administration.rotate_keys()
        world.clock.advance(2)
        await world.auth._watch.look()
        assert new in kids(world)
        world.clock.advance(3)
        assert world.principal(await admin.register())


async def test_they_are_known_also_after_the_clock_was_put_back(world: World, tmp_path: Path) -> None:
    world.clock.wall += 7_200_000
    await world.auth._watch.look()
    world.clock.advance(2)
    await world.auth._watch.look()
    world.clock.wall -= 7_200_000
    async with a_world(tmp_path, ManualClock(world.clock.now())) as admin:
        await admin.auth.start()
        new = await admin.auth.administration.rotate_keys()
        world.clock.advance(2)
        await world.auth._watch.look()
        assert new in kids(world)


async def test_a_token_without_a_key_of_ours_is_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    async with a_world(tmp_path / "other") as other:
        grant = await other.register()
    with pytest.raises(TokenInvalid):
        world.auth.verifier.verify(grant.access_token)


async def test_a_ring_without_a_due_key_signs_with_the_first(world: World) -> None:
    ring = KeyRing(SqlKeyStore(world.database), world.clock, Lifetimes())
    await ring.load()
    assert ring.signing_kid(0) == kids(world)[0]
