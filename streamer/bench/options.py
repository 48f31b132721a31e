"""Parameters that several benches share, and what they accept."""

from pathlib import Path

import click
from pydantic import TypeAdapter, ValidationError

from streamer.config import Size
from streamer.errors import ConfigError
from streamer.media.frame import Resolution
from streamer.settings import parse_decimal

_SIZE: TypeAdapter[Resolution] = TypeAdapter(Size)


def parse_size(text: str) -> Resolution:
    """Return the size that `text` names, as `session.size` accepts it.

    Raises:
        ConfigError: it names none, or one that cannot be streamed.
    """
    try:
        return _SIZE.validate_python(text)
    except ValidationError as exc:
        reason = str(exc.errors()[0]["msg"]).removeprefix("Value error, ")
        raise ConfigError(f"--size {text!r}: {reason}") from exc


def parse_rate_bps(text: str) -> int:
    """Return bits per second; k, M and G stand for thousands, millions and billions.

    Raises:
        ConfigError: it is no number above zero.
    """
    rate_bps = parse_decimal(text)
    if not rate_bps:
        raise ConfigError(f"--target {text!r}: write bits per second, for example 9M or 9000000")
    return rate_bps


def require_above_zero(**values: float) -> None:
    """Check numbers that make no sense otherwise; the names are those of the flags, with underscores.

    Raises:
        ConfigError: one is zero or below.
    """
    for name, value in values.items():
        if value <= 0:
            raise ConfigError(f"--{name.replace('_', '-')} {value:g}: it must be above 0")


def require_writable(**files: Path | None) -> None:
    """Check before a long measurement that its results can be written.

    Raises:
        ConfigError: the folder of a file is not there.
    """
    for name, file in files.items():
        if file is not None and not file.parent.is_dir():
            raise ConfigError(f"--{name} {str(file)!r}: there is no folder {str(file.parent)!r}")


size_option = click.option("--size", default="1280x720", show_default=True, metavar="WxH", help="Picture size.")
json_option = click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    metavar="FILE",
    help="Write all figures there as JSON.",
)
