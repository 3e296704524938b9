"""Settings: the environment, flags that win, and what is said of a wrong value."""

import os
from pathlib import Path

import pytest

from parlour.config import ConfigurationError, ProcessRole, Settings, load, unknown_variables


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PARLOUR_"):
            monkeypatch.delenv(name)


def test_defaults_serve_one_machine() -> None:
    settings = load()
    assert (settings.host, settings.port, settings.log_format) == ("127.0.0.1", 8000, "json")
    assert settings.database == f"sqlite:///{Path('data/parlour.db').absolute()}"
    assert settings.messages == f"sqlite:///{Path('data/messages.db').absolute()}"
    assert not settings.secure


def test_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PORT": "9000",
        "CORS_ORIGINS": "https://a.example, https://b.example,",
        "RATES": '{"message": "100/minute"}',
        "PUBLIC_URL": "https://chat.example.org",
        "DATA_DIR": "/srv/parlour",
        "LOG_LEVEL": "debug",
    }.items():
        monkeypatch.setenv(f"PARLOUR_{name}", value)
    settings = load()
    assert settings.port == 9000
    assert settings.cors_origins == ["https://a.example", "https://b.example"]
    assert settings.rates == {"message": "100/minute"}
    assert settings.secure
    assert settings.database == "sqlite:////srv/parlour/parlour.db"
    assert settings.log_level == "debug"


def test_flags_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLOUR_PORT", "9000")
    monkeypatch.setenv("PARLOUR_HOST", "::1")
    settings = load(port=9001, host=None)
    assert (settings.port, settings.host) == (9001, "::1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("PORT", "many"),
        ("LOG_LEVEL", "loud"),
        ("ACCESS_TOKEN_SECONDS", "1"),
        ("BROKER_URL", "amqp://localhost"),
        ("BUS_URL", "redis://localhost"),
        ("SEARCH_URL", "postgresql://localhost/search"),
        ("RATES", "[]"),
        ("RATES", '{"serach": "1/minute"}'),
        ("RATES", '{"search": "many"}'),
        ("TRUSTED_PROXIES", "10.0.0.0/8,proxy.example"),
        ("MAX_OUTBOX_BYTES", "10"),
        ("NODE_ID", "a.1"),
        ("NODE_ID", "A1"),
        ("NODE_ID", "a" * 33),
        ("DATABASE_URL", "mysql://localhost/parlour"),
        ("DATABASE_URL", "postgresql://localhost"),
        ("DATABASE_URL", "postgresql:///parlour"),
        ("DATABASE_URL", "postgresql://localhost/parlour?sslmode=always"),
        ("DATABASE_URL", "postgresql://localhost/parlour?sslmode=verify-full&sslrootcert=/nowhere/ca.pem"),
        ("DATABASE_URL", "postgresql://localhost/parlour?sslmode=require&sslcert=/nowhere/c.pem"),
        ("MESSAGES_URL", "mongodb://localhost/parlour"),
    ],
)
def test_wrong_value_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"PARLOUR_{name}", value)
    with pytest.raises(ConfigurationError, match=f"PARLOUR_{name}"):
        load()


def test_value_that_is_no_json_is_refused_by_the_name_of_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLOUR_RATES", "message=100/minute")
    with pytest.raises(ConfigurationError, match="PARLOUR_RATES"):
        load()


def test_unknown_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLOUR_PROT", "9000")
    monkeypatch.setenv("PARLOUR_PORT", "9000")
    monkeypatch.setenv("OTHER_PROT", "9000")
    assert unknown_variables() == ["PARLOUR_PROT"]


def test_passwords_of_urls_are_masked() -> None:
    settings = Settings(database_url="sqlite://user:hunter2@host/parlour")
    shown = settings.redacted()
    assert shown["database_url"] == "sqlite://user:***@host/parlour"
    assert "hunter2" not in str(shown)
    assert shown["port"] == 8000
    assert set(shown) == set(Settings.model_fields)


