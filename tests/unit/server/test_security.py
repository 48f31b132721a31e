import pytest

from streamer.config import ServerConfig
from streamer.server.security import HostList


def _hosts(**keys: object) -> HostList:
    return HostList(ServerConfig.model_validate(keys))


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8080", "LOCALHOST:9000", "127.0.0.1:8080", "[::1]:8080", "[::1]"],
)
def test_loopback_names_are_accepted_at_any_port(host: str) -> None:
    assert _hosts().accepts_host(host)


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        ":8080",
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "evil.example#localhost",
        "user@localhost",
        "localhost:8080:8080",
        "localhost:x",
        "192.168.1.5:8080",
        "127.0.0.2",
        "[::2]",
        "::1",
        "0.0.0.0",
    ],
)
def test_other_names_are_refused_on_loopback(host: str | None) -> None:
    assert not _hosts().accepts_host(host)


@pytest.mark.parametrize("host", ["192.168.1.5:8080", "[2001:db8::1]:8080", "203.0.113.7"])
def test_addresses_are_accepted_once_other_machines_may_connect(host: str) -> None:
    assert _hosts(host="0.0.0.0").accepts_host(host)


@pytest.mark.parametrize("host", ["evil.example", "192.168.1.5.evil.example", "0x7f.1.evil.example"])
def test_names_stay_refused_when_other_machines_may_connect(host: str) -> None:
    assert not _hosts(host="0.0.0.0").accepts_host(host)


@pytest.mark.parametrize(
    ("host", "is_accepted"),
    [
        ("play.example", True),
        ("PLAY.example:443", True),
        ("other.example:9000", True),
        ("other.example", False),
        ("other.example:9001", False),
        ("x.play.example", False),
    ],
)
def test_configured_hosts_match_whole_names(host: str, is_accepted: bool) -> None:  # noqa: FBT001 - a column
    assert _hosts(allowed_hosts=["play.example", "Other.example:9000"]).accepts_host(host) is is_accepted


@pytest.mark.parametrize("bound", ["192.168.1.5", "::1", "workstation"])
def test_the_address_that_is_bound_is_a_name_of_ours(bound: str) -> None:
    assert _hosts(host=bound).accepts_host(f"[{bound}]:1" if ":" in bound else f"{bound}:1")


@pytest.mark.parametrize(
    ("origin", "scheme", "host", "is_accepted"),
    [
        ("http://localhost:8080", "http", "localhost:8080", True),
        ("HTTP://LOCALHOST:8080", "http", "localhost:8080", True),
        ("http://localhost", "http", "localhost:80", True),
        ("https://localhost", "https", "localhost:443", True),
        ("https://localhost", "https", "localhost", True),
        ("https://localhost:80", "https", "localhost:80", True),
        ("https://localhost:8080", "http", "localhost:8080", False),
        ("http://localhost:3000", "http", "localhost:8080", False),
        ("http://127.0.0.1:8080", "http", "localhost:8080", False),
        ("http://localhost:8080.evil.example", "http", "localhost:8080", False),
        ("http://evil.example", "http", "localhost:8080", False),
        ("null", "http", "localhost:8080", False),
        ("", "http", "localhost:8080", False),
        (None, "http", "localhost:8080", False),
        ("http://", "http", "", False),
        ("http://None", "http", None, False),
        ("https://play.example", "http", "localhost:8080", True),
        ("https://play.example:444", "http", "localhost:8080", False),
    ],
)
def test_origins(origin: str | None, scheme: str, host: str | None, is_accepted: bool) -> None:  # noqa: FBT001 - a column
    hosts = _hosts(allowed_origins=["https://play.example"])

    assert hosts.accepts_origin(origin, scheme=scheme, host=host) is is_accepted
