import json
from pathlib import Path

import pytest

from streamer import registry
from streamer.errors import ConfigError
from streamer.settings import Given, backend_options, load, parse_assignment, parse_decimal, profiles, rows


def _load(
    text: str = "", *, tmp_path: Path, environment: dict[str, str] | None = None, assignments: tuple[str, ...] = ()
):
    file = tmp_path / "settings.toml"
    file.write_text(text)
    return load(file=file, environment=environment or {}, command_line=dict(map(parse_assignment, assignments)))


def test_settings_are_the_defaults_when_nothing_is_given() -> None:
    settings = load(environment={})

    assert settings.origins == {}
    assert settings.origin("video.encoder") == "default"


def test_later_layers_win_and_keep_their_origin(tmp_path: Path) -> None:
    text = "[server]\nport = 1\nmax_sockets = 1\nmax_messages_per_s = 1\n"
    environment = {"STREAMER__SERVER__PORT": "2", "STREAMER__SERVER__MAX_SOCKETS": "2"}

    settings = _load(text, tmp_path=tmp_path, environment=environment, assignments=("server.port=3",))

    assert (settings.config.server.port, settings.origin("server.port")) == (3, "--set")
    assert settings.config.server.max_sockets == 2
    assert settings.origin("server.max_sockets") == "environment variable STREAMER__SERVER__MAX_SOCKETS"
    assert settings.config.server.max_messages_per_s == 1
    assert settings.origin("server.max_messages_per_s") == str(tmp_path / "settings.toml")


def test_a_file_wins_over_a_profile(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[session]\nsize = "640x480"\n')

    settings = load(profile="game", file=file, environment={})

    assert str(settings.config.session.size) == "640x480"
    assert settings.origin("video.max_target_bps") == "profile game"


@pytest.mark.parametrize("name", sorted(profiles()))
def test_every_profile_is_valid(name: str) -> None:
    assert load(profile=name, environment={}).origins


def test_the_users_file_is_found(tmp_path: Path) -> None:
    file = tmp_path / "streamer" / "config.toml"
    file.parent.mkdir()
    file.write_text("[server]\nport = 5\n")

    assert load(environment={"XDG_CONFIG_HOME": str(tmp_path)}).config.server.port == 5


def test_the_users_file_is_found_below_home_when_xdg_says_nothing_usable(tmp_path: Path) -> None:
    file = tmp_path / ".config" / "streamer" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[server]\nport = 5\n")

    assert load(environment={"HOME": str(tmp_path), "XDG_CONFIG_HOME": "relative"}).config.server.port == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[video]\nmax_target_bsp = 1\n",
            "unknown key video.max_target_bsp ({file}); did you mean video.max_target_bps?",
        ),
        ("[vidio]\nmax_target_bps = 1\n", "unknown section [vidio] ({file}); did you mean video.max_target_bps?"),
        ("port = 1\n", "{file}: 'port' stands outside every section; put it into one, such as [video]"),
        ("[sources]\nscreen = 1\n", "{file}: 'screen' in [sources] belongs into a section such as [sources.NAME]"),
        ("[server]\nport = 70000\n", "server.port = 70000 ({file}): input should be less than or equal to 65535"),
        ("[log]\nlevel = 'loud'\n", "accepted: debug, info, warning, error"),
        ("[session]\nsize = '3x3'\n", "session.size = '3x3' ({file}): width and height must be even"),
        ("[video]\nencoder = 'sofware'\n", "video.encoder = 'sofware' ({file}): no such name; did you mean software?"),
        ("[sources.scren]\ndisplay = ':0'\n", "did you mean 'screen'?"),
        ("[sources.screen]\ndispaly = ':0'\n", "did you mean sources.screen.display?"),
        ("[sources.screen]\ndisplay = 5\n", "sources.screen.display = 5 ({file}): input should be a valid string"),
        ("[server]\nport =\n", "{file}: not a TOML file"),
        ("[ice]\nservers = [{urls = ['http://x'], credential = 'hush'}]\n", "ice.servers.0.urls.0 ({file})"),
    ],
)
def test_mistakes_in_a_file_are_named_with_the_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _load(text, tmp_path=tmp_path)

    assert message.format(file=tmp_path / "settings.toml") in str(caught.value)
    assert "\n" not in str(caught.value).partition("not a TOML file")[0]


def test_a_missing_file_is_an_error_when_it_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read configuration file .*none.toml"):
        load(file=tmp_path / "none.toml", environment={})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("STREAMER__VIDEO__MAX_BPS", "1", "did you mean STREAMER__VIDEO__MAX_TARGET_BPS?"),
        ("STREAMER__VIDIO__ENCODER", "x", "did you mean STREAMER__VIDEO__ENCODER?"),
        ("STREAMER__SERVER__PORT", "many", "server.port = 'many' (environment variable STREAMER__SERVER__PORT)"),
        ("STREAMER__ICE__SERVERS", "[{", "ice.servers (environment variable STREAMER__ICE__SERVERS): it starts like"),
    ],
)
def test_mistakes_in_the_environment_are_named_with_the_variable(name: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(environment={name: text})

    assert message in str(caught.value)


def test_variables_of_other_programs_are_left_alone() -> None:
    assert load(environment={"STREAMER_HOME": "x", "PATH": "y"}).origins == {}


def test_text_becomes_the_type_of_its_key() -> None:
    environment = {
        "STREAMER__VIDEO__CODECS": "vp8, h264",
        "STREAMER__VIDEO__MAX_TARGET_BPS": "40M",
        "STREAMER__SERVER__IS_INSECURE": "true",
        "STREAMER__SESSION__FPS": "59.7",
        "STREAMER__ICE__SERVERS": '[{"urls": ["turn:t.example"], "username": "u", "credential": "c"}]',
    }

    config = load(environment=environment).config

    assert config.video.codecs == ("vp8", "h264")
    assert config.video.max_target_bps == 40_000_000
    assert config.server.is_insecure is True
    assert config.session.fps == 59.7
    assert config.ice.servers[0].urls == ("turn:t.example",)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("9M", 9_000_000),
        ("300k", 300_000),
        ("1.5G", 1_500_000_000),
        ("20_000_000", 20_000_000),
        ("0.3M", 300_000),
        ("9m", None),
        ("9 M", None),
        ("M", None),
        ("", None),
        ("-1", None),
        ("1e6", None),
    ],
)
def test_decimal_suffixes_are_powers_of_a_thousand(text: str, number: int | None) -> None:
    assert parse_decimal(text) == number


