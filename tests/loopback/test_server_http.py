import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from streamer.clock import SystemClock
from streamer.config import ServerConfig
from streamer.errors import ConfigError
from streamer.server.app import Server
from tests.fakes.door import FakeDoor
from tests.fakes.page import Page
from tests.fakes.serving import serving

TOKEN = "0123456789abcdef"


@pytest.fixture
def web_dist(tmp_path: Path) -> Path:
    folder = tmp_path / "web_dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>page</title>")
    (folder / "assets" / "index-B1a2C3_d.js").write_text("export {}")
    (folder / "assets" / "plain.css").write_text("")
    (folder / "odd.xyz").write_bytes(b"\x00")
    (tmp_path / "secret.txt").write_text("not for the web")
    return folder


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    paths = folder / "certificate.pem", folder / "key.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1)
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


async def _get(
    url: str, *, method: str = "GET", **options: object
) -> tuple[int, "aiohttp.typedefs.LooseHeaders", bytes]:
    async with aiohttp.ClientSession() as http, http.request(method, url, **options) as response:  # type: ignore[arg-type]
        return response.status, response.headers.copy(), await response.read()


@pytest.mark.parametrize(
    ("path", "content_type", "cache_control"),
    [
        ("", "text/html; charset=utf-8", "no-cache"),
        ("index.html", "text/html; charset=utf-8", "no-cache"),
        ("assets/index-B1a2C3_d.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("assets/plain.css", "text/css; charset=utf-8", "no-cache"),
        ("odd.xyz", "application/octet-stream", "no-cache"),
        ("healthz", "application/json; charset=utf-8", "no-store"),
    ],
)
async def test_files_have_their_type_and_lifetime(
    web_dist: Path, path: str, content_type: str, cache_control: str
) -> None:
    async with serving(FakeDoor(), web_dist=web_dist) as server:
        status, headers, body = await _get(server.url + path)

    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, content_type, cache_control)
    if (web_dist / path).is_file():
        assert body == (web_dist / path).read_bytes()


async def test_unchanged_page_is_not_sent_again(web_dist: Path) -> None:
    async with serving(FakeDoor(), web_dist=web_dist) as server:
        _, headers, _ = await _get(server.url)
        status, _, body = await _get(server.url, headers={"If-None-Match": headers["ETag"]})

    assert (status, body) == (304, b"")


@pytest.mark.parametrize(
    "path", ["../secret.txt", "%2e%2e/secret.txt", "assets/..%2f..%2fsecret.txt", "assets", "nothing"]
)
async def test_nothing_outside_the_page_is_served(web_dist: Path, path: str) -> None:
    async with serving(FakeDoor(), web_dist=web_dist) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", _port(server))
        writer.write(f"GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"not for the web" not in answer


async def test_missing_web_client_is_said_on_the_page() -> None:
    async with serving(FakeDoor()) as server:
        status, _, body = await _get(server.url)

    assert status == 503
    assert b"scripts/setup" in body


@pytest.mark.parametrize(
    ("method", "path", "headers", "expected_status"),
    [
        ("GET", "", {}, 200),
        ("HEAD", "", {}, 200),
        ("GET", "healthz", {}, 200),
        ("GET", "nothing", {}, 404),
        ("GET", "signaling", {}, 403),
        ("GET", "signaling", {"Origin": "http://evil.example"}, 403),
        ("POST", "", {}, 403),
        ("POST", "healthz", {"Origin": "http://evil.example"}, 403),
        ("DELETE", "nothing", {"Origin": "null"}, 403),
        ("GET", "", {"Host": "evil.example"}, 421),
        ("GET", "healthz", {"Host": "evil.example"}, 421),
    ],
)
async def test_every_response_carries_the_security_headers(
    web_dist: Path, method: str, path: str, headers: dict[str, str], expected_status: int
) -> None:
    async with serving(FakeDoor(), web_dist=web_dist) as server:
        status, answered, _ = await _get(server.url + path, method=method, headers=headers)

    assert status == expected_status
    policy = dict(part.strip().split(" ", 1) for part in answered["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["connect-src"].startswith("'self'")
    assert "evil" not in answered["Content-Security-Policy"]
    assert answered["X-Content-Type-Options"] == "nosniff"
    assert answered["Referrer-Policy"] == "no-referrer"
    assert answered["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answered["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert answered["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answered["Permissions-Policy"]
    assert "aiohttp" not in answered["Server"]
    assert "Cache-Control" in answered


async def test_same_origin_change_finds_no_route(web_dist: Path) -> None:
    async with serving(FakeDoor(), web_dist=web_dist) as server:
        status, _, _ = await _get(server.url, method="POST", headers={"Origin": server.url.rstrip("/")})

    assert status == 405


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "https://{host}"])
async def test_socket_from_a_foreign_page_is_refused(origin: str) -> None:
    door = FakeDoor()

    async with serving(door) as server:
        host = server.url.removeprefix("http://").rstrip("/")
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with Page(server.url, origin=origin.format(host=host)):
                pass

    assert caught.value.status == 403
    assert door.commands == []


async def test_socket_from_a_configured_origin_is_accepted() -> None:
    async with (
        serving(FakeDoor(), allowed_origins=["https://play.example"]) as server,
        Page(server.url, origin="https://play.example") as page,
    ):
        assert (await page.join()).viewer


async def test_socket_through_a_tunnel_is_accepted() -> None:
    # A page opened at the tunnel's own port says that port in both headers.
    async with (
        serving(FakeDoor()) as server,
        Page(server.url, origin="http://localhost:9000", headers={"Host": "localhost:9000"}) as page,
    ):
        assert (await page.join()).viewer


async def test_slow_request_is_cut_off_and_a_waiting_viewer_is_not() -> None:
    async with serving(FakeDoor(), idle_timeout_s=0.2) as server, Page(server.url) as page:
        await page.join()
        reader, writer = await asyncio.open_connection("127.0.0.1", _port(server))
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

        await page.hear()  # The offer: the socket is older than the cut-off connection and still open.


async def test_health_turns_bad_when_the_session_ends() -> None:
    door = FakeDoor()

    async with serving(door) as server:
        before, _, _ = await _get(server.url + "healthz")
        door.end()
        after, _, body = await _get(server.url + "healthz")

    assert (before, after) == (200, 503)
    assert b"ending" in body


async def test_taken_port_is_named_with_the_way_out() -> None:
    async with serving(FakeDoor()) as server:
        port = _port(server)

        with pytest.raises(ConfigError, match=rf"server\.port = {port}: it is taken .*--port"):
            Server(ServerConfig(port=port), SystemClock()).bind()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"host": "192.0.2.1", "is_insecure": True}, "this machine has no such address"),
        ({"host": "no.such.name.invalid", "is_insecure": True}, "cannot be resolved"),
        ({"token_file": "/nonexistent/token"}, "No such file"),
        ({"tls_certificate": "/nonexistent/c", "tls_key": "/nonexistent/k"}, "there is no such file"),
        ({"tls_certificate": __file__, "tls_key": __file__}, "cannot be used"),
    ],
)
def test_what_cannot_be_served_is_named(keys: dict[str, object], message: str) -> None:
    server = Server(ServerConfig.model_validate({"port": 0, **keys}), SystemClock())

    with pytest.raises(ConfigError, match=message):
        server.bind()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("has_token", [False, True])
