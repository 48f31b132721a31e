"""The run of `streamer serve`: logging, signals, and what is printed, around a session and its server.

Ctrl-C and SIGTERM stop at any moment, also while devices are still being opened.
"""

import asyncio
import json
import logging
import signal
import sys
from typing import Any

import click

from streamer.allocator import return_large_blocks
from streamer.clock import SystemClock
from streamer.config import Config, LogConfig, LogFormat, LogLevel
from streamer.embed.host import Host
from streamer.session.door import Opened

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Libraries that log each packet or candidate at info.
_TALKATIVE = ("aioice", "aiortc", "aiohttp.access")


def run(config: Config) -> None:
    """Serve until a signal comes or the session ends.

    Raises:
        ConfigError: something that the configuration names is not there, or cannot be.
        StreamerError: a device failed.
    """
    return_large_blocks()
    set_up_logging(config.log)
    asyncio.run(_serve(config))


def set_up_logging(config: LogConfig) -> None:
    """Log to standard error, for people or for machines."""
    output = logging.StreamHandler(sys.stderr)
    if config.format is LogFormat.JSON:
        output.setFormatter(_JsonFormatter())
    else:
        output.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=config.level.value.upper(), handlers=[output], force=True)
    if config.level is not LogLevel.DEBUG:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)


class _JsonFormatter(logging.Formatter):
    """One object per line, with the names that log collectors look for."""

    def format(self, record: logging.LogRecord) -> str:
        content: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            content["exception"] = self.formatException(record.exc_info)
        return json.dumps(content)


async def _serve(config: Config) -> None:
    host = Host(config, SystemClock())
    loop = asyncio.get_running_loop()

    def stop() -> None:
        host.stop()
        # A second signal does what it does to every program.
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    def is_up(opened: Opened) -> None:
        size = f"{opened.width_px}x{opened.height_px}"
        click.echo(f"Streaming {opened.source}, {size} at {opened.fps:g} fps: {opened.encoder}.")
        click.echo(f"Open {host.invitation} in a browser. Ctrl-C stops.")

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    reason = await host.run(is_up)
    if reason is not None:
        click.echo(f"The session ended because {reason}.")
