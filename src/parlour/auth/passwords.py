"""The rules of passwords: long enough, not a common one, not the name. Pure."""

import unicodedata
from functools import cache
from importlib.resources import files
from itertools import pairwise

from parlour.auth.errors import PasswordIsName, PasswordTooCommon, PasswordTooLong, PasswordTooShort

MIN_CHARACTERS = 10
MAX_BYTES = 1024

_WORDS = frozenset(
    [
        "password",
        "passw0rd",
        "p@ssword",
        "p@ssw0rd",
        "passwort",
        "qwerty",
        "qwertz",
        "azerty",
        "letmein",
        "welcome",
        "iloveyou",
        "admin",
        "administrator",
        "changeme",
        "secret",
        "master",
        "dragon",
        "monkey",
        "football",
        "baseball",
        "sunshine",
        "princess",
        "superman",
        "batman",
        "parlour",
    ]
)
_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop", "abcdefghijklmnopqrstuvwxyz")
_STEPS = frozenset(pair for row in _ROWS for pair in pairwise(row))


def normalized(password: str) -> str:
    """Return the password as it is hashed: NFKC, so that every keyboard gives the same bytes (NIST SP 800-63B section 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, *, username: str, email: str, display_name: str) -> str:
    """Return the password as it is hashed.

    Raises:
        PasswordTooShort: under 10 characters.
        PasswordTooLong: over 1,024 bytes.
        PasswordIsName: it is the username, the address or the display name, whatever signs and digits surround it.
        PasswordTooCommon: it is on the list of common ones, or one character, run or word that anybody would try.
    """
    secret = normalized(password)
    if len(secret) < MIN_CHARACTERS:
        raise PasswordTooShort(details={"field": "password", "minimum": MIN_CHARACTERS})
    if len(secret.encode()) > MAX_BYTES:
        raise PasswordTooLong(details={"field": "password", "maximum": MAX_BYTES})
    if _is_name(secret, (username, email, email.partition("@")[0], display_name)):
        raise PasswordIsName(details={"field": "password"})
    if is_common(secret):
        raise PasswordTooCommon(details={"field": "password"})
    return secret


def _is_name(secret: str, names: tuple[str, ...]) -> bool:
    core = _letters_and_digits(secret)
    cores = {core, core.rstrip("0123456789")}
    for name in names:
        bare = _letters_and_digits(name)
        if len(bare) >= 2 and not cores.isdisjoint({bare, bare * 2, bare[::-1]}):
            return True
    return False


def _letters_and_digits(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def is_common(secret: str) -> bool:
    """Tell whether a guesser tries this first: a listed password, few characters repeated, a run of the alphabet, of digits or of keys, or
    one of the most used words with digits and signs around it.
    """
    folded = secret.casefold()
    if folded in _common_passwords() or _is_repeated(folded):
        return True
    pairs = list(pairwise(folded))
    steps = sum(pair in _STEPS or pair[::-1] in _STEPS or pair[0] == pair[1] for pair in pairs)
    if len(pairs) - steps <= len(pairs) // 8:  # runs with a turn or two: 1234567890, qwertyuiop, abcdefgh123
        return True
    return folded.strip("0123456789!@#$%&*?._- ") in _WORDS


def _is_repeated(folded: str) -> bool:
    return len(set(folded)) <= 2 or any(
        (folded[:length] * (len(folded) // length + 1))[: len(folded)] == folded for length in range(1, 5)
    )


@cache
def _common_passwords() -> frozenset[str]:
    lines = files("parlour.auth").joinpath("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))
