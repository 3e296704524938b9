"""The cluster of the nodes that share a Redis: a channel a room, a channel a node."""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import time
from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec

from parlour.realtime.cluster import Broadcast, Node, RemoteSocket, Request
from parlour.realtime.frames import split_frames
from parlour.realtime.redis_line import RedisLine

logger = logging.getLogger(__name__)

MAX_TIMEOUT: Final = 60.0
"""Seconds for which a request of another node is worked on, and its answers are waited for."""

_MANY_ROOMS: Final = 16
"""Channels past which a broadcast goes to all nodes instead: each copy names all rooms, and nearly every node has one of them."""
_MAX_ANSWERING: Final = 256
_TRAVEL: Final = 1.0
"""Seconds longer than the other nodes that the asking one waits, for what they collected until the very end."""
_NODES: Final = "nodes"

_BROADCAST, _QUESTION, _ANSWER = b"b", b"q", b"a"

_Name = Annotated[str, msgspec.Meta(max_length=4096)]
_Names = Annotated[tuple[_Name, ...], msgspec.Meta(max_length=100_000)]


class _Header(msgspec.Struct, array_like=True):
    namespace: _Name
    rooms: _Names
    except_: _Names
    volatile: bool
    number: Annotated[int, msgspec.Meta(ge=0)] = 0
    since: float = 0.0  # seconds of the wall clock since the epoch


class _Question(msgspec.Struct, array_like=True):
    id: int
    node: _Name
    request: Request


class _Answer(msgspec.Struct, array_like=True):
    id: int
    items: msgspec.Raw


class _Waiting:
    """A request whose answers come in."""

    def __init__(self, operation: str) -> None:
        self.items: list[Any] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._type: Any = list[RemoteSocket] if operation == "fetch" else list[Any]
        self._left = 0
        self._expects = False

    def expect(self, answers: int) -> None:
        """Be done after so many answers, those included that are here already."""
        self._left += answers
        self._expects = True
        self._check()

    def take(self, items: msgspec.Raw) -> None:
        """Take the answer of one node; raises `msgspec.MsgspecError` where it is none."""
        self.items += msgspec.msgpack.decode(items, type=self._type)
        self._left -= 1
        self._check()

    def _check(self) -> None:
        if self._expects and self._left <= 0 and not self.done.done():
            self.done.set_result(None)


