"""One typed, validated model of every setting: its unit, default, range and help text.

Rules of this file: models only. Nothing is read here (`settings.py` reads files and the environment), and no key has a
second name: what stands here is the key in TOML, the name of the environment variable and the field in the code.
Numbers carry their unit in their name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import EnumType, StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Self, get_args

from annotated_types import Ge, Le
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    model_validator,
)
from pydantic.fields import FieldInfo

from streamer.congestion.ladder import Prefer
from streamer.media.frame import Resolution

# The value that leaves a choice to the program.
AUTO = "auto"
# The source of `session.app`: a program draws into a private desktop, and that desktop is captured.
APP_SOURCE = "screen"

# H.264 (table A-1, level 6.2) allows no longer edge than 16888; 8192 is where hardware encoders end.
_MIN_EDGE_PX, _MAX_EDGE_PX = 16, 8192
# Below 64 kbit/s no encoder makes a usable picture; 1 Gbit/s is beyond every path that congestion control knows.
_MIN_BPS, _MAX_BPS = 64_000, 1_000_000_000
# 96 bits, the least that cannot be guessed through a network, in the 6 bits per character of URL-safe base64.
_MIN_TOKEN_CHARACTERS = 16


def _parse_resolution(value: object) -> Resolution:
    if isinstance(value, Resolution):
        resolution = value
    else:
        match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", value) if isinstance(value, str) else None
        if match is None:
            raise ValueError("write it as WIDTHxHEIGHT in pixels, for example 1280x720")
        resolution = Resolution(int(match[1]), int(match[2]))
    for edge_px in (resolution.width_px, resolution.height_px):
        if edge_px % 2 or not _MIN_EDGE_PX <= edge_px <= _MAX_EDGE_PX:
            raise ValueError(f"width and height must be even and from {_MIN_EDGE_PX} to {_MAX_EDGE_PX} pixels")
    return resolution


def _check_token(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) < _MIN_TOKEN_CHARACTERS or not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ValueError(f"at least {_MIN_TOKEN_CHARACTERS} printable ASCII characters without spaces")
    return value


def _check_origin(value: str) -> str:
    if not re.fullmatch(r"https?://[^/\s?#]+", value):
        raise ValueError("write an origin as SCHEME://HOST or SCHEME://HOST:PORT, for example https://example.org")
    return value.lower()


def _check_host(value: str) -> str:
    if not value or re.search(r"[/\s?#@]", value):
        raise ValueError("write a host as NAME or NAME:PORT, for example play.example.org")
    return value.lower()


def _check_ice_url(value: str) -> str:
    # RFC 7064 and RFC 7065, section 3.1. An IPv6 address in brackets is what the library cannot read.
    match = re.fullmatch(r"(stuns?|turns?):[\w.-]+(?::(\d{1,5}))?(\?transport=(?:udp|tcp))?", value, re.ASCII)
    if match is None or int(match[2] or 1) not in range(1, 65536) or (match[3] and match[1].startswith("stun")):
        raise ValueError(f"{value!r} is not stun:HOST:PORT or turn:HOST:PORT?transport=tcp")
    return value


Size = Annotated[Resolution, BeforeValidator(_parse_resolution), PlainSerializer(str, return_type=str)]
Token = Annotated[SecretStr, AfterValidator(_check_token)]
Origin = Annotated[str, AfterValidator(_check_origin)]
Host = Annotated[str, AfterValidator(_check_host)]
IceUrl = Annotated[str, AfterValidator(_check_ice_url)]
Bps = Annotated[int, Field(ge=_MIN_BPS, le=_MAX_BPS)]
BackendTables = dict[str, dict[str, Any]]


class LogLevel(StrEnum):
    """From which level on lines are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """Lines for people, or one JSON object per line for machines."""

    CONSOLE = "console"
    JSON = "json"


