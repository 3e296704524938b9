"""People who log in, join, write, search, leave and log out by HTTP while a cluster is hurt: what they were told has to stay true."""

import math
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import httpx

from parlour.chat.model import EventType, RoomEvent
from parlour.platform.ids import uuid4

from ..e2e.parlour_server import wait_until

PASSWORD: Final = "a long enough passphrase of the office"
PAUSE: Final = 0.1
"""Seconds between two steps of one person, and before a step is tried again."""
ROUND: Final = 9
"""Steps from a login to being out."""
LATEST: Final = 60.0
"""Seconds within which a step has to be done, once nothing hurts any more: what a machine takes that has much else to do."""

TEMPORARY: Final = {
    "unavailable",
    "database_unavailable",
    "broker_unavailable",
    "bus_unavailable",
    "busy",
    "passwords_busy",
    "rate_limited",
    "conflict",  # a search of before, which nobody waits for any more
}

Check = Callable[[httpx.Response], bool]


@dataclass(frozen=True)
class Step:
    """One thing that somebody does until it is done.

    `done` tells from an answer whether it is, `not_yet` whether it will be by itself: what one process wrote, another has still to hear.
    `repeated` tells it where an earlier attempt had no answer, and may have done it.
    """

    name: str
    method: str
    path: str
    done: Check
    json: dict[str, Any] | None = None
    params: dict[str, str] | None = None
    not_yet: Check = lambda _: False
    repeated: Check = lambda _: False
    writes: bool = False


class Round(NamedTuple):
    """What one person wrote between joining and leaving, all of it acknowledged but perhaps the leaving of the last round."""

    client_id: str
    text: str


@dataclass
class Person:
    """Somebody of the office, and how far they are. Written by their own thread alone."""

    username: str
    user_id: str = ""
    steps: int = 0
    writes: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    rounds: list[Round] = field(default_factory=list)
    doing: str = ""
    token: str = ""
    granted_at: float = 0.0
    latest: dict[str, float] = field(default_factory=dict)
    """By name of a step: the most seconds for which an answer was not yet what it had to become."""


class Office:
    """Some people, each in a thread of their own, who do one round after the other in one room until they are told to stop."""

    def __init__(self, url: str, trust: ssl.SSLContext, people: int = 2) -> None:
        """Make their accounts and their room; nothing hurts yet."""
        self._url = url
        self._trust = trust
        self.people = [Person(f"office{number}") for number in range(people)]
        self.wrong: list[str] = []
        """What should not have been answered, a sentence each."""
        self._wrong_clock_at = -math.inf
        self._stop = threading.Event()
        self._stopping_since = 0.0
        with self._client() as http:
            for person in self.people:
                person.user_id = self._register(http, person.username)["user"]["id"]
            keeper = self._register(http, "keeper")
            headers = {"authorization": f"Bearer {keeper['access_token']}"}
            room = http.post("/api/rooms", json={"name": "Office", "kind": "public"}, headers=headers)
            self.room_id: str = room.raise_for_status().json()["id"]
        self._threads = [threading.Thread(target=self._work, args=(person,), daemon=True) for person in self.people]
        for thread in self._threads:
            thread.start()

    @property
    def steps(self) -> list[int]:
        """How many steps each has done."""
        return [person.steps for person in self.people]

    @property
    def writes(self) -> int:
        """How many attempts to change something have been answered, or given up, in all."""
        return sum(person.writes for person in self.people)

    @property
    def refused(self) -> int:
        """How often somebody was told to come again, or got no answer."""
        return sum(person.refused.total() for person in self.people)

    @property
    def doing(self) -> list[str]:
        """What each does at the moment."""
        return [f"{person.username}: {person.doing}" for person in self.people]

    def until_written(self, writes: int) -> None:
        """Wait for so many attempts to change something."""
        wait_until(lambda: self.writes >= writes, f"{writes} attempts of the office", lambda: "\n".join(self.doing))

    def summary(self) -> dict[str, Any]:
        """What there was: rounds, what refused somebody how often, and how late one process at most heard what another had written."""
        refused: Counter[str] = Counter()
        latest: dict[str, float] = {}
        for person in self.people:
            refused += person.refused
            for name, seconds in person.latest.items():
                latest[name] = max(latest.get(name, 0.0), round(seconds, 2))
        return {"rounds": sum(len(person.rounds) for person in self.people), "refused": refused, "latest_s": latest}

    def clock_is_wrong(self, now: bool) -> None:
        """Take no offence at tokens that are refused: made by a clock that is wrong, or looked at by one."""
        self._wrong_clock_at = math.inf if now else time.monotonic()

    def stop(self) -> None:
        """Have each finish the round that is under way, and wait for it; who does not within `LATEST` is wrong."""
        if self._stop.is_set():
            return
        self._stopping_since = time.monotonic()
        self._stop.set()
        for thread in self._threads:
            thread.join(2 * LATEST)
        self.wrong += [
            f"{each} does not end" for each, thread in zip(self.doing, self._threads, strict=True) if thread.is_alive()
        ]

    def _register(self, http: httpx.Client, username: str) -> Any:
        body = {"username": username, "email": f"{username}@example.org", "password": PASSWORD}
        return http.post("/api/auth/register", json=body).raise_for_status().json()

    def _client(self) -> httpx.Client:
        # A new connection each time, as people who come and go have: one that a killed NGINX left behind tells nothing.
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.Client(base_url=self._url, verify=self._trust, timeout=15, limits=limits)

    def _work(self, person: Person) -> None:
        try:
            with self._client() as http:
                while not self._stop.is_set() and self._round(http, person):
                    pass
        except Exception as error:  # whatever a thread dies of has to be told
            self.wrong.append(f"{person.username} at {person.doing}: {error!r}")

    def _round(self, http: httpx.Client, person: Person) -> bool:
        """Do everything once; False where somebody was told what cannot be."""
        mine = Round(uuid4(), f"w{uuid4().replace('-', '')}")
        if not self._log_in(http, person):
            return False
        for step in _steps(self.room_id, mine):
            if self._do(http, person, step) is None:
                return False
            if step.name == "write":
                person.rounds.append(mine)
        return True

    def _log_in(self, http: httpx.Client, person: Person) -> bool:
        body = {"login": person.username, "password": PASSWORD}
        person.token = ""
        granted = self._do(http, person, Step("log in", "POST", "/api/auth/login", _is(200), json=body, writes=True))
        if granted is not None:
            person.token, person.granted_at = granted.json()["access_token"], time.monotonic()
        return granted is not None

    def _do(self, http: httpx.Client, person: Person, step: Step) -> httpx.Response | None:
        """Try until it is done; None where what was told is wrong, or it is not done in time after all had to stop."""
        unsure, waits_since = False, 0.0
        while True:
            time.sleep(PAUSE)
            person.doing = f"{step.name}, {step.method} {step.path}"
            answer, code = self._ask(http, person, step)
            person.writes += step.writes
            if answer is not None and (step.done(answer) or (unsure and step.repeated(answer))):
                person.steps += 1
                if waits_since:
                    person.latest[step.name] = max(person.latest.get(step.name, 0), time.monotonic() - waits_since)
                return answer
            person.doing += f" (last: {code})"
            if answer is None or code in TEMPORARY:
                person.refused[code] += 1
                unsure = True
            elif step.not_yet(answer):
                waits_since = waits_since or time.monotonic()
            elif answer.status_code == 401 and person.token and person.granted_at <= self._wrong_clock_at:
                if not self._log_in(http, person):
                    return None
            else:
                self.wrong.append(f"{person.username} at {person.doing}: {answer.status_code} {answer.text[:300]}")
                return None
            if self._stop.is_set() and time.monotonic() - self._stopping_since > LATEST:
                self.wrong.append(f"{person.username} at {person.doing}: not done {LATEST:.0f} s after the last fault")
                return None

    def _ask(self, http: httpx.Client, person: Person, step: Step) -> tuple[httpx.Response | None, str]:
        """Return an answer, None where there was none, and what its error is called."""
        headers = {"authorization": f"Bearer {person.token}"} if person.token else {}
        try:
            answer = http.request(step.method, step.path, json=step.json, params=step.params, headers=headers)
        except httpx.TransportError as error:
            return None, type(error).__name__
        return answer, _code(answer)


