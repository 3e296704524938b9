"""The worker: gives commands their place in the log, and tells every node of what is committed."""

from collections.abc import Sequence

from parlour.app.engines import Engines, needed
from parlour.chat.events.channels import Channels
from parlour.chat.model import RoomEvent
from parlour.chat.service.heads import Heads
from parlour.chat.service.membership_feed import MembershipNews
from parlour.chat.worker import Worker
from parlour.platform.supervision import Supervisor
from parlour.realtime import Namespace


class Work:
    """The worker of a process, which tells sockets through `namespace`, be they of this node or of others."""

    def __init__(self, namespace: Namespace, engines: Engines, heads: Heads, news: MembershipNews | None) -> None:
        """Tell `news`, where there is any, of memberships: a process that is alone needs none."""
        self._heads = heads
        self._broker = needed(engines.broker)
        committed = _Committed(heads, Channels(namespace), news)
        self.worker = Worker(needed(engines.log), committed, heads.get, tell_repeats=not engines.alone)

    def start(self, supervisor: Supervisor) -> None:
        """Begin to work commands."""
        supervisor.start("worker", self._broker.run(self._heads.follow(self.worker.handle)))


class _Committed:
    """The `Fanout` of this process: heads first, so that whoever hears of an event finds it in them."""

    def __init__(self, heads: Heads, channels: Channels, news: MembershipNews | None) -> None:
        self._heads = heads
        self._channels = channels
        self._news = news

    def committed(self, events: Sequence[RoomEvent], received: Sequence[float]) -> None:
        """See `Fanout`."""
        self._heads.committed(events)
        self._channels.committed(events, received)
        if self._news is not None:
            self._news.committed(events)
