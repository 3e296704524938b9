"""What every presence store keeps: a user is as present as the most present of their devices."""

from collections.abc import Callable

import pytest

from parlour.chat.adapters.memory import MemoryPresence
from parlour.chat.ports import PresenceStore

from .room_logs import ANN, BEN, CY

STORES: dict[str, Callable[[], PresenceStore]] = {"memory": MemoryPresence}


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest) -> PresenceStore:
    return STORES[request.param]()


def test_nobody_is_here_at_first(store: PresenceStore) -> None:
    assert store.get([ANN, BEN]) == {ANN: "offline", BEN: "offline"}


def test_a_device_comes_idles_and_goes(store: PresenceStore) -> None:
    assert store.set(ANN, "phone", "active") == "online"
    assert store.set(ANN, "phone", "idle") == "idle"
    assert store.set(ANN, "phone", None) == "offline"


def test_the_best_device_counts(store: PresenceStore) -> None:
    store.set(ANN, "phone", "idle")
    assert store.set(ANN, "laptop", "active") == "online"
    assert store.set(ANN, "laptop", "idle") == "idle"
    assert store.set(ANN, "laptop", None) == "idle"
    assert store.set(ANN, "phone", None) == "offline"


def test_users_are_apart(store: PresenceStore) -> None:
    store.set(ANN, "tab", "active")
    store.set(BEN, "tab", "idle")
    assert store.get([ANN, BEN, CY]) == {ANN: "online", BEN: "idle", CY: "offline"}


def test_a_device_that_goes_twice_or_was_never_here_is_no_error(store: PresenceStore) -> None:
    assert store.set(ANN, "tab", None) == "offline"
    store.set(ANN, "tab", "active")
    store.set(ANN, "tab", None)
    assert store.set(ANN, "tab", None) == "offline"
