"""A source and its rendition in simulated time: the product's cadence and fold decide, a model makes the frames.

Encoding takes no time here: what it takes is another bench's figure, and would only be added to every frame.
"""

import random
from typing import Protocol

from streamer.bench.network.content import Content
from streamer.bench.network.encoder import Encoder
from streamer.bench.network.events import Alarm, Events
from streamer.bench.network.recording import FrameRecord
from streamer.congestion.fold import Fold
from streamer.media.cadence import Action, Cadence
from streamer.media.frame import Capabilities, EncodeOrder, MemoryKind, PixelFormat, Resolution, Wish

FULL_RESOLUTION = Resolution(1280, 720)
# As the product does: a refinement that takes less of its share than this has found nothing more to improve.
_SETTLED_RATIO = 0.05
# What a refinement of a still picture takes of its share, halved with each one: detail is finite.
_REFINEMENT_RATIO = 0.5
_CAPABILITIES = Capabilities(
    codecs=("h264",),
    formats=(PixelFormat.NV12,),
    memory=(MemoryKind.HOST,),
    max_resolution=FULL_RESOLUTION,
    is_hardware=False,
)


class FrameTaker(Protocol):
    """Whoever takes the frames and says what they shall be like."""

    def wish(self) -> Wish:
        """Return what the next frame shall be like."""

    def offer(self, frame: FrameRecord) -> None:
        """Take the next frame."""

    def skipped(self, now_us: int) -> None:
        """Take note that a picture was not encoded."""


class Rendition:
    """Pictures at a fixed rate, encoded for one taker."""

    def __init__(self, events: Events, content: Content, fps: float, taker: FrameTaker, rng: random.Random) -> None:
        self._events = events
        self._content = content
        self._fps = fps
        self._taker = taker
        self._cadence = Cadence()
        self._fold = Fold(_CAPABILITIES)
        self._encoder = Encoder(rng)
        self._alarm = Alarm(events, self._step)
        self._began_at_us = events.now_us
        self._captured = 0
        self._has_new = False
        self._has_picture = False
        self._pictured_at_us = 0
        self._resolution = FULL_RESOLUTION
        self._refinements = 0
        self._is_paused = False

    def start(self) -> None:
        """Begin to capture."""
        self._capture()

    def pause(self) -> None:
        """Encode nothing until `resume`."""
        self._is_paused = True

    def resume(self) -> None:
        """Go on with the next picture."""
        self._is_paused = False

    def wake(self) -> None:
        """Look at the wish again: a keyframe may be wanted."""
        if self._has_picture:
            self._step()

    def _capture(self) -> None:
        now_us = self._events.now_us
        every_frames = self._content.phase(now_us - self._began_at_us).every_frames
        is_first = not self._has_picture
        if not self._is_paused and (is_first or (every_frames is not None and self._captured % every_frames == 0)):
            self._has_new = self._has_picture = True
            self._pictured_at_us = now_us
            self._step()
        self._captured += 1
        self._events.at(self._began_at_us + round(self._captured * 1_000_000 / self._fps), self._capture)

    def _step(self) -> None:
        """Skip or encode until there is something to wait for."""
        if self._is_paused:
            return
        now_us = self._events.now_us
        while True:
            wish = self._taker.wish()
            is_resized = wish.max_resolution != self._resolution
            keyframe_due_us = self._fold.keyframe_due_us([wish])
            decision = self._cadence.decide(
                now_us,
                fps=wish.fps,
                backlog_us=wish.backlog_us,
                has_new_frame=self._has_new,
                wants_keyframe=is_resized or (keyframe_due_us is not None and keyframe_due_us <= now_us),
            )
            if decision.action is Action.WAIT:
                self._alarm.set(decision.until_us)
                if keyframe_due_us is not None and keyframe_due_us > now_us:
                    self._alarm.set(keyframe_due_us)
                return
            if decision.action is Action.SKIP:
                self._has_new = False
                self._taker.skipped(now_us)
                continue
            order = self._fold.order([wish], now_us, is_refinement=decision.is_refinement)
            self._encode(order, is_kept=decision.action is Action.ENCODE_KEPT, is_resized=is_resized)
            self._resolution = wish.max_resolution

    def _encode(self, order: EncodeOrder, *, is_kept: bool, is_resized: bool) -> None:
        """Make a frame. Another resolution is another encoder, whose first frame is a keyframe."""
        now_us = self._events.now_us
        is_keyframe = order.keyframe or is_resized
        size_bytes = self._encoder.encode(order, self._size_ratio(is_kept=is_kept), is_keyframe=is_keyframe)
        if is_keyframe:
            self._fold.keyframe_made(now_us)
        share_bytes = order.target_bps / order.fps / 8
        self._cadence.encoded(
            now_us,
            is_new=not is_kept,
            is_refinement=order.is_refinement,
            is_settled=size_bytes < _SETTLED_RATIO * share_bytes,
            size_bytes=size_bytes,
            target_bps=order.target_bps,
        )
        self._refinements = self._refinements + 1 if is_kept else 0
        self._has_new = False
        self._taker.offer(FrameRecord(now_us if is_kept else self._pictured_at_us, size_bytes, is_keyframe))

    def _size_ratio(self, *, is_kept: bool) -> float:
        if is_kept:
            return _REFINEMENT_RATIO ** (1 + self._refinements)
        return self._content.phase(self._events.now_us - self._began_at_us).size_ratio
