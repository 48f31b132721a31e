"""One encoded form of a feed: a thread that converts and encodes, and the subscribers that take the frames.

The thread alone touches the converter and the encoder. Wishes come down with each frame as an order; frames go to the
event loop in order, and a loop that falls behind makes the next raw frame wait instead of growing a queue.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Thread
from typing import Protocol

from streamer.clock import Clock, sharpen_thread_timers
from streamer.codecs.base import Codec
from streamer.congestion.fold import Fold, fold_backlog_us, governing
from streamer.errors import EncoderError, StreamerError, UnfitError
from streamer.media.cadence import Action, Cadence, Decision, is_settled
from streamer.media.frame import (
    EncodedFrame,
    EncodeOrder,
    Post,
    Resolution,
    Subscriber,
    VideoFrame,
    Wish,
)
from streamer.media.trace import FrameTrace, Stage
from streamer.session.assembly import Assembly, EncoderChoice, Machinery
from streamer.session.conversion import Form
from streamer.session.failures import MOST_RETRIES, Failures
from streamer.session.fanout import Fanout
from streamer.session.feed import FeedReader, Lease
from streamer.session.hub import MIN_CAPTURE_STEP_US, RenditionKey

logger = logging.getLogger(__name__)

# With headers, extensions and SRTP a datagram stays under 1280 bytes, the least that every IPv6 path carries whole.
MAX_PAYLOAD_BYTES = 1200
# Within this time the event loop has decided what becomes of viewers whose source has changed its size.
_RESIZE_PATIENCE_US = 50_000
# A picture that was captured longer ago than this is shown as of now: nothing has changed since.
_STALE_US = 200_000


class RenditionOwner(Protocol):
    """The session, as its renditions see it. Called on the event loop."""

    def rendition_failed(self, key: RenditionKey, reason: str) -> None: ...

    def encoder_changed(self, codec: str) -> None:
        """Note that another encoder makes this codec from here on."""

    def source_resized(self) -> None:
        """Note that the source's pictures are of another size than this rendition has met so far."""


