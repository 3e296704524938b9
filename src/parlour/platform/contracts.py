"""What services tell each other over the bus and ask each other over HTTP: the only knowledge that auth, chat and video share."""

from typing import Annotated, Final

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


# What a service asks of auth. An id is any text: nobody has one that is no UUID.

MOST_ASKED: Final = 1_000
"""Ids or names in one question."""

LONGEST_NAME: Final = 256
"""Characters of a name in a question: no username is that long in any of its forms."""

PROFILES_PATH: Final = "/internal/auth/profiles"
USERNAMES_PATH: Final = "/internal/auth/usernames"
CHANGES_PATH: Final = "/internal/auth/changes"


class ProfilesWanted(msgspec.Struct):
    """Whose profiles are wanted."""

    ids: Annotated[list[Annotated[UserId, msgspec.Meta(max_length=64)]], msgspec.Meta(max_length=MOST_ASKED)]


class UsernamesWanted(msgspec.Struct):
    """Which names' profiles are wanted."""

    names: Annotated[list[Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]], msgspec.Meta(max_length=MOST_ASKED)]


class Profiles(msgspec.Struct):
    """The profiles of those that exist, by id, or by lower-cased name as it was asked for."""

    profiles: dict[str, Profile]


class ChangesWanted(msgspec.Struct):
    """From when on changes are wanted, in ms since the epoch."""

    since: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Changes(msgspec.Struct):
    """The sessions that ended, and the users who were changed as they are now."""

    sessions: list[SessionRevoked]
    users: list[UserChanged]
