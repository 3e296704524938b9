"""The web client's files through NGINX."""

from pathlib import Path

import httpx

from ...nginx_server import Certificate, NginxServer
from ..whole_server import PASSWORD
from .behind import SCRIPT, SECURITY_HEADERS, ParlourNode, client_files, code_of, gateway_of, parlour_node


def test_assets_are_kept_and_confirmed_by_their_tags(
    tmp_path: Path, certificate: Certificate, nodes: list[ParlourNode]
) -> None:
    plain = {"accept-encoding": "identity"}
    with gateway_of(tmp_path, certificate, nodes) as server, server.client() as client:
        first, second = (client.get("/assets/app-0123.js", headers=plain) for _ in range(2))
        assert [first.headers["x-cache-status"], second.headers["x-cache-status"]] == ["MISS", "HIT"]
        assert second.text == SCRIPT
        assert second.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert second.headers["etag"] == first.headers["etag"]
        assert second.headers["x-request-id"] != first.headers["x-request-id"]
        for name in (*SECURITY_HEADERS, "x-request-id"):
            assert len(second.headers.get_list(name)) == 1, name
        confirmed = client.get("/assets/app-0123.js", headers=plain | {"if-none-match": second.headers["etag"]})
        assert (confirmed.status_code, confirmed.content) == (304, b"")

        zipped = client.get("/assets/app-0123.js?v=2", headers={"accept-encoding": "gzip, deflate"})
        assert zipped.headers["content-encoding"] == "gzip"
        assert zipped.text == SCRIPT
        assert zipped.headers["etag"] != first.headers["etag"]
        assert zipped.headers["vary"].lower() == "accept-encoding"
        alike = client.get("/assets/app-0123.js?v=3", headers={"accept-encoding": "x-strange, gzip;q=0.5"})
        assert (alike.headers["x-cache-status"], alike.text) == ("HIT", SCRIPT)
        refused = client.get("/assets/app-0123.js", headers={"accept-encoding": "gzip;q=0"})
        assert "content-encoding" not in refused.headers

        page = client.get("/")
        assert page.headers["cache-control"] == "no-cache"
        assert "x-cache-status" not in page.headers
        again = client.get("/", headers={"if-none-match": page.headers["etag"]})
        assert (again.status_code, again.headers["etag"]) == (304, page.headers["etag"])


def test_asset_that_one_node_has_not_is_asked_of_another(gateway: NginxServer, nodes: list[ParlourNode]) -> None:
    assert httpx.get(f"{nodes[0].url}/assets/new-0.js").status_code == 404
    with gateway.client() as client:
        assert [client.get(f"/assets/new-{index}.js").status_code for index in range(6)] == [200] * 6
        assert client.get("/assets/nowhere.js").status_code == 404


def test_assets_are_there_while_no_node_is(tmp_path: Path, certificate: Certificate) -> None:
    with (
        parlour_node(tmp_path, "a", web_dir=client_files(tmp_path / "web", "app-0123.js")) as node,
        gateway_of(tmp_path, certificate, [node]) as server,
        server.client() as client,
    ):
        assert client.get("/assets/app-0123.js").status_code == 200
        node.stop()
        assert client.get("/assets/app-0123.js").text == SCRIPT
        down = client.get("/")
        assert (down.status_code, code_of(down)) == (503, "unavailable")
        assert down.headers["retry-after"] == "1"


def test_answers_are_compressed_but_not_those_with_tokens(gateway: NginxServer) -> None:
    with gateway.client() as client:
        schema = client.get("/schema/openapi.json", headers={"accept-encoding": "gzip"})
        body = {"username": "zipped", "email": "zipped@example.org", "password": PASSWORD, "display_name": "z"}
        granted = client.post("/api/auth/register", json=body, headers={"accept-encoding": "gzip"})
    assert schema.headers["content-encoding"] == "gzip"
    assert granted.status_code == 201
    assert "content-encoding" not in granted.headers
