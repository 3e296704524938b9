"""A little application on parlour.realtime's public face: what clients can meet beyond the conformance server."""

import argparse
import asyncio
import re

import uvicorn

from parlour.realtime import (
    AckTimeout,
    ConnectRefused,
    CorsPolicy,
    HandlerRegistry,
    Limits,
    PacketRefused,
    Server,
    SessionCookie,
    Socket,
)

questions: set[asyncio.Task[None]] = set()


def serve(namespace: HandlerRegistry) -> None:
    """Register every handler; tests/node/reference-scenarios.mjs is the same application for Node."""

    @namespace.on("disconnect")
    async def disconnect(socket: Socket, reason: str) -> None:
        socket.namespace.emit("gone", socket.id, reason)

    @namespace.on("echo")
    def echo(socket: Socket, *args: object) -> None:
        socket.emit("echo", *args)

    @namespace.on("add")
    async def add(_: Socket, a: int, b: int) -> int:
        return a + b

    @namespace.on("answer-many")
    def answer_many(_: Socket, *args: object) -> tuple[object, ...]:
        return args

    @namespace.on("fail")
    async def fail(_: Socket) -> None:
        raise LookupError("a handler that raises")

    @namespace.on("slow-add")
    async def slow_add(_: Socket, a: int, seconds: float) -> int:
        await asyncio.sleep(seconds)
        return a

    @namespace.on("ask")
    async def ask(socket: Socket, *args: object) -> None:
        # The answer is the client's next packet, which this handler would hold back if it waited here.
        task = asyncio.get_running_loop().create_task(put_question(socket, *args))
        questions.add(task)
        task.add_done_callback(questions.discard)

    async def put_question(socket: Socket, *args: object) -> None:
        (answer,) = await socket.call("question", *args, timeout=5)
        socket.emit("answered", answer)

    @namespace.on("ask-in-vain")
    async def ask_in_vain(socket: Socket) -> None:
        try:
            await socket.call("question-ignored", timeout=0.05)
        except AckTimeout:
            socket.emit("gave-up")

    @namespace.on("join")
    def join(socket: Socket, room: str) -> None:
        socket.join(room)

    @namespace.on("leave")
    def leave(socket: Socket, room: str) -> None:
        socket.leave(room)

    @namespace.on("tell-others")
    def tell_others(socket: Socket, room: str, *args: object) -> None:
        socket.to(room).emit("told", *args)

    @namespace.on("tell-all")
    def tell_all(socket: Socket, room: str, *args: object) -> None:
        socket.namespace.to(room).emit("told", *args)

    @namespace.on("tell-except")
    def tell_except(socket: Socket, room: str, except_: str, *args: object) -> None:
        socket.namespace.to(room).except_(except_).emit("told", *args)

    @namespace.on("tell-everyone")
    def tell_everyone(socket: Socket, *args: object) -> None:
        socket.namespace.emit("told", *args)

    @namespace.on("flood")
    def flood(socket: Socket, room: str, count: int, size: int) -> None:
        for number in range(count):
            socket.namespace.to(room).emit("flood", number, "x" * size)

    @namespace.on("volatile-flood")
    def volatile_flood(socket: Socket, room: str, count: int, size: int) -> None:
        for number in range(count):
            socket.namespace.to(room).volatile.emit("flood", number, "x" * size)

    @namespace.on("members")
    async def members(socket: Socket, room: str) -> list[str]:
        return sorted(member.id for member in await socket.namespace.in_(room).fetch_sockets())

    @namespace.on("ask-room")
    async def ask_room(socket: Socket, room: str) -> list[object]:
        return await socket.namespace.to(room).timeout(1).call("question")

    @namespace.on("kick")
    async def kick(socket: Socket, room: str, close: bool) -> None:
        await socket.namespace.in_(room).disconnect_sockets(close)

    @namespace.on("leave-me")
    def leave_me(socket: Socket) -> None:
        socket.disconnect()

    @namespace.on("close-me")
    def close_me(socket: Socket) -> None:
        socket.disconnect(close=True)

    @namespace.on("burst")
    def burst(socket: Socket, count: int) -> None:
        for number in range(count):
            socket.emit("tick", number)


async def require_secret(socket: Socket, auth: dict[str, object]) -> None:
    token = auth.get("token")
    if token != "secret":
        raise ConnectRefused("not allowed", data={"code": "unauthorized", "given": token})


async def refuse_forbidden(_: Socket, event: str, args: list[object]) -> None:
    if event == "echo" and args == ["forbidden"]:
        raise PacketRefused("a packet that middleware refuses", code="forbidden")


def build() -> Server:
    server = Server(
        max_payload=1_000_000,
        cors=CorsPolicy(origins=("http://allowed.example",), credentials=True),
        cookie=SessionCookie(name="session"),
        limits=Limits(max_outbox_bytes=500_000),
    )
    serve(server.of("/"))
    serve(server.of("/guarded"))
    serve(server.of(re.compile(r"^/dynamic-\d+$")))
    server.of("/").use_packet(refuse_forbidden)
    server.of("/guarded").use(require_secret)
    return server


class DrainingServer(uvicorn.Server):
    """uvicorn that tells the realtime clients to go elsewhere before it closes its sockets."""

    def __init__(self, config: uvicorn.Config, realtime: Server) -> None:
        super().__init__(config)
        self.realtime = realtime

    async def shutdown(self, sockets: object = None) -> None:
        for listener in self.servers:
            listener.close()
        await self.realtime.drain(within=1.0)
        await super().shutdown(sockets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    realtime = build()
    config = uvicorn.Config(
        realtime.asgi,
        host="127.0.0.1",
        port=arguments.port,
        http=realtime.http_protocol(),
        ws=realtime.websocket_protocol(),
        loop="uvloop",
        lifespan="off",
        log_level="warning",
        timeout_graceful_shutdown=3,
    )
    DrainingServer(config, realtime).run()


if __name__ == "__main__":
    main()
