"""A store of calls that lives as long as its process."""

from collections.abc import Sequence

import msgspec

from parlour.video.model import Call, CallId


class MemoryCallStore:
    """A `CallStore` without durability: for tests, and for a process whose calls need not outlive it."""

    def __init__(self) -> None:
        self._kept: dict[CallId, bytes] = {}

    async def load(self) -> list[Call]:
        """Return what is kept."""
        return [msgspec.json.decode(kept, type=Call) for kept in self._kept.values()]

    async def write(self, kept: Sequence[Call], gone: Sequence[CallId]) -> None:
        """Keep calls as they are now, and forget others."""
        self._kept |= {call.id: msgspec.json.encode(call) for call in kept}
        for call_id in gone:
            self._kept.pop(call_id, None)