class Section(BaseModel):
    """A part of the configuration. Frozen: any thread may read it."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class ServerConfig(Section):
    """Where the page and its signaling are served, and to whom."""

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to bind to.")
    port: int = Field(default=8080, ge=0, le=65535, description="TCP port to bind to; 0 takes any free one.")
    token: Token | None = Field(
        default=None,
        description="Secret that a viewer must know. Required, with TLS, when others than this machine can connect.",
    )
    token_file: Path | None = Field(default=None, description="File whose first line is the token.")
    tls_certificate: Path | None = Field(default=None, description="PEM file with the certificate chain.")
    tls_key: Path | None = Field(default=None, description="PEM file with the certificate's private key.")
    is_insecure: bool = Field(
        default=False, description="Allow an address other than loopback without a token or without TLS."
    )
    allowed_hosts: tuple[Host, ...] = Field(
        default=(), description="Further names under which this server may be asked for (Host header)."
    )
    allowed_origins: tuple[Origin, ...] = Field(
        default=(), description="Further origins whose pages may open the signaling socket."
    )
    max_messages_per_s: int = Field(
        default=50, ge=1, le=10_000, description="Signaling messages one viewer may send each second."
    )
    hello_timeout_ms: int = Field(
        default=10_000, ge=10, le=600_000, description="How long a new socket may wait before it says hello."
    )
    max_sockets: int = Field(
        default=64, ge=1, le=100_000, description="Viewers' signaling sockets open at the same time."
    )

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect. Names other than localhost are taken to be reachable."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @model_validator(mode="after")
    def _has_one_token(self) -> Self:
        if self.token is not None and self.token_file is not None:
            raise ValueError("token and token_file are two ways to say the same: set one of them")
        return self

    @model_validator(mode="after")
    def _has_both_halves_of_tls(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together: set both or neither")
        return self


class SessionConfig(Section):
    """What is streamed, and to how many."""

    source: str = Field(default="demo", min_length=1, description="Source of the pictures (`streamer devices`).")
    app: str | None = Field(
        default=None,
        min_length=1,
        description="Command line to run in a private X desktop that is then streamed (source `screen`). The session "
        "ends with this program, or with what it leaves running when it returns at once.",
    )
    size: Size = Field(
        default=Resolution(1280, 720), description=f"Picture size, even, {_MIN_EDGE_PX} to {_MAX_EDGE_PX} pixels."
    )
    fps: float = Field(default=60.0, ge=1.0, le=240.0, description="Highest frame rate.")
    max_viewers: int = Field(default=16, ge=1, le=10_000, description="Viewers that may be in at the same time.")
    resume_timeout_ms: int = Field(
        default=10_000, ge=0, le=86_400_000, description="How long a viewer whose connection broke keeps its place."
    )

    @model_validator(mode="before")
    @classmethod
    def _let_app_choose_the_source(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not values.get("app"):
            return values
        source = values.get("source", APP_SOURCE)
        if source != APP_SOURCE:
            raise ValueError(f"app needs the source {APP_SOURCE!r}, not {source!r}: leave source out")
        return {**values, "source": APP_SOURCE}


class VideoConfig(Section):
    """How pictures are encoded."""

    codecs: tuple[str, ...] = Field(
        default=("h264", "vp8"), min_length=1, description="Codecs offered to viewers, the most wanted first."
    )
    encoder: str = Field(
        default=AUTO, min_length=1, description="Encoder to use, or `auto`: the first of `encoders` that can run here."
    )
    encoders: tuple[str, ...] = Field(
        default=("nvenc", "nvenc_av", "software"), min_length=1, description="Order in which `auto` tries."
    )
    converter: str = Field(
        default=AUTO, min_length=1, description="Converter to use, or `auto`: the first of `converters` that can run."
    )
    converters: tuple[str, ...] = Field(
        default=("libyuv", "opencv", "swscale", "cuda", "download"),
        min_length=1,
        description="Order in which `auto` tries.",
    )
    is_adaptive: bool = Field(
        default=True, description="Follow what the network carries; else stay at the start target, come what may."
    )
    prefer: Prefer = Field(
        default=Prefer.FPS,
        description="What is kept for longest on a narrow path: `fps` (games), or `sharpness` (text).",
    )
    start_target_bps: Bps = Field(default=3_000_000, description="Video bitrate that a stream starts with.")
    min_target_bps: Bps = Field(default=300_000, description="Video bitrate that is never gone below.")
    max_target_bps: Bps = Field(default=20_000_000, description="Video bitrate that is never exceeded.")
    decisions_log: Path | None = Field(
        default=None, description="File for what rate control is told and decides, for a bug report (64 MiB at most)."
    )

    @model_validator(mode="before")
    @classmethod
    def _let_start_follow_the_limits(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "start_target_bps" in values:
            return values
        low, start, high = (
            values.get(name, cls.model_fields[name].default)
            for name in ("min_target_bps", "start_target_bps", "max_target_bps")
        )
        # What is not a number is refused in its own turn.
        return {**values, "start_target_bps": min(max(low, start), high)} if type(low) is type(high) is int else values

    @model_validator(mode="after")
    def _has_ordered_targets(self) -> Self:
        if not self.min_target_bps <= self.start_target_bps <= self.max_target_bps:
            raise ValueError(
                f"min_target_bps ({self.min_target_bps}) <= start_target_bps ({self.start_target_bps}) "
                f"<= max_target_bps ({self.max_target_bps}) does not hold: set all three, or leave start_target_bps out"
            )
        return self


class InputConfig(Section):
    """What becomes of keys and pointer."""

    is_enabled: bool = Field(default=True, description="Whether viewers may send input at all.")
    backend: str = Field(
        default=AUTO, min_length=1, description="Input backend to use, or `auto`: the one that fits the source."
    )


class IceServerConfig(Section):
    """A STUN or TURN server, for this machine and for the viewers."""

    urls: tuple[IceUrl, ...] = Field(
        min_length=1, description="Addresses of the server: stun:, stuns:, turn: or turns:."
    )
    username: str | None = Field(default=None, description="User name at a TURN server.")
    credential: SecretStr | None = Field(default=None, description="Password at a TURN server.")

    @model_validator(mode="after")
    def _has_what_turn_needs(self) -> Self:
        if any(url.startswith("turn") for url in self.urls) and not (self.username and self.credential):
            raise ValueError("a turn: server needs username and credential")
        return self


class IceConfig(Section):
    """How the two sides find a path to each other."""

    servers: tuple[IceServerConfig, ...] = Field(default=(), description="STUN and TURN servers; none by default.")
    gather_timeout_ms: int = Field(
        default=250, ge=0, le=30_000, description="How long an offer waits for the answers of these servers."
    )


class DesktopConfig(Section):
    """The private X desktop of `session.app`."""

    window_manager: str = Field(
        default=AUTO, min_length=1, description="Window manager to start, `auto`: any that is installed, or `none`."
    )
    has_glx: bool = Field(default=True, description="Whether programs may draw with OpenGL (in software).")
    start_timeout_ms: int = Field(
        default=10_000, ge=100, le=600_000, description="How long the X server may take to start."
    )


class LogConfig(Section):
    """What is written to standard error."""

    level: LogLevel = Field(default=LogLevel.INFO, description="Lowest level that is logged.")
    format: LogFormat = Field(default=LogFormat.CONSOLE, description="Lines for people, or JSON for machines.")


class Config(Section):
    """Every setting. The backend tables hold the keys of single backends, checked by the backend's own `Options`."""

    server: ServerConfig = Field(default=ServerConfig(), description="Where the page is served, and to whom.")
    session: SessionConfig = Field(default=SessionConfig(), description="What is streamed.")
    video: VideoConfig = Field(default=VideoConfig(), description="How pictures are encoded.")
    input: InputConfig = Field(default=InputConfig(), description="What becomes of keys and pointer.")
    ice: IceConfig = Field(default=IceConfig(), description="How the two sides find each other.")
    desktop: DesktopConfig = Field(default=DesktopConfig(), description="The private desktop of `session.app`.")
    log: LogConfig = Field(default=LogConfig(), description="What is logged.")
    sources: BackendTables = Field(default={}, description="Keys of single sources: [sources.NAME].")
    encoders: BackendTables = Field(default={}, description="Keys of single encoders: [encoders.NAME].")
    converters: BackendTables = Field(default={}, description="Keys of single converters: [converters.NAME].")
    inputs: BackendTables = Field(default={}, description="Keys of single input backends: [inputs.NAME].")