def test_a_rule_between_keys_names_where_each_was_set() -> None:
    with pytest.raises(ConfigError) as caught:
        load(environment={}, command_line={"video.start_target_bps": Given("30M", "--start-target-bps", is_text=True)})

    assert "min_target_bps (300000) <= start_target_bps (30000000) <= max_target_bps (20000000)" in str(caught.value)
    assert str(caught.value).endswith(
        "set all three, or leave start_target_bps out; video.start_target_bps from --start-target-bps"
    )


@pytest.mark.parametrize(
    "environment",
    [
        {"STREAMER__SERVER__TOKEN": "hush-hush"},
        {"STREAMER__ICE__SERVERS": '[{"urls": ["nonsense"], "credential": "hush-hush"}]'},
        {"STREAMER__ICE__SERVERS": '[{"credential": "hush-hush"'},
    ],
)
def test_errors_do_not_quote_secrets(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(environment=environment)

    assert "hush-hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "assignment", "streamed"),
    [
        ("source = 'demo'", "session.app=xterm", ("xterm", "screen")),
        ("app = 'xterm'", "session.source=pattern", (None, "pattern")),
        ("app = 'xterm'", "session.app=xeyes", ("xeyes", "screen")),
        ("app = 'xterm'", "session.fps=30", ("xterm", "screen")),
    ],
)
def test_stronger_choice_of_what_is_streamed_replaces_a_weaker_one(
    tmp_path: Path, file: str, assignment: str, streamed: tuple[str | None, str]
) -> None:
    session = _load(f"[session]\n{file}\n", tmp_path=tmp_path, assignments=(assignment,)).config.session

    assert (session.app, session.source) == streamed


def test_rows_show_every_key_and_mask_secrets() -> None:
    token = "0123456789abcdef"
    environment = {"STREAMER__SERVER__TOKEN": token, "STREAMER__SOURCES__SCREEN__DISPLAY": ":3"}

    shown = {row.path: row for row in rows(load(environment=environment))}

    assert shown["server.token"].value == "**********"
    assert shown["sources.screen.display"].value == ":3"
    assert shown["video.encoder"].origin == "default"
    assert token not in str(shown)


def test_rows_show_every_key_of_every_backend_with_its_default() -> None:
    shown = {row.path: row for row in rows(load(environment={"STREAMER__ENCODERS__SOFTWARE__THREADS": "4"}))}

    for kind in ("sources", "converters", "encoders", "inputs"):
        for name in registry.names(kind):
            options = getattr(registry.load(kind, name), "Options", None)
            expected = [] if options is None else [f"{kind}.{name}.{key}" for key in options.model_fields]
            assert set(expected) <= set(shown)
    assert (shown["encoders.software.vp8_speed"].value, shown["encoders.software.vp8_speed"].origin) == (8, "default")
    assert shown["encoders.software.threads"].origin == "environment variable STREAMER__ENCODERS__SOFTWARE__THREADS"
    assert shown["sources.callback.channel_order"].value == "rgb"
    assert shown["sources.screen.display"].value is None
    assert all(row.description.endswith(".") for row in shown.values())
    assert json.dumps([row.value for row in shown.values()])


def test_backend_options_hold_the_backends_own_keys() -> None:
    config = load(environment={"STREAMER__SOURCES__SCREEN__DISPLAY": ":3"}).config

    options = backend_options(config, "sources", "screen")

    assert options is not None
    assert options.model_dump()["display"] == ":3"


def test_backend_options_explain_a_bad_value() -> None:
    config = load(environment={}).config.model_copy(update={"sources": {"screen": {"display": 5}}})

    with pytest.raises(ConfigError, match=r"sources\.screen\.display"):
        backend_options(config, "sources", "screen")


@pytest.mark.parametrize("text", ["server.port", ""])
def test_assignment_needs_an_equals_sign(text: str) -> None:
    with pytest.raises(ConfigError, match=r"SECTION\.KEY=VALUE"):
        parse_assignment(text)


def test_assignment_keeps_what_follows_the_first_equals_sign() -> None:
    assert parse_assignment("session.app=env A=1 xterm") == (
        "session.app",
        Given("env A=1 xterm", "--set", is_text=True),
    )


def test_an_unknown_profile_is_an_error_that_suggests_one() -> None:
    with pytest.raises(ConfigError, match="did you mean game"):
        load(profile="gane", environment={})


def test_a_profile_is_a_name_and_no_path() -> None:
    with pytest.raises(ConfigError, match="no profile is called"):
        load(profile="../config/game", environment={})
