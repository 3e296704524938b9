"""The web client's files: what is found where, how long it may be kept, and that nothing else can be reached."""

import base64
import gzip
import hashlib
from pathlib import Path

import httpx
import pytest

from parlour.platform.health import Health
from parlour.platform.http import create_application
from parlour.platform.http.web import RESERVED
from parlour.platform.tokens import TokenVerifier

from ..auth.world import ManualClock
from .test_tokens import Keys

INDEX = "<!doctype html><title>Parlour</title>"
SCRIPT = "export const answer = 42;"
SECRET = "not for strangers"
NAVIGATION = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text(SECRET)
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "sw.js").write_text("self.skipWaiting;")
    (folder / "manifest.webmanifest").write_text("{}")
    (folder / "icon.png").write_bytes(b"\x89PNG")
    (folder / "assets" / "app-Xy12.js").write_text(SCRIPT)
    (folder / "assets" / "app-Xy12.js.br").write_bytes(b"brotli")
    (folder / "assets" / "app-Xy12.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (folder / "assets" / "inter-Zz9.woff2").write_bytes(b"wOF2")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


def client(folder: Path | None) -> httpx.AsyncClient:
    verifier = TokenVerifier(Keys(), ManualClock())
    application = create_application([], verifier, Health("0", ManualClock()), version="0", web=folder)
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://parlour.test")


async def get(folder: Path | None, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async with client(folder) as http:
        return await http.request(method, path, headers={"accept-encoding": "", "accept": "*/*"} | headers)


@pytest.mark.parametrize("path", ["/", "/login", "/r/9f0c/01a2", "/settings/devices", "/index.html"])
async def test_every_page_of_the_client_is_its_index(dist: Path, path: str) -> None:
    answer = await get(dist, path, **NAVIGATION)
    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


async def test_page_has_the_clients_policy_and_the_api_keeps_its_own(dist: Path) -> None:
    page, api = await get(dist, "/", **NAVIGATION), await get(dist, "/health/live")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert api.headers["content-security-policy"].startswith("default-src 'none'; frame-ancestors")
    worker = await get(dist, "/sw.js")
    assert worker.headers["content-security-policy"] == page.headers["content-security-policy"]
    for answer in (page, api, worker):
        assert len(answer.headers.get_list("content-security-policy")) == 1
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_policy_lets_in_the_scripts_that_stand_in_the_page_and_no_others(dist: Path) -> None:
    scripts = ["dark();", "\n  show('\u00e4');\n"]
    page = "".join(f"<script>{script}</script>" for script in scripts) + '<script src="/x.js"></script>'
    (dist / "index.html").write_text(page)
    policy = (await get(dist, "/login", **NAVIGATION)).headers["content-security-policy"]
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert f"script-src 'self' 'sha256-{hashes[0]}' 'sha256-{hashes[1]}';" in policy
    assert policy.count("sha256-") == 2
    worker = (await get(dist, "/sw.js")).headers["content-security-policy"]
    assert "sha256-" not in worker


async def test_policy_lets_in_the_styles_that_stand_in_the_page_and_no_others(dist: Path) -> None:
    (dist / "index.html").write_text(
        "<style>.a{x:1}</style><script>dark();</script><p style='x:2'><style media='x'></style>"
    )
    policy = (await get(dist, "/login", **NAVIGATION)).headers["content-security-policy"]
    own = {each: base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in (".a{x:1}", "dark();")}
    assert f"script-src 'self' 'sha256-{own['dark();']}'; style-src 'self' 'sha256-{own['.a{x:1}']}';" in policy
    assert policy.count("sha256-") == 2
    assert "unsafe" not in policy


@pytest.mark.parametrize("prefix", RESERVED)
async def test_what_is_the_servers_stays_the_servers(dist: Path, prefix: str) -> None:
    answer = await get(dist, f"{prefix}/nothing-here", **NAVIGATION)
    assert answer.status_code == 404
    assert INDEX not in answer.text


@pytest.mark.parametrize(
    ("path", "headers"), [("/apy/rooms", {}), ("/assets/gone-Ab1.js", NAVIGATION), ("/assets/", NAVIGATION)]
)
async def test_neither_a_scripts_slip_nor_a_lost_asset_gets_the_page(
    dist: Path, path: str, headers: dict[str, str]
) -> None:
    """An old page that asks for an asset of an old build must see that it is gone, not a script that begins with `<`."""
    answer = await get(dist, path, **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_other_methods_are_not_files(dist: Path) -> None:
    assert (await get(dist, "/", "POST")).status_code == 404


@pytest.mark.parametrize(
    ("path", "kind", "lasts"),
    [
        ("/assets/app-Xy12.js", "text/javascript; charset=utf-8", True),
        ("/assets/inter-Zz9.woff2", "font/woff2", True),
        ("/sw.js", "text/javascript; charset=utf-8", False),
        ("/manifest.webmanifest", "application/manifest+json", False),
        ("/icon.png", "image/png", False),
    ],
)
async def test_only_names_with_a_hash_are_kept_for_ever(dist: Path, path: str, kind: str, lasts: bool) -> None:
    answer = await get(dist, path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert ("immutable" in answer.headers["cache-control"]) is lasts
    assert ("no-cache" in answer.headers["cache-control"]) is not lasts


@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [("gzip, deflate, br, zstd", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("", None), ("zstd", None)],
)
async def test_best_encoding_that_the_client_takes(dist: Path, accepts: str, encoding: str | None) -> None:
    async with (
        client(dist) as http,
        http.stream("GET", "/assets/app-Xy12.js", headers={"accept-encoding": accepts}) as answer,
    ):
        body = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "accept-encoding"
    assert int(answer.headers["content-length"]) == len(body)
    assert (body == SCRIPT.encode()) is (encoding is None)


async def test_unchanged_file_is_confirmed_by_its_tag(dist: Path) -> None:
    whole = await get(dist, "/assets/app-Xy12.js", **{"accept-encoding": "gzip"})
    plain = await get(dist, "/assets/app-Xy12.js")
    assert whole.headers["etag"] != plain.headers["etag"]
    same = await get(dist, "/assets/app-Xy12.js", **{"if-none-match": f'"x", W/{plain.headers["etag"]}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", plain.headers["etag"])
    changed = await get(dist, "/assets/app-Xy12.js", **{"if-none-match": '"x"'})
    assert changed.status_code == 200


async def test_head_tells_the_length_and_sends_nothing(dist: Path) -> None:
    answer = await get(dist, "/assets/app-Xy12.js", "HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(SCRIPT))


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "//secret.txt", "/link.txt"]
)
async def test_nothing_outside_the_folder_is_served(dist: Path, path: str) -> None:
    async with client(dist) as http:
        request = http.build_request("GET", "/")
        request.url = httpx.URL("http://parlour.test").copy_with(raw_path=path.encode())
        answer = await http.send(request)
    assert answer.status_code == 404
    assert SECRET not in answer.text


@pytest.mark.parametrize("exists", [True, False])
async def test_without_a_built_client_the_root_says_how_to_build_it(tmp_path: Path, exists: bool) -> None:
    answer = await get(tmp_path if exists else None, "/", **NAVIGATION)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert "make build" in answer.text
    assert (await get(tmp_path, "/login", **NAVIGATION)).json()["error"]["code"] == "not_found"
