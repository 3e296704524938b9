"""An event loop whose clock jumps to the next timer, so that tests of seconds take microseconds and never guess."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

P = ParamSpec("P")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Runs what is ready; when nothing is, it is at once as late as the next timer wants."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 1000.0
        selector: Any = self._selector  # type: ignore[attr-defined]  # asyncio's own field; typeshed hides it
        wait = selector.select

        def select(timeout: float | None = None) -> Any:
            ready = wait(0)
            if not ready and timeout is None:
                raise RuntimeError("nothing is ready and nothing is scheduled: this would wait for ever")
            if not ready and timeout:
                self._now += timeout
            return ready

        selector.select = select

    def time(self) -> float:
        return self._now


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test on a `VirtualTimeLoop`."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run