@pytest.mark.parametrize("has_tls", [False, True])
@pytest.mark.parametrize("is_insecure", [False, True])
async def test_start_matrix(
    certificate: tuple[Path, Path],
    host: str,
    has_token: bool,  # noqa: FBT001 - a column
    has_tls: bool,  # noqa: FBT001 - a column
    is_insecure: bool,  # noqa: FBT001 - a column
) -> None:
    keys: dict[str, object] = {"host": host, "port": 0, "is_insecure": is_insecure}
    keys |= {"token": TOKEN} if has_token else {}
    keys |= {"tls_certificate": certificate[0], "tls_key": certificate[1]} if has_tls else {}
    server = Server(ServerConfig.model_validate(keys), SystemClock())
    is_safe = host == "127.0.0.1" or (has_token and has_tls) or is_insecure

    if is_safe:
        server.bind()
        await server.stop("the test is over")
    else:
        with pytest.raises(ConfigError, match="--insecure goes on without") as caught:
            server.bind()
        assert ("--token-file" in str(caught.value)) is not has_token
        assert ("--tls-certificate" in str(caught.value)) is not has_tls


async def test_page_and_signaling_work_over_tls(web_dist: Path, certificate: tuple[Path, Path]) -> None:
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    keys = {"tls_certificate": certificate[0], "tls_key": certificate[1]}

    async with serving(FakeDoor(), web_dist=web_dist, **keys) as server, Page(server.url, ssl=trust) as page:
        assert (await page.join()).viewer
        status, headers, _ = await _get(server.url, ssl=trust)

    assert page.url.startswith("https://127.0.0.1:")
    assert status == 200
    assert "wss://127.0.0.1:" in headers["Content-Security-Policy"]


async def test_old_tls_is_refused(certificate: tuple[Path, Path]) -> None:
    old = ssl.create_default_context(cafile=str(certificate[0]))
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1

    async with serving(FakeDoor(), tls_certificate=certificate[0], tls_key=certificate[1]) as server:
        with pytest.raises(aiohttp.ClientConnectorError):
            await _get(server.url, ssl=old)


async def test_stop_gives_the_port_back() -> None:
    async with serving(FakeDoor()) as server:
        port = _port(server)

    again = Server(ServerConfig(port=port), SystemClock())
    again.bind()
    await again.stop("the test is over")


def _port(server: Server) -> int:
    return int(server.url.rstrip("/").rpartition(":")[2])
