"""`parlour admin seed` beside a server: it tells the room log of its own rooms, and leaves everybody else's to the server."""

from pathlib import Path

from parlour import admin
from parlour.app import build, needed
from parlour.chat.model import Room, RoomKind
from parlour.config import Settings, load
from parlour.platform.ids import RoomId, UserId, uuid4, uuid7


def in_folder(folder: Path) -> Settings:
    return load(data_dir=folder)


async def test_what_others_have_yet_to_tell_is_left_to_them(tmp_path: Path) -> None:
    settings = in_folder(tmp_path)
    ann, room = UserId(uuid7()), Room(RoomId(uuid4()), "lunch", RoomKind.PUBLIC, UserId(uuid7()), 1)
    process = await build(settings)
    await needed(process.services.chat).store.create(room, {ann: "owner"})
    await process.close()

    made = await admin.seed(
        settings, users=10, room_size=5, token_seconds=60, password=None, tokens=tmp_path / "tokens"
    )

    assert made == (10, 2)
    process = await build(settings)
    assert [row.event.room_id for row in await needed(process.services.chat).store.outbox()] == [room.id]
    await process.close()
