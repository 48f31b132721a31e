"""The window manager of a private desktop: which one, how one window comes to fill the screen, when it is ready.

Knows openbox, because it takes its rules from a file of our own and leaves that of the user alone.
"""

import logging
import select
import shutil
from pathlib import Path

from streamer.clock import Clock
from streamer.errors import ConfigError

logger = logging.getLogger(__name__)

AUTO = "auto"
NONE = "none"
_OPENBOX = "openbox"
# Every key belongs to the program, so there are no key bindings. Dialogs keep their frame, so that they can be moved.
_OPENBOX_RULES = """<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><followMouse>no</followMouse><focusLast>yes</focusLast></focus>
  <placement><policy>Smart</policy><center>yes</center></placement>
  <theme><name>Clearlooks</name><titleLayout>LC</titleLayout><animateIconify>no</animateIconify></theme>
  <desktops><number>1</number><popupTime>0</popupTime></desktops>
  <resize><popupShow>Never</popupShow></resize>
  <keyboard></keyboard>
  <mouse>
    <context name="Client">
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
      <mousebind button="Middle" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
      <mousebind button="Right" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
    </context>
    <context name="Titlebar">
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
      <mousebind button="Left" action="Drag"><action name="Move"/></mousebind>
    </context>
    <context name="Close">
      <mousebind button="Left" action="Click"><action name="Close"/></mousebind>
    </context>
    <context name="BLCorner">
      <mousebind button="Left" action="Drag"><action name="Resize"><edge>bottomleft</edge></action></mousebind>
    </context>
    <context name="BRCorner">
      <mousebind button="Left" action="Drag"><action name="Resize"><edge>bottomright</edge></action></mousebind>
    </context>
  </mouse>
  <applications>
    <application type="normal"><decor>no</decor><maximized>yes</maximized><focus>yes</focus></application>
  </applications>
</openbox_config>
"""


def find(name: str) -> str | None:
    """Return the path of the window manager called `name`, or None if there shall be none.

    Raises:
        ConfigError: it is not one of those known here, or is not installed.
    """
    if name == NONE:
        return None
    if name not in (AUTO, _OPENBOX):
        raise ConfigError(f"window_manager is {name!r}; known are {AUTO!r}, {_OPENBOX!r} and {NONE!r}")
    path = shutil.which(_OPENBOX)
    if path is None and name == _OPENBOX:
        raise ConfigError(f"window_manager {name!r} is not on PATH; install it (apt install openbox)")
    if path is None:
        logger.warning(
            "windows keep the size they choose because there is no window manager (apt install %s)", _OPENBOX
        )
    return path


def command(path: str, directory: Path) -> list[str]:
    """Write the rules into `directory` and return the command line that follows them."""
    rules = directory / "openbox.xml"
    rules.write_text(_OPENBOX_RULES)
    return [path, "--config-file", str(rules), "--sm-disable"]


def wait_until_ready(display: str, xauthority: Path, timeout_us: int, clock: Clock) -> bool:
    """Block until a window manager has announced itself on the display; return whether one has.

    Raises:
        ConfigError: the display cannot be opened.
        DeviceError: the display is gone.
    """
    from streamer.x11.connection import Connection
    from streamer.x11.properties import RootProperties

    until_us = clock.now_us() + timeout_us
    with Connection(display, xauthority) as connection:
        properties = RootProperties(connection)
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        while not properties.has_window_manager():
            left_us = until_us - clock.now_us()
            if left_us <= 0:
                return False
            # An event may have come in with the reply; the descriptor does not tell of that one.
            with connection.translating():
                if not connection.drain():
                    poll.poll(-(-left_us // 1000))
        return True
