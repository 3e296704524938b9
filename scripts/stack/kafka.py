"""Kafka from Maven Central, one node that is broker and controller: commands and committed events of rooms."""

import base64
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from scripts.stack.engine import HOST, STACK, Engine, StackError, answers, program, run

PORT = 19092
CONTROLLER_PORT = 19093
FOLDER = STACK / "kafka"
_POM = Path(__file__).parent / "kafka" / "pom.xml"
_JARS = FOLDER / "jars"


def _java(*arguments: str) -> list[str]:
    java = program("java", "on Debian, apt-get install default-jre-headless")
    return [
        java,
        "-Xmx512m",
        f"-Dlog4j2.configurationFile={_POM.parent / 'log4j2.xml'}",
        "-cp",
        f"{_JARS}/*",
        *arguments,
    ]


def _install() -> None:
    stamp = FOLDER / "installed"
    if stamp.exists() and stamp.read_text() == _POM.read_text():
        return
    mvn = program("mvn", "on Debian, apt-get install maven")
    shutil.rmtree(_JARS, ignore_errors=True)
    command = [mvn, "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", f"-DoutputDirectory={_JARS}"]
    run("Kafka from Maven Central", command)
    stamp.write_text(_POM.read_text())


def kafka(
    *,
    port: int = PORT,
    controller_port: int = CONTROLLER_PORT,
    ways: Mapping[int, int] | None = None,
    root: Path = STACK,
) -> Engine:
    """Kafka on a port, its files below `root`; the program itself is shared by all.

    It listens on the ports in `ways`, too, and sends who comes there on to the port that stands behind it: proxies have one each.
    It compiles less than Java would by itself: at 83 messages a second that took 0.28 of a core instead of 0.34, and 0.05 instead of 0.16
    with nothing to do, since minutes are too short for the better code to pay for its making.
    """
    folder = root / "kafka"
    properties = folder / "server.properties"

    said_before = 0  # bytes of the log from earlier lives: Kafka listens some seconds before it serves, and must say anew that it does

    def prepare() -> None:
        nonlocal said_before
        said_before = engine.log.stat().st_size if engine.log.exists() else 0
        properties.write_text(_properties(port, controller_port, ways or {}, folder / "data"))
        if (folder / "data" / "meta.properties").exists():
            return
        name = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        options = ["format", "--standalone", "--cluster-id", name, "--config", str(properties)]
        run("a log folder for Kafka", _java("kafka.tools.StorageTool", *options), cwd=folder)

    engine = Engine(
        name="kafka",
        ports=[port, controller_port, *(ways or {})],
        url=f"kafka://{HOST}:{port}",
        install=_install,
        prepare=prepare,
        command=lambda: _java("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "kafka.Kafka", str(properties)),
        ready=lambda: _ready(port, engine.log, said_before),
        seconds=180,
        root=root,
    )
    return engine


def _ready(port: int, log: Path, said_before: int) -> None:
    answers(port)
    if b"Kafka Server started" not in log.read_bytes()[said_before:]:
        raise StackError("it has not said that it started")


def _properties(port: int, controller_port: int, ways: Mapping[int, int], data: Path) -> str:
    here = {"PLAINTEXT": port} | {f"WAY{number}": number for number in ways}
    sent_to = here | {f"WAY{number}": further for number, further in ways.items()}
    listeners, advertised = (
        ",".join(f"{name}://{HOST}:{number}" for name, number in each.items()) for each in (here, sent_to)
    )
    protocols = ",".join(f"{name}:PLAINTEXT" for name in (*here, "CONTROLLER"))
    return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={HOST}:{controller_port}
listeners={listeners},CONTROLLER://{HOST}:{controller_port}
advertised.listeners={advertised}
controller.listener.names=CONTROLLER
listener.security.protocol.map={protocols}
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""


KAFKA = kafka()
