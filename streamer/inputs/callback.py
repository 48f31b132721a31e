"""Hand input to a source that answers it by itself, or to a program's own function.

What is down is remembered, so that it can be let go of. The function belongs to somebody else: what it raises is logged
and ends nothing.
"""

import logging
from collections.abc import Callable, Sequence

from streamer.errors import ConfigError
from streamer.inputs.base import InputSettings
from streamer.protocol.actions import ButtonChange, InputAction, KeyChange, TextEntry

logger = logging.getLogger(__name__)


def why_unavailable() -> str | None:
    """Return None: it needs nothing of the machine."""
    return None


def create(settings: InputSettings) -> "CallbackInput":
    """Return a backend over the sink of `settings`.

    Raises:
        ConfigError: there is no sink, because the source does not take input.
    """
    if settings.sink is None:
        raise ConfigError("the input backend 'callback' needs a source that answers input, and this one does not")
    return CallbackInput(settings.sink)


class CallbackInput:
    """Calls one function for each action, in order. Called from the event loop only."""

    def __init__(self, sink: Callable[[InputAction], None]) -> None:
        self._sink = sink
        # What is down, by what will let go of it; a dict keeps the order in which it went down.
        self._held: dict[InputAction, None] = {}
        self._failure: str | None = None

    def apply(self, actions: Sequence[InputAction]) -> Sequence[TextEntry]:
        for action in actions:
            self._remember(action)
            self._hand_over(action)
        return ()

    def release_all(self) -> None:
        held, self._held = self._held, {}
        for action in held:
            self._hand_over(action)

    def close(self) -> None:
        self.release_all()

    def _remember(self, action: InputAction) -> None:
        match action:
            case KeyChange(code, is_down):
                release: InputAction = KeyChange(code, is_down=False)
            case ButtonChange(button, is_down):
                release = ButtonChange(button, is_down=False)
            case _:
                return
        if is_down:
            self._held[release] = None
        else:
            self._held.pop(release, None)

    def _hand_over(self, action: InputAction) -> None:
        try:
            self._sink(action)
        except (Exception, SystemExit) as exc:
            # The function is not ours, like the top of a thread: one of its mistakes must not end the session. Nor does
            # `sys.exit` end a program from here: it would end the event loop, and viewers would hear no goodbye.
            failure = f"{type(exc).__name__}: {exc}"
            if failure != self._failure:
                self._failure = failure
                logger.exception("input %s was lost because the function that takes it failed", action)
            return
        if self._failure is not None:
            self._failure = None
            logger.info("input is taken again")
