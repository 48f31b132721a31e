"""The contract of a source: frames with the time they were captured, newest first, never queued.

A backend is one file with `why_unavailable() -> str | None`, `create(settings: SourceSettings) -> FrameSource |
EncodedSource`, and, if it has keys of its own, a pydantic `Options`. The file name is the configuration name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from streamer.clock import Clock
from streamer.media.frame import EncodedFrame, EncodeOrder, Resolution, VideoFrame
from streamer.protocol.actions import InputAction


def _no_input() -> int:
    return 0


def _no() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What every source is told. `options` is the source's own validated `Options`, or None if it has none.

    `last_input` returns the low byte of the sequence number of the last input message that was applied; a source
    calls it at the moment of capture. `gpu` is the number of the GPU that encodes, if one does; `stays_on_gpu` returns
    whether an encoder of the session reads its memory, which is known from the first `grab` on.
    """

    resolution: Resolution
    fps: float
    clock: Clock
    options: Any = None
    last_input: Callable[[], int] = _no_input
    gpu: int = 0
    stays_on_gpu: Callable[[], bool] = _no


class FrameSource(Protocol):
    """One picture after another, paced by the source itself at no more than the frame rate of its settings, over time.

    One thread, the feed's capture thread, calls `grab` and `close`; `release` and `wake` may come from any thread.
    A source owns at least four surfaces. It never writes to the surface of a frame that has not been released.
    """

    @property
    def resolution(self) -> Resolution:
        """The resolution of the next frame. A change is a resize on purpose."""

    def grab(self, timeout_us: int) -> VideoFrame | None:
        """Block until there is a new picture and return it, or None after `timeout_us` or a `wake`.

        A still screen gives None: unchanged pictures are not frames. None also when every surface is still in use.

        Raises:
            SourceError: the source has ended (the display or the program is gone).
        """

    def release(self, frame: VideoFrame) -> None:
        """Take the surface of `frame` back; it may be overwritten from now on. Called exactly once per frame."""

    def wake(self) -> None:
        """Make a blocked or the next `grab` return at once."""

    def close(self) -> None:
        """Give up all devices. Harmless when called twice."""


@runtime_checkable
class InteractiveSource(Protocol):
    """A source that answers input by itself: it takes the place of an input backend's device."""

    def apply(self, action: InputAction) -> None:
        """Take one input action; the next captured picture shows its effect. Callable from any thread."""


@runtime_checkable
class PromptSource(Protocol):
    """A source that draws by a clock of its own, but does not let the answer to input wait for it.

    Sources whose pictures come from outside need none of this: they hand on what comes out of turn by themselves.
    """

    def hasten(self) -> None:
        """Draw the next picture at once, and those after it from there on at the usual interval.

        Called from any thread when `last_input` and `apply` have told of the input. Two pictures are never closer than
        about a quarter interval, and input that never ends raises the rate by a tenth at most.
        """


@runtime_checkable
class EncodedSource(Protocol):
    """Ready-made access units. It is a rendition by itself: no cadence, no converter, no encoder."""

    @property
    def resolution(self) -> Resolution: ...

    @property
    def codec(self) -> str:
        """The name of the codec of its frames."""

    def next(self, order: EncodeOrder, timeout_us: int) -> EncodedFrame | None:
        """Block until the next frame is due and return it, without payloads; None after `timeout_us` or a `wake`.

        A source that cannot obey parts of `order` ignores them, except `keyframe`, which it obeys as soon as it can.
        """

    def wake(self) -> None: ...

    def close(self) -> None: ...
