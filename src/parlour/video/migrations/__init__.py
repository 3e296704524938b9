"""The migrations of video's tables."""
