"""Where calls are carried, as sockets and routes see it; and the answer of a process that is alone: here."""

from typing import Protocol

import msgspec

from parlour.platform.ids import UserId
from parlour.video.events.desk import Asker, do
from parlour.video.service.carrying import Term
from parlour.video.service.live import LiveCalls


class Carried(Protocol):
    """The calls, wherever they are carried. On the event loop.

    Order: what one socket asks is done in the order asked where each waits for the answer before it. Failure: an answer that does not
    come raises `Unavailable`; then what was asked may have been done. What is told of sockets may be lost and is made good later.
    """

    @property
    def live(self) -> LiveCalls | None:
        """The calls, where this process carries them at the moment."""
        ...

    async def ask(self, name: str, asker: Asker, payload: msgspec.Struct) -> msgspec.Struct | msgspec.Raw:
        """Have done what is asked (desk.py) and return what is acknowledged, perhaps as JSON already.

        Raises:
            ParlourError: as the use case; `Unavailable` as said above.
        """
        ...

    def ready(self, user_id: UserId, socket_id: str) -> None:
        """Tell of a socket of this process that has just connected."""
        ...

    def gone(self, socket_id: str) -> None:
        """Tell of one that is gone."""
        ...

    async def start(self) -> None:
        """Begin to answer."""
        ...

    async def run(self) -> None:
        """Do what there is to be done beside answering, until cancelled."""
        ...

    def drain(self) -> None:
        """Let no deadline come any more: the calls go on in another process."""
        ...

    def stop(self) -> None:
        """Answer no more."""
        ...


class CarriedHere:
    """The calls of a process that is alone with its data."""

    def __init__(self, term: Term) -> None:
        self._term = term

    @property
    def live(self) -> LiveCalls:
        """See Carried."""
        return self._term.live

    async def ask(self, name: str, asker: Asker, payload: msgspec.Struct) -> msgspec.Struct:
        """See Carried."""
        return await do(self._term.calls, name, asker, payload)

    def ready(self, user_id: UserId, socket_id: str) -> None:
        """See Carried."""
        self._term.live.socket_ready(user_id, socket_id)

    def gone(self, socket_id: str) -> None:
        """See Carried."""
        self._term.live.socket_gone(socket_id)

    async def start(self) -> None:
        """Take up the calls that an earlier process left."""
        self._term.live.restore(await self._term.journal.load())

    async def run(self) -> None:
        """Keep calls, and tell the log of them."""
        await self._term.journal.run()

    def drain(self) -> None:
        """See Carried."""
        self._term.live.pause()

    def stop(self) -> None:
        """See Carried."""
        self._term.live.pause()
