"""The contract of an input backend: it applies actions and can let go of everything it holds down.

A backend is one file with `why_unavailable() -> str | None` and `create(settings: InputSettings) -> InputBackend`.
Which keys are held is the business of the seat; a backend releases what it pressed itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from streamer.protocol.actions import InputAction, TextEntry


@dataclass(frozen=True, slots=True)
class InputSettings:
    """What every input backend is told.

    `sink` takes the actions for a source that answers input by itself; `options` is the backend's own `Options`.
    """

    sink: Callable[[InputAction], None] | None = None
    options: Any = None


class InputBackend(Protocol):
    """Called from the event loop only; a call takes well under a millisecond."""

    def apply(self, actions: Sequence[InputAction]) -> Sequence[TextEntry]:
        """Carry out the actions in order, flush them once, and return the texts that there was no room for.

        A text is entered whole, though that may take a while, or not at all.

        Raises:
            InputError: the device is gone.
        """

    def release_all(self) -> None:
        """Release every key and button that this backend has pressed. Idempotent."""

    def close(self) -> None:
        """Release everything and give up the device. Harmless when called twice."""
