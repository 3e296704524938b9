"""The history of chat's tables."""
