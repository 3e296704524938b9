"""Every setting of Parlour, and the only reader of the environment: `PARLOUR_` and the name in capitals."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from parlour.platform.clock import SystemClock
from parlour.platform.http import forwarded_address
from parlour.platform.kafka_address import KafkaAddress
from parlour.platform.rates import RateLimits
from parlour.platform.services import checked_secret
from parlour.video.ice import IceServers, check_urls


class ConfigurationError(Exception):
    """A setting is wrong; the message names it and says what would be right."""


class ProcessRole(StrEnum):
    """A part of Parlour that a process does: a service of its own, or the work that gives messages their place."""

    AUTH = "auth"
    CHAT = "chat"
    VIDEO = "video"
    WORKER = "worker"


def _split(value: object) -> object:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


def _proxies(value: list[str]) -> list[str]:
    forwarded_address(value)
    return value


def _roles(value: frozenset[ProcessRole]) -> frozenset[ProcessRole]:
    if not value:
        raise ValueError("name at least one")
    return value


def _rates(value: dict[str, str]) -> dict[str, str]:
    RateLimits(SystemClock(), value)
    return value


def _stun(value: list[str]) -> list[str]:
    check_urls(value, [])
    return value


def _turn(value: list[str]) -> list[str]:
    check_urls([], value)
    return value


Items = Annotated[list[str], NoDecode, BeforeValidator(_split)]


Roles = Annotated[frozenset[ProcessRole], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """The settings of one process. What a flag of `parlour serve` gives wins over the environment."""

    model_config = SettingsConfigDict(env_prefix="PARLOUR_", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    web_dir: str = Field(
        "",
        description="Folder of the built web client. Empty: the one in the package, or web/dist of the source tree.",
    )
    data_dir: Path = Field(Path("data"), description="Where the embedded engines keep everything.")
    public_url: str = Field(
        "",
        description="How people reach this server, e.g. https://chat.example.org. With https cookies are Secure and HSTS is sent.",
    )

    database_url: str = Field(
        "",
        description="Users, sessions, rooms and members: `sqlite:///path` or `postgresql://user:password@host:port/name`. Empty: "
        "parlour.db in the data directory.",
    )
    messages_url: str = Field(
        "",
        description="The room log: `sqlite:///path`, which has its full-text index beside it, or `mongodb://host:port/name`. Empty: "
        "messages.db in the data directory.",
    )
    broker_url: str = Field(
        "memory://",
        description="Carries commands to the workers: `memory://`, or `kafka://user:password@host:port,host:port/prefix`, with which "
        "several processes serve the same data and the other engines have to be servers too.",
    )
    bus_url: str = Field(
        "memory://",
        description="Fan-out, presence and small messages between processes: `memory://` or `redis://user:password@host:port/db` "
        "(`rediss://` over TLS).",
    )
    search_url: str = Field(
        "",
        description="Full text, where the room log is in MongoDB: `postgresql://user:password@host:port/name`. Empty: the "
        "database of users.",
    )

    roles: Annotated[Roles, AfterValidator(_roles)] = Field(
        frozenset(ProcessRole),
        description="What this process does, comma-separated: `auth` (accounts), `chat` (sockets, rooms, the web client), `video` (carries "
        "calls), `worker` (gives messages their place in the log). Less than all of them needs Kafka.",
    )
    auth_url: str = Field(
        "",
        description="Where a process without the role `auth` asks for accounts: `http://host:port` of those with it.",
    )
    chat_url: str = Field(
        "",
        description="Where a process with the role `video`, but not `chat`, asks for rooms: `http://host:port` of those with it.",
    )
    service_secret: SecretStr = Field(
        SecretStr(""),
        description="What processes of different roles show each other, at least 32 characters, the same for all of them.",
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is worth a line in the log."
    )
    log_format: Literal["json", "text"] = Field("json", description="`json` for machines, `text` for people.")
    trusted_proxies: Annotated[Items, AfterValidator(_proxies)] = Field(
        ["127.0.0.1", "::1"], description="Addresses, comma-separated, of proxies whose X-Forwarded-For is believed."
    )
    cors_origins: Items = Field(
        [],
        description="Origins, comma-separated, of other sites whose pages may use HTTP and sockets with credentials.",
    )

    access_token_seconds: int = Field(600, ge=30, le=86_400, description="Life of an access token.")
    session_days: int = Field(90, ge=1, description="Longest life of a session, however much it is used.")
    session_idle_days: int = Field(30, ge=1, description="A session that is not used for so long ends.")
    password_threads: int = Field(0, ge=0, description="Threads that hash passwords; 0: half of the cores.")
    password_queue: int = Field(
        100, ge=1, description="Logins that may wait for a thread, a quarter of them from known devices only."
    )

    rates: Annotated[dict[str, str], AfterValidator(_rates)] = Field(
        {},
        description='Rates that replace the defaults, as JSON: `{"message": "100/minute"}`; names in docs/reference/settings.md.',
    )
    request_timeout_seconds: float = Field(30, gt=0, description="Time that an HTTP request may take.")

    node_id: str = Field(
        "",
        pattern=r"^[a-z0-9-]{1,32}$|^$",
        description="This process among others behind one gateway, e.g. `a1`: small letters, digits and hyphens. Ids of sockets begin with "
        "it, so that NGINX finds the process by them. Empty: there is one process.",
    )
    ping_interval_ms: int = Field(25_000, ge=100, description="How often a socket is asked whether it is there.")
    ping_timeout_ms: int = Field(20_000, ge=100, description="How long it may take to answer.")
    max_payload_bytes: int = Field(1_000_000, ge=1_000, description="Largest message of a socket.")
    max_sockets: int = Field(50_000, ge=1, description="Sockets of this process.")
    max_sockets_per_address: int = Field(
        1_000, ge=1, description="Sockets of one address; the machine itself is exempt."
    )
    max_sockets_per_user: int = Field(
        50, ge=1, description="Sockets of one user; the oldest is closed when one more is opened."
    )
    max_half_open: int = Field(
        12_000, ge=1, description="Sockets that have not said who they are; past it the oldest goes."
    )
    handshakes_per_second: float = Field(2_000, gt=0, description="New sockets a second, of all addresses together.")
    handshakes_per_second_per_address: float = Field(
        50, gt=0, description="The same of one address; the machine itself is exempt."
    )
    packets_per_second: float = Field(
        1_000, gt=0, description="Packets a second of one socket; past it the socket is read slower."
    )
    max_outbox_bytes: int = Field(
        2_000_000, ge=65_536, description="What may wait for a socket that does not read; past it it is closed."
    )
    outbox_budget_bytes: int = Field(
        512 * 2**20,
        ge=1_000_000,
        description="What may wait for all sockets together; past it those for which most waits are closed first.",
    )
    max_rooms_per_user: int = Field(
        1_000, ge=1, description="Rooms that one user may create and join; others may put them into four times as many."
    )
    max_members_per_room: int = Field(10_000, ge=1, description="Members that one room may have.")
    max_pending_commands: int = Field(
        20_000, ge=1, description="Sends that may wait to be durable; past it senders get `busy`."
    )
    stun_urls: Annotated[Items, AfterValidator(_stun)] = Field(
        [], description="STUN servers, comma-separated, by which clients learn their address: `stun:host:3478`."
    )
    turn_urls: Annotated[Items, AfterValidator(_turn)] = Field(
        [],
        description="TURN servers, comma-separated, that relay where no direct way is found: `turn:host:3478?transport=udp`.",
    )
    turn_secret: SecretStr = Field(
        SecretStr(""), description="The secret shared with the TURN servers (coturn's `static-auth-secret`)."
    )
    turn_credential_seconds: int = Field(
        900, ge=60, le=86_400, description="How long TURN credentials can be used to begin; what was begun goes on."
    )
    call_ring_seconds: float = Field(45, gt=0, description="How long a call rings before it is missed.")
    call_grace_seconds: float = Field(
        15,
        gt=0,
        description="Time to come back into a call after a lost connection, and that one waits alone in a room's call.",
    )
    call_ring_members: int = Field(
        50, ge=1, description="A call in a room with more other members rings nobody; the log tells of it."
    )
    max_calls: int = Field(5_000, ge=1, description="Calls of this process at a time.")
    drain_seconds: float = Field(
        5,
        gt=0,
        description="From being asked to stop to the end: sockets are sent elsewhere, requests and writes under way finished.",
    )

    @property
    def secure(self) -> bool:
        """Whether people reach the server by https."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def web(self) -> Path:
        """Where the built web client is, if it is there."""
        package = Path(__file__).resolve().parent
        packaged = package / "web_dist"
        built = packaged if packaged.is_dir() else package.parent.parent / "web" / "dist"
        return Path(self.web_dir) if self.web_dir else built

    @property
    def database(self) -> str:
        """The URL of the SQL database."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'parlour.db').absolute()}"

    @property
    def messages(self) -> str:
        """The URL of the room log."""
        return self.messages_url or f"sqlite:///{(self.data_dir / 'messages.db').absolute()}"

    @property
    def search(self) -> str:
        """The URL of the full-text index, where that is not beside the room log."""
        return self.search_url or self.database

    def redacted(self) -> dict[str, Any]:
        """Return the settings fit for a log: a URL's password is masked."""
        shown: dict[str, Any] = {}
        for name, value in self.model_dump(mode="json").items():
            password = urlsplit(value).password if isinstance(value, str) and "://" in value else None
            shown[name] = value.replace(f":{password}@", ":***@") if password else value
        return shown