class RedisCluster:
    """A `Cluster` over a `RedisLine`, whose guarantees it has: all that one node publishes, to whatever rooms, arrives at another in
    the order published.

    A node subscribes to the channel of each of its rooms, to its own channel and to one of all nodes. What goes to more than 16 rooms
    is published once, for all nodes. A socket's own id is a room of its node's channel. Nothing that arrives is trusted: what is not
    as it should be is dropped and counted ("malformed").

    While Redis is away, nodes hear nothing of each other: broadcasts reach the members on their own node alone, requests are answered
    by nobody, at once. When it is back subscriptions are restored, and `on_gap` listeners are told so that they can catch up.

    `node_id` must be of this node alone; without one it is random.
    """

    def __init__(self, line: RedisLine, *, node_id: str = "") -> None:
        self.node_id = node_id or secrets.token_hex(6)
        self._line = line
        self._node: Node | None = None
        self._rooms: set[tuple[str, str]] = set()
        self._own = self.node_id + "."
        self._ids = itertools.count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._encode = msgspec.msgpack.Encoder().encode
        self._header = msgspec.msgpack.Decoder(_Header).decode
        self._question = msgspec.msgpack.Decoder(_Question).decode
        self._answer = msgspec.msgpack.Decoder(_Answer).decode

    def attach(self, node: Node) -> None:
        """See Cluster."""
        self._node = node
        self._line.subscribe(_NODES, self._receive)
        self._line.subscribe(_node_channel(self.node_id), self._receive)

    async def start(self) -> None:
        """Connect; see RedisLine.start."""
        await self._line.start()

    async def close(self) -> None:
        """Answer nobody any more, and close the line."""
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        await self._line.close()

    def on_gap(self, listener: Callable[[], None]) -> None:
        """Call `listener()` when broadcasts may have been lost: whoever keeps a log has its clients catch up."""
        self._line.on_gap(listener)

    def subscribe(self, namespace: str, room: str) -> None:
        """See Cluster."""
        self._rooms.add((namespace, room))
        if not room.startswith(self._own):
            self._line.subscribe(_room_channel(namespace, room), self._receive)

    def unsubscribe(self, namespace: str, room: str) -> None:
        """See Cluster."""
        self._rooms.discard((namespace, room))
        if not room.startswith(self._own):
            self._line.unsubscribe(_room_channel(namespace, room))

    async def settled(self) -> bool:
        """See Cluster."""
        return await self._line.settled()

    def publish(self, broadcast: Broadcast) -> None:
        """See Cluster."""
        rooms = broadcast.rooms or ("",)
        channels: dict[str, None] = {}
        for room in rooms:
            channels[_room_channel(broadcast.namespace, room)] = None
            node_id, dot, _ = room.partition(".")
            if dot and node_id != self.node_id:
                channels[_node_channel(node_id)] = None
        try:
            header = self._encode(
                _Header(
                    broadcast.namespace,
                    broadcast.rooms,
                    broadcast.except_,
                    broadcast.volatile,
                    broadcast.number,
                    time.time() - (time.monotonic() - broadcast.since) if broadcast.since else 0.0,
                ),
            )
        except UnicodeEncodeError:  # a room's name with half of a surrogate pair: no other node can have it
            self._line.drop("malformed")
            return
        self._line.publish(
            channels if len(channels) <= _MANY_ROOMS else (_NODES,),
            b"".join((_BROADCAST, len(header).to_bytes(4, "big"), header, broadcast.frame)),
        )

    async def request(self, request: Request) -> list[Any]:
        """See Cluster. Arguments that msgpack does not know raise what msgspec raises."""
        number = next(self._ids)
        timeout = min(max(request.timeout, 0.001), MAX_TIMEOUT)
        arguments = [msgspec.json.decode(each) if isinstance(each, msgspec.Raw) else each for each in request.arguments]
        request = msgspec.structs.replace(request, arguments=arguments, timeout=timeout)
        question = _QUESTION + self._encode(_Question(number, self.node_id, request))
        self._waiting[number] = waiting = _Waiting(request.operation)
        try:
            async with asyncio.timeout(timeout + _TRAVEL if request.operation == "call" else timeout):
                takers = await self._line.publish_counted(_NODES, question)
                waiting.expect(takers - 1)  # but for this node
                await waiting.done
        except TimeoutError:
            pass
        finally:
            del self._waiting[number]
        return waiting.items

    def _receive(self, payload: bytes) -> None:
        kind, body = payload[:1], payload[1:]
        try:
            if kind == _BROADCAST:
                self._deliver(body)
            elif kind == _QUESTION:
                self._begin_answer(self._question(body))
            elif kind == _ANSWER:
                answer = self._answer(body)
                if answer.id in self._waiting:
                    self._waiting[answer.id].take(answer.items)
            else:
                self._line.drop("malformed")
        except (msgspec.MsgspecError, ValueError):
            self._line.drop("malformed")

    def _deliver(self, body: bytes) -> None:
        begin = 4 + int.from_bytes(body[:4], "big")
        header = self._header(body[4:begin])
        frame = body[begin:]
        split_frames(frame)  # raises unless they are whole: half a frame would break the stream of every member
        mine = self._rooms
        namespace = header.namespace
        if self._node is not None and any((namespace, room) in mine for room in header.rooms or ("",)):
            if header.number and len(header.rooms) != 1:
                raise ValueError("a number in no room, or in several")
            since = time.monotonic() - max(0.0, time.time() - header.since) if header.since else 0.0
            self._node.deliver(
                Broadcast(namespace, header.rooms, header.except_, frame, header.volatile, header.number, since)
            )

    def _begin_answer(self, question: _Question) -> None:
        if not 0 < question.request.timeout <= MAX_TIMEOUT:
            raise ValueError("a timeout out of bounds")
        if len(self._answering) >= _MAX_ANSWERING:
            self._line.drop("overflow")
            self._send_answer(question, b"\x90")  # none: an empty array
            return
        task = asyncio.create_task(self._work(question))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _work(self, question: _Question) -> None:
        items = b"\x90"
        try:
            if self._node is not None:
                async with asyncio.timeout(question.request.timeout + _TRAVEL):
                    items = self._encode(await self._node.answer(question.request))
        except Exception:
            logger.exception("answering another node failed", extra={"operation": question.request.operation})
        self._send_answer(question, items)

    def _send_answer(self, question: _Question, items: bytes) -> None:
        answer = self._encode(_Answer(question.id, msgspec.Raw(items)))
        self._line.publish((_node_channel(question.node),), _ANSWER + answer)


def _room_channel(namespace: str, room: str) -> str:
    return f"room:{namespace}#{room}"


def _node_channel(node_id: str) -> str:
    return f"node:{node_id}"
