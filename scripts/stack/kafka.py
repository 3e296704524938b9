"""Kafka from Maven Central, one node that is broker and controller: commands and committed events of rooms."""

import base64
import shutil
import uuid
from pathlib import Path

from scripts.stack.engine import HOST, STACK, Engine, StackError, answers, program, run

PORT = 19092
CONTROLLER_PORT = 19093
FOLDER = STACK / "kafka"
_POM = Path(__file__).parent / "kafka" / "pom.xml"
_JARS = FOLDER / "jars"

_PROPERTIES = f"""\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={HOST}:{CONTROLLER_PORT}
listeners=PLAINTEXT://{HOST}:{PORT},CONTROLLER://{HOST}:{CONTROLLER_PORT}
advertised.listeners=PLAINTEXT://{HOST}:{PORT}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={FOLDER / "data"}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""


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


def _prepare() -> None:
    properties = FOLDER / "server.properties"
    properties.write_text(_PROPERTIES)
    if (FOLDER / "data" / "meta.properties").exists():
        return
    name = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    options = ["format", "--standalone", "--cluster-id", name, "--config", str(properties)]
    run("a log folder for Kafka", _java("kafka.tools.StorageTool", *options), cwd=FOLDER)


def _ready() -> None:
    answers(PORT)
    if b"Kafka Server started" not in KAFKA.log.read_bytes():
        raise StackError("it has not said that it started")


KAFKA = Engine(
    name="kafka",
    ports=[PORT, CONTROLLER_PORT],
    url=f"kafka://{HOST}:{PORT}",
    install=_install,
    prepare=_prepare,
    command=lambda: _java("kafka.Kafka", str(FOLDER / "server.properties")),
    ready=_ready,
)
