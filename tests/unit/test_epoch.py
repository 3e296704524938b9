"""The id of a history stays with it, and is another one for another data directory."""

from pathlib import Path

import pytest

from parlour.epoch import FILE, epoch_of
from parlour.platform.errors import Unavailable
from parlour.platform.ids import is_uuid


def test_it_is_made_once_in_a_directory_that_may_not_be_there_yet(tmp_path: Path) -> None:
    first = epoch_of(tmp_path / "data")
    assert is_uuid(first)
    assert epoch_of(tmp_path / "data") == first
    assert epoch_of(tmp_path / "other") != first
    assert [file.name for file in (tmp_path / "data").iterdir()] == [FILE]
    assert (tmp_path / "data" / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"not an id"], ids=["empty", "no text", "no id"])
def test_one_that_is_damaged_is_made_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    made = epoch_of(tmp_path)
    assert is_uuid(made)
    assert epoch_of(tmp_path) == made


def test_a_file_that_cannot_be_read_is_said_by_its_name(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(Unavailable, match=FILE):
        epoch_of(tmp_path)
