"""Redis of the Debian package: bus, presence, cache, rate limits, ended sessions."""

from scripts.stack.engine import HOST, Engine, answers, program

PORT = 16379


def _server() -> str:
    return program("redis-server", "on Debian, apt-get install redis-server")


REDIS = Engine(
    name="redis",
    ports=[PORT],
    url=f"redis://{HOST}:{PORT}/0",
    install=_server,
    prepare=lambda: None,
    # Nothing in it outlives it: what is durable is elsewhere.
    command=lambda: [_server(), "--port", str(PORT), "--bind", HOST, "--save", "", "--appendonly", "no"],
    ready=lambda: answers(PORT, sends=b"PING\r\n", expects=b"PONG"),
)
