"""Capture an X11 screen through shared memory, woken by its changes.

A change is grabbed at once, also one out of turn, as the answer to a click is; while changes keep coming, the grabs
hold the frame rate. Each buffer remembers in which bands it is out of date, so a small change costs a small copy.
Nothing is copied between the memory that the server writes and the frame. The pointer is not in the picture: the viewer
draws its own.
"""

import os
import select
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from streamer import x11
from streamer.errors import ConfigError, DeviceError, LocalProtocolError, SourceError
from streamer.media.frame import SRGB_FULL, MemoryKind, PixelFormat, Plane, Resolution, Surface, VideoFrame
from streamer.sources._rate_limit import RateLimit
from streamer.sources.base import SourceSettings
from streamer.x11.bands import all_bands

if TYPE_CHECKING:
    from streamer.x11.capture import RootCapture
    from streamer.x11.shm import Segment

_NAME = "screen"
# One being encoded, one kept for the next viewer, one captured and waiting, one being written.
_BUFFERS = 4
# poll(2) counts in milliseconds and wakes late; the rest of a wait is left to the clock.
_COARSE_US = 2000


class Options(BaseModel):
    """Which display is captured."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    display: str | None = Field(default=None, min_length=1, description="X display; that of the environment if absent.")
    xauthority: Path | None = Field(
        default=None, description="File with the display's secret; that of the environment if absent."
    )


@dataclass(slots=True, eq=False)
class _Buffer:
    """One surface in shared memory, and the bands in which it is older than the screen."""

    segment: "Segment"
    surface: Surface
    stale: int


class ScreenSource:
    """The root window of one display. `release` and `wake` may be called from any thread, the rest from one."""

    def __init__(self, capture: "RootCapture", settings: SourceSettings) -> None:
        self._capture = capture
        self._clock = settings.clock
        self._last_input = settings.last_input
        self._limit = RateLimit(settings.fps)
        self._number = 0
        self._lock = Lock()
        self._is_woken = False
        self._is_closed = False
        self._buffers: list[_Buffer] = []
        self._free: list[_Buffer] = []
        self._taken: dict[int, _Buffer] = {}
        self._wake_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        try:
            self._wakes = select.poll()
            self._wakes.register(self._wake_fd, select.POLLIN)
            self._wakes_and_news = select.poll()
            self._wakes_and_news.register(self._wake_fd, select.POLLIN)
            self._wakes_and_news.register(capture.fileno(), select.POLLIN)
            self._reallocate()
        except BaseException:
            os.close(self._wake_fd)
            raise

    @property
    def resolution(self) -> Resolution:
        return self._capture.resolution

    def grab(self, timeout_us: int) -> VideoFrame | None:
        until_us = self._clock.now_us() + timeout_us
        try:
            while True:
                buffer = self._await_turn(until_us)
                if buffer is None:
                    return None
                frame = self._fill(buffer)
                if frame is not None:
                    return frame
        except DeviceError as exc:
            raise SourceError(_NAME, exc.reason) from exc

    def release(self, frame: VideoFrame) -> None:
        with self._lock:
            buffer = self._taken.pop(frame.number, None)
            if buffer is None:
                raise LocalProtocolError(f"frame {frame.number} was released that is not in use")
            if buffer in self._buffers:
                self._free.append(buffer)
                if len(self._free) == 1:
                    self._signal()

    def wake(self) -> None:
        with self._lock:
            self._is_woken = True
            self._signal()

    def close(self) -> None:
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            os.close(self._wake_fd)
            self._buffers.clear()
            self._free.clear()
        self._capture.close()

    def _await_turn(self, until_us: int) -> _Buffer | None:
        """Block until there is a change, its turn has come and a buffer is free; None when the caller is to return."""
        while not self._take_wake():
            now_us = self._clock.now_us()
            is_changed = self._capture.is_changed()
            buffer = self._freshest() if is_changed else None
            if buffer is not None and now_us >= self._limit.earliest_us:
                return buffer
            if now_us >= until_us:
                return None
            if buffer is not None:
                self._wait_for_turn(min(until_us, self._limit.earliest_us))
            else:
                news = self._wakes if is_changed else self._wakes_and_news
                news.poll(-(-(until_us - now_us) // 1000))
        return None

    def _wait_for_turn(self, at_us: int) -> None:
        coarse_ms = (at_us - self._clock.now_us() - _COARSE_US) // 1000
        if coarse_ms <= 0 or not self._wakes.poll(coarse_ms):
            self._clock.block_until_us(at_us)

    def _fill(self, buffer: _Buffer) -> VideoFrame | None:
        if buffer.surface.resolution != self._capture.resolution:
            self._reallocate()
            return None
        changes = self._capture.take_changes()
        for other in self._buffers:
            other.stale |= changes
        capture_us = self._clock.now_us()
        input_number = self._last_input()
        if not changes or not self._capture.grab(buffer.segment, buffer.stale):
            return None
        buffer.stale = 0
        self._limit.count(capture_us)
        self._number += 1
        with self._lock:
            self._free.remove(buffer)
            self._taken[self._number] = buffer
        return VideoFrame(buffer.surface, capture_us, self._number, input_number)

    def _freshest(self) -> _Buffer | None:
        """Return the free buffer that lacks the least."""
        with self._lock:
            return min(self._free, key=lambda buffer: buffer.stale.bit_count(), default=None)

    def _reallocate(self) -> None:
        """Give out buffers of the present size from now on; those in use are forgotten when they are released."""
        for buffer in self._buffers:
            self._capture.discard(buffer.segment)
        buffers = [self._allocate() for _ in range(_BUFFERS)]
        with self._lock:
            self._buffers = buffers
            self._free = list(buffers)

    def _allocate(self) -> _Buffer:
        segment = self._capture.allocate()
        resolution = self._capture.resolution
        plane = Plane(self._capture.pitch_bytes, segment.buffer, segment.address)
        surface = Surface(MemoryKind.HOST, PixelFormat.BGRA, resolution, (plane,), SRGB_FULL)
        return _Buffer(segment, surface, stale=all_bands(resolution.height_px))

    def _take_wake(self) -> bool:
        """Forget the signals so far; return whether one of them was a `wake`."""
        with self._lock:
            if self._is_closed:
                raise SourceError(_NAME, "it was closed")
            try:
                os.eventfd_read(self._wake_fd)
            except BlockingIOError:
                return False
            is_woken, self._is_woken = self._is_woken, False
            return is_woken

    def _signal(self) -> None:
        if not self._is_closed:
            os.eventfd_write(self._wake_fd, 1)


def why_unavailable() -> str | None:
    """Return None if this backend can run here, else the reason it cannot."""
    return x11.why_unavailable()


def create(settings: SourceSettings) -> ScreenSource:
    """Open the display that the options name.

    Raises:
        ConfigError: there is no such display, or it may not be used.
        SourceError: the display cannot be captured.
    """
    from streamer.x11.capture import RootCapture

    options = settings.options if settings.options is not None else Options()
    if not isinstance(options, Options):
        raise ConfigError(f"options of the source {_NAME!r} are {options!r}, not its own Options")
    try:
        capture = RootCapture.open(options.display, options.xauthority)
        try:
            return ScreenSource(capture, settings)
        except BaseException:
            capture.close()
            raise
    except DeviceError as exc:
        raise SourceError(_NAME, exc.reason) from exc
