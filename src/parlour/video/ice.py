"""The ICE servers of a call, with TURN credentials that end by themselves (coturn's `use-auth-secret`)."""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence

from parlour.platform.clock import Clock
from parlour.platform.ids import UserId
from parlour.video.model import IceServer

_host = r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?"
_is_stun = re.compile(rf"stuns?:{_host}").fullmatch
_is_turn = re.compile(rf"turns?:{_host}(?:\?transport=(?:udp|tcp))?").fullmatch

MIN_SECRET = 16
"""Characters of a shared secret that is not to be guessed from one credential."""


class IceServers:
    """Makes the list that a browser's `RTCPeerConnection` takes.

    A TURN user name is `<expiry>:<user id>`, its password the Base64 of HMAC-SHA1 of the name under the secret shared with coturn
    (draft-uberti-behave-turn-rest-00, section 2.2). coturn looks at the expiry when an allocation is made; one that is there goes on.
    """

    def __init__(
        self, clock: Clock, *, stun: Sequence[str] = (), turn: Sequence[str] = (), secret: str = "", lifetime: int = 900
    ) -> None:
        """Hand out `turn` with credentials of `lifetime` seconds.

        Raises:
            ValueError: a URL is none, or there are TURN servers without a secret of `MIN_SECRET` characters.
        """
        check_urls(stun, turn)
        if turn and len(secret) < MIN_SECRET:
            raise ValueError(f"TURN servers need the secret that they share, of at least {MIN_SECRET} characters")
        self._clock = clock
        self._stun = list(stun)
        self._turn = list(turn)
        self._secret = secret.encode()
        self._lifetime = lifetime

    def of(self, user_id: UserId) -> list[IceServer]:
        """Return the servers for one user, with fresh credentials."""
        servers = [IceServer(self._stun)] if self._stun else []
        if self._turn:
            expiry = self._clock.now() // 1000 + self._lifetime
            username = f"{expiry}:{user_id}"
            digest = hmac.new(self._secret, username.encode(), hashlib.sha1).digest()
            servers.append(IceServer(self._turn, username, base64.b64encode(digest).decode()))
        return servers


def check_urls(stun: Sequence[str], turn: Sequence[str]) -> None:
    """Refuse what no browser would take for a server (RFC 7064 and 7065).

    Raises:
        ValueError: one of them is none.
    """
    for url in stun:
        if not _is_stun(url):
            raise ValueError(f"{url!r} is not like stun:host:3478")
    for url in turn:
        if not _is_turn(url):
            raise ValueError(f"{url!r} is not like turn:host:3478?transport=udp or turns:host:5349")
