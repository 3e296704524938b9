"""A command that is forked is the command: same words, same status, ended by the same signals."""

import signal
import subprocess
import sys

import pytest

from .parlour_server import DEADLINE, ParlourServer, environment, parlour


@pytest.mark.parametrize(
    "arguments", [["--version"], ["admin", "--help"], ["admin", "set-role", "ann", "king"]], ids=" ".join
)
def test_it_says_what_a_process_of_its_own_says(arguments: list[str]) -> None:
    fresh = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'parlour'; from parlour.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        env=environment({}),
        check=False,
    )
    forked = parlour(*arguments)
    assert (forked.returncode, forked.stdout, forked.stderr) == (fresh.returncode, fresh.stdout, fresh.stderr)


def test_it_has_nothing_of_the_environment_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLOUR_LOG_LEVEL", "loud")
    assert parlour("serve", port="-1").stderr.startswith("parlour: PARLOUR_PORT")
    refused = parlour("serve", log_level="loud")
    assert (refused.returncode, "PARLOUR_LOG_LEVEL" in refused.stderr) == (2, True)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGKILL, -9)])
def test_it_ends_by_signals(server: ParlourServer, number: int, status: int) -> None:
    process = server.start().process
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    assert process.poll() is None
    process.send_signal(number)
    assert process.wait(DEADLINE) == status
    assert process.poll() == status
    process.kill()  # nobody, by then
