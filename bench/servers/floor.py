"""The floor: a bare picows loop on uvloop that speaks just enough Socket.IO and writes the same bytes to each socket.

No namespaces, sessions, limits, heartbeat or outbox: what a broadcast costs when nothing but the writes is done.
`python -m bench.servers.floor PORT`
"""

import struct
import sys
from collections import defaultdict

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from load.machine import raise_file_limit

OPEN = b'0{"sid":"%d","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
rooms: dict[bytes, set["Socket"]] = defaultdict(set)
"""By connect packet: sockets that said the same are in one room."""


def framed(packet: bytes) -> bytes:
    size = len(packet)
    return b"\x81" + (bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size)) + packet


class Socket(WSListener):
    __slots__ = ("room", "write")

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.room: set[Socket] = set()
        self.write = transport.underlying_transport.write
        transport.send(WSMsgType.TEXT, OPEN % id(self))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        packet = frame.get_payload_as_bytes()
        if packet[:2] == b"40":
            self.room = rooms[packet]
            self.room.add(self)
            transport.send(WSMsgType.TEXT, b'40{"sid":"x"}')
        elif packet[:2] == b"42":
            message = framed(packet)
            for socket in self.room:
                socket.write(message)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.room.discard(self)


def listener(request: WSUpgradeRequest) -> Socket:
    return Socket()


async def serve(port: int) -> None:
    server = await ws_create_server(listener, "127.0.0.1", port, backlog=4096, read_buffer_init_size=4096)
    await server.serve_forever()


if __name__ == "__main__":
    raise_file_limit()
    uvloop.run(serve(int(sys.argv[1])))
