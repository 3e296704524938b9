"""Structured logs: one JSON object a line on stderr, with the correlation id of what is being done."""

import logging
import re
import sys
from contextvars import ContextVar
from typing import Any

import msgspec
import structlog
from structlog.types import EventDict

from parlour.platform.ids import uuid7

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
"""Names one request, socket event or task from its receipt to the last thing done for it."""

_acceptable = re.compile(r"[A-Za-z0-9._-]{8,64}").fullmatch


def new_correlation_id(proposed: str | None = None) -> str:
    """Start a correlation: take the caller's id where it is a harmless one, else make one; return it."""
    value = proposed if proposed and _acceptable(proposed) else uuid7()
    correlation_id.set(value)
    return value


def _add_correlation(_logger: Any, _method: str, event: EventDict) -> EventDict:
    value = correlation_id.get()
    if value:
        event["correlation_id"] = value
    return event


_visible = {code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160))}


def _escape_controls(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Keep one line one line, and a terminal as it is, whatever a message quotes."""
    event["event"] = str(event["event"]).translate(_visible)
    return event


def _render(_logger: Any, _method: str, event: EventDict) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


def configure(level: str = "info", *, readable: bool = False) -> None:
    """Send every log of the process, libraries' included, to stderr.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        readable: coloured lines for people instead of JSON.
    """
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _add_correlation,
    ]
    renderers: list[Any] = (
        [_escape_controls, structlog.dev.ConsoleRenderer(repr_native_str=True)]
        if readable
        else [structlog.processors.format_exc_info, _render]
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("aiosqlite", "alembic", "httpx", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
