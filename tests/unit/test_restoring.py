"""A restoration that a crash interrupts, wherever it does, leaves one whole set of files."""

from pathlib import Path
from typing import Any

import pytest

from parlour import restoring
from parlour.config import ConfigurationError
from parlour.epoch import FILE, epoch_of

STEPS = ("_copy", "_sync", "_mark", "_remove", "_rename")
NAMES = ("parlour.db", "messages.db")


class Crash(BaseException):
    """The process is gone."""


class Countdown:
    """Lets some steps happen, then none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
        self.left = steps
        for name in STEPS:
            monkeypatch.setattr(restoring, name, self._counted(getattr(restoring, name)))

    def _counted(self, step: Any) -> Any:
        def counted(*arguments: Any) -> None:
            if self.left == 0:
                raise Crash
            self.left -= 1
            step(*arguments)

        return counted


class Data:
    """A data directory whose log is elsewhere, and a backup."""

    def __init__(self, folder: Path) -> None:
        self.directory, elsewhere, backup = (folder / name for name in ("data", "elsewhere", "backup"))
        for each in (self.directory, elsewhere, backup):
            each.mkdir()
        self.places = [self.directory / NAMES[0], elsewhere / NAMES[1]]
        self.copies = [backup / name for name in NAMES]
        for copy, place in zip(self.copies, self.places, strict=True):
            copy.write_text("new")
            place.write_text("old")
            place.with_name(place.name + "-wal").write_text("old")
        self.epoch = epoch_of(self.directory)

    def replace(self) -> None:
        restoring.replace(self.directory, self.copies, self.places)

    def content(self) -> list[str]:
        files = [file for place in self.places for file in place.parent.glob(place.name + "*")]
        return sorted({file.read_text() for file in files if not file.name.endswith(".restored")})

    def has_its_epoch(self) -> bool:
        """Tell whether clients would take the history for the one that they know."""
        return (self.directory / FILE).exists() and epoch_of(self.directory) == self.epoch

    def left_over(self) -> list[str]:
        return [file.name for place in self.places for file in place.parent.iterdir() if file not in self.places]


def test_the_copies_take_the_places_and_nothing_is_left_of_the_old_files(tmp_path: Path) -> None:
    data = Data(tmp_path)
    data.replace()
    assert data.content() == ["new"]
    assert data.left_over() == []
    assert not data.has_its_epoch()
    assert {place.stat().st_mode & 0o777 for place in data.places} == {0o600}


def test_a_crash_at_any_step_leaves_the_old_set_or_a_new_one_that_the_next_opening_completes(tmp_path: Path) -> None:
    outcomes: list[str] = []
    for steps in range(100):
        data = Data(_fresh(tmp_path, steps))
        with pytest.MonkeyPatch.context() as patched:
            countdown = Countdown(patched, steps)
            try:
                data.replace()
            except Crash:
                assert countdown.left == 0
            else:
                break
        due = restoring.is_due(data.directory)
        with pytest.MonkeyPatch.context() as patched:  # the next opening may crash too
            Countdown(patched, 2)
            try:
                restoring.finish(data.directory, data.places)
            except Crash:
                assert due
        restoring.finish(data.directory, data.places)
        (content,) = data.content()
        assert content == "new" or not due
        assert data.has_its_epoch() == (content == "old")
        outcomes.append(content)
        data.replace()
        assert data.content() == ["new"]
        assert data.left_over() == []
    assert outcomes == sorted(outcomes, reverse=True), "from some step on it is the new one"
    assert set(outcomes) == {"old", "new"}


def test_what_cannot_be_copied_changes_nothing(tmp_path: Path) -> None:
    data = Data(tmp_path)
    data.copies[1].unlink()
    with pytest.raises(ConfigurationError, match="nothing was changed"):
        data.replace()
    assert data.content() == ["old"]
    assert data.has_its_epoch()
    assert not restoring.is_due(data.directory)


def _fresh(folder: Path, number: int) -> Path:
    (folder / str(number)).mkdir()
    return folder / str(number)
