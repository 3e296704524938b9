"""The rules of usernames, e-mail addresses, display names and device names. Pure."""

import re
import unicodedata
from itertools import pairwise

from parlour.auth.errors import DisplayNameInvalid, EmailInvalid, UsernameInvalid

MIN_USERNAME, MAX_USERNAME = 2, 32
MAX_DISPLAY_NAME = 64
MAX_EMAIL = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets

RESERVED_USERNAMES = frozenset({"all", "channel", "everyone", "here", "parlour", "room", "system"})
"""Mentions that mean everybody, and names that people would take for the server itself."""

# Letters, digits and underscore of any script: what `@name` finds in a message. Dots and hyphens stand between them only.
_USERNAME = re.compile(r"\w+(?:[.\-]\w+)*")
_EMAIL = re.compile(
    r"[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\"._-](?:[^\s@<>()\[\],;:\\\"]*[^\s@<>()\[\],;:\\\"._-])?"
)

# Japanese and Korean are written in several scripts at once (UTS 39 section 5.2, "highly restrictive").
_TOGETHER = (
    frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"CJK", "HANGUL"}),
    frozenset({"CJK", "BOPOMOFO"}),
)
# Cyrillic letters that look like Latin ones: a name of nothing else would pass for a Latin name (as browsers judge host names).
_LATIN_LOOKALIKES = frozenset("асԁеһіјӏорԛѕԝху")


def username_key(username: str) -> str:
    """Return what two usernames must not have in common: compatibility-composed (NFKC) and case-folded."""
    return _folded(username)


def check_username(username: str) -> str:
    """Return the username as it is stored (NFKC).

    Raises:
        UsernameInvalid: it is not 2 to 32 letters, digits and `_`, with single `.` or `-` between them; or it mixes scripts, imitates Latin
            letters with others, or is reserved.
    """
    name = unicodedata.normalize("NFKC", username)
    if not MIN_USERNAME <= len(name) <= MAX_USERNAME:
        raise UsernameInvalid(details={"field": "username", "reason": "length"})
    if not _USERNAME.fullmatch(name):
        raise UsernameInvalid(details={"field": "username", "reason": "characters"})
    key = username_key(name)
    if key in RESERVED_USERNAMES:
        raise UsernameInvalid(details={"field": "username", "reason": "reserved"})
    letters = [letter for letter in key if letter.isalpha()]
    scripts = {_script(letter) for letter in letters}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        raise UsernameInvalid(details={"field": "username", "reason": "mixed_scripts"})
    if letters and _LATIN_LOOKALIKES.issuperset(letters):
        raise UsernameInvalid(details={"field": "username", "reason": "lookalike"})
    return name


def _script(letter: str) -> str:
    """Return the script as the first word of the character's name, which the Unicode names are systematic about."""
    return unicodedata.name(letter, "UNKNOWN").partition(" ")[0].removesuffix("-A")


def email_key(email: str) -> str:
    """Return what two accounts' addresses must not have in common: without regard to case."""
    return _folded(email.strip())


def check_email(email: str) -> str:
    """Return the address as it is stored.

    Raises:
        EmailInvalid: it is not of the form `local@domain`, or longer than 254 characters.
    """
    address = unicodedata.normalize("NFC", email.strip())
    if len(address) > MAX_EMAIL or not _EMAIL.fullmatch(address) or not address.isprintable():
        raise EmailInvalid(details={"field": "email"})
    local, _, domain = address.partition("@")
    if len(local) > 64 or ".." in domain or len(email_key(address)) > 2 * MAX_EMAIL:
        raise EmailInvalid(details={"field": "email"})
    return address


def login_key(login: str) -> str:
    """Return the key of a username or, where there is an `@`, of an address."""
    return email_key(login) if "@" in login else username_key(login.strip())


def check_display_name(name: str) -> str:
    """Return the name as it is stored: NFC, runs of white space as one space.

    Raises:
        DisplayNameInvalid: it is not 1 to 64 characters, or holds controls or changes of direction that would spill over its surroundings.
    """
    shown = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(shown) <= MAX_DISPLAY_NAME or any(
        _is_unprintable(before, char) for before, char in pairwise(f" {shown}")
    ):
        raise DisplayNameInvalid(details={"field": "display_name"})
    return shown


def _is_unprintable(before: str, char: str) -> bool:
    if char == "\u200d":  # joins the parts of an emoji or of a ligature, and hides nothing unless it stands alone
        return before == " "
    if char == "\ufe0f":
        return False
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def display_key(name: str) -> str:
    """Return the form of a display name that a search compares."""
    return _folded(name)[:128]


def _folded(text: str) -> str:
    # Whatever is asked for becomes a key, also what no name can hold: no engine takes half a surrogate pair, PostgreSQL no NUL.
    storable = text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", storable).casefold())


_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str) -> str:
    """Return how a session list calls a device: `Firefox on Linux`, or the first word of what is no browser."""
    if not user_agent.startswith("Mozilla/"):
        words = "".join(char for char in user_agent if char.isprintable()).split()
        return words[0][:64] if words else "unknown"
    browser = next(
        (name for mark, name in _BROWSERS if f"{mark}/" in user_agent or f"{mark}iOS/" in user_agent), "Browser"
    )
    if "CriOS/" in user_agent or "FxiOS/" in user_agent:
        browser = "Chrome" if "CriOS/" in user_agent else "Firefox"
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser
