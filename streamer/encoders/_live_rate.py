"""Change the rate of an open FFmpeg encoder, which PyAV has no complete call for.

FFmpeg's libx264 wrapper compares bit rate, peak rate and buffer size with the encoder's before each frame and
reconfigures it without a keyframe. PyAV sets the first of the three alone, and with that a rate cannot rise above the
one it was opened with. The others are reached through the `AVCodecContext` that PyAV's object points to.

Rules of this file: it is the only one that knows of that pointer. The pointer is found by the class name that FFmpeg
writes into each of its objects, never by a fixed offset alone; memory is read through the kernel, which answers a wrong
address with an error instead of a fault; and nothing is written before a proof on a small encoder has held in this
process. Where the proof fails, `why_unproven` says so and the encoder is opened anew at each change.
"""

import ctypes
import functools
import os
from fractions import Fraction

import av
import av.codec.context
import av.error
import numpy as np
from av.video.codeccontext import VideoCodecContext

_CLASS_NAME = b"AVCodecContext\0"
_WORD_BYTES = 8
# A Python object begins with its reference count and its type.
_OBJECT_HEADER_BYTES = 16
_MEMORY = "/proc/self/mem"

# The proof: noise, so that the picture always has more to say than the rate allows.
_PROOF_WIDTH_PX = 160
_PROOF_HEIGHT_PX = 96
_PROOF_FPS = 60
_PROOF_OPEN_BPS = 2_000_000
_PROOF_LOW_BPS = 500_000
_PROOF_HIGH_BPS = 4_000_000
# Three frames at the opening rate, three at the low one, four at the high one, which is above the opening rate.
_PROOF_RATES_BPS = (_PROOF_OPEN_BPS,) * 3 + (_PROOF_LOW_BPS,) * 3 + (_PROOF_HIGH_BPS,) * 4
_KBIT = 1000


class LiveRateError(Exception):
    """The encoder's context cannot be reached; the message says why."""


class LiveRate:
    """The rate of one open encoder. Keeps the encoder alive; used by the thread that encodes."""

    def __init__(self, context: VideoCodecContext) -> None:
        """Find the context.

        Raises:
            LiveRateError: this PyAV keeps it elsewhere, or the platform cannot be asked.
        """
        self._context = context
        self._library = _option_functions()
        self._address = _find_context(context)
        stored_bps = ctypes.c_int64()
        status = self._library.av_opt_get_int(self._address, b"b", 0, ctypes.byref(stored_bps))
        if status < 0 or stored_bps.value != context.bit_rate:
            raise LiveRateError("the context that was found belongs to another encoder")

    def set(self, rate_bps: int, buffer_bits: int) -> None:
        """Let the next frame be encoded at a constant `rate_bps` with a rate control buffer of `buffer_bits`."""
        for name, value in ((b"b", rate_bps), (b"maxrate", rate_bps), (b"bufsize", buffer_bits)):
            if self._library.av_opt_set_int(self._address, name, value, 0) < 0:
                raise LiveRateError(f"FFmpeg refused {name.decode()}={value}")


@functools.cache
def why_unproven() -> str | None:
    """Return None if a live change works in this process, else why it does not. Runs the proof once."""
    try:
        sizes_bytes, keyframes = _run_proof()
    except (LiveRateError, av.error.FFmpegError) as exc:
        return str(exc)
    if keyframes != [True] + [False] * (len(keyframes) - 1):
        return "a rate change made a keyframe"
    opening, low, high = sizes_bytes[1:3], sizes_bytes[3:6], sizes_bytes[-2:]
    if not max(low) < min(opening) / 2:
        return f"frames of {opening} bytes did not shrink at a quarter of the rate ({low})"
    if not min(high) > max(opening):
        return f"frames of {opening} bytes did not grow at twice the rate ({high})"
    return None


def _run_proof() -> tuple[list[int], list[bool]]:
    context = _open_proof_encoder()
    live = LiveRate(context)
    noise = np.random.default_rng(1)
    sizes_bytes: list[int] = []
    keyframes: list[bool] = []
    for number, rate_bps in enumerate(_PROOF_RATES_BPS):
        if number and rate_bps != _PROOF_RATES_BPS[number - 1]:
            live.set(rate_bps, _frame_bits(rate_bps))
        picture = noise.integers(16, 236, (_PROOF_HEIGHT_PX * 3 // 2, _PROOF_WIDTH_PX), dtype=np.uint8)
        frame = av.VideoFrame.from_numpy_buffer(picture, "nv12")
        frame.pts = number
        for packet in context.encode(frame):
            sizes_bytes.append(packet.size)
            keyframes.append(packet.is_keyframe)
    if len(sizes_bytes) != len(_PROOF_RATES_BPS):
        raise LiveRateError(f"{len(_PROOF_RATES_BPS)} frames became {len(sizes_bytes)} packets")
    return sizes_bytes, keyframes


def _open_proof_encoder() -> VideoCodecContext:
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = _PROOF_WIDTH_PX, _PROOF_HEIGHT_PX, "nv12"
    context.framerate, context.time_base = Fraction(_PROOF_FPS), Fraction(1, _PROOF_FPS)
    context.bit_rate, context.thread_count = _PROOF_OPEN_BPS, 1
    context.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "maxrate": str(_PROOF_OPEN_BPS),
        "bufsize": str(_frame_bits(_PROOF_OPEN_BPS)),
        "x264-params": "keyint=infinite:scenecut=0",
    }
    context.open()
    return context


def _frame_bits(rate_bps: int) -> int:
    # FFmpeg hands x264 whole kilobits; rounded up, because a buffer smaller than a frame draws a warning.
    return -(-rate_bps // (_PROOF_FPS * _KBIT)) * _KBIT


@functools.cache
def _option_functions() -> ctypes.CDLL:
    """Return the libavutil that PyAV itself uses: symbols are looked up in the dependencies of its module."""
    try:
        library = ctypes.CDLL(av.codec.context.__file__)
        setter, getter = library.av_opt_set_int, library.av_opt_get_int
    except (OSError, AttributeError) as exc:
        raise LiveRateError(f"PyAV's libavutil cannot be called: {exc}") from exc
    setter.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, ctypes.c_int]
    getter.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
    return library


def _find_context(context: VideoCodecContext) -> int:
    """Return the address of the `AVCodecContext` that a word of the object points to."""
    try:
        memory = os.open(_MEMORY, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as exc:
        raise LiveRateError(f"{_MEMORY} cannot be read: {exc.strerror}") from exc
    try:
        for offset in range(_OBJECT_HEADER_BYTES, type(context).__basicsize__, _WORD_BYTES):
            address = _word(memory, id(context) + offset)
            if address is not None and _is_codec_context(memory, address):
                return address
    finally:
        os.close(memory)
    raise LiveRateError("this version of PyAV keeps its codec context elsewhere")


def _is_codec_context(memory: int, address: int) -> bool:
    # AVCodecContext begins with a pointer to its AVClass, and AVClass with a pointer to the name of the class.
    av_class = _word(memory, address)
    name = None if av_class is None else _word(memory, av_class)
    return name is not None and _read(memory, name, len(_CLASS_NAME)) == _CLASS_NAME


def _word(memory: int, address: int) -> int | None:
    data = _read(memory, address, _WORD_BYTES)
    return None if len(data) < _WORD_BYTES else int.from_bytes(data, "little")


def _read(memory: int, address: int, length_bytes: int) -> bytes:
    """Return what lies at `address`, or less where nothing is mapped."""
    try:
        return os.pread(memory, length_bytes, address)
    except (OSError, OverflowError):
        return b""
