"""Chat service: rooms, the room log, sync, presence and search."""
