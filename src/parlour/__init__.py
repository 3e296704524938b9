"""Parlour: a self-hosted place to talk, in rooms and calls, in real time."""

__version__ = "0.1.0"
