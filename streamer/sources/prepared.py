"""Ready-made access units, played in an endless loop: from a file, or from whoever prepared them.

Frame numbers count along the loop, frames that are jumped over included: `number % len(units)` is the position of a
frame among the units. So whoever stamped them knows which one arrived, and `capture_us`, the moment a frame is handed
out, says when it left. Owns no codec: what is in the units is taken as it is.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from streamer import registry
from streamer.errors import ConfigError
from streamer.media.frame import EncodedFrame, EncodeOrder, Resolution
from streamer.media.trace import Stage
from streamer.sources._reading import AccessUnit, Recording, read_recording
from streamer.sources._ticker import Ticker
from streamer.sources.base import SourceSettings


class Options(BaseModel):
    """What is played: a file, or units that a program hands over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path | None = Field(
        default=None, description="File to play: H.264 or H.265 as Annex B or MP4, VP8 or AV1 as IVF or WebM."
    )
    codec: str = Field(default="h264", description="Codec of `units`; a file says it itself.")
    units: tuple[AccessUnit, ...] = Field(
        default=(), description="Frames to play instead of a file; from programs only."
    )


def why_unavailable() -> str | None:
    """Return None: what reads files comes with the package."""
    return None


def create(settings: SourceSettings) -> "PreparedSource":
    """Read what is to be played.

    Raises:
        ConfigError: neither a path nor units are given, or there is nothing among them that can be played.
    """
    options = settings.options or Options()
    if (options.path is None) == (not options.units):
        raise ConfigError(
            "the source 'prepared' plays either a path or units: give one of them (sources.prepared.path)"
        )
    if options.path is None:
        return PreparedSource(settings, Recording(options.codec, settings.resolution, options.units))
    return PreparedSource(settings, read_recording(options.path))


class PreparedSource:
    """A loop of access units. `wake` may be called from any thread, the rest from one."""

    def __init__(self, settings: SourceSettings, recording: Recording) -> None:
        known = registry.names("codecs")
        if recording.codec not in known:
            raise ConfigError(f"codec {recording.codec!r} cannot be sent; known are {', '.join(known)}")
        self._keyframes = [index for index, unit in enumerate(recording.units) if unit.is_keyframe]
        if not self._keyframes:
            raise ConfigError(f"none of {len(recording.units)} access units is a keyframe: nobody could start to watch")
        self._settings = settings
        self._recording = recording
        self._ticker = Ticker(settings.clock, settings.fps)
        self._number = self._keyframes[0]

    @property
    def resolution(self) -> Resolution:
        return self._recording.resolution

    @property
    def codec(self) -> str:
        return self._recording.codec

    def next(self, order: EncodeOrder, timeout_us: int) -> EncodedFrame | None:
        if not self._ticker.wait(timeout_us):
            return None
        units = self._recording.units
        if order.keyframe or not self._is_decodable(self._number):
            self._number = self._next_keyframe(self._number)
        unit = units[self._number % len(units)]
        frame = EncodedFrame(
            codec=self._recording.codec,
            data=unit.data,
            is_keyframe=unit.is_keyframe,
            capture_us=self._settings.clock.now_us(),
            resolution=self._recording.resolution,
            number=self._number,
            input_number=self._settings.last_input() & 0xFF,
        )
        frame.trace.stamp(Stage.CAPTURE, frame.capture_us)
        self._number += 1
        return frame

    def wake(self) -> None:
        self._ticker.wake()

    def close(self) -> None:
        """There is nothing to give up: everything was read at the start."""

    def _is_decodable(self, number: int) -> bool:
        """Return whether the frame does not come before the first keyframe of the loop."""
        return number % len(self._recording.units) >= self._keyframes[0]

    def _next_keyframe(self, number: int) -> int:
        """Return the number of the first keyframe from `number` on."""
        loop, position = divmod(number, len(self._recording.units))
        for index in self._keyframes:
            if index >= position:
                return loop * len(self._recording.units) + index
        return (loop + 1) * len(self._recording.units) + self._keyframes[0]
