"""The server that the reference test suites of Engine.IO and Socket.IO expect.

    python tests/conformance/server.py --protocol engineio|socketio [--host 127.0.0.1] [--port 3000]
        [--ping-timeout 200]

Ping interval 300 ms, ping timeout 200 ms, payloads up to 1e6 bytes, connect timeout 1,000 ms, CORS `*`. engineio: every
message is echoed. socketio, in `/` and `/custom`: on connection `auth` with the handshake's auth; the arguments of
`message` come back as `message-back`, those of `message-with-ack` as the acknowledgement.
"""

from __future__ import annotations

import argparse
from typing import Any

import uvicorn

from parlour.realtime import Connection, CorsPolicy, EngineOptions, EngineServer, Server, Socket

PING_INTERVAL = 300
PING_TIMEOUT = 200
MAX_PAYLOAD = 1_000_000
CONNECT_TIMEOUT = 1_000


class Echo:
    """Sends every message back."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def on_text(self, data: bytes, start: int, now: float) -> None:
        self.connection.send_text(data[start:].decode())

    def on_binary(self, data: bytes, now: float) -> None:
        self.connection.send_binary(data)

    def on_close(self, reason: str) -> None:
        pass


def engineio(ping_timeout: int) -> EngineServer:
    return EngineServer(Echo, options=EngineOptions(PING_INTERVAL, ping_timeout, MAX_PAYLOAD), cors=CorsPolicy())


def socketio(ping_timeout: int) -> Server:
    server = Server(
        ping_interval=PING_INTERVAL,
        ping_timeout=ping_timeout,
        max_payload=MAX_PAYLOAD,
        connect_timeout=CONNECT_TIMEOUT,
        cors=CorsPolicy(),
    )

    def connect(socket: Socket) -> None:
        socket.emit("auth", socket.handshake.auth)

    def message(socket: Socket, *args: Any) -> None:
        socket.emit("message-back", *args)

    def message_with_ack(_: Socket, *args: Any) -> tuple[Any, ...]:
        return args

    for name in ("/", "/custom"):
        namespace = server.of(name)
        namespace.on("connect")(connect)
        namespace.on("message")(message)
        namespace.on("message-with-ack")(message_with_ack)
    return server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--protocol", choices=("engineio", "socketio"), required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--ping-timeout", type=int, default=PING_TIMEOUT, help="milliseconds")
    options = parser.parse_args()
    build = engineio if options.protocol == "engineio" else socketio
    server = build(options.ping_timeout)
    config = uvicorn.Config(
        server.asgi,
        host=options.host,
        port=options.port,
        loop="uvloop",
        http=server.http_protocol(),
        ws=server.websocket_protocol(),
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
