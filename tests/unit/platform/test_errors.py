"""Every error that a client may be told: a permanent code, a status, a meaning and advice."""

import importlib
import pkgutil
from collections import Counter
from pathlib import Path

import msgspec
import pytest

import parlour
from parlour.platform.errors import InvalidRequest, ParlourError, RateLimited, meaning

CODES = Path(__file__).with_name("codes.txt")
STATUSES = {400, 401, 403, 404, 405, 409, 413, 429, 500, 503}


def errors() -> list[type[ParlourError]]:
    """Every subclass that the package defines, wherever."""
    for module in pkgutil.walk_packages(parlour.__path__, "parlour."):
        if ".migrations." not in module.name:
            importlib.import_module(module.name)
    found, waiting = [], [ParlourError]
    while waiting:
        for error in waiting.pop().__subclasses__():
            waiting.append(error)
            if error.__module__.startswith("parlour."):
                found.append(error)
    return sorted(found, key=lambda error: error.code)


@pytest.mark.parametrize("error", errors(), ids=lambda error: error.__name__)
def test_has_a_code_of_its_own_a_status_a_meaning_and_advice(error: type[ParlourError]) -> None:
    assert "code" in vars(error)
    assert error.code.replace("_", "").isalpha()
    assert error.code.islower()
    assert error.status in STATUSES
    first, _, rest = (error.__doc__ or "").strip().partition("\n\n")
    assert first.endswith(".")
    assert "\n" not in first
    assert rest.strip(), "the second paragraph says what to do"


def test_codes_are_unique() -> None:
    doubled = {code: count for code, count in Counter(error.code for error in errors()).items() if count > 1}
    assert doubled == {}


def test_codes_are_permanent() -> None:
    """A new code gets a line in codes.txt; a line never goes and its status never changes: clients act by them."""
    kept = CODES.read_text().splitlines()
    assert [f"{error.code} {error.status}" for error in errors()] == kept


def test_message_is_the_meaning_unless_given() -> None:
    assert InvalidRequest().message == meaning(InvalidRequest) == "The request is malformed."
    assert InvalidRequest("Too blue.").body().message == "Too blue."


def test_body_leaves_out_what_is_not_there() -> None:
    """DESIGN.md section 4: `{"code", "message", "retry_after"?, "details"?}`."""
    assert msgspec.to_builtins(InvalidRequest().body()) == {
        "code": "invalid_request",
        "message": "The request is malformed.",
    }
    body = msgspec.to_builtins(RateLimited(retry_after=1.5, details={"rate": "message"}).body())
    assert (body["retry_after"], body["details"]) == (1.5, {"rate": "message"})