_POSTGRESQL = "postgresql://user:password@host:port/name"
_MONGODB = "mongodb://user:password@host:port/name"
_KAFKA = "kafka://host:port,host:port/prefix"
_REDIS = "redis://user:password@host:port/db"
_SCHEMES = {
    "database_url": {"sqlite": "sqlite:///path", "postgresql": _POSTGRESQL},
    "messages_url": {"sqlite": "sqlite:///path", "mongodb": _MONGODB, "mongodb+srv": _MONGODB},
    "broker_url": {"memory": "memory://", "kafka": _KAFKA},
    "bus_url": {"memory": "memory://", "redis": _REDIS, "rediss": _REDIS},
    "search_url": {"postgresql": _POSTGRESQL},
}
_SHORTEST_SECRET = 32
_EMBEDDED = {"sqlite", "memory"}


def _check_postgresql(name: str, text: str) -> None:
    url = urlsplit(text)
    if not (url.hostname and url.path.strip("/")):
        raise ConfigurationError(f"PARLOUR_{name.upper()}: write it as {_POSTGRESQL}")
    if "ssl" in url.query:
        from parlour.platform.sql.postgresql import check_tls  # which takes its time to import

        try:
            check_tls(text)
        except ValueError as error:
            raise ConfigurationError(f"PARLOUR_{name.upper()}: {error}") from error


