"""The realtime engine as one node of several on one Redis. `python -m bench.servers.node PORT REDIS_URL NODE_ID`"""

import sys

import uvicorn
import uvloop

from load.machine import raise_file_limit
from parlour.realtime import Server, Socket
from parlour.realtime.redis_cluster import RedisCluster
from parlour.realtime.redis_line import RedisLine


async def serve(port: int, url: str, node_id: str) -> None:
    """Serve sockets that join the room which their auth names, and hear what anybody tells it."""
    cluster = RedisCluster(RedisLine(url), node_id=node_id)
    server = Server(cluster=cluster, drain_within=0.1)  # nobody is to come back

    @server.on("connect")
    async def connected(socket: Socket) -> None:
        socket.join(socket.handshake.auth["token"])
        await cluster.settled()
        socket.emit("ready")

    await cluster.start()
    await uvicorn.Server(
        uvicorn.Config(
            server.asgi,
            host="127.0.0.1",
            port=port,
            http=server.http_protocol(),
            ws=server.websocket_protocol(),
            access_log=False,
            log_level="warning",
            lifespan="off",
            backlog=4096,
        )
    ).serve()


if __name__ == "__main__":
    raise_file_limit()
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
