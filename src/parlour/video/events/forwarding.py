"""What is asked of calls on one node and done on another: requests and answers over the bus."""

import asyncio
import itertools
import logging
import math
import secrets
from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from parlour.platform.bus import Bus, Unsubscribe
from parlour.platform.errors import ErrorBody, Internal, ParlourError, Unavailable, error_from
from parlour.platform.logging import correlation_id, new_correlation_id
from parlour.platform.tokens import Principal
from parlour.video.events.desk import Asker, do, payload_of
from parlour.video.service.calls import Calls

logger = logging.getLogger(__name__)

REQUEST: Final = "calls.request"
_ANSWER: Final = "calls.answer."

WAIT: Final = 5.0
WORK: Final = 4.0
"""Seconds that an answer is waited for, and worked on: who was told that nothing came is not let into a call afterwards."""

SILENT: Final = 5.0
"""Seconds without a sign of life of a carrier after which nothing is asked."""

MOST_WAITING: Final = 1_000
"""Requests of one node without an answer; more are refused."""

MOST_WORKING: Final = 5_000
"""Requests of all nodes that the carrier works on; more are refused."""

_Name = Annotated[str, Meta(max_length=256)]


class CallRequest(msgspec.Struct, array_like=True):
    """What a socket of another node asks; `payload` is the JSON of a payload that was checked there, and is again."""

    id: Annotated[int, Meta(ge=0)]
    node_id: _Name
    name: _Name
    payload: Annotated[bytes, Meta(max_length=1_000_000)]
    principal: Principal
    socket_id: _Name
    correlation_id: _Name


class CallAnswer(msgspec.Struct, array_like=True):
    """What is acknowledged, as JSON, or why it was refused."""

    id: Annotated[int, Meta(ge=0)]
    answer: bytes
    error: ErrorBody | None = None


_request = msgspec.msgpack.Decoder(CallRequest).decode
_answer = msgspec.msgpack.Decoder(CallAnswer).decode


class Forwarding:
    """Asks whoever carries the calls, and answers where that is this node."""

    def __init__(self, bus: Bus, node_id: str, calls: Callable[[], Calls | None], *, wait: float = WAIT) -> None:
        """`calls()` are those that this process carries at the moment; `wait` in seconds."""
        self._bus = bus
        self._node_id = node_id
        self._calls = calls
        self._wait = wait
        self._ids = itertools.count(
            secrets.randbits(48)
        )  # a node that was started again is not answered what it asked before
        self._waiting: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._carrier = ""
        self._heard_at = -math.inf
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscriptions: list[Unsubscribe] = []

    def start(self) -> None:
        """Begin to listen."""
        self._subscriptions = [
            self._bus.subscribe(REQUEST, self._asked),
            self._bus.subscribe(_ANSWER + self._node_id, self._answered),
        ]

    def stop(self) -> None:
        """Listen no more, and leave what is under way."""
        for unsubscribe in self._subscriptions:
            unsubscribe()
        for task in self._tasks:
            task.cancel()

    async def ask(self, name: str, asker: Asker, payload: msgspec.Struct) -> msgspec.Struct | msgspec.Raw:
        """Have it done by the carrier; see `Carried.ask`."""
        calls = self._calls()
        if calls is not None:
            return await do(calls, name, asker, payload)
        loop = asyncio.get_running_loop()
        if loop.time() - self._heard_at > SILENT or len(self._waiting) >= MOST_WAITING:
            raise Unavailable(retry_after=1)
        number = next(self._ids)
        encoded = msgspec.json.encode(payload)
        correlation = correlation_id.get()
        request = CallRequest(number, self._node_id, name, encoded, asker.principal, asker.socket_id, correlation)
        answer: asyncio.Future[msgspec.Raw] = loop.create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(self._wait):
                await self._bus.publish(REQUEST, msgspec.msgpack.encode(request))
                return await answer
        except TimeoutError:
            raise Unavailable(retry_after=1) from None
        finally:
            del self._waiting[number]

    def carrier(self, node_id: str) -> None:
        """Take in that a node carries the calls; what was asked of another is answered by nobody."""
        self._heard_at = asyncio.get_running_loop().time()
        if node_id != self._carrier:
            self._carrier = node_id
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(Unavailable(retry_after=1))

    def _answered(self, payload: bytes) -> None:
        answered = _answer(payload)
        waiting = self._waiting.get(answered.id)
        if waiting is None or waiting.done():
            return
        if answered.error is None:
            waiting.set_result(msgspec.Raw(answered.answer))
        else:
            waiting.set_exception(error_from(msgspec.to_builtins(answered.error)))

    def _asked(self, payload: bytes) -> None:
        calls = self._calls()
        if calls is None:
            return
        request = _request(payload)
        full = len(self._tasks) >= MOST_WORKING
        task = asyncio.create_task(self._refuse(request) if full else self._work(calls, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, calls: Calls, request: CallRequest) -> None:
        new_correlation_id(request.correlation_id)
        error: ParlourError
        try:
            async with asyncio.timeout(WORK):
                payload = payload_of(request.name, request.payload)
                asker = Asker(request.principal, request.socket_id)
                answer = await do(calls, request.name, asker, payload)
                await self._say(request, CallAnswer(request.id, msgspec.json.encode(answer)))
                return
        except ParlourError as refused:
            error = refused
        except TimeoutError:
            error = Unavailable(retry_after=1)
        except Exception:
            logger.exception("what another node asked of calls failed", extra={"request": request.name})
            error = Internal()
        await self._say(request, CallAnswer(request.id, b"", error.body()))

    async def _refuse(self, request: CallRequest) -> None:
        await self._say(request, CallAnswer(request.id, b"", Unavailable(retry_after=1).body()))

    async def _say(self, request: CallRequest, answer: CallAnswer) -> None:
        await self._bus.publish(_ANSWER + request.node_id, msgspec.msgpack.encode(answer))
