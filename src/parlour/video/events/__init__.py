"""Calls over Socket.IO: the gateway, what live sockets are told, and the shapes of the events."""
