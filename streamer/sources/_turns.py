"""What sources that draw by a clock of their own and answer input have in common: whose turn it is, and what it shows.

Owns cadence, numbering and the input that waits for the next picture. Surfaces and drawing are the source's.
"""

from collections import deque
from collections.abc import Callable

from streamer.media.frame import Surface, VideoFrame
from streamer.protocol.actions import InputAction
from streamer.sources._ticker import Ticker
from streamer.sources.base import SourceSettings

# Input waits here only until the next frame. While nobody watches, no frame comes, and the oldest is forgotten.
_MAX_WAITING_ACTIONS = 4096


class Turns:
    """The turns of one source. `wait` and `begin` belong to one thread; the rest may be called from any."""

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings
        self._ticker = Ticker(settings.clock, settings.fps)
        self._actions: deque[InputAction] = deque(maxlen=_MAX_WAITING_ACTIONS)
        self._number = 0
        self._started_at_us: int | None = None

    def apply(self, action: InputAction) -> None:
        """Keep an action for the next picture."""
        self._actions.append(action)

    def hasten(self) -> None:
        """See `base.PromptSource`."""
        self._ticker.hasten()

    def wake(self) -> None:
        """Make a blocked or the next `wait` return at once."""
        self._ticker.wake()

    def wait(self, timeout_us: int) -> bool:
        """Block until a picture is due and return True, or False after `timeout_us` or a `wake`."""
        return self._ticker.wait(timeout_us)

    def begin(self, surface: Surface, apply: Callable[[InputAction], None] | None) -> tuple[VideoFrame, int]:
        """Return the frame that is to be drawn into `surface`, and how long after the first one it is in microseconds.

        What has come in is handed to `apply` first; what comes while drawing is for the next frame.
        """
        # The number is asked first: whatever was applied until then is among the actions and will be seen.
        input_number = self._settings.last_input() & 0xFF
        frame = VideoFrame(surface, self._settings.clock.now_us(), self._number, input_number)
        self._number += 1
        if self._started_at_us is None:
            self._started_at_us = frame.capture_us
        for _ in range(len(self._actions)):
            action = self._actions.popleft()
            if apply is not None:
                apply(action)
        return frame, frame.capture_us - self._started_at_us
