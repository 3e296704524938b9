"""Every operation of the OpenAPI, fed with what its schema allows and what it forbids: no 5xx, and only answers that it declares."""

import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from .whole_server import whole_server

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
    allow_header_conformance,
]
"""Not whether all that the schema allows is accepted: rules such as that of a username are more than a schema says."""

UNLIMITED = '{"password": "100000/minute", "directory": "100000/minute", "draft": "100000/minute"}'
EXAMPLES = int(os.environ.get("PARLOUR_EXAMPLES", "12"))
REPEATABLE = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""The same cases on every run; `make fuzz` takes more of them."""

DEADLINE = 60.0
"""Seconds for an answer: passwords wait for a core where others have it."""

pytestmark = pytest.mark.timeout(30 * EXAMPLES)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server with a room, a message in it and a second member."""
    with whole_server(tmp_path_factory.mktemp("openapi"), rates=UNLIMITED) as server:
        owner, member = server.person("ann"), server.person("bob")
        room = owner.room(members=(member,))
        message = owner.send(room, "hello")
        leaving = server.person("cleo")
        yield SimpleNamespace(server=server, owner=owner, member=member, room=room, message=message, leaving=leaving)


@pytest.fixture(scope="module")
def api(target: Any) -> Any:
    loaded = schemathesis.openapi.from_url(f"{target.server.url}/schema/openapi.json")
    loaded.config.seed = 1
    return loaded


def fuzz(operation: Any, test: Callable[[schemathesis.Case], None]) -> None:
    """Run `test` with cases that fit the schema of an operation, and with cases that do not."""
    modes = [schemathesis.GenerationMode.POSITIVE]
    if operation.body or any(True for _ in operation.iter_parameters()):
        modes.append(schemathesis.GenerationMode.NEGATIVE)
    for mode in modes:
        REPEATABLE(given(operation.as_strategy(generation_mode=mode))(test))()


def operations(api: Any) -> Iterator[tuple[str, Any]]:
    for result in api.get_all_operations():
        operation = result.ok()
        yield operation.label, operation


def test_with_a_token(api: Any, target: Any, subtests: pytest.Subtests) -> None:
    """Each case as it was made, and again aimed at a room, message and member that exist."""
    existing = {"room_id": target.room, "message_id": target.message["id"], "user_id": target.member.id}

    def test(case: schemathesis.Case) -> None:
        person = target.leaving if case.path == "/api/auth/logout" else target.owner
        headers = {"authorization": f"Bearer {person.token}"}
        case.call_and_validate(headers=headers, checks=CHECKS, timeout=DEADLINE)
        known = existing.keys() & case.path_parameters.keys()
        if known:
            case.path_parameters.update({name: existing[name] for name in known})
            case.call_and_validate(headers=headers, checks=CHECKS, timeout=DEADLINE)

    for label, operation in operations(api):
        with subtests.test(label):
            fuzz(operation, test)


def test_without_a_token(api: Any, subtests: pytest.Subtests) -> None:
    """What needs a token is refused, however well the rest fits."""

    def test(case: schemathesis.Case) -> None:
        response = case.call_and_validate(checks=CHECKS, timeout=DEADLINE)
        if case.operation.definition.raw.get("security"):
            assert 400 <= response.status_code < 500

    for label, operation in operations(api):
        with subtests.test(label):
            fuzz(operation, test)
