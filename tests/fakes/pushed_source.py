"""A source whose frames come from the test, and which watches over its surfaces."""

from threading import Condition

from streamer.errors import SourceError
from streamer.media.frame import Resolution, VideoFrame
from tests.fakes.clips import smooth_frame

SIZE = Resolution(320, 180)


class PushedSource:
    """A `FrameSource`: first in, first out, so that a test knows what a feed has seen."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._frames: list[VideoFrame] = []
        self._failure: BaseException | None = None
        self._is_woken = False
        self.resolution = SIZE
        self.grabs = 0
        self.taken: list[int] = []
        self.released: list[int] = []
        self.closes = 0

    def push(self, number: int, capture_us: int = 0, resolution: Resolution = SIZE) -> VideoFrame:
        picture = smooth_frame(resolution, number=number, shift_px=7 * number)
        frame = VideoFrame(picture.surface, capture_us, number)
        with self._changed:
            self._frames.append(frame)
            self._changed.notify_all()
        return frame

    def fail(self, failure: BaseException | None = None) -> None:
        with self._changed:
            self._failure = failure or SourceError("pushed", "the test says so")
            self._changed.notify_all()

    def grab(self, timeout_us: int) -> VideoFrame | None:
        with self._changed:
            self.grabs += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._frames or self._failure or self._is_woken, timeout_us / 1_000_000)
            self._is_woken = False
            if self._failure is not None:
                raise self._failure
            if not self._frames:
                return None
            self.taken.append(self._frames[0].number)
            return self._frames.pop(0)

    def release(self, frame: VideoFrame) -> None:
        assert frame.number not in self.released, f"frame {frame.number} was released twice"
        self.released.append(frame.number)

    def wake(self) -> None:
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def close(self) -> None:
        self.closes += 1