def _is(*statuses: int) -> Check:
    return lambda answer: answer.status_code in statuses


def _is_refused(status: int, code: str) -> Check:
    return lambda answer: answer.status_code == status and _code(answer) == code


_hidden = _is_refused(404, "room_not_found")


def _steps(room_id: str, mine: Round) -> list[Step]:
    """What is done with one login: by auth, chat, the worker, the index of search and video, each hearing of what the others did."""
    room = f"/api/rooms/{room_id}"
    said = {"client_id": mine.client_id, "text": mine.text}
    search = {"q": mine.text, "room_id": room_id}
    return [
        Step("join", "POST", f"{room}/join", _is(200), writes=True),
        Step("see calls", "GET", f"{room}/call", _is(200), not_yet=_hidden),
        Step("write", "POST", f"{room}/messages", _is(200, 201), json=said, not_yet=_hidden, writes=True),
        Step(
            "find",
            "GET",
            "/api/search",
            lambda answer: answer.status_code == 200 and len(answer.json()["hits"]) == 1,
            params=search,
            not_yet=lambda answer: _hidden(answer) or (answer.status_code == 200 and not answer.json()["hits"]),
        ),
        Step("leave", "POST", f"{room}/leave", _is(204), repeated=_hidden, writes=True),
        Step("see no calls", "GET", f"{room}/call", _hidden, not_yet=_is(200)),
        Step("log out", "POST", "/api/auth/logout", _is(204), repeated=_is(401), json={}, writes=True),
        Step("be out", "GET", room, _is(401), not_yet=_is(200, 404)),
    ]


def _code(answer: httpx.Response) -> str:
    """What an error is called, or its status where it is none of ours."""
    try:
        return str(answer.json()["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return str(answer.status_code)


def untrue(person: Person, log: Sequence[RoomEvent]) -> list[str]:
    """Return what the room's log says of somebody that is not what they were told, a sentence each.

    Changes of membership and messages are each in their order. Between them there is none to be had: while Kafka is away a change holds
    at once, and is told to the log afterwards.
    """
    mine = [event for event in log if event.sender_id == person.user_id]
    changes = [event.type.value for event in mine if event.type is not EventType.MESSAGE_CREATED]
    messages = [event.client_id for event in mine if event.type is EventType.MESSAGE_CREATED]
    told = [each.value for _ in person.rounds for each in (EventType.MEMBER_JOINED, EventType.MEMBER_LEFT)]
    return [
        *_differing(f"{person.username}'s changes of membership", changes, told),
        *_differing(f"{person.username}'s messages", messages, [each.client_id for each in person.rounds]),
    ]


def _differing(what: str, kept: Sequence[str], told: Sequence[str]) -> list[str]:
    if list(kept) == list(told):
        return []
    pairs = enumerate(zip(kept, told, strict=False))
    place = next((place for place, (one, other) in pairs if one != other), min(len(kept), len(told)))
    return [
        f"{what}: from place {place} on the log has {kept[place : place + 3]}, they were told {told[place : place + 3]};"
        f" {len(kept)} and {len(told)} in all"
    ]
