"""The video service: calls, their signalling, and the ICE servers that carry them."""
