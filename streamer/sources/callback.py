"""Frames that a Python program pushes, from any thread, and input that it is handed.

The newest frame wins: a program may push faster than the frame rate, what nobody took in time is replaced. A frame is
copied once, into a surface of ours, so the program may use its array again as soon as `push` returns. One that lies on
a GPU is copied there and stays there. An array of another size is a resize on purpose.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Event, Lock
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from streamer.cuda.errors import CudaError, ForeignArrayError
from streamer.cuda.foreign import is_on_device, stream_handle
from streamer.errors import LocalProtocolError, SourceError
from streamer.media.frame import MemoryKind, PixelFormat, Resolution, VideoFrame
from streamer.protocol.actions import InputAction
from streamer.sources._pushed import AnyCanvas, AnyRing, HostPicture, Intake, Pushed
from streamer.sources._rate_limit import RateLimit
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
    gpu: int | None = Field(
        default=None, ge=0, le=63, description="GPU whose arrays are taken; by default, the one that encodes."
    )


@dataclass(frozen=True, slots=True)
class _Pending:
    """A frame that nobody has grabbed."""

    canvas: AnyCanvas
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
        self._gpu: int = settings.gpu if options.gpu is None else options.gpu
        self._intake: Intake | None = None
        self._rings: dict[MemoryKind, AnyRing] = {}
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

    def push(self, array: Any, capture_us: int | None = None, *, stream: Any = None) -> bool:
        """Offer a frame and return whether it was taken.

        It is not when a newer one is here, when all surfaces are in use, and when the source was closed: a program that
        pushes from a thread of its own cannot know of that in time.

        Accepted are uint8 arrays of height, width and 3 or 4 channels in the configured order, and NV12 arrays of
        height * 3/2 rows, in BT.601 and limited range; the sides of the picture must be even. Rows may be padded, in
        host memory also reversed.
        `capture_us` is the source's clock when the picture was made; left out, it is the moment of the call.

        Arrays on a GPU are those that speak DLPack or the CUDA array interface: PyTorch, CuPy, JAX, Numba and others.
        `stream` is the CUDA stream that draws, as its handle or as an object that has `__cuda_stream__`: with it, or
        where the array names it, nothing waits. Without, the call returns when the picture is drawn and copied.

        Raises:
            ValueError: the array is none of these; the message says what it is.
            TypeError: `stream` is no stream.
            SourceError: the GPU cannot be used.
        """
        try:
            picture = self._look(array, stream)
            pixel_format, resolution = self._describe(picture)
            input_number = self._settings.last_input() & 0xFF
            taken = self._take(picture, pixel_format, resolution, capture_us)
            if taken is None:
                return False
            pending = _Pending(*taken, input_number)
            try:
                picture.copy_to(pending.canvas)
            except BaseException:
                self._give_back(pending)
                raise
        except ForeignArrayError as exc:
            raise ValueError(f"{exc}: {_ACCEPTED}") from exc
        except CudaError as exc:
            raise SourceError(_NAME, str(exc)) from exc
        return self._offer(pending)

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
        ring = self._rings.get(frame.surface.memory)
        if ring is None:
            raise LocalProtocolError(f"frame {frame.number} was released before any was pushed")
        ring.release(frame.surface)

    def wake(self) -> None:
        with self._lock:
            self._is_woken = True
            self._news.set()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            self._pending = None
            for ring in self._rings.values():
                ring.close()

    def _look(self, array: Any, stream: Any) -> Pushed:
        if not is_on_device(array):
            return HostPicture(array)
        with self._lock:
            self._intake = self._intake or Intake(self._gpu)
        return self._intake.look(array, None if stream is None else stream_handle(stream))

    def _describe(self, picture: Pushed) -> tuple[PixelFormat, Resolution]:
        """Return the format and size of a picture, or raise ValueError."""
        shape = picture.shape
        rows, columns, *channels = (*shape, 0, 0)[: max(2, len(shape))]
        is_packed = channels in ([3], [4])
        is_planar = not channels and len(shape) > 1 and rows % 3 == 0
        if picture.dtype != np.uint8 or not (is_packed or is_planar):
            raise ValueError(f"an array of shape {shape} and type {picture.dtype} is no frame: {_ACCEPTED}")
        reason = picture.why_unreadable()
        if reason is not None:
            raise ValueError(f"an array of shape {shape} cannot be read because of {reason}")
        resolution = Resolution(columns, rows if is_packed else rows // 3 * 2)
        if any(side_px % 2 or not 0 < side_px <= _MAX_SIDE_PX for side_px in (columns, resolution.height_px)):
            raise ValueError(f"a frame of {resolution} pixels is not accepted: {_ACCEPTED_SIDES}")
        return _FORMATS[channels[0], self._order] if is_packed else PixelFormat.NV12, resolution

    def _take(
        self, picture: Pushed, pixel_format: PixelFormat, resolution: Resolution, capture_us: int | None
    ) -> tuple[AnyCanvas, int] | None:
        """Return a surface to copy to and the time of the frame, or None if it comes too late or has no place."""
        with self._lock:
            if self._is_closed:
                return None
            if capture_us is None:
                capture_us = max(self._settings.clock.now_us(), self._newest_us + 1)
            if capture_us <= self._newest_us:
                return None
            ring = self._rings.get(picture.memory)
            if ring is None:
                ring = self._rings[picture.memory] = picture.open_ring(pixel_format, resolution, _SURFACES)
            ring.reshape(pixel_format, resolution)
            canvas = ring.take()
            if canvas is None and self._pending is not None:
                # The frame that waits is older, so its place is this one's; nobody has seen it.
                self._give_back(self._pending)
                self._pending = None
                canvas = ring.take()
            if canvas is None:
                return None
            self._newest_us = capture_us
            return canvas, capture_us

    def _offer(self, pending: _Pending) -> bool:
        """Let `pending` wait for the next grab, unless a newer frame does."""
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
                self._give_back(loser)
            return loser is not pending

    def _give_back(self, pending: _Pending) -> None:
        surface = pending.canvas.surface
        self._rings[surface.memory].release(surface)

    def _hand_out(self, pending: _Pending, now_us: int) -> VideoFrame:
        self._pending = None
        self._limit.count(now_us)
        self._grabbed_us = pending.capture_us
        frame = VideoFrame(pending.canvas.surface, pending.capture_us, self._number, pending.input_number)
        self._number += 1
        return frame
