"""What the estimate leaves for the next frame: the allocator's part of a viewer's wish.

Owns what headers, audio and resends take away. What several viewers' wishes come to is the fold's business.
"""

from dataclasses import dataclass

from streamer.congestion.decision import Decision, RateLimits, Reason
from streamer.congestion.ladder import Decoding, Ladder, Prefer
from streamer.congestion.pacer import Priority
from streamer.media.units import BITS_PER_BYTE_US

# A target that rises by less is not worth an encoder's while; one that falls always is.
_RISE_RATIO = 1.03
# The queue that a frame may leave to the next one.
_FRAME_QUEUE_US = 30_000
# However long the queue, a picture must be recognisable.
_MIN_FRAME_RATIO = 0.3
_AVERAGE_US = 500_000


# RTP header, the extensions in use and the longest tag of SRTP: what a packet carries beside its payload.
OVERHEAD_BYTES = 48


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a viewer's path allows its next frame. `scale_ratio` is how much of full width and height to encode."""

    target_bps: int
    fps: float
    max_frame_bytes: int | None
    scale_ratio: float = 1.0


class Allocator:
    """The budget of one flow."""

    def __init__(self, limits: RateLimits, *, fps: float, prefer: Prefer, now_us: int) -> None:
        self._limits = limits
        self._fps = fps
        self._ladder = Ladder(prefer)
        # Averages per second of what is not video: bytes of it, and the headers of video.
        self._other_bps = 0.0
        self._other_bytes = 0
        self._averaged_at_us = now_us
        self.target_bps = limits.start_bps

    def describe(self, pixels: int) -> None:
        """Take note of how many pixels the source's pictures have."""
        self._ladder.describe(pixels, self._fps)

    def decodes(self, decoding: Decoding, now_us: int) -> None:
        """Take note of how the viewer says its decoder fares."""
        self._ladder.decodes(decoding, round(1_000_000 / (self._fps * self._ladder.rung.fps_ratio)), now_us)

    def sent(self, packets: int, size_bytes: int, priority: Priority) -> None:
        """Note so many packets that left, and their size in all."""
        if priority is Priority.VIDEO:
            self._other_bytes += packets * OVERHEAD_BYTES
        elif priority is not Priority.PADDING:
            self._other_bytes += size_bytes

    def update(self, decision: Decision) -> int:
        """Return the target that a decision leaves."""
        elapsed_us = decision.at_us - self._averaged_at_us
        if elapsed_us > 0:
            share = min(1.0, elapsed_us / _AVERAGE_US)
            self._other_bps += (self._other_bytes * BITS_PER_BYTE_US / elapsed_us - self._other_bps) * share
            self._other_bytes = 0
            self._averaged_at_us = decision.at_us
        left_bps = round(decision.estimate_bps - min(self._other_bps, decision.estimate_bps / 2))
        left_bps = min(max(left_bps, self._limits.min_bps), self._limits.max_bps)
        if left_bps < self.target_bps or left_bps >= min(_RISE_RATIO * self.target_bps, self._limits.max_bps):
            self.target_bps = left_bps
        is_tested = not decision.is_application_limited and decision.reason is not Reason.START
        self._ladder.update(self.target_bps, decision.at_us, is_tested=is_tested)
        return self.target_bps

    def allowance(self, decision: Decision, backlog_us: int) -> Allowance:
        """Return what the next frame may be like."""
        rung = self._ladder.rung
        fps = self._fps * rung.fps_ratio
        interval_us = round(1_000_000 / fps)
        frame_bytes = self.target_bps * interval_us // BITS_PER_BYTE_US
        # A queue that others hold full does not get shorter by smaller frames.
        queue_us = 0 if decision.reason is Reason.COMPETITION else decision.queue_us
        room_us = interval_us + _FRAME_QUEUE_US - queue_us - backlog_us
        room_bytes = decision.estimate_bps * max(room_us, 0) // BITS_PER_BYTE_US
        max_frame_bytes = max(room_bytes, round(_MIN_FRAME_RATIO * frame_bytes))
        return Allowance(self.target_bps, fps, max_frame_bytes, rung.scale_ratio)
