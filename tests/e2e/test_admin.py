"""`parlour admin` against a server that runs, and against one that does not."""

import asyncio
import base64
import json
import shutil
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ..integration.socketio_client import Client, ConnectError
from .conftest import MakeServer
from .parlour_server import ParlourServer, User, parlour, wait_until

PASSWORD = "kettle and spoon 42"


def test_users_are_made_and_the_first_is_the_owner(server: ParlourServer) -> None:
    first = server.admin("create-user", "ann", "ann@example.org", stdin=f"{PASSWORD}\n")
    second = server.admin("create-user", "ben", "ben@example.org", "--role", "admin", stdin=f"{PASSWORD}\n")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert first.stdout.split()[1:] == ["ann", "owner"]
    assert second.stdout.split()[1:] == ["ben", "admin"]
    server.start()
    assert log_in(server, "ann")["user"]["role"] == "owner"
    third = server.admin("create-user", "cy", "cy@example.org", stdin=f"{PASSWORD}\n")
    assert third.returncode == 0, third.stderr
    assert log_in(server, "cy")["user"]["role"] == "member"


@pytest.mark.parametrize(
    ("arguments", "stdin", "reason"),
    [
        (["create-user", "ann", "other@example.org"], PASSWORD, "has this username"),
        (["create-user", "ben", "ben@example.org"], "short", "10 characters"),
        (["create-user", "ben", "ben@example.org"], "qwertyuiop", "anybody would try"),
        (["reset-password", "nobody"], PASSWORD, "no user nobody"),
        (["sessions", "nobody"], "", "no user nobody"),
        (["disable", "ann"], "", "owner"),
        (["seed", "--users", "0", "--room-size", "5", "--tokens", "tokens"], "", "at least 1"),
        (["restore", "nowhere"], "", "is no backup"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line_with_status_2(
    server: ParlourServer, arguments: list[str], stdin: str, reason: str
) -> None:
    server.admin("create-user", "ann", "ann@example.org", stdin=PASSWORD)
    refused = server.admin(*arguments, stdin=stdin)
    assert (refused.returncode, refused.stdout) == (2, "")
    (line,) = refused.stderr.splitlines()
    assert line.startswith("parlour: ")
    assert reason in line


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["serve", "--porrt", "1"], "--porrt"),
        (["serve", "--port", "many"], "--port"),
        (["serve", "--port", "99999"], "PARLOUR_PORT"),
        (["serve", "--log-level", "loud"], "PARLOUR_LOG_LEVEL"),
        (["admin", "dance"], "dance"),
        (["admin", "set-role", "ann", "king"], "king"),
    ],
)
def test_wrong_arguments_end_with_status_2_and_their_name(arguments: list[str], reason: str) -> None:
    refused = parlour(*arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert reason in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_wrong_setting_of_the_environment_ends_with_status_2_and_its_name() -> None:
    refused = parlour("serve", messages_url="oracle://somewhere")
    assert refused.returncode == 2
    assert refused.stderr.startswith("parlour: PARLOUR_MESSAGES_URL: oracle:// is not supported")


def test_a_second_server_on_the_same_data_or_port_is_refused(server: ParlourServer, tmp_path: Path) -> None:
    server.start()
    same_data = parlour("serve", "--port", "0", "--data-dir", str(server.data_dir))
    assert same_data.returncode == 2
    assert same_data.stderr.startswith(f"parlour: another Parlour serves {server.data_dir}")
    same_port = parlour("serve", "--port", str(server.port), "--data-dir", str(tmp_path / "other"))
    assert same_port.returncode == 2
    assert same_port.stderr.startswith(f"parlour: cannot listen on 127.0.0.1:{server.port}")
    assert server.is_ready()


@pytest.mark.parametrize(
    ("arguments", "stdin", "reason"),
    [
        (["reset-password", "ann"], "saucer and fork 43", "password_changed"),
        (["revoke", "ann"], "", "revoked"),
        (["disable", "ann"], "", "user_disabled"),
    ],
)
async def test_who_is_shut_out_from_the_command_line_is_out_within_a_second(
    server: ParlourServer, arguments: list[str], stdin: str, reason: str
) -> None:
    for name in ("owner", "ann"):
        server.admin("create-user", name, f"{name}@example.org", stdin=PASSWORD)
    server.start()
    grant = log_in(server, "ann")
    socket = await Client.connect(server.url, {"token": grant["access_token"]})
    await socket.wait_for("ready")
    done = server.admin(*arguments, stdin=stdin)
    ended = time.monotonic()
    assert done.returncode == 0, done.stderr
    await socket.wait_closed()
    assert socket.closed_at - ended < 1.0
    assert [event.data["reason"] for event in socket.named("session.revoked")] == [reason]
    assert me(server, grant) == 401
    with pytest.raises(ConnectError):
        await Client.connect(server.url, {"token": grant["access_token"]})


def test_a_new_password_is_the_only_one_that_opens(server: ParlourServer) -> None:
    server.admin("create-user", "ann", "ann@example.org", stdin=PASSWORD)
    server.start()
    assert server.admin("reset-password", "ann@example.org", stdin="saucer and fork 43").returncode == 0
    answers = [attempt(server, "ann", password).status_code for password in (PASSWORD, "saucer and fork 43")]
    assert answers == [401, 200]


def test_sessions_are_listed_and_one_of_them_ended(server: ParlourServer) -> None:
    server.admin("create-user", "ann", "ann@example.org", stdin=PASSWORD)
    server.start()
    grants = [log_in(server, "ann") for _ in range(2)]
    listed = server.admin("sessions", "ann")
    lines = listed.stdout.splitlines()
    assert len(lines) == 2, listed.stderr
    used = datetime.strptime(lines[0].split()[3], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - used).total_seconds()) < 60
    ended = server.admin("revoke", "ann", lines[0].split()[0])
    assert ended.stdout == "1 sessions ended\n"
    wait_until(lambda: sorted(me(server, grant) for grant in grants) == [200, 401], "one session is over")
    again = server.admin("revoke", "ann", lines[0].split()[0])
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == f"parlour: ann has no live session {lines[0].split()[0]}\n"


