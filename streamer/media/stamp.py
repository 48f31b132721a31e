"""The frame stamp: 72 bits, drawn across the first rows of a picture: when it was captured, and what it answers.

Owns the layout and the check. Drawing belongs to sources, reading to whoever has pixels. The picture's width is divided
into 80 columns of equal width; the first 72 carry the bits, the most significant one first, the other 8 stay dark. A
block is as high as it is wide. Bits are far apart in luma, so that they survive any encoder:

    sync 0xB2 (8) | time in 100 us (32) | frame number (16) | input number (8) | CRC-8 of the bytes before (8)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from streamer.media.frame import Resolution

COLUMNS = 80
BITS = 72
LUMA_ZERO = 24
LUMA_ONE = 224
CHROMA = 128
_SYNC = 0xB2
_LUMA_THRESHOLD = (LUMA_ZERO + LUMA_ONE) // 2
# CRC-8/SMBUS: x^8 + x^2 + x + 1, start value 0, no reflection.
_CRC_POLYNOMIAL = 0x07
_TIME_PERIOD = 1 << 32
_NUMBER_PERIOD = 1 << 16
_INPUT_PERIOD = 1 << 8
_TICK_US = 100


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a stamp says, as far as its bits reach."""

    time_100us: int
    frame_number: int
    input_number: int

    @classmethod
    def of(cls, capture_us: int, frame_number: int, input_number: int) -> "Stamp":
        """Return the stamp of a frame, with each field cut to its bits."""
        return cls(capture_us // _TICK_US % _TIME_PERIOD, frame_number % _NUMBER_PERIOD, input_number % _INPUT_PERIOD)

    def capture_us(self, near_us: int) -> int:
        """Return the capture time that is nearest to `near_us`; the stamped time repeats after 119 hours."""
        period_us = _TIME_PERIOD * _TICK_US
        short_us = self.time_100us * _TICK_US
        return short_us + (near_us - short_us + period_us // 2) // period_us * period_us


def block_px(resolution: Resolution) -> int:
    """Return the side of a block: at least one pixel."""
    return max(1, resolution.width_px // COLUMNS)


def sample_columns_px(resolution: Resolution) -> tuple[int, ...]:
    """Return the middle of each bit's block, to read the lumas that `decode` takes."""
    side_px = block_px(resolution)
    return tuple(bit * side_px + side_px // 2 for bit in range(BITS))


def encode(stamp: Stamp) -> tuple[bool, ...]:
    """Return the bits of a stamp, from left to right."""
    body = bytes((_SYNC,)) + stamp.time_100us.to_bytes(4, "big")
    body += stamp.frame_number.to_bytes(2, "big") + bytes((stamp.input_number,))
    number = int.from_bytes(body + bytes((_crc(body),)), "big")
    return tuple(bool(number >> shift & 1) for shift in range(BITS - 1, -1, -1))


def decode(lumas: Sequence[int]) -> Stamp | None:
    """Return the stamp that 72 samples of luma show, or None if they show none."""
    if len(lumas) != BITS:
        return None
    number = 0
    for luma in lumas:
        number = number << 1 | (luma >= _LUMA_THRESHOLD)
    data = number.to_bytes(BITS // 8, "big")
    if data[0] != _SYNC or _crc(data[:-1]) != data[-1]:
        return None
    return Stamp(int.from_bytes(data[1:5], "big"), int.from_bytes(data[5:7], "big"), data[7])


def _crc(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ _CRC_POLYNOMIAL) & 0xFF if crc & 0x80 else crc << 1
    return crc
