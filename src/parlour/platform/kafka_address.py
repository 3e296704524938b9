"""Where Kafka is and how to speak to it: `kafka://user:password@host:port,host:port/prefix?option=value`."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec


class KafkaAddress(msgspec.Struct, frozen=True):
    """A Kafka cluster as a URL names it.

    `prefix` begins every topic and group, so that installations can share a cluster. Options of the query: `tls` (`true`: by the
    system's authorities, or the path of a file with the authority's certificate), `sasl` (the mechanism where there is a user;
    default SCRAM-SHA-512), `partitions` and `replicas` of the topics that are made where they are missing (default 12, and the
    cluster's own).
    """

    servers: str
    prefix: str = "parlour."
    username: str = ""
    password: str = ""
    mechanism: str = "SCRAM-SHA-512"
    tls: str = ""
    partitions: int = 12
    replicas: int = -1

    @classmethod
    def parse(cls, url: str) -> "KafkaAddress":
        """Read a URL.

        Raises:
            ValueError: it is none of Kafka's; the message says what is wrong.
        """
        parts = urlsplit(url)
        if parts.scheme != "kafka":
            raise ValueError(f"{parts.scheme}:// is not Kafka: kafka://host:port,host:port")
        user, _, hosts = parts.netloc.rpartition("@")
        servers = [host if ":" in host else f"{host}:9092" for host in hosts.split(",") if host]
        if not servers:
            raise ValueError("kafka:// names no server: kafka://host:port,host:port")
        username, _, password = user.partition(":")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if unknown := sorted(set(options) - {"tls", "sasl", "partitions", "replicas"}):
            raise ValueError(f"kafka:// has no option {', '.join(unknown)}: tls, sasl, partitions, replicas")
        prefix = unquote(parts.path.strip("/")) or "parlour"
        if not all(letter.isascii() and (letter.isalnum() or letter in "._-") for letter in prefix):
            raise ValueError("the path of kafka:// begins the names of topics: letters, digits, dots, - and _")
        try:
            partitions, replicas = int(options.get("partitions", 12)), int(options.get("replicas", -1))
        except ValueError:
            raise ValueError("partitions and replicas of kafka:// are numbers") from None
        if partitions < 1 or (replicas < 1 and replicas != -1):
            raise ValueError("partitions and replicas of kafka:// are at least 1")
        return cls(
            ",".join(servers),
            f"{prefix}.",
            unquote(username),
            unquote(password),
            options.get("sasl", "SCRAM-SHA-512"),
            "" if options.get("tls") in {"false", ""} else options.get("tls", ""),
            partitions,
            replicas,
        )

    @property
    def commands(self) -> str:
        """The topic of commands to rooms, keyed by room id."""
        return self.prefix + "room-commands"

    @property
    def dead(self) -> str:
        """The topic of commands that could not be worked."""
        return self.prefix + "room-commands-dead"

    @property
    def events(self) -> str:
        """The topic of events that are in a room's log, keyed by room id."""
        return self.prefix + "room-events"

    def options(self, **more: Any) -> dict[str, Any]:
        """Return a client's configuration, in librdkafka's names: `more` has underscores for its dots."""
        options: dict[str, Any] = {
            "bootstrap.servers": self.servers,
            "client.id": "parlour",
            "socket.keepalive.enable": True,
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 1000,
            "log_level": 2,  # a refused connection, ten times a second, is told once by who minds
        }
        if self.tls or self.username:
            options["security.protocol"] = ("sasl_" if self.username else "") + ("ssl" if self.tls else "plaintext")
        if self.username:
            options |= {
                "sasl.mechanism": self.mechanism,
                "sasl.username": self.username,
                "sasl.password": self.password,
            }
        if self.tls and self.tls != "true":
            options["ssl.ca.location"] = self.tls
        named = {
            name if name.endswith("_cb") or name == "on_commit" else name.replace("_", "."): value
            for name, value in more.items()
        }
        return {**options, **named}
