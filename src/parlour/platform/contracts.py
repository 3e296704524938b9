"""What services tell each other over the bus: the only knowledge that auth, chat and video share."""

import msgspec

from parlour.platform.ids import SessionId, UserId

SESSION_REVOKED = "session.revoked"
SESSIONS_RECALLED = "sessions.recalled"
"""All ended sessions were written anew, since some may have been missing: whoever keeps a copy reads them again. No payload."""
USER_CHANGED = "user.changed"


class SessionRevoked(msgspec.Struct):
    """Sessions that ended before their time: their sockets close and their access tokens are refused at once."""

    user_id: UserId
    session_ids: list[SessionId]
    reason: str
    """`logout`, `revoked`, `password_changed`, `token_reused`, `user_disabled` or `role_changed`."""
    until: int = 0
    """When the last of their access tokens has expired, in ms since the epoch; 0 where that is not told."""


class UserChanged(msgspec.Struct):
    """A profile as it is now."""

    user_id: UserId
    username: str
    display_name: str
    role: str
    disabled: bool


class Profile(msgspec.Struct, frozen=True):
    """What one user may know of another."""

    id: UserId
    username: str
    display_name: str
    role: str
    disabled: bool = False
