"""The command line: arguments to settings, settings to a run. What goes wrong is one line on standard error.

Exit status 0: done, or stopped on purpose; 1: something failed while running; 2: the request cannot be fulfilled as it
stands. Only what every command needs is imported here, so that `--help` and errors come at once.
"""

import contextlib
import importlib
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import click

from streamer import __version__, registry
from streamer.config import APP_SOURCE, AUTO, keys
from streamer.errors import ConfigError, StreamerError, Unavailable
from streamer.settings import Given, Settings, load, parse_assignment, profiles, rows

_EXIT_FAILED = 1
_EXIT_IMPOSSIBLE = 2
# The source for programs that embed a session: behind `streamer serve` there is none that could push pictures.
_PUSHED_SOURCE = "callback"
_DEVICE_KINDS = ("sources", "converters", "encoders", "inputs")

# Flag, key, and the placeholder in the help text. The help text is the key's description.
_FLAGS = (
    ("--source", "session.source", "NAME"),
    ("--app", "session.app", "COMMAND"),
    ("--display", "sources.screen.display", "DISPLAY"),
    ("--size", "session.size", "WxH"),
    ("--fps", "session.fps", "NUMBER"),
    ("--max-viewers", "session.max_viewers", "NUMBER"),
    ("--host", "server.host", "ADDRESS"),
    ("--port", "server.port", "NUMBER"),
    ("--token", "server.token", "SECRET"),
    ("--token-file", "server.token_file", "FILE"),
    ("--tls-certificate", "server.tls_certificate", "FILE"),
    ("--tls-key", "server.tls_key", "FILE"),
    ("--start-target-bps", "video.start_target_bps", "BPS"),
    ("--min-target-bps", "video.min_target_bps", "BPS"),
    ("--max-target-bps", "video.max_target_bps", "BPS"),
    ("--prefer", "video.prefer", "fps|sharpness"),
    ("--decisions-log", "video.decisions_log", "FILE"),
    ("--encoder", "video.encoder", "NAME"),
    ("--gpu", "encoders.nvenc.gpu", "NUMBER"),
    ("--converter", "video.converter", "NAME"),
    ("--log-level", "log.level", "LEVEL"),
)
_HELP = {
    "encoders.nvenc.gpu": "NVIDIA GPU that encodes, counted from 0 on.",
    "sources.screen.display": "X display to capture, for example :0 (source `screen`).",
    "server.token": "The secret itself. Others can see it in the list of processes: prefer --token-file.",
}

_SERVE_HELP = """Stream a source to a browser.

Prints the address to open, the encoder that was chosen and why. Ctrl-C stops.

\b
Examples:
  streamer serve
      an interactive demo scene at http://127.0.0.1:8080
  streamer serve --app "xterm -fa Monospace"
      a private X desktop with this program in it
  streamer serve --display :0
      the X desktop that is there already
  streamer serve --size 1920x1080 --max-target-bps 40M
      larger and sharper; 40M is 40 000 000 bits per second
  streamer serve --host 0.0.0.0 --token-file token --tls-certificate cert.pem --tls-key key.pem
      for other machines, which takes a token and TLS

Each option is also a key in a configuration file and an environment variable: `streamer config` shows them all.
"""

_DOCTOR_HELP = """Examine this machine for a configuration, and say what to do about each problem.

Takes the options of `serve`: put `doctor` in its place in a command that does not work. Each encoder encodes 120
pictures, so it takes half a minute. Exit status 1: there are problems.

\b
Examples:
  streamer doctor
      driver, GPUs, encoders, what `--encoder auto` chooses and why
  streamer doctor --encoder nvenc --gpu 1 --size 3840x2160
      whether the second GPU can do this
  streamer doctor --json > report.json
      for support; docs/doctor.md describes it. It holds no secrets.
"""

_BENCHES = {
    "encode": "What encoders take for a frame, how they keep to their rate, and how good they look.",
    "latency": "How old pictures are when they are seen, and how long a click takes to show.",
    "network": "How the rate follows a network that changes, simulated or with a real browser.",
    "send": "What sending costs, next to aiortc as it comes.",
    "soak": "Memory, descriptors and tasks over time and reconnections.",
    "start": "How long it takes from opening the page to the first picture.",
}

