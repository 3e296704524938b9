"""The built web client as files at `/`: everything that may be asked for is read once, so no request reaches the file system."""

import base64
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

RESERVED = ("/api", "/socket.io", "/health", "/metrics", "/schema", "/.well-known")
"""First segments that are the server's; every other path belongs to the client and its router."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""No style elements or attributes either: whoever needs a style sheet at run time uses `document.adoptedStyleSheets`."""

_INLINE = {kind: re.compile(rb"<%b>(.*?)</%b>" % (kind, kind), re.DOTALL) for kind in (b"script", b"style")}
"""What the build has put into a page to run, and to look like, before anything is fetched: the policy lets in those very bytes alone."""

_INDEX = "/index.html"
_HASHED = "/assets/"
_FOREVER = b"public, max-age=31536000, immutable"
_ASK_AGAIN = b"no-cache"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_GOVERNED = ("text/html", "text/javascript")
"""What the policy is for: pages, and workers, which obey that of their own script (CSP3 section 4.1): the service worker fetches."""

_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2"}
_MISSING = b"""Parlour is running, but its web client is not built.

In the source tree: make build (Node.js 20.19 or newer), then start the server again.
Elsewhere: let PARLOUR_WEB_DIR name the folder with the built client's index.html.
"""

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class _Variant:
    headers: Headers
    etag: bytes
    body: bytes


class WebFiles:
    """An ASGI application that answers GET for the web client's files and gives everything else to another.

    A page of the client's own router is `index.html`, for whoever accepts HTML: a browser's navigation, but no script that mistypes an
    address of the API. Files whose name has a hash never expire; the rest is asked for again and confirmed by ETag. Where the build left
    `.br` and `.gz` beside a file, those are sent to whoever takes them.
    """

    def __init__(self, folder: Path | None, otherwise: ASGIApp) -> None:
        """Read the client in `folder`; None, or a folder without index.html, answers `/` with how to build it."""
        self._otherwise = otherwise
        self._files = _read(folder) if folder is not None and (folder / "index.html").is_file() else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != "GET" or scope["path"].startswith(RESERVED):
            await self._otherwise(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _READ_HEADERS}
        variants = self._variants(scope["path"], headers)
        if variants is None:
            await self._otherwise(scope, receive, send)
            return
        scope["path_template"] = "/{file}"  # one label in the metrics
        await _answer(scope, send, variants, headers)

    def _variants(self, path: str, headers: Mapping[bytes, str]) -> Mapping[str, _Variant] | None:
        if not self._files:
            return _NOT_BUILT if path == "/" else None
        exact = self._files.get(path)
        if exact is not None:
            return exact
        page = path == "/" or (not path.startswith(_HASHED) and "text/html" in headers.get(b"accept", ""))
        return self._files[_INDEX] if page else None


_READ_HEADERS = frozenset({b"accept", b"accept-encoding", b"if-none-match"})


async def _answer(scope: HTTPScope, send: Send, variants: Mapping[str, _Variant], headers: Mapping[bytes, str]) -> None:
    accepted = _accepted(headers.get(b"accept-encoding", ""))
    variant = next((variants[name] for name, _ in _ENCODINGS if name in variants and name in accepted), variants[""])
    status, body = 404 if variants is _NOT_BUILT else 200, variant.body
    if variant.etag and _matches(headers.get(b"if-none-match", ""), variant.etag.decode()):
        status, body = 304, b""
    content = [] if status == 304 else [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*variant.headers, *content]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _accepted(header: str) -> set[str]:
    """Return the encodings that Accept-Encoding names and does not refuse (RFC 9110 section 12.5.3)."""
    accepted = set()
    for item in header.split(","):
        name, _, parameter = item.partition(";")
        if parameter.strip().replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            accepted.add(name.strip().lower())
    return accepted


def _matches(header: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag in tags or tags == ["*"]


def _read(folder: Path) -> dict[str, dict[str, _Variant]]:
    root = folder.resolve()
    files = {}
    for path in sorted(root.rglob("*")):
        inside = path.is_file() and path.resolve().is_relative_to(root)  # a link that leads out is not served
        if inside and path.suffix not in {suffix for _, suffix in _ENCODINGS}:
            name = f"/{path.relative_to(root).as_posix()}"
            files[name] = _variants_of(name, path)
    return files


def _variants_of(name: str, path: Path) -> dict[str, _Variant]:
    guessed, _ = mimetypes.guess_type(path.name)
    kind = _TYPES.get(path.suffix) or guessed or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:32]
    shared = [
        (b"content-type", kind.encode()),
        (b"cache-control", _FOREVER if name.startswith(_HASHED) else _ASK_AGAIN),
        (b"vary", b"accept-encoding"),
    ]
    if kind.startswith(_GOVERNED):
        shared.append(
            (b"content-security-policy", _policy(path.read_bytes() if path.suffix == ".html" else b"").encode())
        )
    variants = {"": _variant(shared, f'"{digest}"', path.read_bytes())}
    for encoding, suffix in _ENCODINGS:
        compressed = path.with_name(path.name + suffix)
        if compressed.is_file():
            own = [*shared, (b"content-encoding", encoding.encode())]
            variants[encoding] = _variant(own, f'"{digest}-{encoding}"', compressed.read_bytes())
    return variants


def _policy(page: bytes) -> str:
    """Return the policy for a page with such scripts and styles of its own (CSP3 section 2.3.1)."""
    policy = CONTENT_SECURITY_POLICY
    for kind, inline in _INLINE.items():
        hashes = (base64.b64encode(hashlib.sha256(own).digest()).decode() for own in inline.findall(page))
        allowed = "".join([f"{kind.decode()}-src 'self'", *(f" 'sha256-{each}'" for each in hashes)])
        policy = policy.replace(f"{kind.decode()}-src 'self'", allowed)
    return policy


def _variant(headers: Headers, etag: str, body: bytes) -> _Variant:
    return _Variant([*headers, (b"etag", etag.encode())], etag.encode(), body)


_NOT_BUILT = {"": _Variant([(b"content-type", b"text/plain; charset=utf-8")], b"", _MISSING)}
