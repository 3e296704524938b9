"""What the chat service needs from outside, one file an engine."""