# Where the command of a bench is that is more than one module.
_BENCH_MODULES = {"network": "network.command"}

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Commands(click.Group):
    """Turns errors of this project into one line and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StreamerError as exc:
            click.echo(f"streamer: {exc}", err=True)
            ctx.exit(_EXIT_IMPOSSIBLE if isinstance(exc, ConfigError | Unavailable) else _EXIT_FAILED)


class _Benches(click.Group):
    """Finds its commands in `streamer/bench/`, and imports the one that is called and no other."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return sorted(_BENCHES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in _BENCHES:
            return None
        try:
            module = _BENCH_MODULES.get(cmd_name, cmd_name)
            command: click.Command = importlib.import_module(f"streamer.bench.{module}").command
        except ModuleNotFoundError as exc:
            if exc.name is not None and exc.name.startswith("streamer."):
                return None
            raise ConfigError(
                f"bench {cmd_name} needs the package {exc.name!r}: pip install '.[bench]' in a checkout"
            ) from exc
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_BENCHES.items()))


def _settings_options(command: _Command) -> _Command:
    """Add the options that say where settings come from."""
    for decorate in (
        click.option("--set", "assignments", multiple=True, metavar="SECTION.KEY=VALUE", help="Set any key."),
        click.option("--config", "file", type=click.Path(path_type=Path), metavar="FILE", help="Configuration file."),
        click.option("--profile", metavar="NAME", help=f"Settings for one use: {', '.join(profiles())}."),
    ):
        command = decorate(command)
    return command


def _flag_options(command: _Command) -> _Command:
    """Add an option for each flag."""
    known = keys()
    for flag, path, placeholder in reversed(_FLAGS):
        default = known[path].field.default if path in known else None
        text = _HELP.get(path) or known[path].description
        shown = f"{text}  [{default}]" if default is not None else text
        command = click.option(flag, _parameter(flag), metavar=placeholder, help=shown)(command)
    return command


def _parameter(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")


def _command_line(assignments: tuple[str, ...], flags: dict[str, str | None]) -> dict[str, Given]:
    given = dict(parse_assignment(text) for text in assignments)
    for flag, path, _ in _FLAGS:
        value = flags[_parameter(flag)]
        if value is not None:
            given[path] = Given(value, flag, is_text=True)
    if flags["display"] is not None:
        _stream_display(given)
    if flags["gpu"] is not None:
        # Whichever of the two backends encodes on it.
        given["encoders.nvenc_av.gpu"] = given["encoders.nvenc.gpu"]
    return given


def _stream_display(given: dict[str, Given]) -> None:
    """Let --display mean the source that captures it."""
    if "session.app" in given:
        raise ConfigError("--display and --app exclude each other: a program gets a private display")
    source = given.setdefault("session.source", Given(APP_SOURCE, "--display", is_text=True))
    if source.value != APP_SOURCE:
        raise ConfigError(f"--display needs the source {APP_SOURCE!r}, not {source.value!r}: leave --source out")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="streamer")
def commands() -> None:
    """Stream rendered frames to a browser over WebRTC and bring the viewer's input back."""


def _run_options(command: _Command) -> _Command:
    """Add the options that say what is streamed, and how."""
    for decorate in (
        click.option("--insecure", is_flag=True, help="Serve other machines without a token or without TLS."),
        click.option(
            "--codec", "codecs", multiple=True, metavar="NAME", help="Codec to offer; repeat it, most wanted first."
        ),
        _flag_options,
        _settings_options,
    ):
        command = decorate(command)
    return command


def _run_settings(
    *,
    assignments: tuple[str, ...],
    file: Path | None,
    profile: str | None,
    codecs: tuple[str, ...],
    insecure: bool,
    **flags: str | None,
) -> Settings:
    """Return the settings that these options make."""
    given = _command_line(assignments, flags)
    if codecs:
        given["video.codecs"] = Given(codecs, "--codec")
    if insecure:
        given["server.is_insecure"] = Given(value=True, origin="--insecure")
    return load(profile=profile, file=file, command_line=given)


@commands.command(help=_SERVE_HELP)
@_run_options
def serve(**options: Any) -> None:
    """Stream a source to a browser."""
    settings = _run_settings(**options)
    if settings.config.session.source == _PUSHED_SOURCE:
        origin = settings.origin("session.source")
        raise ConfigError(
            f"session.source = {_PUSHED_SOURCE!r} ({origin}): a program of yours has to push its pictures; "
            "streamer.Stream in Python takes them and serves them (README.md)"
        )
    with _ending_on_signals():
        # Media libraries take longer to import than a wrong option takes to be found, and long enough for a Ctrl-C.
        from streamer.serve import run

        try:
            run(settings.config)
        except Unavailable as exc:
            raise _refuse(settings, exc) from exc


