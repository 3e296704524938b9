"""Browsers on other origins. The WHATWG Fetch standard, "CORS protocol", as Engine.IO's `cors: {origin: "*"}` sets it."""

from .endpoint import Endpoint

ORIGIN = {"Origin": "http://app.example"}


async def test_every_response_allows_every_origin(either: Endpoint) -> None:
    """Fetch section 3.2.3: "Access-Control-Allow-Origin" on the handshake, on polls and on posts."""
    opened = await either.http.get(either.url(EIO="4", transport="polling"), headers=ORIGIN)
    sid = opened.text.split('"sid":"')[1].split('"')[0]
    url = either.url(EIO="4", transport="polling", sid=sid)
    posted = await either.http.post(url, content="6", headers=ORIGIN)
    polled = await either.http.get(url, headers=ORIGIN)
    assert (polled.status_code, posted.text) == (200, "ok")
    for response in (opened, posted, polled):
        assert response.headers["access-control-allow-origin"] == "*"


async def test_errors_can_be_read_across_origins_too(either: Endpoint) -> None:
    """Fetch section 3.2.3: without the header a script sees a network error instead of the code."""
    response = await either.http.get(either.url(EIO="4", transport="polling", sid="unknown"), headers=ORIGIN)
    assert response.status_code == 400
    assert response.headers["access-control-allow-origin"] == "*"


async def test_preflight_is_answered_without_a_session(either: Endpoint) -> None:
    """Fetch section 3.2.2: an OPTIONS request with Access-Control-Request-Method gets an ok status."""
    headers = {
        **ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-custom",
    }
    response = await either.http.options(either.url(EIO="4", transport="polling", sid="any"), headers=headers)
    assert response.status_code in {200, 204}
    assert response.headers["access-control-allow-origin"] == "*"
    allowed = {method.strip() for method in response.headers["access-control-allow-methods"].split(",")}
    assert {"GET", "POST"} <= allowed
    assert {name.strip().lower() for name in response.headers["access-control-allow-headers"].split(",")} >= {
        "content-type",
        "x-custom",
    }


async def test_requests_without_an_origin_are_served(either: Endpoint) -> None:
    """Fetch section 3.2.1: only cross-origin requests carry the header; a program that is no browser needs none."""
    assert (await either.request(EIO="4", transport="polling")).status_code == 200
