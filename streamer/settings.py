"""Read configuration files and the environment, lay them over each other, and check the result against `config.py`.

From the weakest to the strongest: the defaults in the code, a profile, a configuration file, the environment
(`STREAMER__SECTION__KEY`), the command line. Every value keeps the place it came from, so that an error can name it.
Other files (certificates, token files) are read by their owners.
"""

import contextlib
import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python

from streamer import registry
from streamer.config import AUTO, BACKEND_KINDS, Config, Key, keys, keys_of
from streamer.errors import ConfigError, Unavailable

ENVIRONMENT_PREFIX = "STREAMER__"
DEFAULT_ORIGIN = "default"
# What pydantic shows for a secret.
_MASK = "**********"
# Two ways to say what is streamed.
_STREAMED = frozenset({"session.source", "session.app"})
_PACKAGE = Path(__file__).parent
_DECIMAL_SUFFIXES = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}


@dataclass(frozen=True, slots=True)
class Given:
    """A value that somebody set, and where. `is_text` marks words from the environment or the command line."""

    value: Any
    origin: str
    is_text: bool = False


# Paths (`video.encoder`, `sources.screen.display`) and what was given for them.
Layer = Mapping[str, Given]


@dataclass(frozen=True, slots=True)
class Settings:
    """A valid configuration, and the origin of every path that is not at its default."""

    config: Config
    origins: Mapping[str, str]

    def origin(self, path: str) -> str:
        return self.origins.get(path, DEFAULT_ORIGIN)


def load(
    *,
    profile: str | None = None,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    command_line: Layer | None = None,
) -> Settings:
    """Lay all sources of settings over each other and check the result.

    Raises:
        ConfigError: a file cannot be read, a key is unknown, or a value is not accepted.
    """
    environment = os.environ if environment is None else environment
    given: Layer = {}
    if profile is not None:
        given = _read_toml(_find_profile(profile), f"profile {profile}")
    file = file or _user_file(environment)
    if file is not None:
        given = _overlay(given, _read_toml(file, str(file)))
    given = _overlay(given, _read_environment(environment))
    return _settle(_overlay(given, command_line or {}))


@dataclass(frozen=True, slots=True)
class Row:
    """One setting as it is shown. A secret's value is masked."""

    path: str
    value: Any
    origin: str
    description: str


def rows(settings: Settings) -> Iterator[Row]:
    """Yield every key, those of single backends last. Of a backend that cannot be loaded nobody knows them."""
    values = settings.config.model_dump(mode="json")
    for path, key in keys().items():
        section, _, name = path.partition(".")
        yield Row(path, values[section][name], settings.origin(path), key.description)
    for kind in BACKEND_KINDS:
        for backend in registry.names(kind):
            for key in _backend_keys(kind, backend):
                value = values[kind].get(backend, {}).get(key.name, key.default)
                shown = _MASK if key.is_secret and value is not None else to_jsonable_python(value)
                yield Row(key.path, shown, settings.origin(key.path), key.description)


def _backend_keys(kind: str, name: str) -> Iterator[Key]:
    with contextlib.suppress(ConfigError):
        model = _options_model(kind, name)
        if model is not None:
            yield from keys_of(model, f"{kind}.{name}")


def backend_options(config: Config, kind: str, name: str) -> BaseModel | None:
    """Return the checked `Options` of one backend, or None if it has no keys of its own.

    Raises:
        ConfigError: a value is not accepted.
    """
    model = _options_model(kind, name)
    table = getattr(config, kind).get(name, {})
    if model is None:
        return None
    try:
        return model.model_validate(table)
    except ValidationError as exc:
        raise _explain(exc, (kind, name), {}, {}) from None


def profiles() -> dict[str, Path]:
    """Return the profiles that come with the program, by name."""
    # A wheel carries them inside the package; a checkout has them beside it.
    folders = [folder for folder in (_PACKAGE / "profiles", _PACKAGE.parent / "config") if folder.is_dir()]
    return {path.stem: path for folder in reversed(folders) for path in sorted(folder.glob("*.toml"))}


def layer(content: Mapping[str, Any], origin: str) -> dict[str, Given]:
    """Take sections apart, as a configuration file has them.

    Raises:
        ConfigError: a value stands outside every section.
    """
    return {key: Given(value, origin) for key, value in _flatten(content, origin)}


