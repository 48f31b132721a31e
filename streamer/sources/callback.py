"""Frames that a Python program pushes, from any thread, and input that it is handed.

The newest frame wins: a program may push faster than the frame rate, what nobody took in time is replaced. A frame is
copied once, into a surface of ours, before `push` returns, so the program may use its array again at once. An array of
another size is a resize on purpose.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Event, Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from streamer.errors import LocalProtocolError, SourceError
from streamer.media.frame import PixelFormat, Resolution, VideoFrame
from streamer.protocol.actions import InputAction
from streamer.sources._rate_limit import RateLimit
from streamer.sources._ring import Canvas, SurfaceRing
from streamer.sources._ticker import wait_until_us
from streamer.sources.base import SourceSettings

_NAME = "callback"
# Those of every source, and one more: a frame may wait here while the next one is being copied.
_SURFACES = 5
_MAX_SIDE_PX = 16_384
_ACCEPTED = (
    "accepted are uint8 arrays of shape (height, width, 3), (height, width, 4) or, for NV12, (height * 3/2, width)"
)

_ACCEPTED_SIDES = f"both sides must be even and from 2 to {_MAX_SIDE_PX}"


class ChannelOrder(StrEnum):
    """Which colour comes first in the pixels that are pushed."""

    RGB = "rgb"
    BGR = "bgr"


class Options(BaseModel):
    """How pushed arrays are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel_order: ChannelOrder = Field(
        default=ChannelOrder.RGB, description="Order of the colours in pushed arrays of 3 or 4 channels."
    )


@dataclass(frozen=True, slots=True)
class _Pending:
    """A frame that nobody has grabbed."""

    canvas: Canvas
    capture_us: int
    input_number: int


_FORMATS = {
    (3, ChannelOrder.RGB): PixelFormat.RGB24,
    (3, ChannelOrder.BGR): PixelFormat.BGR24,
    (4, ChannelOrder.RGB): PixelFormat.RGBA,
    (4, ChannelOrder.BGR): PixelFormat.BGRA,
}


def why_unavailable() -> str | None:
    """Return None: it needs nothing."""
    return None


def create(settings: SourceSettings) -> "CallbackSource":
    """Return a source that waits for its first `push`."""
    return CallbackSource(settings)


