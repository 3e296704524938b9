"""Fan-out between nodes: the port, and the adapter of a single process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec


class Broadcast(msgspec.Struct, frozen=True):
    """A packet for the members of rooms on every node. `frame` is the joined WebSocket frames, ready to be written.

    No `rooms` means everybody in the namespace. `except_` names rooms, of which a socket's own id is one. A `number` above 0 is its
    place in its one room (numbered.py). `since`, unless it is 0, is when what it tells of was received, by this process's
    `time.monotonic()`: for measuring alone. Another node has it as well as the two machines' wall clocks agree.
    """

    namespace: str
    rooms: tuple[str, ...]
    except_: tuple[str, ...]
    frame: bytes
    volatile: bool = False
    number: int = 0
    since: float = 0.0


class Request(msgspec.Struct, frozen=True):
    """Something to do with, or to ask of, the matching sockets of every other node.

    `operation` and what `arguments` holds: "fetch" nothing; "join" and "leave" the rooms; "disconnect" [close: bool];
    "call" [event, *args] with `timeout` in seconds.
    """

    operation: Literal["fetch", "join", "leave", "disconnect", "call"]
    namespace: str
    rooms: tuple[str, ...]
    except_: tuple[str, ...]
    arguments: list[Any] = []
    timeout: float = 5.0


class RemoteSocket(msgspec.Struct, frozen=True):
    """What `fetch_sockets` tells of a socket, here or on another node."""

    id: str
    rooms: tuple[str, ...]
    address: str


class Node(Protocol):
    """What a cluster adapter may ask of the server that it connects. Called on the event loop."""

    def deliver(self, broadcast: Broadcast) -> None:
        """Hands a broadcast of another node to the local members."""

    async def answer(self, request: Request) -> list[Any]:
        """Does what another node requests, for local sockets only; "fetch" gives sockets, "call" acknowledgements."""


class Cluster(Protocol):
    """Connects the nodes of one deployment.

    Ordering: broadcasts that one node publishes to one room arrive at any other node in the order published; nothing holds
    between nodes or between rooms. Delivery: at most once, to the nodes subscribed when it passes. Failure: `publish`,
    `subscribe` and `unsubscribe` never raise and never block; what cannot be sent is lost (and logged by the adapter) and
    subscriptions are restored when the connection is, so applications need a log to catch up from. `request` gives the
    answers that arrived in time; a node that is gone answers nothing. Every method is called on the event loop.

    Rooms are subscribed to one by one so that no node sees all traffic. A socket's own id is a room, too. It starts with
    `node_id` and a dot where there is one, so that an adapter may route it without a subscription.
    """

    node_id: str

    def attach(self, node: Node) -> None:
        """Called once, by the server that the adapter belongs to, before anything else."""

    def subscribe(self, namespace: str, room: str) -> None:
        """The first local socket joined `room`. Everybody's room of a namespace is subscribed to as ""."""

    def unsubscribe(self, namespace: str, room: str) -> None:
        """The last local socket left `room`."""

    def publish(self, broadcast: Broadcast) -> None:
        """Sends a broadcast to the other nodes; never back to this one. The local members have it already.

        A broadcast to several rooms must reach a node once, however many of the rooms it subscribes to.
        """

    async def settled(self) -> bool:
        """Waits until what was subscribed to up to now is in force; False where the engine is away, and `subscribe` will be made good.

        Whoever reads a snapshot after True, and hears broadcasts from then on, misses nothing between the two.
        """

    async def request(self, request: Request) -> list[Any]:
        """Asks the other nodes, and joins their answers."""


class MemoryHub:
    """Connects servers within one process, for tests and for several servers behind one loop."""

    def __init__(self) -> None:
        self.members: list[MemoryCluster] = []


class MemoryCluster:
    """The cluster of one process: alone, or of all that share a hub. Loses nothing; ordering is that of the calls."""

    def __init__(self, hub: MemoryHub | None = None, node_id: str = "") -> None:
        self.node_id = node_id
        self._alone = hub is None
        self._hub = hub or MemoryHub()
        self.node: Node | None = None
        self._rooms: set[tuple[str, str]] = set()

    def attach(self, node: Node) -> None:
        """See Cluster."""
        self.node = node
        self._hub.members.append(self)

    def subscribe(self, namespace: str, room: str) -> None:
        """See Cluster."""
        if not self._alone:
            self._rooms.add((namespace, room))

    def unsubscribe(self, namespace: str, room: str) -> None:
        """See Cluster."""
        self._rooms.discard((namespace, room))

    def publish(self, broadcast: Broadcast) -> None:
        """See Cluster."""
        for other in self._others():
            other.receive(broadcast)

    async def settled(self) -> bool:
        """See Cluster."""
        return True

    async def request(self, request: Request) -> list[Any]:
        """See Cluster."""
        nodes = [other.node for other in self._others() if other.node is not None]
        answers: Sequence[list[Any]] = await asyncio.gather(*(node.answer(request) for node in nodes))
        return [item for answer in answers for item in answer]

    def _others(self) -> list[MemoryCluster]:
        return [member for member in self._hub.members if member is not self]

    def receive(self, broadcast: Broadcast) -> None:
        """Takes what another member of the hub published."""
        rooms = broadcast.rooms or ("",)
        if self.node is not None and any((broadcast.namespace, room) in self._rooms for room in rooms):
            self.node.deliver(broadcast)
