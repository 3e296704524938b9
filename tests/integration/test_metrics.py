"""Every metric that Parlour declares tells of what happened."""

import asyncio
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import prometheus_client
import pytest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from parlour.platform import metrics

from .socketio_client import Client
from .whole_server import PASSWORD, Person, WholeServer, whole_server

ONLY_IN_TROUBLE = {
    "parlour_append_failures_total",
    "parlour_call_journal_failures_total",
    "parlour_mentions_unresolved_total",
    "parlour_room_outbox_failures_total",
    "parlour_room_outbox_set_aside_total",
    "parlour_slow_readers_total",
    "parlour_sockets_displaced_total",
    "parlour_volatile_dropped_total",
    "parlour_outbox_bytes",
}
"""Zero as long as nothing goes wrong; test_floods.py, test_slow_readers.py, test_gateway_sessions.py and the tests of the worker, of
messages and of the outbox make it go wrong."""

ONLY_WITH_ENGINES = {
    "parlour_engine_call_seconds_count",
    "parlour_engine_calls_total",
    "parlour_engine_retries_total",
    "parlour_engine_away",
    "parlour_command_lag",
    "parlour_room_events_unreadable_total",
    "parlour_dead_letters_total",
    "parlour_node_messages_dropped_total",
    "parlour_cache_lookups_total",
}
"""Of engines that are servers of their own, which this server has none of: the tests of the guard, the cache and the contracts feed
them."""