def parse_assignment(text: str) -> tuple[str, Given]:
    """Take `section.key=value` apart.

    Raises:
        ConfigError: there is no `=` in it.
    """
    path, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--set {text!r}: write it as SECTION.KEY=VALUE")
    return path.strip(), Given(value.strip(), "--set", is_text=True)


def parse_decimal(text: str) -> int | None:
    """Return the number that `9M`, `300k` or `1.5G` stands for (powers of 1000), or None if it is none."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kMG]?)", text.replace("_", ""))
    return round(float(match[1]) * _DECIMAL_SUFFIXES[match[2]]) if match else None


def _overlay(weaker: Layer, stronger: Layer) -> Layer:
    """Lay one layer over another. What is streamed is one choice, a source or an application: replaced as a whole."""
    replaced = _STREAMED if _STREAMED & stronger.keys() else frozenset()
    return {path: entry for path, entry in weaker.items() if path not in replaced} | dict(stronger)


def _find_profile(name: str) -> Path:
    known = profiles()
    if name not in known:
        raise ConfigError(f"no profile is called {name!r}{_suggest(name, known)}")
    return known[name]


def _user_file(environment: Mapping[str, str]) -> Path | None:
    # XDG Base Directory Specification: a path in XDG_CONFIG_HOME that is not absolute is to be ignored.
    base = Path(environment.get("XDG_CONFIG_HOME", ""))
    if not base.is_absolute():
        home = environment.get("HOME")
        if not home:
            return None
        base = Path(home) / ".config"
    file = base / "streamer" / "config.toml"
    return file if file.is_file() else None


def _read_toml(path: Path, origin: str) -> dict[str, Given]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"cannot read configuration file {str(path)!r}: {exc.strerror}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{origin}: not a TOML file: {exc}") from exc
    return layer(content, origin)


def _flatten(content: Mapping[str, Any], origin: str) -> Iterator[tuple[str, Any]]:
    for section, table in content.items():
        if not isinstance(table, Mapping):
            raise ConfigError(f"{origin}: {section!r} stands outside every section; put it into one, such as [video]")
        for key, value in table.items():
            if section not in BACKEND_KINDS:
                yield f"{section}.{key}", value
                continue
            if not isinstance(value, Mapping):
                raise ConfigError(f"{origin}: {key!r} in [{section}] belongs into a section such as [{section}.NAME]")
            yield from ((f"{section}.{key}.{name}", entry) for name, entry in value.items())


def _read_environment(environment: Mapping[str, str]) -> dict[str, Given]:
    given = {}
    for name, text in environment.items():
        if name.startswith(ENVIRONMENT_PREFIX):
            path = name.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
            given[path] = Given(text, f"environment variable {name}", is_text=True)
    return given


def _settle(given: Layer) -> Settings:
    every = keys()
    known = {path: _find_key(path, entry, every) for path, entry in given.items()}
    content: dict[str, Any] = {}
    for path, entry in given.items():
        _insert(content, path.split("."), _from_text(known[path], entry) if entry.is_text else entry.value)
    try:
        config = Config.model_validate(content)
    except ValidationError as exc:
        raise _explain(exc, (), given, known) from None
    _check_choices(config, given)
    for kind in BACKEND_KINDS:
        for name, table in getattr(config, kind).items():
            _check_options(kind, name, table, given, known)
    return Settings(config, {path: entry.origin for path, entry in given.items()})


def _find_key(path: str, entry: Given, known: Mapping[str, Key]) -> Key:
    kind, _, rest = path.partition(".")
    if path in known:
        return known[path]
    if kind not in BACKEND_KINDS:
        raise _unknown(path, entry, known)
    name, dot, _ = rest.partition(".")
    try:
        model = _options_model(kind, name)
    except ConfigError as exc:
        raise ConfigError(f"{path} ({entry.origin}): {exc}") from None
    if model is None or not dot:
        raise ConfigError(f"{path} ({entry.origin}): {kind} backend {name!r} has no such key")
    options = {key.path: key for key in keys_of(model, f"{kind}.{name}")}
    if path not in options:
        raise _unknown(path, entry, options)
    return options[path]


def _unknown(path: str, entry: Given, known: Iterable[str]) -> ConfigError:
    if entry.origin.startswith("environment"):
        names = [ENVIRONMENT_PREFIX + key.upper().replace(".", "__") for key in known]
        written = ENVIRONMENT_PREFIX + path.upper().replace(".", "__")
        return ConfigError(f"unknown environment variable {written}{_suggest(written, names)}")
    section, _, key = path.partition(".")
    sections = [name for name in Config.model_fields if name not in BACKEND_KINDS]
    if "." in path and section not in (*sections, *BACKEND_KINDS):
        inside = [name for name in known if name.endswith(f".{key}")]
        return ConfigError(f"unknown section [{section}] ({entry.origin}){_suggest(path, inside or known)}")
    return ConfigError(f"unknown key {path} ({entry.origin}){_suggest(path, known)}")


def _suggest(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]}?"
    # A list longer than this is no help in one line.
    return f"; known are {', '.join(names)}" if 0 < len(names) <= 12 else "; `streamer config` shows every key"  # noqa: PLR2004 - said above


def _from_text(key: Key, entry: Given) -> Any:
    text: str = entry.value
    if key.path.endswith("_bps"):
        number = parse_decimal(text)
        return text if number is None else number
    if not key.is_list:
        return text
    if text.startswith("["):
        try:
            return json.loads(text)
        except ValueError:
            raise ConfigError(f"{key.path} ({entry.origin}): it starts like a JSON list, but is none") from None
    return [word.strip() for word in text.split(",") if word.strip()]


def _insert(content: dict[str, Any], steps: list[str], value: Any) -> None:
    for step in steps[:-1]:
        content = content.setdefault(step, {})
    content[steps[-1]] = value


def _options_model(kind: str, name: str) -> type[BaseModel] | None:
    try:
        model: type[BaseModel] | None = getattr(registry.load(kind, name), "Options", None)
    except (ImportError, Unavailable) as exc:
        raise ConfigError(f"{kind} backend {name!r} cannot be loaded: {exc}") from exc
    return model


def _explain(exc: ValidationError, prefix: tuple[str, ...], given: Layer, known: Mapping[str, Key]) -> ConfigError:
    first = exc.errors(include_url=False, include_context=False)[0]
    path = ".".join([*prefix, *(str(step) for step in first["loc"])])
    message = _lower(first["msg"].removeprefix("Value error, "))
    owner = next((name for name in given if path == name or path.startswith(f"{name}.")), None)
    if owner is None:
        # A rule between keys of one section: say where each key that it names was set.
        named = [name for name in given if name.startswith(f"{path}.") and name.rpartition(".")[2] in message]
        origins = "".join(f"; {name} from {given[name].origin}" for name in named)
        return ConfigError(f"{path}: {message}{origins}")
    key = known[owner]
    value = "" if key.is_secret else f" = {given[owner].value!r}"
    accepted = f"; accepted: {key.accepted}" if key.accepted else ""
    return ConfigError(f"{path}{value} ({given[owner].origin}): {message}{accepted}")


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _check_choices(config: Config, given: Layer) -> None:
    choices = [("sources", "session.source", config.session.source)]
    choices += [("codecs", "video.codecs", name) for name in config.video.codecs]
    choices += [("encoders", "video.encoder", config.video.encoder)]
    choices += [("encoders", "video.encoders", name) for name in config.video.encoders]
    choices += [("converters", "video.converter", config.video.converter)]
    choices += [("converters", "video.converters", name) for name in config.video.converters]
    choices += [("inputs", "input.backend", config.input.backend)]
    for kind, path, name in choices:
        # The defaults are ours: only what somebody wrote is looked up.
        if path not in given or name == AUTO:
            continue
        known = registry.names(kind)
        if name not in known:
            raise ConfigError(f"{path} = {name!r} ({given[path].origin}): no such name{_suggest(name, known)}")


def _check_options(kind: str, name: str, table: Mapping[str, Any], given: Layer, known: Mapping[str, Key]) -> None:
    model = _options_model(kind, name)
    if model is None:
        return
    try:
        model.model_validate(table)
    except ValidationError as exc:
        raise _explain(exc, (kind, name), given, known) from None