def _check_engines(settings: Settings) -> None:
    urls = {
        "database_url": settings.database,
        "messages_url": settings.messages,
        "broker_url": settings.broker_url,
        "bus_url": settings.bus_url,
        "search_url": settings.search_url,
    }
    for name, text in urls.items():
        url, known = urlsplit(text), _SCHEMES[name]
        if not text:
            continue
        if url.scheme not in known:
            uses = " or ".join(dict.fromkeys(known.values()))
            raise ConfigurationError(f"PARLOUR_{name.upper()}: {url.scheme}:// is not supported; use {uses}")
        if url.scheme == "postgresql":
            _check_postgresql(name, text)
    servers = {name: urlsplit(text).scheme not in _EMBEDDED for name, text in urls.items() if text}
    if servers["broker_url"]:
        does = settings.roles
        needs = {
            "database_url": does != {ProcessRole.WORKER},
            "messages_url": bool(does & {ProcessRole.CHAT, ProcessRole.WORKER}),
            "bus_url": True,
        }
        for name, needed in needs.items():
            if needed and not servers[name]:
                uses = list(_SCHEMES[name].values())[-1]
                raise ConfigurationError(f"PARLOUR_{name.upper()}: with Kafka several processes serve; use {uses}")
        if needs["messages_url"] and not settings.search.startswith("postgresql:"):
            raise ConfigurationError(
                f"PARLOUR_SEARCH_URL: without PARLOUR_DATABASE_URL it is needed; use {_POSTGRESQL}"
            )
        try:
            KafkaAddress.parse(settings.broker_url)
        except ValueError as error:
            raise ConfigurationError(f"PARLOUR_BROKER_URL: {error}") from error
    else:
        for name in ("messages_url", "bus_url", "search_url"):
            if servers.get(name):
                raise ConfigurationError(
                    f"PARLOUR_{name.upper()}: for several processes, which need {_KAFKA} as PARLOUR_BROKER_URL"
                )


