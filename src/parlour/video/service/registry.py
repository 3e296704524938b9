"""The calls of this process, by everything that they are looked up by."""

from collections.abc import Iterable, Iterator

from parlour.platform.ids import RoomId, UserId
from parlour.video.model import Call, CallId, Participant, ParticipantId


class Registry:
    """Holds the calls that live. A room has one call, a user and a socket take part in one.

    Whoever changes who takes part in a call, or whom it rings, does it here.
    """

    def __init__(self) -> None:
        self._calls: dict[CallId, Call] = {}
        self._by_room: dict[RoomId, Call] = {}
        self._by_user: dict[UserId, Call] = {}
        self._by_socket: dict[str, tuple[Call, Participant]] = {}
        self._ringing: dict[UserId, dict[CallId, Call]] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(tuple(self._calls.values()))

    def get(self, call_id: CallId) -> Call | None:
        """Return a call that lives."""
        return self._calls.get(call_id)

    def of_room(self, room_id: RoomId) -> Call | None:
        """Return the call of a room."""
        return self._by_room.get(room_id)

    def of_user(self, user_id: UserId) -> Call | None:
        """Return the call that a user takes part in."""
        return self._by_user.get(user_id)

    def of_socket(self, socket_id: str) -> tuple[Call, Participant] | None:
        """Return what a socket takes part in, and as whom."""
        return self._by_socket.get(socket_id)

    def ringing(self, user_id: UserId) -> list[Call]:
        """Return the calls that ring at a user's devices."""
        return list(self._ringing.get(user_id, {}).values())

    def users(self) -> set[UserId]:
        """Return everybody who takes part in a call or is called."""
        return {*self._by_user, *self._ringing}

    def add(self, call: Call) -> None:
        """Take in a call, with whom it has and whom it rings."""
        self._calls[call.id] = self._by_room[call.room_id] = call
        for participant in call.participants.values():
            self._index(call, participant)
        for user_id in call.ringing:
            self._ringing.setdefault(user_id, {})[call.id] = call

    def remove(self, call: Call) -> None:
        """Forget a call that ended; it keeps whom it had and rang for who tells them."""
        del self._calls[call.id], self._by_room[call.room_id]
        for participant in call.participants.values():
            self._forget(participant)
        for user_id in call.ringing:
            self._silence(call, user_id)

    def enter(self, call: Call, participant: Participant) -> None:
        """Let a participant into a call."""
        call.participants[participant.id] = participant
        if participant.user_id not in call.took_part:
            call.took_part.append(participant.user_id)
        self._index(call, participant)

    def leave(self, call: Call, participant_id: ParticipantId) -> Participant:
        """Take a participant out of a call."""
        participant = call.participants.pop(participant_id)
        self._forget(participant)
        return participant

    def attach(self, call: Call, participant: Participant, socket_id: str | None) -> None:
        """Bind a participant to another socket, or to none while its connection is lost."""
        if participant.socket_id is not None:
            del self._by_socket[participant.socket_id]
        participant.socket_id = socket_id
        if socket_id is not None:
            self._by_socket[socket_id] = (call, participant)

    def ring(self, call: Call, user_ids: Iterable[UserId]) -> None:
        """Note whom a call rings."""
        for user_id in user_ids:
            call.ringing.add(user_id)
            self._ringing.setdefault(user_id, {})[call.id] = call

    def silence(self, call: Call, user_id: UserId) -> bool:
        """Note that a call rings a user no more; False where it did not."""
        if user_id not in call.ringing:
            return False
        call.ringing.discard(user_id)
        self._silence(call, user_id)
        return True

    def _index(self, call: Call, participant: Participant) -> None:
        self._by_user[participant.user_id] = call
        if participant.socket_id is not None:
            self._by_socket[participant.socket_id] = (call, participant)

    def _forget(self, participant: Participant) -> None:
        del self._by_user[participant.user_id]
        if participant.socket_id is not None:
            del self._by_socket[participant.socket_id]

    def _silence(self, call: Call, user_id: UserId) -> None:
        calls = self._ringing[user_id]
        del calls[call.id]
        if not calls:
            del self._ringing[user_id]
