"""The errors of auth, as clients see them.

InvalidRequest
├── UsernameInvalid         not a permitted username
├── EmailInvalid            not an e-mail address
├── DisplayNameInvalid      not a permitted display name
├── PasswordTooShort        under 10 characters
├── PasswordTooLong         over 1,024 bytes
├── PasswordTooCommon       anybody would guess it
└── PasswordIsName          it is the name
Unauthenticated
├── InvalidCredentials      no such account, or not its password
├── RefreshTokenInvalid     not a refresh token of this server
├── RefreshTokenExpired     the session's time is over
└── RefreshTokenReused      spent before; the session is ended
Forbidden
├── AccountDisabled         the account is switched off
├── CrossSite               a page of another site would use the cookie
└── WrongPassword           the present password is not that one
NotFound
├── UserNotFound            no such user
└── SessionNotFound         no such session of yours
Conflict
├── UsernameTaken           someone else has that username
├── EmailTaken              an account has that address
└── LastOwner               the server would be without an owner
RateLimited
└── LoginSlowed             too many failed logins
Unavailable
└── PasswordsBusy           too many passwords are waiting to be checked
"""

from parlour.platform.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unavailable,
)


class UsernameInvalid(InvalidRequest):
    """A username has 2 to 32 letters, digits or underscores of one script, with single dots or hyphens between them.

    Choose another; `details.reason` is `length`, `characters`, `mixed_scripts`, `lookalike` or `reserved`. The display name is free.
    """

    code = "username_invalid"


class EmailInvalid(InvalidRequest):
    """This is not an e-mail address.

    Give one of the form `name@domain`, of at most 254 characters.
    """

    code = "email_invalid"


class DisplayNameInvalid(InvalidRequest):
    """A display name has 1 to 64 visible characters.

    Leave out control characters and changes of writing direction.
    """

    code = "display_name_invalid"


class PasswordTooShort(InvalidRequest):
    """A password has at least 10 characters.

    Choose a longer one; a few words together are easy to remember.
    """

    code = "password_too_short"


class PasswordTooLong(InvalidRequest):
    """A password has at most 1,024 bytes.

    Choose a shorter one.
    """

    code = "password_too_long"


class PasswordTooCommon(InvalidRequest):
    """This password is one of the first that anybody would try.

    Choose one that is not on the lists of common passwords, and no run of keys or repetition.
    """

    code = "password_too_common"


class PasswordIsName(InvalidRequest):
    """The password is the name.

    Choose one that is not your username, e-mail address or display name.
    """

    code = "password_is_name"


class InvalidCredentials(Unauthenticated):
    """There is no account with this login and password.

    Check both. The answer does not tell which of them is wrong.
    """

    code = "invalid_credentials"


class RefreshTokenInvalid(Unauthenticated):
    """This is not a refresh token of this server.

    Log in again.
    """

    code = "refresh_token_invalid"


class RefreshTokenExpired(Unauthenticated):
    """The session's time is over.

    Log in again.
    """

    code = "refresh_token_expired"


class RefreshTokenReused(Unauthenticated):
    """This refresh token was used before, so its session was ended.

    Log in again, and have a look at the list of sessions: someone may have copied the token.
    """

    code = "refresh_token_reused"


class AccountDisabled(Forbidden):
    """This account is switched off.

    Ask an administrator of the server.
    """

    code = "account_disabled"


class CrossSite(Forbidden):
    """A page of another site may not use the cookie of this one.

    Open Parlour itself. An administrator can permit other origins by the setting `PARLOUR_CORS_ORIGINS`.
    """

    code = "cross_site"


class WrongPassword(Forbidden):
    """The present password is not that one.

    Repeat with the password that you log in with.
    """

    code = "wrong_password"


class UserNotFound(NotFound):
    """There is no such user.

    Drop the id.
    """

    code = "user_not_found"


class SessionNotFound(NotFound):
    """You have no such session.

    It may have ended already: fetch the list again.
    """

    code = "session_not_found"


class UsernameTaken(Conflict):
    """Someone else has this username.

    Choose another; upper and lower case make no difference.
    """

    code = "username_taken"


class EmailTaken(Conflict):
    """There is an account with this e-mail address.

    Log in with it, or give another.
    """

    code = "email_taken"


class LastOwner(Conflict):
    """The server would be without an owner.

    Make someone else an owner first.
    """

    code = "last_owner"


class LoginSlowed(RateLimited):
    """Too many logins have failed.

    Wait `retry_after` seconds. A device from which the account was logged in to before is not slowed by the failures of others.
    """

    code = "login_slowed"


class PasswordsBusy(Unavailable):
    """Too many passwords are waiting to be checked.

    Wait `retry_after` seconds, then repeat.
    """

    code = "passwords_busy"
