import pytest
from aiortc.rtcicetransport import parse_stun_turn_uri
from pydantic import ValidationError

from streamer.config import Config, IceServerConfig, ServerConfig, SessionConfig, VideoConfig, keys
from streamer.media.frame import Resolution


def test_config_has_valid_defaults() -> None:
    config = Config()

    assert config.session.size == Resolution(1280, 720)
    assert not config.server.is_insecure
    assert config.server.is_loopback


def test_config_refuses_unknown_sections_and_keys() -> None:
    with pytest.raises(ValidationError):
        Config.model_validate({"vidio": {}})
    with pytest.raises(ValidationError):
        Config.model_validate({"video": {"bitrate": 1}})


def test_config_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Config().server.port = 1  # type: ignore[misc]


@pytest.mark.parametrize("text", ["1280x720", "16x16", "8192x8192"])
def test_size_accepts_even_edges_in_range(text: str) -> None:
    assert str(SessionConfig.model_validate({"size": text}).size) == text


@pytest.mark.parametrize(
    "text", ["", "1280", "1280x", "1281x720", "1280x721", "14x720", "8194x720", "-2x2", "1280X720", 7]
)
def test_size_refuses_anything_else(text: object) -> None:
    with pytest.raises(ValidationError):
        SessionConfig.model_validate({"size": text})


def test_size_reads_back_what_it_wrote() -> None:
    session = SessionConfig(size=Resolution(640, 480))

    assert SessionConfig.model_validate(session.model_dump(mode="json")) == session


@pytest.mark.parametrize(
    ("low", "start", "high", "is_valid"),
    [
        (300_000, 300_000, 300_000, True),
        (300_000, 299_999, 400_000, False),
        (300_000, 400_001, 400_000, False),
        (500_000, 450_000, 400_000, False),
    ],
)
def test_targets_must_be_ordered(low: int, start: int, high: int, is_valid: bool) -> None:  # noqa: FBT001 - a column
    values = {"min_target_bps": low, "start_target_bps": start, "max_target_bps": high}

    if is_valid:
        assert VideoConfig.model_validate(values).start_target_bps == start
    else:
        with pytest.raises(ValidationError, match="does not hold"):
            VideoConfig.model_validate(values)


def test_app_chooses_the_screen_source() -> None:
    assert SessionConfig.model_validate({"app": "xterm"}).source == "screen"
    assert SessionConfig.model_validate({"app": "xterm", "source": "screen"}).source == "screen"
    assert SessionConfig.model_validate({"source": "pattern"}).source == "pattern"


def test_app_refuses_a_source_without_a_desktop() -> None:
    with pytest.raises(ValidationError, match="leave source out"):
        SessionConfig.model_validate({"app": "xterm", "source": "demo"})


@pytest.mark.parametrize("token", ["", "short", "fifteen-letters", "with a space in it!", "ä" * 20, "x" * 15 + "\n"])
def test_token_refuses_what_can_be_guessed_or_mistyped(token: str) -> None:
    with pytest.raises(ValidationError):
        ServerConfig.model_validate({"token": token})


def test_secrets_are_not_shown() -> None:
    token = "0123456789abcdef"
    config = Config(
        server=ServerConfig.model_validate({"token": token}),
        ice={"servers": [{"urls": ["turn:t.example"], "username": "u", "credential": token}]},  # type: ignore[arg-type]
    )

    assert token not in repr(config)
    assert token not in str(config.model_dump(mode="json"))


def test_token_and_token_file_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="set one of them"):
        ServerConfig.model_validate({"token": "0123456789abcdef", "token_file": "token"})


@pytest.mark.parametrize("half", ["tls_certificate", "tls_key"])
def test_tls_needs_both_files(half: str) -> None:
    with pytest.raises(ValidationError, match="go together"):
        ServerConfig.model_validate({half: "file.pem"})


