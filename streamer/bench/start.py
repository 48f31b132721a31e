"""How long it takes from opening the page to its first picture: fresh pages, on the page's own timeline.

With a STUN server that never answers, the server is bound to this machine's own address instead of loopback, because
media that stays on the machine asks no STUN server at all. A token keeps everybody else out.
"""

import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import psutil
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from streamer.bench.browser import Chromium, chromium
from streamer.bench.machine import LoadMeter
from streamer.bench.options import json_option, parse_size, require_writable, size_option
from streamer.bench.progress import say
from streamer.bench.quantiles import summarize
from streamer.bench.report import Result, conditions, distrust, load_result, publish
from streamer.bench.served import ServedProcess
from streamer.bench.watched import FIRST_FRAME
from streamer.errors import ConfigError
from streamer.media.frame import Resolution

_PAGES = 20
# The first page of a new browser and server pays for what no later one pays: not counted.
_WARM_UP_PAGES = 1
# A page that takes longer has failed.
_LIMIT_MS = 15_000
_FIRST_FRAME_MS = "() => performance.getEntriesByName('first-frame')[0].startTime"
_TOKEN_BYTES = 24


def first_frame_ms(browser: Chromium, url: str, size: Resolution) -> float | None:
    """Open a fresh page and return when its first frame was painted, in milliseconds after navigation began.

    None if none came in time.
    """
    page = browser.new_page(size)
    try:
        page.goto(url, wait_until="commit")
        page.wait_for_function(FIRST_FRAME, timeout=_LIMIT_MS)
        return float(page.evaluate(_FIRST_FRAME_MS))
    except PlaywrightTimeoutError:
        return None
    finally:
        page.context.close()


@contextmanager
def dead_stun_arguments() -> Iterator[list[str]]:
    """Yield the arguments of a server that asks a STUN server which never answers, for as long as the block lasts."""
    host = _own_address()
    with TemporaryDirectory(prefix="streamer-bench-") as folder, socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind((host, 0))
        token = Path(folder) / "token"
        token.touch(mode=0o600)
        token.write_text(secrets.token_urlsafe(_TOKEN_BYTES), encoding="ascii")
        file = Path(folder) / "dead-stun.toml"
        file.write_text(f'[[ice.servers]]\nurls = ["stun:{host}:{silent.getsockname()[1]}"]\n', encoding="ascii")
        yield ["--config", str(file), "--host", host, "--token-file", str(token), "--insecure"]


def _own_address() -> str:
    """Return an IPv4 address of this machine that is not loopback.

    Raises:
        ConfigError: it has none.
    """
    for entries in psutil.net_if_addrs().values():
        for entry in entries:
            if entry.family == socket.AF_INET and not entry.address.startswith("127."):
                return str(entry.address)
    raise ConfigError("--dead-stun needs an IPv4 address besides loopback, and this machine has none")


def run(size: Resolution, pages: int, *, has_dead_stun: bool) -> Result:
    """Open the pages, alternating between the servers, and return the figures."""
    common = ["--source", "pattern", "--size", str(size), "--log-level", "error"]
    with ExitStack() as stack:
        servers = {"first_frame_ms": stack.enter_context(ServedProcess(*common))}
        if has_dead_stun:
            dead = stack.enter_context(dead_stun_arguments())
            servers["first_frame_dead_stun_ms"] = stack.enter_context(ServedProcess(*common, *dead))
        browser = stack.enter_context(chromium())
        pids = {f"server {index}": server.pid for index, server in enumerate(servers.values())}
        for server in servers.values():
            for _ in range(_WARM_UP_PAGES):
                first_frame_ms(browser, server.url, size)
        say(f"opening {pages} fresh pages" + (" of each of two servers" if has_dead_stun else ""))
        meter = LoadMeter({**pids, "chromium": browser.pid})
        found: dict[str, list[float | None]] = {name: [] for name in servers}
        for _ in range(pages):
            for name, server in servers.items():
                found[name].append(first_frame_ms(browser, server.url, size))
        load = meter.read()
        version = browser.browser.version
    reasons = distrust(load)
    result = _figures(found, reasons)
    result |= {**load_result(load), "trusted": not reasons, "distrust": reasons}
    result["conditions"] = conditions(size=str(size), pages=pages, browser=f"Chromium {version}")
    return result


def _figures(found: dict[str, list[float | None]], reasons: list[str]) -> Result:
    result: Result = {}
    for name, values in found.items():
        came = [value for value in values if value is not None]
        result[name] = summarize(came, digits=0)
        if len(came) < len(values):
            reasons.append(f"{name}: {len(values) - len(came)} of {len(values)} pages showed no picture")
    if len(found) > 1:
        usual, dead = (result[name] for name in found)
        result["dead_stun_costs_ms"] = {
            name: None if None in (dead[name], usual[name]) else round(dead[name] - usual[name])
            for name in ("p50", "p95")
        }
    return result


_HELP = """Measure how long it takes from opening the page to its first picture.

Opens fresh pages, each in a profile of its own, of a server that runs already, and reads the page's own timeline:
first_frame_ms is the time from the beginning of navigation to the first presented frame.

\b
Examples:
  streamer bench start
  streamer bench start --dead-stun   next to a server whose STUN server never answers; dead_stun_costs_ms is what
                                     that costs. It binds to this machine's own address, behind a random token.
"""


@click.command(help=_HELP)
@size_option
@click.option("--pages", type=click.IntRange(1, 1000), default=_PAGES, show_default=True, help="Pages to open.")
@click.option("--dead-stun", "has_dead_stun", is_flag=True, help="Also with a STUN server that never answers.")
@json_option
def command(size: str, pages: int, json_file: Path | None, *, has_dead_stun: bool) -> None:
    """Measure how long it takes from opening the page to its first picture."""
    require_writable(json=json_file)
    publish(run(parse_size(size), pages, has_dead_stun=has_dead_stun), json_file)
