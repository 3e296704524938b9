"""`make stack`: an engine is started once, ended by its own process alone, and says what is wrong where it does not start."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from scripts.stack.engine import HOST, Engine, StackError, answers
from scripts.stack.kafka import kafka

SERVES = "import http.server; http.server.HTTPServer(('127.0.0.1', int({port})), http.server.SimpleHTTPRequestHandler).serve_forever()"

Make = Callable[..., Engine]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with ExitStack() as stack:

        def engine(code: str = SERVES, *, seconds: float = 20) -> Engine:
            with socket.socket() as probe:
                probe.bind((HOST, 0))
                port = probe.getsockname()[1]
            made = Engine(
                name="engine",
                ports=[port],
                url=f"http://{HOST}:{port}",
                install=lambda: None,
                prepare=lambda: None,
                command=lambda: [sys.executable, "-c", code.format(port=port)],
                ready=lambda: answers(port, sends=b"GET / HTTP/1.0\r\n\r\n", expects=b"200 OK"),
                seconds=seconds,
                root=tmp_path,
            )
            stack.callback(made.stop)
            return made

        yield engine


def test_is_started_once_and_ended(make: Make) -> None:
    engine = make()
    assert engine.pid() is None
    engine.start()
    pid = engine.pid()
    assert pid is not None
    engine.start()
    assert engine.pid() == pid
    engine.stop()
    assert engine.pid() is None
    with pytest.raises(OSError, match="refused"):
        engine.ready()
    engine.stop()


def test_another_process_with_its_number_is_left_alone(make: Make) -> None:
    engine = make()
    engine.folder.mkdir()
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        (engine.folder / "pid").write_text(f"{other.pid} 1")
        assert engine.pid() is None
        engine.stop()
        assert other.poll() is None
    finally:
        other.kill()
        other.communicate()


def test_a_port_of_somebody_else_is_named(make: Make) -> None:
    engine = make()
    with socket.socket() as taken:
        taken.bind((HOST, engine.ports[0]))
        taken.listen()
        with pytest.raises(StackError, match=f"port {engine.ports[0]} is taken"):
            engine.start()
    assert engine.pid() is None


def test_what_it_said_is_told_where_it_ends_at_once(make: Make) -> None:
    engine = make("raise SystemExit('no room on the disk')")
    with pytest.raises(StackError, match="no room on the disk"):
        engine.start()


def test_what_it_lacks_is_told_where_it_does_not_answer(make: Make) -> None:
    engine = make("import time; time.sleep(60)", seconds=0.5)
    with pytest.raises(StackError, match=r"does not answer after .*refused"):
        engine.start()
    assert engine.pid() is not None
    engine.stop()
    assert engine.pid() is None


def test_kafka_that_starts_again_is_ready_once_it_says_so_again(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as listening:
        engine = kafka(port=listening.getsockname()[1], controller_port=1, root=tmp_path)
        (engine.folder / "data").mkdir(parents=True)
        (engine.folder / "data" / "meta.properties").touch()
        engine.log.write_text("Kafka Server started\n")
        engine.prepare()
        with pytest.raises(StackError, match="not said"):
            engine.ready()
        engine.log.write_text("Kafka Server started\nKafka Server started\n")
        engine.ready()
