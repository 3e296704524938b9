"""What every store of auth promises."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from parlour.auth.adapters.sql import SqlAccountStore, SqlFailureStore, SqlKeyStore, SqlSessionStore
from parlour.auth.adapters.sql.rows import MAX_DEVICES
from parlour.auth.adapters.tables import metadata
from parlour.auth.errors import EmailTaken, LastOwner, UsernameTaken, UserNotFound
from parlour.auth.model import (
    DAY,
    MAX_LIVE_TOKENS,
    MINUTE,
    BackOff,
    Failures,
    Lifetimes,
    NewDevice,
    Opening,
    RefreshOutcome,
    RevocationReason,
    Session,
    SigningKey,
    User,
)
from parlour.auth.ports import AccountStore, FailureStore, KeyStore, Rotated, SessionStore
from parlour.platform.errors import Unavailable
from parlour.platform.ids import SessionId, UserId, uuid7
from parlour.platform.permissions import Role
from parlour.platform.sql import Database, open_database

AT = 1_764_018_000_000
USUAL = Lifetimes()


def a_user(name: str, role: Role = Role.MEMBER, display_name: str | None = None) -> User:
    return User(UserId(uuid7()), name, display_name or name, f"{name}@example.org", role, AT, AT)


def a_session(user: User, at: int = AT) -> Session:
    return Session(
        SessionId(uuid7()), user.id, "Firefox", "192.0.2.7", at, at, at + USUAL.session, at + USUAL.access, b"k" * 32
    )


def an_opening(user: User, token: bytes = b"first", device: bytes = b"device", at: int = AT) -> Opening:
    return Opening(a_session(user, at), token, NewDevice(device, user.id, at))


@pytest.fixture(scope="module")
def service() -> str:
    return "parlour.auth"


@pytest.fixture
def accounts(database: Database) -> AccountStore:
    return SqlAccountStore(database)


@pytest.fixture
def sessions(database: Database) -> SessionStore:
    return SqlSessionStore(database)


@pytest.fixture
def failures(database: Database) -> FailureStore:
    return SqlFailureStore(database)


@pytest.fixture
def keys(database: Database) -> KeyStore:
    return SqlKeyStore(database)


async def test_the_migrations_make_the_tables_that_the_adapters_use(database: Database) -> None:
    def ours(thing: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        return kind != "table" or name in metadata.tables

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"version_table": "alembic_version_auth", "include_object": ours}
        )
        return compare_metadata(context, metadata)

    assert await database.snapshot(differences) == []


class TestAccounts:
    async def test_the_first_is_stored_as_owner(self, accounts: AccountStore) -> None:
        assert not await accounts.any()
        assert (await accounts.create(a_user("ann"), "hash")).role is Role.OWNER
        assert (await accounts.create(a_user("bob"), "hash")).role is Role.MEMBER
        assert await accounts.any()

    async def test_what_is_stored_comes_back(self, accounts: AccountStore) -> None:
        ann = await accounts.create(a_user("Ann"), "hash")
        assert await accounts.user(ann.id) == ann
        for key in ("ann", "ann@example.org"):
            found = await accounts.credentials(key)
            assert found is not None
            assert (found.user, found.password_hash) == (ann, "hash")
        assert await accounts.credentials_of(ann.id) == found
        assert await accounts.users_by_name(["ann", "bob"]) == [ann]
        assert await accounts.users([ann.id, UserId("nobody")]) == [ann]
        assert await accounts.user(UserId("nobody")) is None
        assert await accounts.credentials("Ann") is None

    async def test_keys_are_unique_under_concurrency(self, accounts: AccountStore) -> None:
        async def create(user: User) -> str:
            try:
                await accounts.create(user, "hash")
            except (UsernameTaken, EmailTaken) as refused:
                return refused.code
            return "stored"

        same_name = [msgspec.structs.replace(a_user("Ann"), email=f"{number}@x.org") for number in range(4)]
        same_email = [msgspec.structs.replace(a_user(f"bob{number}"), email="Bob@x.org") for number in range(4)]
        answers = await asyncio.gather(*(create(user) for user in same_name))
        assert sorted(answers) == ["stored"] + ["username_taken"] * 3
        answers = await asyncio.gather(*(create(user) for user in same_email))
        assert sorted(answers) == ["email_taken"] * 3 + ["stored"]

    async def test_a_refused_account_leaves_no_session(self, accounts: AccountStore, sessions: SessionStore) -> None:
        await accounts.create(a_user("ann"), "hash")
        opening = an_opening(a_user("ANN"))
        with pytest.raises(UsernameTaken):
            await accounts.create(msgspec.structs.replace(a_user("ANN"), id=opening.session.user_id), "hash", opening)
        assert await sessions.session(opening.session.id) is None

    async def test_many_are_stored_or_none(self, accounts: AccountStore, sessions: SessionStore) -> None:
        users = [a_user(f"user{number}", Role.GUEST) for number in range(300)]
        await accounts.create_many([(user, a_session(user)) for user in users], "hash")
        assert (await accounts.user(users[0].id)) == users[0]
        assert len(await sessions.live(users[-1].id, AT, USUAL.idle)) == 1
        more = [a_user("new"), a_user("user7")]
        with pytest.raises(UsernameTaken):
            await accounts.create_many([(user, a_session(user)) for user in more], "hash")
        assert await accounts.users_by_name(["new"]) == []

    async def test_search_goes_by_prefix_and_page(self, accounts: AccountStore) -> None:
        for name, shown in [
            ("bea", "Ann"),
            ("ann_b", "X"),
            ("ann", "X"),
            ("Ann_A", "X"),
            ("zed", "annex"),
            ("yan", "Y"),
        ]:
            await accounts.create(a_user(name, display_name=shown), "hash")

        async def names(prefix: str, after: str = "", limit: int = 10) -> list[str]:
            found = await accounts.search(prefix, after=after, limit=limit, include_disabled=True)
            return [user.username for user in found]

        assert await names("ann") == ["ann", "Ann_A", "ann_b", "bea", "zed"]
        assert await names("ann", after="ann_a", limit=2) == ["ann_b", "bea"]
        assert await names("ann_") == ["Ann_A", "ann_b"]
        assert await names("") == ["ann", "Ann_A", "ann_b", "bea", "yan", "zed"]
        assert await names("ann%") == []

    async def test_a_name_and_a_hash_can_be_changed(self, accounts: AccountStore) -> None:
        ann = await accounts.create(a_user("ann"), "old")
        renamed = await accounts.set_display_name(ann.id, "Ann Lee", AT + 1)
        assert renamed == msgspec.structs.replace(ann, display_name="Ann Lee", updated_at=AT + 1)
        assert await accounts.search("ann lee", after="", limit=9, include_disabled=False) == [renamed]
        assert await accounts.set_display_name(UserId("nobody"), "x", AT) is None
        await accounts.replace_hash(ann.id, "other", "newer")
        assert (await accounts.credentials_of(ann.id)).password_hash == "old"
        await accounts.replace_hash(ann.id, "old", "newer")
        assert (await accounts.credentials_of(ann.id)).password_hash == "newer"

    async def test_a_new_password_ends_all_sessions_but_one(
        self, accounts: AccountStore, sessions: SessionStore
    ) -> None:
        first = an_opening(a_user("ann"))
        ann = await accounts.create(msgspec.structs.replace(a_user("ann"), id=first.session.user_id), "old", first)
        second = an_opening(ann, b"second")
        await sessions.open(second, "old")
        ended = await accounts.set_password(ann.id, "new", AT + 1, keep=second.session.id)
        assert [(session.id, session.reason) for session in ended] == [
            (first.session.id, RevocationReason.PASSWORD_CHANGED)
        ]
        assert len(await accounts.set_password(ann.id, "newer", AT + 2, keep=None)) == 1

    async def test_managing_changes_and_ends_what_it_must(self, accounts: AccountStore, sessions: SessionStore) -> None:
        owner = await accounts.create(a_user("owner"), "hash")
        ann = await accounts.create(a_user("ann"), "hash")
        opening = an_opening(ann)
        await sessions.open(opening, "hash")
        promoted = await accounts.manage(ann.id, AT + 1, role=Role.ADMIN, disabled=None)
        assert (promoted.user.role, promoted.ended) == (Role.ADMIN, [])
        demoted = await accounts.manage(ann.id, AT + 2, role=Role.GUEST, disabled=None)
        assert [session.reason for session in demoted.ended] == [RevocationReason.ROLE_CHANGED]
        await sessions.open(an_opening(ann, b"second"), "hash")
        disabled = await accounts.manage(ann.id, AT + 3, role=None, disabled=True)
        assert [session.reason for session in disabled.ended] == [RevocationReason.USER_DISABLED]
        assert await accounts.search("ann", after="", limit=9, include_disabled=False) == []
        with pytest.raises(LastOwner):
            await accounts.manage(owner.id, AT, role=Role.ADMIN, disabled=None)
        with pytest.raises(UserNotFound):
            await accounts.manage(UserId("nobody"), AT, role=Role.ADMIN, disabled=None)

    async def test_two_owners_who_demote_each_other_do_not_both_succeed(self, accounts: AccountStore) -> None:
        one = await accounts.create(a_user("one"), "hash")
        two = await accounts.create(a_user("two", Role.OWNER), "hash")
        answers = await asyncio.gather(
            *(accounts.manage(user.id, AT, role=Role.MEMBER, disabled=None) for user in (one, two)),
            return_exceptions=True,
        )
        assert sum(isinstance(answer, LastOwner) for answer in answers) == 1


class TestSessions:
    @pytest.fixture
    async def ann(self, accounts: AccountStore) -> User:
        return await accounts.create(a_user("ann"), "hash")

    async def rotate(
        self, sessions: SessionStore, session: Session, presented: bytes, successor: bytes, at: int = AT + 1
    ) -> RefreshOutcome:
        rotated = await sessions.rotate(
            session.id, presented, successor, now=at, address="198.51.100.9", lifetimes=USUAL
        )
        assert isinstance(rotated, Rotated)
        assert rotated.user.id == session.user_id
        return rotated.outcome

    async def test_a_session_opens_only_for_the_password_and_state_that_were_verified(
        self, accounts: AccountStore, sessions: SessionStore, ann: User
    ) -> None:
        opening = an_opening(ann)
        assert await sessions.open(opening, "another") is None
        assert await sessions.session(opening.session.id) is None
        assert await sessions.open(opening, "hash") == ann
        assert await sessions.session(opening.session.id) == opening.session
        bob = await accounts.create(a_user("bob"), "hash")
        await accounts.manage(bob.id, AT, role=None, disabled=True)
        assert await sessions.open(an_opening(bob, b"bobs"), "hash") is None

    async def test_a_token_is_rotated_once_and_then_has_siblings_for_a_grace(
        self, sessions: SessionStore, ann: User
    ) -> None:
        opening = an_opening(ann)
        session = opening.session
        await sessions.open(opening, "hash")
        assert await self.rotate(sessions, session, b"first", b"second") is RefreshOutcome.ROTATED
        assert await self.rotate(sessions, session, b"first", b"sibling", AT + 10_000) is RefreshOutcome.SIBLING
        touched = await sessions.session(session.id)
        assert touched is not None
        assert (touched.last_used_at, touched.address) == (AT + 10_000, "198.51.100.9")
        assert touched.access_until == AT + 10_000 + USUAL.access
        assert await self.rotate(sessions, session, b"first", b"late", AT + 10_001) is RefreshOutcome.REUSED
        assert await self.rotate(sessions, session, b"second", b"third", AT + 10_002) is RefreshOutcome.REVOKED
        assert (await sessions.changes(AT)).ended[0].reason is RevocationReason.TOKEN_REUSED

    async def test_of_concurrent_rotations_one_is_first(self, sessions: SessionStore, ann: User) -> None:
        opening = an_opening(ann)
        await sessions.open(opening, "hash")
        outcomes = await asyncio.gather(
            *(self.rotate(sessions, opening.session, b"first", bytes([number])) for number in range(6))
        )
        assert sorted(outcomes) == ["rotated"] + ["sibling"] * 5

    async def test_a_token_of_another_session_is_a_reused_one(self, sessions: SessionStore, ann: User) -> None:
        first, second = an_opening(ann), an_opening(ann, b"second")
        await sessions.open(first, "hash")
        await sessions.open(second, "hash")
        assert await self.rotate(sessions, first.session, b"second", b"third") is RefreshOutcome.REUSED
        assert await sessions.rotate(SessionId("none"), b"x", b"y", now=AT, address="", lifetimes=USUAL) is None

    async def test_tokens_of_a_session_are_bounded(self, database: Database, sessions: SessionStore, ann: User) -> None:
        opening = an_opening(ann)
        await sessions.open(opening, "hash")
        for number in range(MAX_LIVE_TOKENS + 20):
            await self.rotate(sessions, opening.session, b"first", f"sibling{number}".encode())
        unspent = sa.text("SELECT count(*) FROM refresh_tokens WHERE spent_at IS NULL")
        assert await database.row(unspent) == (MAX_LIVE_TOKENS,)

    async def test_expiry_is_judged_by_session_and_use(self, sessions: SessionStore, ann: User) -> None:
        opening = an_opening(ann)
        await sessions.open(opening, "hash")
        late = AT + USUAL.idle
        assert await self.rotate(sessions, opening.session, b"first", b"x", late) is RefreshOutcome.EXPIRED
        assert await sessions.live(ann.id, late, USUAL.idle) == []
        assert len(await sessions.live(ann.id, late - 1, USUAL.idle)) == 1

    async def test_revoking_is_told_once_and_found_by_time(self, sessions: SessionStore, ann: User) -> None:
        openings = [an_opening(ann, bytes([number])) for number in range(4)]
        for opening in openings:
            await sessions.open(opening, "hash")
        ids = [opening.session.id for opening in openings]
        one = await sessions.revoke(ann.id, AT + 1, RevocationReason.LOGOUT, only=ids[0])
        assert [(session.id, session.user_id, session.reason) for session in one] == [
            (ids[0], ann.id, RevocationReason.LOGOUT)
        ]
        assert await sessions.revoke(ann.id, AT + 2, RevocationReason.REVOKED, only=ids[0]) == []
        assert await sessions.revoke(UserId("bob"), AT + 2, RevocationReason.REVOKED, only=ids[1]) == []
        others = await sessions.revoke(ann.id, AT + 3, RevocationReason.REVOKED, keep=ids[3])
        assert {session.id for session in others} == {ids[1], ids[2]}
        assert {session.id for session in (await sessions.changes(AT + 3)).ended} == {ids[1], ids[2]}
        assert len((await sessions.changes(AT)).ended) == 3
        assert len(await sessions.remembered(AT)) == 3
        assert await sessions.remembered(AT + USUAL.access) == []

    async def test_changed_users_are_found_and_new_ones_are_no_change(
        self, accounts: AccountStore, sessions: SessionStore, ann: User
    ) -> None:
        assert (await sessions.changes(AT)).users == []
        await accounts.set_display_name(ann.id, "Ann Lee", AT + 5)
        assert [user.display_name for user in (await sessions.changes(AT + 5)).users] == ["Ann Lee"]
        assert (await sessions.changes(AT + 6)).users == []

    async def test_devices_are_shared_by_accounts_and_bounded_for_each(
        self, accounts: AccountStore, sessions: SessionStore, ann: User
    ) -> None:
        bob = await accounts.create(a_user("bob"), "hash")
        assert await sessions.device_users(b"tablet") == set()
        await sessions.open(an_opening(ann, b"a", b"tablet"), "hash")
        await sessions.open(an_opening(bob, b"b", b"tablet"), "hash")
        await sessions.open(an_opening(bob, b"c", b"tablet", AT + 1), "hash")
        assert await sessions.device_users(b"tablet") == {ann.id, bob.id}
        for number in range(MAX_DEVICES):
            await sessions.open(an_opening(ann, bytes([number]), bytes([number]), AT + 1 + number), "hash")
        assert await sessions.device_users(b"tablet") == {bob.id}
        assert await sessions.device_users(bytes([0])) == {ann.id}

    async def test_opening_settles_failures(self, sessions: SessionStore, failures: FailureStore, ann: User) -> None:
        await failures.add({"one": BackOff(5), "two": BackOff(5)}, AT)
        await sessions.open(msgspec.structs.replace(an_opening(ann), settled=("one",)), "hash")
        assert (await failures.get(["one", "two"])).keys() == {"two"}

    async def test_what_is_long_over_is_purged_and_the_rest_stays(
        self, database: Database, sessions: SessionStore, ann: User
    ) -> None:
        ended, kept = an_opening(ann), an_opening(ann, b"kept", b"new", AT + 6 * DAY)
        await sessions.open(ended, "hash")
        await sessions.open(kept, "hash")
        await sessions.revoke(ann.id, AT, RevocationReason.LOGOUT, only=ended.session.id)
        assert await sessions.purge(AT + 7 * DAY, USUAL) == 0
        assert await sessions.purge(AT + 7 * DAY + 1, USUAL) == 1
        assert await sessions.session(ended.session.id) is None
        assert await sessions.purge(AT + 6 * DAY + USUAL.idle + 7 * DAY + 1, USUAL) == 1
        assert await sessions.purge(AT + 366 * DAY, USUAL) == 1
        assert await sessions.device_users(b"new") == {ann.id}
        assert await database.row(sa.text("SELECT count(*) FROM refresh_tokens")) == (0,)


class TestFailures:
    async def test_of_concurrent_failures_all_are_counted(self, failures: FailureStore) -> None:
        policy = {"account:x": BackOff(5), "address:y": BackOff(100)}
        await asyncio.gather(*(failures.add(policy, AT) for _ in range(7)))
        assert await failures.get(["account:x", "address:y", "none"]) == {
            "account:x": Failures(7, AT, AT + 15 * MINUTE),
            "address:y": Failures(7, AT, 0),
        }
        await failures.forget(["account:x"])
        assert (await failures.get(["account:x", "address:y"])).keys() == {"address:y"}

    async def test_the_old_and_the_many_are_purged(self, failures: FailureStore) -> None:
        for number in range(10):
            await failures.add({f"key{number}": BackOff(5)}, AT + number)
        assert await failures.purge(AT + 2, 5) == 5
        kept = await failures.get([f"key{number}" for number in range(10)])
        assert kept.keys() == {f"key{number}" for number in range(5, 10)}


class TestKeys:
    async def test_keys_are_kept_in_the_order_in_which_they_sign(self, keys: KeyStore) -> None:
        old, new = SigningKey("b", "{}", AT, AT), SigningKey("a", "{}", AT, AT + 5)
        assert await keys.add(old, only_first=True)
        assert not await keys.add(new, only_first=True)
        assert await keys.add(new)
        assert await keys.keys() == [old, new]
        await keys.note_long_tokens("b", AT + 9)
        await keys.note_long_tokens("b", AT + 8)
        assert (await keys.keys())[0].long_tokens_until == AT + 9
        await keys.remove(["b"])
        assert await keys.keys() == [new]


Call = Callable[[AccountStore, SessionStore, FailureStore, KeyStore], Awaitable[object]]
USER = a_user("ann")
SESSION = a_session(USER)
CALLS: dict[str, Call] = {
    "accounts.create": lambda a, s, f, k: a.create(USER, "hash"),
    "accounts.create_many": lambda a, s, f, k: a.create_many([(USER, SESSION)], "hash"),
    "accounts.any": lambda a, s, f, k: a.any(),
    "accounts.user": lambda a, s, f, k: a.user(USER.id),
    "accounts.credentials": lambda a, s, f, k: a.credentials("ann"),
    "accounts.credentials_of": lambda a, s, f, k: a.credentials_of(USER.id),
    "accounts.users": lambda a, s, f, k: a.users([USER.id]),
    "accounts.users_by_name": lambda a, s, f, k: a.users_by_name(["ann"]),
    "accounts.search": lambda a, s, f, k: a.search("", after="", limit=1, include_disabled=True),
    "accounts.set_display_name": lambda a, s, f, k: a.set_display_name(USER.id, "x", AT),
    "accounts.set_password": lambda a, s, f, k: a.set_password(USER.id, "x", AT, keep=None),
    "accounts.replace_hash": lambda a, s, f, k: a.replace_hash(USER.id, "x", "y"),
    "accounts.manage": lambda a, s, f, k: a.manage(USER.id, AT, role=Role.GUEST, disabled=None),
    "sessions.open": lambda a, s, f, k: s.open(an_opening(USER), "hash"),
    "sessions.session": lambda a, s, f, k: s.session(SESSION.id),
    "sessions.rotate": lambda a, s, f, k: s.rotate(SESSION.id, b"x", b"y", now=AT, address="", lifetimes=USUAL),
    "sessions.live": lambda a, s, f, k: s.live(USER.id, AT, USUAL.idle),
    "sessions.revoke": lambda a, s, f, k: s.revoke(USER.id, AT, RevocationReason.LOGOUT),
    "sessions.changes": lambda a, s, f, k: s.changes(AT),
    "sessions.remembered": lambda a, s, f, k: s.remembered(AT),
    "sessions.device_users": lambda a, s, f, k: s.device_users(b"x"),
    "sessions.purge": lambda a, s, f, k: s.purge(AT, USUAL),
    "failures.get": lambda a, s, f, k: f.get(["x"]),
    "failures.add": lambda a, s, f, k: f.add({"x": BackOff(5)}, AT),
    "failures.forget": lambda a, s, f, k: f.forget(["x"]),
    "failures.purge": lambda a, s, f, k: f.purge(AT, 1),
    "keys.keys": lambda a, s, f, k: k.keys(),
    "keys.add": lambda a, s, f, k: k.add(SigningKey("a", "{}", AT, AT)),
    "keys.note_long_tokens": lambda a, s, f, k: k.note_long_tokens("a", AT),
    "keys.remove": lambda a, s, f, k: k.remove(["a"]),
}


@pytest.mark.parametrize("call", CALLS)
async def test_no_driver_error_leaks_when_the_engine_is_broken(
    call: str,
    tmp_path: Path,
) -> None:
    (tmp_path / "broken.db").write_bytes(b"this is no database at all, and long enough to be looked at" * 100)
    broken = open_database(f"sqlite:///{tmp_path}/broken.db")
    with pytest.raises(Unavailable) as refused:
        await CALLS[call](
            SqlAccountStore(broken), SqlSessionStore(broken), SqlFailureStore(broken), SqlKeyStore(broken)
        )
    assert refused.value.retry_after
    await broken.close()


def test_every_method_of_every_port_is_tried_on_a_broken_engine() -> None:
    ports = {"accounts": AccountStore, "sessions": SessionStore, "failures": FailureStore, "keys": KeyStore}
    methods = {
        f"{name}.{method}" for name, port in ports.items() for method in vars(port) if not method.startswith("_")
    }
    assert methods == CALLS.keys()
