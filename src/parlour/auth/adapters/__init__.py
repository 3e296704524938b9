"""What the auth service needs from outside, one file an engine."""