def test_accounts_need_no_room_log(server: ParlourServer) -> None:
    """It is the server's to open, to migrate and to checkpoint."""
    assert server.admin("create-user", "ann", "ann@example.org", stdin=PASSWORD).returncode == 0
    assert server.admin("sessions", "ann").returncode == 0
    assert [path.name for path in server.data_dir.glob("*.db")] == ["parlour.db"]


def test_a_server_does_not_start_on_data_of_a_newer_one_and_says_so_in_a_line(server: ParlourServer) -> None:
    server.admin("create-user", "ann", "ann@example.org", stdin=PASSWORD)
    with sqlite3.connect(server.data_dir / "messages.db") as log:
        log.execute("PRAGMA user_version = 999")
    refused = parlour("serve", "--port", "0", "--data-dir", str(server.data_dir))
    assert (refused.returncode, "upgrade it" in refused.stderr) == (2, True)
    assert refused.stderr.splitlines()[-1].startswith("parlour: ")
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    "arguments", [["sessions", "ann"], ["seed", "--users", "1", "--room-size", "1", "--tokens", "tokens"]], ids=str
)
def test_tables_of_another_version_are_not_touched_under_a_server(server: ParlourServer, arguments: list[str]) -> None:
    server.admin("create-user", "ann", "ann@example.org", stdin=PASSWORD)
    server.start()
    with sqlite3.connect(server.data_dir / "parlour.db") as database:
        database.execute("UPDATE alembic_version_auth SET version_num = '0000'")
    refused = server.admin(*arguments)
    assert refused.returncode == 2
    assert refused.stderr.startswith("parlour: another Parlour serves")
    assert "of another version than this program" in refused.stderr
    server.terminate()
    with sqlite3.connect(server.data_dir / "parlour.db") as database:
        assert database.execute("SELECT version_num FROM alembic_version_auth").fetchall() == [("0000",)]
        database.execute("UPDATE alembic_version_auth SET version_num = '9999'")
    newer = server.admin(*arguments)
    assert (newer.returncode, "newer Parlour" in newer.stderr, len(newer.stderr.splitlines())) == (2, True, 1)


def test_keys_are_rotated_while_the_server_runs(server: ParlourServer) -> None:
    server.admin("create-user", "ann", "ann@example.org", stdin=PASSWORD)
    server.start()
    old = log_in(server, "ann")
    rotated = server.admin("rotate-keys")
    assert rotated.returncode == 0, rotated.stderr
    kid = rotated.stdout.split()[-1]
    jwks = f"{server.url}/.well-known/jwks.json"
    wait_until(lambda: kid in {key["kid"] for key in httpx.get(jwks).json()["keys"]}, "the key is published")
    newest: list[dict[str, Any]] = []

    def signs() -> bool:
        newest.append(refreshed(server, newest[-1] if newest else old))
        return kid_of(newest[-1]) == kid

    wait_until(signs, "the key signs", pause=0.5)
    assert kid_of(old) != kid
    assert [me(server, old), me(server, newest[-1])] == [200, 200]


async def test_seeded_users_can_talk(server: ParlourServer) -> None:
    users = server.seed(300, 50)
    assert len(users) == 300
    assert {len(user.room_ids) for user in users} == {1}
    assert len({user.room_ids[0] for user in users}) == 6
    server.start()
    ann, ben = [user for user in users if user.room_ids == users[-1].room_ids][:2]
    mine, theirs = [await Client.connect(server.url, {"token": user.access_token}) for user in (ann, ben)]
    assert (await theirs.wait_for("ready"))["rooms"][0]["head"] == 50
    command = {"room_id": ann.room_ids[0], "client_id": str(uuid4()), "text": "Hello"}
    assert (await mine.call("message.send", command))["seq"] == 51
    assert (await theirs.wait_for("event"))["seq"] == 51
    for client in (mine, theirs):
        await client.close()