def _refuse(settings: Settings, refusal: Unavailable) -> ConfigError:
    """Return the refusal with the key that asks for what cannot run here, and the way out."""
    config = settings.config
    asked = {
        "session.source": config.session.source,
        "video.encoder": config.video.encoder,
        "video.converter": config.video.converter,
        "input.backend": config.input.backend,
    }
    key = next((key for key, name in asked.items() if name == refusal.backend), None)
    subject = refusal.backend if key is None else f"{key} = {refusal.backend!r} ({settings.origin(key)})"
    doctor = "`streamer doctor` with the same options says what is missing"
    has_auto = key is not None and keys()[key].field.default == AUTO
    way_out = f"{AUTO} takes what can run here, and {doctor}" if has_auto else doctor
    return ConfigError(f"{subject}: {refusal.reason}; {way_out}")


@commands.command(help=_DOCTOR_HELP, short_help="Say what this machine has, lacks, and what to do about it.")
@_run_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def doctor(ctx: click.Context, /, *, as_json: bool, **options: Any) -> None:
    """Examine this machine for a configuration."""
    settings = _run_settings(**options)

    from streamer.doctor.case import Case
    from streamer.doctor.examination import examine
    from streamer.doctor.host import Host
    from streamer.doctor.table import show

    report = examine(Case(settings.config, Host(), lambda text: click.echo(f"doctor: {text}", err=True)))
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        show(report)
    if report.problems:
        ctx.exit(_EXIT_FAILED)


@commands.command(short_help="Show every source, encoder and the like, and why one cannot run.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def devices(as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Show every source, converter, encoder with its codecs, and input backend, and why one cannot run here."""
    found = [entry for kind in _DEVICE_KINDS for entry in registry.availability(kind)]
    if as_json:
        content = [
            {
                "kind": entry.kind,
                "name": entry.name,
                "is_available": entry.why_unavailable is None,
                "why_unavailable": entry.why_unavailable,
                "codecs": _codecs_of(entry),
            }
            for entry in found
        ]
        click.echo(json.dumps(content, indent=2))
        return
    _print_table(
        ("kind", "name", "available"),
        [(entry.kind, entry.name, entry.why_unavailable or _yes(entry)) for entry in found],
    )


def _yes(entry: registry.Availability) -> str:
    codecs = _codecs_of(entry)
    return f"yes: {', '.join(codecs)}" if codecs else "yes"


def _codecs_of(entry: registry.Availability) -> tuple[str, ...]:
    """Return what an encoder can make here; other backends make no codecs."""
    if entry.kind != "encoders" or entry.why_unavailable is not None:
        return ()
    codecs: tuple[str, ...] = registry.load(entry.kind, entry.name).capabilities().codecs
    return codecs


@commands.command()
@_settings_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def config(assignments: tuple[str, ...], file: Path | None, profile: str | None, as_json: bool) -> None:  # noqa: FBT001 - as above
    """Show every setting, its value and where it came from. Secrets are not shown."""
    given = dict(parse_assignment(text) for text in assignments)
    settings: Settings = load(profile=profile, file=file, command_line=given)
    if as_json:
        content = {row.path: {"value": row.value, "origin": row.origin} for row in rows(settings)}
        click.echo(json.dumps(content, indent=2))
        return
    _print_table(
        ("key", "value", "from", "meaning"),
        [(row.path, _shown(row.value), row.origin, row.description) for row in rows(settings)],
    )


@commands.group(cls=_Benches)
def bench() -> None:
    """Measure latency, cost and endurance on this machine."""


@contextlib.contextmanager
def _ending_on_signals() -> Iterator[None]:
    """End the program on purpose when a signal comes before the event loop listens to it.

    SystemExit and not KeyboardInterrupt: CPython exits with 130 after one that passed through code made by `exec`, as
    that of dataclasses is, even when it has been caught.
    """
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, _end) for number in signals}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature is that of signal handlers
    raise SystemExit(0)


def _shown(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _print_table(titles: tuple[str, ...], lines: list[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*titles, box=None, pad_edge=False)
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    console = Console()
    # A pipe has no width: lines are not to be folded at the 80 columns of a terminal that is not there.
    Console(width=None if console.is_terminal else 400).print(table)


def main() -> None:
    """Run the command line and exit with its status."""
    commands()
