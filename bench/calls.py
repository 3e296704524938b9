"""`calls_1000`: the signalling of 1,000 calls at a time, begun as Poisson arrivals that wait for nobody."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from bench.results import Result, progress
from bench.setting import Parlour, SeededUser, Setting, check_generator
from load.latency import Latencies
from load.machine import Broken, CoreShare, ServerProcess
from load.open_loop import OpenLoop, poisson
from load.socketio import LoadSocket, connect_all

CALLS = 1_000
RATE = 50.0
"""Calls begun a second; a server of 10,000 people who make five calls a day each sees 2 in its busiest hour."""
CANDIDATES = 20
PATIENCE = 30.0
"""Seconds after the last start; a call that is not set up by then is lost."""
SDP = "v=0\r\n" + "a=rtpmap:96 VP8/90000\r\n" * 240
"""As long as Chromium's offer for one-to-one video, 6 KB."""
CANDIDATE = {
    "candidate": "candidate:842163049 1 udp 1677729535 203.0.113.7 51234 typ srflx raddr 192.0.2.10 rport 51234 generation 0",
    "sdpMid": "0",
    "sdpMLineIndex": 0,
    "usernameFragment": "Zk3v",
}

_decode = msgspec.json.decode
_encode = msgspec.json.encode


class Side(msgspec.Struct):
    """One of the two in a call: what it has to hear before the call is set up, and whom it answers."""

    socket: LoadSocket
    other: str = ""
    descriptions: int = 0
    candidates: int = 0

    @property
    def complete(self) -> bool:
        """Whether it has heard everything."""
        return self.descriptions == 1 and self.candidates == CANDIDATES


class Pair(msgspec.Struct):
    """A call between a caller and a callee who answers at once."""

    caller: Side
    callee: Side
    room_id: str
    call_id: str = ""
    done: bool = False


class CallLoad:
    """Starts calls at scheduled times; a call is set up when both have the other's description and all candidates."""

    def __init__(self, pairs: Sequence[Pair], rate: float) -> None:
        self._pairs = pairs
        self._schedule = poisson(rate, 2 * len(pairs) / rate + 10)[: len(pairs)]
        self._loop = OpenLoop(self._schedule, self._start)
        self._of = {side.socket.index: (n, side) for n, pair in enumerate(pairs) for side in (pair.caller, pair.callee)}
        self.latencies = Latencies()
        self.lateness = self._loop.lateness
        self.failure = ""
        self.set_up = 0
        self._all = asyncio.Event()
        for pair in pairs:
            pair.caller.socket.on_event = pair.callee.socket.on_event = self._received

    async def run(self) -> None:
        """Begin every call, and wait until all are set up or patience ends."""
        await self._loop.run()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._all.wait()

    async def hang_up(self) -> None:
        """End every call, both sides, and wait for the acknowledgements."""
        for pair in self._pairs:
            payload = {"call_id": pair.call_id}
            answers = [side.socket.call("call.leave", payload) for side in (pair.caller, pair.callee)]
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*answers)

    def _start(self, n: int) -> None:
        pair = self._pairs[n]
        self._send(pair.caller, "call.start", {"room_id": pair.room_id, "media": "video"}, partial(self._started, pair))

    def _send(self, side: Side, event: str, payload: dict[str, Any], then: Any = None) -> None:
        side.socket.request(_encode([event, payload]), partial(self._acknowledged, event, then))

    def _acknowledged(self, event: str, then: Any, packet: bytes) -> None:
        if b'"ok":true' not in packet:
            self.failure = self.failure or f"{event}: {packet[:300].decode(errors='replace')}"
        elif then is not None:
            then(_decode(packet)[0])

    def _started(self, pair: Pair, answer: dict[str, Any]) -> None:
        pair.call_id = answer["call"]["id"]
        pair.callee.other = answer["participant_id"]

    def _joined(self, pair: Pair, answer: dict[str, Any]) -> None:
        pair.caller.other = answer["participant_id"]

    def _received(self, socket: LoadSocket, packet: bytes) -> None:
        n, side = self._of[socket.index]
        pair = self._pairs[n]
        name, payload = _decode(packet[2:])
        if name == "call.signal":
            self._signalled(n, pair, side, payload)
        elif name == "call.ringing":
            pair.call_id = payload["call"]["id"]
            self._send(side, "call.join", {"call_id": pair.call_id}, partial(self._joined, pair))
        elif name == "call.participant.joined":
            side.other = payload["participant"]["id"]
            self._describe(pair, side, "offer")

    def _signalled(self, n: int, pair: Pair, side: Side, payload: dict[str, Any]) -> None:
        if "candidate" in payload:
            side.candidates += 1
        else:
            side.descriptions += 1
            if payload["description"]["type"] == "offer":
                side.other = payload["from"]
                self._describe(pair, side, "answer")
        if not pair.done and pair.caller.complete and pair.callee.complete:
            pair.done = True
            self.set_up += 1
            if self.set_up == len(self._pairs):
                self._all.set()
            self.latencies.add(time.perf_counter() - self._loop.start - self._schedule[n])

    def _describe(self, pair: Pair, side: Side, kind: str) -> None:
        target = {"call_id": pair.call_id, "to": side.other}
        self._send(side, "call.signal", {**target, "description": {"type": kind, "sdp": SDP}})
        for _ in range(CANDIDATES):
            self._send(side, "call.signal", {**target, "candidate": CANDIDATE})


async def calls_1000(setting: Setting) -> None:
    """Set-up time from the scheduled start to the last candidate of both, and the share of a core; nothing lost."""
    count = setting.size(CALLS, 50)
    async with Parlour(users=2 * count, room_size=2) as parlour:
        progress(f"calls_1000: connecting {2 * count} sockets")
        tokens = [user.access_token for user in parlour.users]
        sockets = await connect_all(parlour.server.port, tokens, until_ready=True)
        load = CallLoad(_pairs(sockets, parlour.users), RATE)
        share, generator, seconds = await _measured(parlour.server, load)
        await load.hang_up()
    if load.failure:
        raise Broken(f"a call was refused: {load.failure}")
    signals = 2 * (CANDIDATES + 1) * count
    progress(f"calls_1000: {count} calls set up in {seconds:.1f} s, {load.set_up} at once")
    for name, quantile in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        setting.report(Result(f"calls_1000_setup_{name}", load.latencies.quantile(quantile) * 1000, "ms"))
    setting.report(Result("calls_1000_lost", count - load.set_up, "calls"))
    setting.report(Result("calls_1000_core_share", share, "core"))
    setting.report(Result("calls_1000_cpu", share * seconds / signals * 1e6, "CPU µs/signal, all of the call with it"))
    check_generator(setting, "calls_1000", [generator], load.lateness.quantile(0.99) * 1000)


def _pairs(sockets: Sequence[LoadSocket], users: Sequence[SeededUser]) -> list[Pair]:
    pairs = []
    for first in range(0, len(sockets), 2):
        caller, callee = Side(sockets[first]), Side(sockets[first + 1])
        pairs.append(Pair(caller, callee, users[first].room_ids[0]))
    return pairs


async def _measured(server: ServerProcess, load: CallLoad) -> tuple[float, float, float]:
    """Run a load; return the server's and the generator's share of a core, and the seconds."""
    cpu, wall, own = server.cpu_seconds(), time.perf_counter(), CoreShare()
    await load.run()
    seconds = time.perf_counter() - wall
    return (server.cpu_seconds() - cpu) / seconds, own(), seconds