async def test_a_backup_of_a_busy_server_restores_to_the_same_messages(
    server: ParlourServer, make_server: MakeServer, tmp_path: Path
) -> None:
    (user,) = server.seed(1, 1)
    server.start()
    folder = tmp_path / "backup"
    before, _ = await while_sending(server, user, lambda: server.admin("backup", str(folder)))
    assert oct(folder.stat().st_mode & 0o777) == "0o700"
    running = server.admin("restore", str(folder), "--replace")
    assert (running.returncode, "another Parlour serves" in running.stderr) == (2, True)
    again = server.admin("backup", str(folder))
    assert (again.returncode, "give a new folder" in again.stderr) == (2, True)

    restored = make_server("restored")
    assert restored.admin("restore", str(folder)).returncode == 0
    twice = restored.admin("restore", str(folder))
    assert (twice.returncode, "--replace" in twice.stderr) == (2, True)
    assert restored.admin("restore", str(folder), "--replace").returncode == 0
    restored.start()
    await same_messages(server, restored, user, before)


async def test_a_restored_server_tells_clients_that_its_history_is_another_one(
    server: ParlourServer, tmp_path: Path
) -> None:
    (user,) = server.seed(1, 1)
    server.start()
    first = await epoch(server, user)
    server.terminate()
    server.start()
    assert await epoch(server, user) == first
    folder = str(tmp_path / "backup")
    assert server.admin("backup", folder).returncode == 0
    server.terminate()
    assert server.admin("restore", folder, "--replace").returncode == 0
    server.start()
    assert await epoch(server, user) != first


async def epoch(server: ParlourServer, user: User) -> str:
    """Return what `ready` calls the history."""
    socket = await Client.connect(server.url, {"token": user.access_token})
    ready = await socket.wait_for("ready")
    await socket.close()
    return str(ready["epoch"])


async def test_a_plain_copy_of_the_data_of_a_busy_server_is_a_good_backup(
    server: ParlourServer, make_server: MakeServer
) -> None:
    (user,) = server.seed(1, 1)
    server.start()
    copied = make_server("copied")

    def copy() -> None:
        shutil.copytree(server.data_dir, copied.data_dir)

    before, _ = await while_sending(server, user, copy)
    copied.start()
    await same_messages(server, copied, user, before)
    copied.terminate()
    for name in ("parlour.db", "messages.db"):
        with sqlite3.connect(copied.data_dir / name) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def while_sending(server: ParlourServer, user: User, work: Any) -> tuple[int, int]:
    """Do `work` while messages are sent; return the last seq acknowledged before it and after it."""
    socket = await Client.connect(server.url, {"token": user.access_token})
    acked: list[int] = []

    async def send() -> None:
        while True:
            command = {"room_id": user.room_ids[0], "client_id": str(uuid4()), "text": f"message {len(acked)}"}
            acked.append((await socket.call("message.send", command))["seq"])

    sending = asyncio.create_task(send())
    await socket.until(lambda: len(acked) > 200, "messages are sent")
    before = acked[-1]
    done = await asyncio.to_thread(work)
    assert done is None or done.returncode == 0, done.stderr
    await socket.until(lambda: len(acked) > 300, "messages are sent on")
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await socket.close()
    return before, acked[-1]


async def same_messages(server: ParlourServer, copy: ParlourServer, user: User, acked: int) -> None:
    """The copy holds a prefix of the room, with everything acknowledged before it began, and goes on from there."""
    original, copied = messages(server, user), messages(copy, user)
    assert copied == original[: len(copied)]
    assert copied[-1][0] >= acked
    socket = await Client.connect(copy.url, {"token": user.access_token})
    command = {"room_id": user.room_ids[0], "client_id": str(uuid4()), "text": "and on"}
    assert (await socket.call("message.send", command))["seq"] == copied[-1][0] + 1
    await socket.close()


def messages(server: ParlourServer, user: User) -> list[tuple[int, str, str]]:
    found: list[tuple[int, str, str]] = []
    with httpx.Client(base_url=server.url, headers=user.headers) as http:
        while True:
            after = found[-1][0] if found else 0
            path = f"/api/rooms/{user.room_ids[0]}/messages"
            page = http.get(path, params={"after": after, "limit": 100}).raise_for_status().json()["messages"]
            if not page:
                return found
            found += [(each["seq"], each["id"], each["text"]) for each in reversed(page)]


def attempt(server: ParlourServer, name: str, password: str) -> httpx.Response:
    return httpx.post(f"{server.url}/api/auth/login", json={"login": name, "password": password}, timeout=30)


def log_in(server: ParlourServer, name: str) -> dict[str, Any]:
    answer = attempt(server, name, PASSWORD)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def refreshed(server: ParlourServer, grant: dict[str, Any]) -> dict[str, Any]:
    answer = httpx.post(f"{server.url}/api/auth/refresh", json={"refresh_token": grant["refresh_token"]})
    return dict(answer.raise_for_status().json())


def me(server: ParlourServer, grant: dict[str, Any]) -> int:
    headers = {"Authorization": f"Bearer {grant['access_token']}"}
    return httpx.get(f"{server.url}/api/auth/me", headers=headers).status_code


def kid_of(grant: dict[str, Any]) -> str:
    head = grant["access_token"].split(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"])