class Samples:
    """What `/metrics` says."""

    def __init__(self, server: WholeServer) -> None:
        families = text_string_to_metric_families(httpx.get(f"{server.url}/metrics").text)
        self._values = {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        return self._values.get((name, tuple(sorted(labels.items()))), 0.0)

    def total(self, name: str) -> float:
        """The sum over all labels."""
        return sum(value for (each, _), value in self._values.items() if each == name)

    def names(self) -> set[str]:
        return {name for name, _ in self._values}


def declared() -> list[MetricWrapperBase]:
    return [item for item in vars(metrics).values() if isinstance(item, MetricWrapperBase)]


class Told(NamedTuple):
    """The samples while both are connected, and after all have gone."""

    during: Samples
    after: Samples


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A conversation: registrations, a failed and a good login, ten messages between two sockets, a call, a search, a logout."""
    with whole_server(tmp_path_factory.mktemp("metrics")) as server:
        ann, bob = server.person("ann"), server.person("bob")
        room = ann.room(members=(bob,))
        during = asyncio.run(talk(server, ann, bob, room))
        yield Told(during, Samples(server))


async def talk(server: WholeServer, ann: Person, bob: Person, room: str) -> Samples:
    first, second = await ann.connect(), await bob.connect()
    for number in range(10):
        await say(first, room, f"message {number}")
    await second.wait_for("event", lambda event: event["data"].get("text") == "message 9")
    assert not (await first.call("message.send", {"room_id": room}))["ok"]
    assert not (await first.call("no.such.event", {}))["ok"]
    await call(first, second, room)
    ask(server, ann)
    during = Samples(server)
    bob.request("POST", "/api/auth/logout")
    await second.wait_closed()
    await first.close()
    return during


async def call(first: Client, second: Client, room: str) -> None:
    """A call of two with an offer, an answer and a refusal, until its end is in the log; then one that goes on."""
    begun = await first.call("call.start", {"room_id": room, "media": "audio"})
    command = {"call_id": begun["call"]["id"]}
    joined = await second.call("call.join", command)
    for client, to, kind in ((first, joined, "offer"), (second, begun, "answer")):
        signal = command | {"to": to["participant_id"], "description": {"type": kind, "sdp": "v=0"}}
        assert (await client.call("call.signal", signal))["ok"]
    assert not (await first.call("call.kick", command | {"participant_id": "nobody"}))["ok"]
    assert (await first.call("call.leave", command))["ok"]
    assert (await second.call("call.leave", command))["ok"]
    await second.wait_for("event", lambda event: event["type"] == "call.ended")
    going_on = (await first.call("call.start", {"room_id": room, "media": "video"}))["call"]["id"]
    await second.wait_for("event", lambda event: event["data"].get("call_id") == going_on)


def ask(server: WholeServer, ann: Person) -> None:
    """What is done over HTTP and by long-polling."""
    assert ann.request("GET", "/api/search?q=message").status_code == 200
    for password in ("wrong password", PASSWORD):
        httpx.post(f"{server.url}/api/auth/login", json={"login": "ann", "password": password})
    httpx.get(f"{server.url}/no/such/page")
    handshake = httpx.get(f"{server.url}/socket.io/?EIO=4&transport=polling")
    sid = handshake.text.partition('"sid":"')[2].partition('"')[0]
    polling = f"{server.url}/socket.io/?EIO=4&transport=polling&sid={sid}"
    httpx.post(polling, content="1")  # Engine.IO's close
    stranger = {"x-forwarded-for": "198.51.100.7"}
    for _ in range(201):  # one more than an address may leave half open
        httpx.get(f"{server.url}/socket.io/?EIO=4&transport=polling", headers=stranger)


async def say(client: Client, room: str, text: str) -> None:
    answer: Any = await client.call("message.send", {"room_id": room, "client_id": str(uuid4()), "text": text})
    assert answer["ok"]


@pytest.mark.parametrize("metric", declared(), ids=lambda metric: metric._name)
def test_is_fed(told: Told, metric: MetricWrapperBase) -> None:
    name = metric._name
    suffix = {prometheus_client.Counter: "_total", prometheus_client.Histogram: "_count", prometheus_client.Gauge: ""}
    sample = name + suffix[type(metric)]
    assert sample in told.after.names() or metric._labelnames
    if sample not in ONLY_IN_TROUBLE | ONLY_WITH_ENGINES:
        assert told.after.total(sample) > 0 or told.during.total(sample) > 0


def test_conversation_is_counted(told: Told) -> None:
    """The numbers are those of the conversation."""
    during, after = told
    assert during.value("parlour_sockets", transport="websocket") == 2
    assert after.value("parlour_sockets", transport="websocket") == 0
    assert during.value("parlour_sockets_opened_total", transport="websocket") == 2
    assert during.value("parlour_events_total", event="message.send", outcome="ok") == 10
    assert during.value("parlour_events_total", event="message.send", outcome="refused") == 1
    assert during.value("parlour_events_total", event="*", outcome="refused") == 1
    assert during.value("parlour_event_seconds_count", event="message.send") == 11
    assert during.value("parlour_delivery_seconds_count") >= 10
    assert during.value("parlour_deliveries_total") >= 2 * 10 + 12
    assert during.value("parlour_append_events_sum") == 10 + 3 + during.value("parlour_room_outbox_relayed_total")
    assert during.value("parlour_append_events_count") == during.value("parlour_append_seconds_count")
    assert during.value("parlour_search_seconds_count") == 1
    assert during.value("parlour_sockets_refused_total", reason="half_open") == 1


def test_calls_are_counted(told: Told) -> None:
    during = told.during
    assert during.value("parlour_calls") == 1
    assert during.value("parlour_calls_started_total", media="audio") == 1
    assert during.value("parlour_calls_ended_total", reason="hangup") == 1
    assert during.value("parlour_call_answer_seconds_count") == 1
    assert during.value("parlour_call_setup_seconds_count") == 1
    assert during.value("parlour_call_signals_total", kind="description") == 2
    assert during.value("parlour_calls_refused_total", code="participant_not_found") == 1


def test_http_is_counted_by_route(told: Told) -> None:
    """Rate, errors and duration; a path that is no route has no label of its own."""
    during = told.during
    assert during.value("parlour_http_requests_total", method="POST", route="/api/auth/register", status="201") == 2
    assert during.value("parlour_http_requests_total", method="POST", route="/api/auth/login", status="401") == 1
    assert during.value("parlour_http_requests_total", method="GET", route="unknown", status="404") == 1
    assert during.value("parlour_http_request_seconds_count", method="GET", route="/api/search") == 1
    assert not any("no/such" in str(labels) for labels in during._values)


def test_accounts_are_counted(told: Told) -> None:
    during, after = told
    assert during.total("parlour_logins_total") == 2
    assert during.value("parlour_password_hash_seconds_count") == 4
    assert after.value("parlour_sessions_revoked_total", reason="logout") == 1


def test_time_spent_is_plausible(told: Told) -> None:
    """Seconds, not milliseconds, and nothing negative."""
    for name in (
        "parlour_append_seconds",
        "parlour_delivery_seconds",
        "parlour_search_seconds",
        "parlour_loop_lag_seconds",
    ):
        mean = told.after.value(f"{name}_sum") / told.after.value(f"{name}_count")
        assert 0 <= mean < 5, name
    assert told.after.value("parlour_append_seconds_sum") > 0
