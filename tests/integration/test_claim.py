"""Two servers never share a file of an engine, whichever way their settings lead to it."""

from pathlib import Path
from typing import Any

import pytest

from parlour.claim import claimed
from parlour.config import ConfigurationError, Settings


def settings_of(directory: Path, **urls: Any) -> Settings:
    return Settings(data_dir=directory, **urls)


def test_a_data_directory_is_held_by_one(tmp_path: Path) -> None:
    with claimed(settings_of(tmp_path / "one")):
        with pytest.raises(ConfigurationError, match="another Parlour serves"), claimed(settings_of(tmp_path / "one")):
            pass
        with claimed(settings_of(tmp_path / "two")):
            pass
    with claimed(settings_of(tmp_path / "one")):
        pass


@pytest.mark.parametrize("setting", ["database_url", "messages_url"])
def test_a_file_is_held_by_one_whatever_the_data_directory(tmp_path: Path, setting: str) -> None:
    name = {"database_url": "parlour.db", "messages_url": "messages.db"}[setting]
    (tmp_path / "one").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "one")
    borrowing = settings_of(tmp_path / "two", **{setting: f"sqlite:///{tmp_path / 'link' / name}"})
    with (
        claimed(settings_of(tmp_path / "one")),
        pytest.raises(ConfigurationError, match=f"another Parlour serves .*{name}"),
        claimed(borrowing),
    ):
        pass
    with (
        claimed(borrowing),
        pytest.raises(ConfigurationError, match=f"another Parlour serves .*{name}"),
        claimed(settings_of(tmp_path / "one")),
    ):
        pass
