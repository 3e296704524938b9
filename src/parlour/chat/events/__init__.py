"""Chat over Socket.IO: the gateway, what it tells live sockets, and the shapes of its events."""
