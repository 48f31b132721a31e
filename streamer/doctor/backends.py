"""Everything around the encoder: sources, converters, input backends, and what a private desktop is made of."""

from concurrent.futures import ThreadPoolExecutor

from streamer import registry
from streamer.child import ChildError
from streamer.config import Config
from streamer.desktop.programs import find_x_server, parse_command
from streamer.doctor.case import Case
from streamer.doctor.report import Finding, Mark, mark_of
from streamer.errors import ConfigError

_KINDS = ("sources", "converters", "inputs")
# Processes that are asked at the same time: each takes half a second to start, most of it to import.
_AT_ONCE = 2
_ELSE = "choose another one in its place, or do what the line says"


def examine(case: Case) -> list[Finding]:
    """Ask each backend whether it can run, in a process for each: graphics drivers crash, too."""
    case.say("asking sources, converters and input backends")
    backends = [(kind, name) for kind in _KINDS for name in registry.names(kind)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(pool.map(lambda backend: _ask(case, *backend), backends))
    return [*found, *_desktop(case.config)]


def _ask(case: Case, kind: str, name: str) -> Finding:
    try:
        why = case.ask("why_unavailable", kind=kind, name=name)
    except ChildError as exc:
        why = str(exc)
    mark = mark_of(is_right=why is None, matters=name in _named(case.config, kind))
    return Finding(
        f"{kind}.{name}", mark, name if why is None else f"{name}: {why}", _ELSE if mark is Mark.PROBLEM else None
    )


def _named(config: Config, kind: str) -> tuple[str, ...]:
    """Return the backends that the configuration does not work without."""
    if kind == "sources":
        return (config.session.source,)
    return (config.video.converter,) if kind == "converters" else (config.input.backend,)


def _desktop(config: Config) -> list[Finding]:
    app = config.session.app
    try:
        found = [Finding("desktop.xvfb", Mark.OK, find_x_server())]
    except ConfigError as exc:
        mark = mark_of(is_right=False, matters=app is not None)
        found = [Finding("desktop.xvfb", mark, str(exc), "apt install xvfb, which --app needs")]
    if app is not None:
        try:
            found.append(Finding("desktop.app", Mark.OK, parse_command(app)[0]))
        except ConfigError as exc:
            found.append(Finding("desktop.app", Mark.PROBLEM, str(exc), "give the program's full path in --app"))
    return found