class CallbackSource:
    """What a program pushes. One thread grabs and closes; everything else may be called from any thread."""

    def __init__(self, settings: SourceSettings) -> None:
        options = settings.options or Options()
        self._settings = settings
        self._order: ChannelOrder = options.channel_order
        self._resolution = settings.resolution
        self._ring: SurfaceRing | None = None
        self._limit = RateLimit(settings.fps)
        self._lock = Lock()
        self._news = Event()
        self._is_woken = False
        self._is_closed = False
        self._pending: _Pending | None = None
        # The newest frame that was begun, and the newest that was handed out.
        self._newest_us = self._grabbed_us = -1
        self._number = 0
        self._on_input: Callable[[InputAction], None] | None = None

    @property
    def resolution(self) -> Resolution:
        return self._resolution

    def push(self, array: npt.ArrayLike, capture_us: int | None = None) -> bool:
        """Offer a frame and return whether it was taken: not when a newer one is here or all surfaces are in use.

        Accepted are uint8 arrays of height, width and 3 or 4 channels in the configured order, and NV12 arrays of
        height * 3/2 rows; the sides of the picture must be even. Rows may be padded or reversed: any strides do.
        `capture_us` is the source's clock when the picture was made; left out, it is the moment of the call.

        Raises:
            ValueError: the array is none of these; the message says what it is.
            SourceError: the source was closed.
        """
        pixels = np.asarray(array)
        pixel_format, resolution = self._describe(pixels)
        input_number = self._settings.last_input() & 0xFF
        taken = self._take(pixel_format, resolution, capture_us)
        if taken is None:
            return False
        canvas, at_us = taken
        _copy(pixels, canvas)
        return self._offer(_Pending(canvas, at_us, input_number))

    def on_input(self, callback: Callable[[InputAction], None] | None) -> None:
        """Hand every input action to `callback`, or to nobody.

        It is called in the session's event loop and must return within a millisecond: hand longer work to a thread.
        """
        self._on_input = callback

    def apply(self, action: InputAction) -> None:
        callback = self._on_input
        if callback is not None:
            callback(action)

    def grab(self, timeout_us: int) -> VideoFrame | None:
        clock = self._settings.clock
        until_us = clock.now_us() + timeout_us
        while True:
            with self._lock:
                # Cleared and set under the lock, so that no news can come between the look and the wait.
                self._news.clear()
                if self._is_woken:
                    self._is_woken = False
                    return None
                now_us = clock.now_us()
                due_us = self._limit.earliest_us if self._pending is not None else until_us
                if self._pending is not None and now_us >= due_us:
                    return self._hand_out(self._pending, now_us)
            if now_us >= until_us:
                return None
            wait_until_us(clock, min(due_us, until_us), self._news)

    def release(self, frame: VideoFrame) -> None:
        if self._ring is None:
            raise LocalProtocolError(f"frame {frame.number} was released before any was pushed")
        self._ring.release(frame.surface)

    def wake(self) -> None:
        with self._lock:
            self._is_woken = True
            self._news.set()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            self._pending = None
            if self._ring is not None:
                self._ring.close()

    def _describe(self, pixels: npt.NDArray[Any]) -> tuple[PixelFormat, Resolution]:
        """Return the format and size of a picture, or raise ValueError."""
        rows, columns, *channels = (*pixels.shape, 0, 0)[: max(2, pixels.ndim)]
        is_packed = channels in ([3], [4])
        is_planar = not channels and pixels.ndim > 1 and rows % 3 == 0
        if pixels.dtype != np.uint8 or not (is_packed or is_planar):
            raise ValueError(f"an array of shape {pixels.shape} and type {pixels.dtype} is no frame: {_ACCEPTED}")
        resolution = Resolution(columns, rows if is_packed else rows // 3 * 2)
        if any(side_px % 2 or not 0 < side_px <= _MAX_SIDE_PX for side_px in (columns, resolution.height_px)):
            raise ValueError(f"a frame of {resolution} pixels is not accepted: {_ACCEPTED_SIDES}")
        return _FORMATS[channels[0], self._order] if is_packed else PixelFormat.NV12, resolution

    def _take(
        self, pixel_format: PixelFormat, resolution: Resolution, capture_us: int | None
    ) -> tuple[Canvas, int] | None:
        """Return a surface to copy to and the time of the frame, or None if the frame is too late or has no place."""
        with self._lock:
            if self._is_closed:
                raise SourceError(_NAME, "a frame was pushed after the source was closed")
            if capture_us is None:
                capture_us = max(self._settings.clock.now_us(), self._newest_us + 1)
            if capture_us <= self._newest_us:
                return None
            if self._ring is None:
                self._ring = SurfaceRing(pixel_format, resolution, _SURFACES)
            self._ring.reshape(pixel_format, resolution)
            canvas = self._ring.take()
            if canvas is None and self._pending is not None:
                # The frame that waits is older, so its place is this one's; nobody has seen it.
                self._ring.release(self._pending.canvas.surface)
                self._pending = None
                canvas = self._ring.take()
            if canvas is None:
                return None
            self._newest_us = capture_us
            return canvas, capture_us

    def _offer(self, pending: _Pending) -> bool:
        """Let `pending` wait for the next grab, unless a newer frame does."""
        assert self._ring is not None
        with self._lock:
            loser = self._pending
            is_newest = pending.capture_us > self._grabbed_us and (
                loser is None or pending.capture_us > loser.capture_us
            )
            if is_newest and not self._is_closed:
                self._pending = pending
                self._resolution = pending.canvas.surface.resolution
                self._news.set()
            else:
                loser = pending
            if loser is not None:
                self._ring.release(loser.canvas.surface)
            return loser is not pending

    def _hand_out(self, pending: _Pending, now_us: int) -> VideoFrame:
        self._pending = None
        self._limit.count(now_us)
        self._grabbed_us = pending.capture_us
        frame = VideoFrame(pending.canvas.surface, pending.capture_us, self._number, pending.input_number)
        self._number += 1
        return frame


def _copy(pixels: npt.NDArray[Any], canvas: Canvas) -> None:
    if canvas.surface.format is PixelFormat.NV12:
        height_px = canvas.surface.resolution.height_px
        np.copyto(canvas.arrays[0], pixels[:height_px])
        np.copyto(canvas.arrays[1], pixels[height_px:])
    else:
        np.copyto(canvas.arrays[0], pixels)