@pytest.mark.parametrize("origin", ["example.org", "ftp://example.org", "https://example.org/path", "https://"])
def test_origins_must_be_origins(origin: str) -> None:
    with pytest.raises(ValidationError):
        ServerConfig.model_validate({"allowed_origins": [origin]})


@pytest.mark.parametrize("host", ["", "http://example.org", "example.org/", "a b", "user@example.org"])
def test_hosts_must_be_hosts(host: str) -> None:
    with pytest.raises(ValidationError):
        ServerConfig.model_validate({"allowed_hosts": [host]})


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("localhost.example.org", False),
    ],
)
def test_loopback_is_told_from_what_others_reach(host: str, is_loopback: bool) -> None:  # noqa: FBT001 - a column
    assert ServerConfig(host=host).is_loopback is is_loopback


@pytest.mark.parametrize(
    ("limits", "start"),
    [
        ({}, 3_000_000),
        ({"max_target_bps": 2_000_000}, 2_000_000),
        ({"min_target_bps": 9_000_000}, 9_000_000),
        ({"min_target_bps": 1_000_000, "max_target_bps": 30_000_000}, 3_000_000),
    ],
)
def test_start_target_that_nobody_set_lies_within_the_limits(limits: dict[str, int], start: int) -> None:
    assert VideoConfig.model_validate(limits).start_target_bps == start


@pytest.mark.parametrize(
    "limits",
    [
        {"min_target_bps": 6_000_000, "max_target_bps": 5_000_000},
        {"start_target_bps": 6_000_000, "max_target_bps": 5_000_000},
        {"max_target_bps": "much"},
        {"max_target_bps": 1},
    ],
)
def test_limits_that_cannot_hold_are_refused(limits: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        VideoConfig.model_validate(limits)


@pytest.mark.parametrize(
    "url",
    [
        "stun:stun.example.org:3478",
        "stuns:192.0.2.1",
        "turn:turn.example.org",
        "turn:turn.example.org:3478?transport=udp",
        "turns:turn.example.org?transport=tcp",
    ],
)
def test_ice_server_is_a_stun_or_turn_server(url: str) -> None:
    server = IceServerConfig.model_validate({"urls": [url], "username": "u", "credential": "c"})

    assert parse_stun_turn_uri(url)["port"] in (3478, 5349)
    assert server.urls == (url,)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "stun:",
        "stun://example.org",
        "stun:example.org:",
        "stun:example.org:0",
        "stun:example.org:65536",
        "stun:example.org:port",
        "stun:example.org?transport=udp",
        "turn:example.org?transport=tls",
        "turn:[2001:db8::1]:3478",
        "turn:user@example.org",
        "turn:example org",
        "TURN:example.org",
    ],
)
def test_ice_server_with_another_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="is not stun:HOST:PORT"):
        IceServerConfig.model_validate({"urls": [url], "username": "u", "credential": "c"})


@pytest.mark.parametrize("others", [{}, {"username": "u"}, {"credential": "c"}, {"username": "", "credential": "c"}])
def test_turn_server_needs_a_name_and_a_password(others: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="needs username and credential"):
        IceServerConfig.model_validate({"urls": ["stun:s.example", "turn:t.example"], **others})


def test_every_key_says_what_it_means() -> None:
    assert [path for path, key in keys().items() if not key.description.endswith(".")] == []


def test_every_number_says_its_range() -> None:
    numbers = {path: key for path, key in keys().items() if key.field.annotation in (int, float)}

    assert [path for path, key in numbers.items() if " to " not in key.accepted] == []


@pytest.mark.parametrize(
    ("path", "accepted"),
    [
        ("server.port", "0 to 65535"),
        ("server.is_insecure", "true or false"),
        ("log.format", "console, json"),
        ("session.source", ""),
    ],
)
def test_key_names_what_it_accepts(path: str, accepted: str) -> None:
    assert keys()[path].accepted == accepted


def test_keys_know_which_of_them_hold_secrets() -> None:
    assert {path for path, key in keys().items() if key.is_secret} == {"server.token", "ice.servers"}