# The sections that hold backend tables; the names are those of the open folders.
BACKEND_KINDS = ("sources", "encoders", "converters", "inputs")


@dataclass(frozen=True, slots=True)
class Key:
    """One setting as people see it. `accepted` is empty where the type says everything."""

    path: str
    field: FieldInfo

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def default(self) -> Any:
        """What holds where nobody says anything; None where somebody must."""
        return None if self.field.is_required() else self.field.get_default(call_default_factory=True)

    @property
    def description(self) -> str:
        return self.field.description or ""

    @property
    def is_secret(self) -> bool:
        return _holds_secret(self.field.annotation)

    @property
    def is_list(self) -> bool:
        return "tuple[" in repr(self.field.annotation)

    @property
    def accepted(self) -> str:
        annotation = self.field.annotation
        if annotation is bool:
            return "true or false"
        if isinstance(annotation, EnumType):
            return ", ".join(str(member.value) for member in annotation)
        low = next((entry.ge for entry in self.field.metadata if isinstance(entry, Ge)), None)
        high = next((entry.le for entry in self.field.metadata if isinstance(entry, Le)), None)
        suffixes = ", also written like 300k, 5M or 1G" if self.path.endswith("_bps") else ""
        return "" if low is None or high is None else f"{low} to {high}{suffixes}"


def keys_of(model: type[BaseModel], prefix: str) -> Iterator[Key]:
    """Yield the keys of one section."""
    for name, field in model.model_fields.items():
        yield Key(f"{prefix}.{name}", field)


def keys() -> dict[str, Key]:
    """Return every key but those of single backends, by its path `section.key`."""
    found: dict[str, Key] = {}
    for name, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            found.update({key.path: key for key in keys_of(field.annotation, name)})
    return found


def _holds_secret(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(_holds_secret(field.annotation) for field in annotation.model_fields.values())
    return annotation is SecretStr or any(_holds_secret(part) for part in get_args(annotation))