class EncodedRendition:
    """A rendition made by an encoder of ours. `add`, `remove`, `close` on the event loop; the rest from anywhere."""

    def __init__(
        self,
        key: RenditionKey,
        reader: FeedReader,
        assembly: Assembly,
        owner: RenditionOwner,
        clock: Clock,
        post: Post,
        wait_for_room: Callable[[], None] = lambda: None,
        *,
        is_extra: bool = False,
    ) -> None:
        """Begin on a thread of its own, when `wait_for_room` has returned there.

        An extra one does not need to work: others of its codec, with pictures at least as large, can be shared.
        """
        self.key = key
        self._reader = reader
        self._assembly = assembly
        self._owner = owner
        self._clock = clock
        self._post = post
        self._fanout = Fanout(post)
        self._is_extra = is_extra
        # The encoder that is open, or was the last that should be.
        self._choice = assembly.choices[key.codec]
        self._fold = Fold(self._choice.capabilities)
        self._cadence = Cadence()
        self._failures = Failures()
        self._machinery: Machinery | None = None
        self._form: Form | None = None
        self._source_resolution = key.resolution
        self._earliest_capture_us = 0
        self._pictures = 0
        self._picture_at_work: int | None = None
        self._has_worked = False
        self._is_stuck = False
        self._is_closing = False
        self._thread = Thread(target=self._run, args=(wait_for_room,), name=f"rendition {key}", daemon=True)
        self._thread.start()

    @property
    def is_empty(self) -> bool:
        return self._fanout.is_empty

    @property
    def picture_at_work(self) -> int | None:
        return self._picture_at_work

    def give_up_hardware(self, reason: str) -> bool:
        self._is_stuck = True
        choice = self._choice
        return choice.capabilities.is_hardware and self._falls_back(choice, reason)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def is_closing(self) -> bool:
        return self._is_closing

    @property
    def is_leaving(self) -> bool:
        """Whether its encoder is about to be closed."""
        return self._is_closing and self.is_alive and not self._is_stuck

    def add(self, subscriber: Subscriber, on_failed: Callable[[], None]) -> None:
        self._fanout.add(subscriber, on_failed)

    def remove(self, subscriber: Subscriber) -> None:
        self._fanout.remove(subscriber)

    def wake(self) -> None:
        self._reader.wake()

    def close(self) -> None:
        """Let the thread end after the frame it is at. Returns at once; `join` waits."""
        self._is_closing = True
        self._reader.wake()

    def join(self, timeout_us: int | None = None) -> None:
        """Block until the thread has ended, or so much time has passed."""
        self._thread.join(None if timeout_us is None else timeout_us / 1_000_000)

    def _run(self, wait_for_room: Callable[[], None]) -> None:
        sharpen_thread_timers()
        wait_for_room()
        try:
            try:
                while not self._is_closing:
                    self._step(self._fanout.wishes())
            finally:
                self._dismantle()
        except StreamerError as exc:
            self._fail(str(exc))
        except Exception:
            # The top of a thread: whatever a library raises ends this rendition and nothing else.
            logger.exception("%s failed", self.key)
            self._fail("the encoder failed; the log has the details")
        finally:
            self._reader.close()

    def _step(self, wishes: Sequence[Wish]) -> None:
        """Wait, skip a frame, or encode one."""
        if not wishes or not self._reader.has_kept:
            self._reader.wait(None, for_new=bool(wishes))
            return
        now_us, has_new = self._clock.now_us(), self._reader.has_new
        fps = min(wish.fps for wish in governing(wishes))
        backlog_us = fold_backlog_us(wishes)
        if self._fanout.is_behind:
            backlog_us = max(backlog_us, 1 + round(1_000_000 / fps))
        keyframe_due_us = self._fold.keyframe_due_us(wishes)
        is_keyframe_due = keyframe_due_us is not None and keyframe_due_us <= now_us
        decision = self._cadence.decide(
            now_us, fps=fps, backlog_us=backlog_us, has_new_frame=has_new, wants_keyframe=is_keyframe_due
        )
        if decision.action is Action.WAIT and keyframe_due_us is not None and not is_keyframe_due:
            decision = replace(decision, until_us=min(decision.until_us or keyframe_due_us, keyframe_due_us))
        self._follow(decision, wishes, now_us, has_new=has_new)

    def _follow(self, decision: Decision, wishes: Sequence[Wish], now_us: int, *, has_new: bool) -> None:
        match decision.action:
            case Action.WAIT:
                until_us = decision.until_us
                timeout_us = None if until_us is None else until_us - now_us
                # While an unseen frame waits for its turn, only time and a wake may end the wait. One that came after
                # the decision is none of those: it was not known.
                self._reader.wait(timeout_us, for_new=not has_new)
            case Action.SKIP:
                self._reader.skip()
            case Action.ENCODE_NEW | Action.ENCODE_KEPT:
                lease = self._reader.take()
                if lease is not None:
                    order = self._fold.order(wishes, now_us, is_refinement=decision.is_refinement)
                    self._encode(lease, order, now_us, is_kept=decision.action is Action.ENCODE_KEPT)

    def _encode(self, lease: Lease, order: EncodeOrder, now_us: int, *, is_kept: bool) -> None:
        self._pictures += 1
        self._picture_at_work = self._pictures
        try:
            if not self._goes_on_with(lease.frame.surface.resolution):
                return
            frame = self._dated(lease.frame, now_us, is_kept=is_kept)
            trace = FrameTrace()
            trace.stamp(Stage.CAPTURE, frame.capture_us)
            encoded, codec = self._make(frame, order, trace)
            self._has_worked = True
        finally:
            self._picture_at_work = None
            lease.release()
        if self._is_closing:
            # Another rendition may have taken the place of this one long ago.
            return
        trace.stamp(Stage.ENCODE, self._clock.now_us())
        if encoded.is_keyframe:
            self._fold.keyframe_made(now_us)
        self._cadence.encoded(
            now_us,
            is_new=not is_kept,
            is_refinement=order.is_refinement,
            is_settled=is_settled(encoded, order),
            size_bytes=len(encoded.data),
            target_bps=order.target_bps,
        )
        self._publish(encoded, codec, trace)

    def _make(self, frame: VideoFrame, order: EncodeOrder, trace: FrameTrace) -> tuple[EncodedFrame, Codec]:
        """Convert and encode a frame; where hardware fails, with another encoder, and as a keyframe."""
        while True:
            try:
                machinery = self._machinery_for(frame, order)
                converted = frame if machinery.converter is None else machinery.converter.convert(frame)
                trace.stamp(Stage.CONVERT, self._clock.now_us())
                return machinery.encoder.encode(converted, order), machinery.codec
            except EncoderError as exc:
                if isinstance(exc, UnfitError) and self._machinery is not None:
                    # It was opened for pictures of this form: the source is at fault, and no encoder would do better.
                    raise
                self._dismantle()
                # One that nobody takes any more has been left behind, or lost its viewers: others are not its affair.
                if self._is_closing or not (self._choice.capabilities.is_hardware and self._has_another(exc)):
                    raise
            order = replace(order, keyframe=True, is_refinement=False)

    def _has_another(self, exc: EncoderError) -> bool:
        """Return whether another encoder can be opened in the place of a hardware encoder that failed."""
        if self._is_extra and not self._has_worked:
            # It lacks a session, or memory, and no working device. Its viewers share others that have the hardware.
            return False
        if isinstance(exc, UnfitError):
            # What no hardware of this kind takes is not tried again, and software may take it.
            why = f"does not take {exc.reason}"
        elif self._failures.may_retry(self._clock.now_us()):
            logger.warning("%s is encoded by another encoder from here on because %s", self.key, exc)
            return True
        else:
            why = f"failed {MOST_RETRIES + 1} times in a row: {exc.reason}"
        if not self._falls_back(self._choice, why):
            return False
        self._tell(lambda: self._owner.encoder_changed(self.key.codec))
        return True

    def _falls_back(self, failed: EncoderChoice, why: str) -> bool:
        choice = self._assembly.fall_back(failed, why)
        if choice is not None:
            logger.warning("%s is encoded by %s from here on because %s", self.key, choice.encoder, choice.reason)
        return choice is not None

    def _publish(self, encoded: EncodedFrame, codec: Codec, trace: FrameTrace) -> None:
        data = codec.conform(encoded.data)
        payloads = codec.packetize(data, MAX_PAYLOAD_BYTES)
        trace.stamp(Stage.PACKETIZE, self._clock.now_us())
        self._fanout.publish(replace(encoded, data=data, payloads=payloads, trace=trace))

    def _dated(self, frame: VideoFrame, now_us: int, *, is_kept: bool) -> VideoFrame:
        """Return the frame with a capture time after that of the frame before it.

        RTP timestamps must not repeat, and a keyframe made of a kept picture answers requests made since it was taken.
        """
        capture_us = now_us if is_kept or now_us - frame.capture_us > _STALE_US else frame.capture_us
        capture_us = max(capture_us, self._earliest_capture_us)
        self._earliest_capture_us = capture_us + MIN_CAPTURE_STEP_US
        return frame if capture_us == frame.capture_us else replace(frame, capture_us=capture_us)

    def _machinery_for(self, frame: VideoFrame, order: EncodeOrder) -> Machinery:
        """Return converter and encoder for frames like this one, opened again when the source has changed its form."""
        form = Form.of(frame.surface)
        if self._machinery is None or form != self._form:
            self._dismantle()
            # Kept from before it opens: by the time that fails, another rendition may have had another one chosen.
            self._choice = self._assembly.choices[self.key.codec]
            self._machinery, self._form = self._assembly.assemble(self._choice, self.key, frame, order), form
            self._fold.serve(self._machinery.encoder.capabilities)
        return self._machinery

    def _goes_on_with(self, resolution: Resolution) -> bool:
        """Return whether pictures of this size are made here; when the source changes its size, viewers mostly move."""
        if resolution == self._source_resolution:
            return True
        self._source_resolution = resolution
        # The device may have no room for another encoder beside this one.
        self._dismantle()
        self._tell(self._owner.source_resized)
        self._reader.wait(_RESIZE_PATIENCE_US, for_new=False)
        return not self._is_closing

    def _dismantle(self) -> None:
        machinery, self._machinery = self._machinery, None
        if machinery is not None:
            machinery.close()

    def _fail(self, reason: str) -> None:
        self._tell(lambda: self._owner.rendition_failed(self.key, reason))

    def _tell(self, what: Callable[[], None]) -> None:
        if self._is_closing:
            return

        def tell() -> None:
            # Asked on the event loop, where `close` is called: another rendition may have taken the place of this one.
            if not self._is_closing:
                what()

        self._post(tell)