def test_every_setting_says_what_it_is_for() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


CLUSTER = {
    "DATABASE_URL": "postgresql://localhost/parlour",
    "MESSAGES_URL": "mongodb://localhost/parlour",
    "BROKER_URL": "kafka://localhost",
    "BUS_URL": "redis://localhost",
}


def test_with_kafka_every_engine_is_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CLUSTER.items():
        monkeypatch.setenv(f"PARLOUR_{name}", value)
    assert load().search == CLUSTER["DATABASE_URL"]
    for name in CLUSTER.keys() - {"BROKER_URL"}:
        with monkeypatch.context() as without:
            without.delenv(f"PARLOUR_{name}")
            with pytest.raises(ConfigurationError, match=f"PARLOUR_{name}: with Kafka"):
                load()


@pytest.mark.parametrize("url", ["kafka://", "kafka://host?partitions=none", "kafka://host?acks=0", "kafka://host/a b"])
def test_a_url_of_kafka_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name, value in (CLUSTER | {"BROKER_URL": url}).items():
        monkeypatch.setenv(f"PARLOUR_{name}", value)
    with pytest.raises(ConfigurationError, match="PARLOUR_BROKER_URL"):
        load()


SECRET = "a secret of 32 characters at least"


@pytest.mark.parametrize(
    ("roles", "others", "wrong"),
    [
        ("", {}, "ROLES"),
        ("chat,cook", {}, "ROLES"),
        ("chat", {"AUTH_URL": "", "SERVICE_SECRET": SECRET}, "AUTH_URL"),
        ("chat", {"AUTH_URL": "auth:8000", "SERVICE_SECRET": SECRET}, "AUTH_URL"),
        ("chat", {"AUTH_URL": "http://auth:8000", "SERVICE_SECRET": ""}, "SERVICE_SECRET"),
        ("chat", {"AUTH_URL": "http://auth:8000", "SERVICE_SECRET": "short"}, "SERVICE_SECRET"),
        ("auth", {"SERVICE_SECRET": SECRET + "\n"}, "SERVICE_SECRET"),
        ("auth", {"SERVICE_SECRET": SECRET + "é"}, "SERVICE_SECRET"),
        ("auth,chat,video,worker", {"SERVICE_SECRET": " " + SECRET}, "SERVICE_SECRET"),
        ("video", {"AUTH_URL": "http://auth:8000", "SERVICE_SECRET": SECRET}, "CHAT_URL"),
        ("auth", {}, "SERVICE_SECRET"),
        ("worker", {"MESSAGES_URL": ""}, "MESSAGES_URL"),
        ("worker", {"DATABASE_URL": ""}, "SEARCH_URL"),
        ("auth", {"SERVICE_SECRET": SECRET, "DATABASE_URL": ""}, "DATABASE_URL"),
    ],
)
def test_a_role_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, roles: str, others: dict[str, str], wrong: str
) -> None:
    for name, value in (CLUSTER | {"ROLES": roles} | others).items():
        monkeypatch.setenv(f"PARLOUR_{name}", value)
    with pytest.raises(ConfigurationError, match=f"PARLOUR_{wrong}"):
        load()


def test_a_role_asks_for_no_engine_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLOUR_SERVICE_SECRET", SECRET)
    monkeypatch.setenv("PARLOUR_ROLES", "auth")
    for name in CLUSTER.keys() - {"MESSAGES_URL"}:
        monkeypatch.setenv(f"PARLOUR_{name}", CLUSTER[name])
    assert load().roles == {ProcessRole.AUTH}
    assert load(roles="auth,worker,chat,video", messages_url=CLUSTER["MESSAGES_URL"]).roles == set(ProcessRole)


def test_one_machine_has_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLOUR_ROLES", "chat")
    with pytest.raises(ConfigurationError, match="PARLOUR_ROLES: without Kafka"):
        load()
