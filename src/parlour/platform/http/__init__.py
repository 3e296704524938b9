"""HTTP as every service speaks it: who asks, one error form, one schema, security headers, and operations."""

from parlour.platform.http.application import create_application
from parlour.platform.http.envelope import Envelope
from parlour.platform.http.forwarded import forwarded_address, trusted_peer
from parlour.platform.http.request import client_address, user_agent
from parlour.platform.http.shell import Shell

__all__ = [
    "Envelope",
    "Shell",
    "client_address",
    "create_application",
    "forwarded_address",
    "trusted_peer",
    "user_agent",
]
