"""Which sockets of other nodes are still there, as the carrier of a cluster's calls comes to know it."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from parlour.platform.clock import Clock
from parlour.video.model import Call, Participant
from parlour.video.service.carrying import Sockets
from parlour.video.service.live import LiveCalls

SILENT: Final = 5.0
"""Seconds without a word after which the sockets of a node are taken for gone; it says one every second."""

_FORGET: Final = 60.0


class Attendance:
    """Follows the nodes and the sockets of participants for one term of `live`.

    Nodes tell of sockets that are gone, which may be lost, and nothing of their own end. So whoever is silent is taken for gone, and
    sockets are asked for: those of participants, and those that participants had when the term began or their node fell silent. Who
    is found again in time goes on as if nothing had been.
    """

    def __init__(self, live: LiveCalls, clock: Clock, missed: Sockets) -> None:
        """Miss the sockets that an earlier term left."""
        self._live = live
        self._clock = clock
        self._heard: dict[str, float] = {}
        self._missed = dict(missed)

    def missed(self) -> list[str]:
        """Return the sockets that may turn out to be there."""
        for socket_id, found in tuple(self._missed.items()):
            if not self._awaited(*found):
                del self._missed[socket_id]
        return list(self._missed)

    def attached(self) -> list[str]:
        """Return the sockets of all participants."""
        return [socket_id for socket_id, _, _ in self._attached()]

    def heard(self, node_id: str) -> None:
        """Take in that a node lives."""
        self._heard[node_id] = self._clock.monotonic()

    def deaf(self) -> None:
        """Take in that nobody can be heard at the moment: silence tells nothing, and counts from the end of it."""
        self._heard.clear()

    def look(self) -> None:
        """Give up the sockets of nodes that have been silent for `SILENT` seconds."""
        now = self._clock.monotonic()
        for socket_id, call, participant in tuple(self._attached()):
            if now - self._heard.setdefault(_node_of(socket_id), now) > SILENT:
                self._live.socket_gone(socket_id)
                self._missed[socket_id] = (call, participant)
        for node_id in [node_id for node_id, at in self._heard.items() if now - at > _FORGET]:
            del self._heard[node_id]

    def present(self, socket_ids: Sequence[str]) -> None:
        """Take in that sockets are there."""
        for socket_id in socket_ids:
            found = self._missed.pop(socket_id, None)
            if found is not None and self._awaited(*found):
                self._live.resume(*found, socket_id)

    def gone(self, socket_ids: Collection[str]) -> None:
        """Take in that sockets are gone."""
        for socket_id in socket_ids:
            self._missed.pop(socket_id, None)
            self._live.socket_gone(socket_id)

    def _attached(self) -> Iterator[tuple[str, Call, Participant]]:
        for call in self._live.registry:
            for participant in call.participants.values():
                if participant.socket_id is not None:
                    yield participant.socket_id, call, participant

    def _awaited(self, call: Call, participant: Participant) -> bool:
        """Tell whether a participant is in the call and without a socket."""
        lives = self._live.registry.get(call.id) is call and call.participants.get(participant.id) is participant
        return lives and participant.socket_id is None


def _node_of(socket_id: str) -> str:
    return socket_id.partition(".")[0]
