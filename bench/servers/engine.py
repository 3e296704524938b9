"""The realtime engine alone: one event that is sent on to the sender's room. `python -m bench.servers.engine PORT`"""

import sys

import uvicorn

from load.machine import raise_file_limit
from parlour.realtime import Server, Socket


def build() -> Server:
    """Return a server whose sockets join the room that their auth names, and whose `msg` goes to all of the room."""
    server = Server(drain_within=0.1)  # nobody is to come back

    @server.on("connect")
    async def connected(socket: Socket) -> None:
        auth = socket.handshake.auth
        socket.data = auth["token"] if auth else "all"
        socket.join(socket.data)
        socket.emit("ready")  # the client hears of its connection before this handler runs

    @server.on("msg")
    def message(socket: Socket, text: str) -> None:
        server.to(socket.data).emit("msg", text)

    return server


if __name__ == "__main__":
    raise_file_limit()
    engine = build()
    uvicorn.run(
        engine.asgi,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http=engine.http_protocol(),
        ws=engine.websocket_protocol(),
        access_log=False,
        log_level="warning",
        lifespan="off",
        backlog=4096,
    )
