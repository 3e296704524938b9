"""Cursors as clients have them: opaque text, bound to the words that were looked for. Pure."""

import base64
import zlib
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from parlour.chat.adapters.fulltext.query import Term
from parlour.platform.errors import InvalidRequest

LARGEST = 1 << 62
"""Numbers of a cursor are less."""

C = TypeVar("C", bound=msgspec.Struct)


def fingerprint(terms: Sequence[Term]) -> int:
    """Return what tells the cursors of one query from those of another."""
    return zlib.crc32(repr(terms).encode(errors="surrogatepass"))


def encode(cursor: msgspec.Struct) -> str:
    """Return a cursor as clients have it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def decode(text: str, kind: type[C]) -> C:
    """Return the cursor that a client sent; nothing in it is to be trusted but its types.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=kind)
    except (ValueError, RecursionError) as error:  # binascii's and msgspec's are ValueErrors
        raise InvalidRequest("The cursor is not one of a search.", details={"field": "cursor"}) from error


def of_another_search() -> InvalidRequest:
    """Return the refusal of a cursor that this query did not give out."""
    return InvalidRequest("The cursor is of another search.", details={"field": "cursor"})
