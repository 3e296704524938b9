"""A service by itself, for tests to kill: `python service_until_killed.py <port> <secret>`."""

import asyncio
import sys

import msgspec
import uvicorn
from litestar import Litestar, post
from litestar.params import JSONBody

from parlour.platform.http.envelope import EXCEPTION_HANDLERS
from parlour.platform.services import service_router


class Question(msgspec.Struct):
    """What is to be said again, and after how many seconds."""

    number: int
    seconds: int = 0


@post("/echo", status_code=200)
async def echo(*, data: JSONBody[Question]) -> Question:
    """Say the same."""
    await asyncio.sleep(data.seconds)
    return data


def application(secret: str) -> Litestar:
    """The service."""
    return Litestar(
        [service_router("echo", secret, [echo])], exception_handlers=EXCEPTION_HANDLERS, logging_config=None
    )


if __name__ == "__main__":
    uvicorn.run(application(sys.argv[2]), port=int(sys.argv[1]), log_level="error")
