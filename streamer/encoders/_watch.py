"""Watch what a hardware encoder makes while it streams: drivers that prove themselves at first may change their ways.

Counts in frames and reads no clock. What is seen is raised as an error: its caller opens another encoder.
"""

from streamer.encoders._budget import frame_bits
from streamer.errors import EncoderError
from streamer.media.frame import EncodedFrame, EncodeOrder
from streamer.media.units import BITS_PER_BYTE

# Two seconds by the ordered frame rates, as one-pass rate control needs some frames to find the size of new content.
WINDOW_US = 2_000_000
# Less than the budget is what still pictures take. More than half above it over two seconds fills any queue.
MAX_SPENT_RATIO = 1.5
_SECOND_US = 1_000_000


class Watch:
    """The frames of one encoder. Used by the thread that encodes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0
        self._begin_window()

    def note(self, frame: EncodedFrame, order: EncodeOrder, *, may_be_keyframe: bool = False) -> None:
        """Look at one frame. `may_be_keyframe` says that the encoder has announced to make one unasked.

        Raises:
            EncoderError: it is a keyframe that nobody ordered, or the last seconds were far off their rate.
        """
        is_first = self._count == 0
        self._count += 1
        if frame.is_keyframe and not (is_first or order.keyframe or may_be_keyframe):
            raise EncoderError(self._name, f"frame {frame.number} became a keyframe that nobody ordered")
        if not frame.is_keyframe:
            # Keyframes have a bound of their own, and ordering many of them is nobody's fault.
            self._spent_bits += len(frame.data) * BITS_PER_BYTE
            self._budget_bits += frame_bits(order, share_of_limit=1.0)
        self._passed_us += round(_SECOND_US / order.fps)
        if self._passed_us >= WINDOW_US:
            self._close_window()

    def _begin_window(self) -> None:
        self._passed_us = 0
        self._spent_bits = 0
        self._budget_bits = 0.0

    def _close_window(self) -> None:
        spent_bits, budget_bits = self._spent_bits, self._budget_bits
        self._begin_window()
        if spent_bits > MAX_SPENT_RATIO * budget_bits:
            # Bits per microsecond are megabits per second.
            raise EncoderError(
                self._name,
                f"spent {spent_bits / WINDOW_US:.1f} Mbit/s over two seconds that were ordered at "
                f"{budget_bits / WINDOW_US:.1f} Mbit/s",
            )
