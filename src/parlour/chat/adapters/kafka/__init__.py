"""The broker on Kafka: commands by room, worked by the workers of one group, answered over `Answers`."""

from parlour.chat.adapters.kafka.broker import KafkaBroker
from parlour.chat.adapters.kafka.dead_letters import DeadLetter, DeadLetters
from parlour.chat.adapters.kafka.room_events import RoomEvents

__all__ = ["DeadLetter", "DeadLetters", "KafkaBroker", "RoomEvents"]