def _check_roles(settings: Settings) -> None:
    """Check that a process which does not do everything finds who does the rest."""
    secret, roles = settings.service_secret.get_secret_value(), settings.roles
    if secret and len(secret) < _SHORTEST_SECRET:
        raise ConfigurationError(f"PARLOUR_SERVICE_SECRET: at least {_SHORTEST_SECRET} characters")
    if secret:
        try:
            checked_secret(secret)
        except ValueError as error:
            raise ConfigurationError(f"PARLOUR_SERVICE_SECRET: {error}") from error
    if roles == frozenset(ProcessRole):
        return
    if not settings.broker_url.startswith("kafka:"):
        raise ConfigurationError(
            f"PARLOUR_ROLES: without Kafka one process does everything; use {_KAFKA} as PARLOUR_BROKER_URL"
        )
    asked = {
        "auth_url": ProcessRole.AUTH not in roles and roles != {ProcessRole.WORKER},
        "chat_url": ProcessRole.VIDEO in roles and ProcessRole.CHAT not in roles,
    }
    for name, needed in asked.items():
        url = urlsplit(getattr(settings, name))
        if needed and not (url.scheme in {"http", "https"} and url.hostname):
            raise ConfigurationError(f"PARLOUR_{name.upper()}: name who has the role {name[:4]}, as http://host:port")
    if not secret and roles != {ProcessRole.WORKER}:
        raise ConfigurationError(
            "PARLOUR_SERVICE_SECRET: processes of different roles ask each other; give all the same secret"
        )


def load(**flags: Any) -> Settings:
    """Read the environment; flags that are not None win.

    Raises:
        ConfigurationError: a value does not fit.
    """
    try:
        settings = Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"PARLOUR_{name.upper()}: {first['msg']} (got {first['input']!r})") from error
    except SettingsError as error:  # names the field in its own words
        name = str(error).partition('"')[2].partition('"')[0]
        raise ConfigurationError(f"PARLOUR_{name.upper()}: {error.__cause__}; write it as JSON") from error
    try:
        RateLimits(SystemClock(), settings.rates)
    except ValueError as error:
        raise ConfigurationError(f"PARLOUR_RATES: {error}") from error
    if settings.turn_urls or settings.turn_secret.get_secret_value():
        if not settings.turn_urls:
            raise ConfigurationError(
                "PARLOUR_TURN_SECRET is set without PARLOUR_TURN_URLS: name the servers that share it"
            )
        try:
            IceServers(SystemClock(), turn=settings.turn_urls, secret=settings.turn_secret.get_secret_value())
        except ValueError as error:
            raise ConfigurationError(f"PARLOUR_TURN_SECRET: {error}") from error
    _check_engines(settings)
    _check_roles(settings)
    return settings


def unknown_variables() -> list[str]:
    """Return the variables PARLOUR_… of the environment that name no setting: probably a slip of the pen."""
    known = {f"PARLOUR_{name.upper()}" for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.startswith("PARLOUR_") and name not in known)
