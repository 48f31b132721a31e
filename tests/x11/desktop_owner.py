"""Start a desktop, say where it is, and wait to be killed: the parent process of a test."""

import asyncio
import signal
import sys

from streamer.desktop.desktop import Desktop, DesktopSettings
from streamer.media.frame import Resolution


async def main() -> None:
    desktop = Desktop(DesktopSettings(sys.argv[1], Resolution(320, 240), has_glx=False))
    await desktop.start()
    sys.stdout.write(f"{desktop.xauthority.parent}\n")
    sys.stdout.flush()
    await desktop.ended()


# Whoever runs the tests in the background has it ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
asyncio.run(main())
