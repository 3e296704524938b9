"""Redis of the Debian package: bus, presence, cache, rate limits, ended sessions."""

from pathlib import Path

from scripts.stack.engine import HOST, STACK, Engine, answers, program

PORT = 16379


def redis(*, port: int = PORT, root: Path = STACK, databases: int = 16) -> Engine:
    """Return the server on a port, with its files below a folder and so many numbered databases."""
    return Engine(
        name="redis",
        ports=[port],
        url=f"redis://{HOST}:{port}/0",
        install=_server,
        prepare=lambda: None,
        # Nothing in it outlives it: what is durable is elsewhere.
        command=lambda: [
            *(_server(), "--port", str(port), "--bind", HOST, "--databases", str(databases)),
            *("--save", "", "--appendonly", "no"),
        ],
        ready=lambda: answers(port, sends=b"PING\r\n", expects=b"PONG"),
        root=root,
    )


def _server() -> str:
    return program("redis-server", "on Debian, apt-get install redis-server")


REDIS = redis()
