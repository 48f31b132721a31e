"""Encode a clip with PyNvVideoCodec or PyAV in a child process, under a driver of one's choice.

`run` is for tests. Run as a program, this file is the child: it reads a plan as JSON from its argument and writes a
pickled result.
"""

import ctypes
import json
import pickle
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from streamer.media.frame import PixelFormat, Resolution, VideoFrame
from tests.fakes import clips
from tests.nvidia_driver.driver import NvidiaDriver

FPS = 60
IDR = 3
FORCE_IDR = 2
# AV_CODEC_FLAG_GLOBAL_HEADER
GLOBAL_HEADER = 1 << 22
RESOLUTION = Resolution(320, 180)
FORMATS = {"NV12": PixelFormat.NV12, "ARGB": PixelFormat.BGRA, "ABGR": PixelFormat.RGBA}
_COPY_TO_DEVICE = "cuMemcpyHtoD_v2"


@dataclass
class Plan:
    """What to encode, and what to ask for on the way."""

    library: str = "pynvvideocodec"
    codec: str = "h264"
    # NV12, ARGB or ABGR; `on_device`: in memory of the GPU, handed over by its array interface.
    input: str = "NV12"
    on_device: bool = False
    frames: int = 10
    target_bps: int = 2_000_000
    keyframes: list[int] = field(default_factory=list)
    # Frame number -> rate from there on.
    rates: dict[str, int] = field(default_factory=dict)
    drains: bool = True
    # Encoders that are opened beside the one that encodes.
    others: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    # Parameter sets beside the stream instead of in it (PyAV only).
    has_sets_out_of_band: bool = False
    width_px: int = RESOLUTION.width_px
    height_px: int = RESOLUTION.height_px


@dataclass
class Packet:
    data: bytes
    is_keyframe: bool
    number: int


@dataclass
class Result:
    """The packets that came with each frame, and the error that ended it all."""

    packets: list[list[Packet]] = field(default_factory=list)
    error: str = ""
    # Of PyNvVideoCodec's two: the one that it has chosen for the driver's version of the API.
    module: str = ""
    out_of_band: bytes = b""

    @property
    def numbers(self) -> list[list[int]]:
        """The numbers of the frames whose packets came with each frame."""
        return [[packet.number for packet in packets] for packets in self.packets]

    @property
    def keyframes(self) -> list[int]:
        return [packet.number for packets in self.packets for packet in packets if packet.is_keyframe]

    def bps(self, frames: slice) -> float:
        """Return the rate of these frames."""
        chosen = self.packets[frames]
        return 8 * FPS * sum(len(packet.data) for packets in chosen for packet in packets) / len(chosen)


def picture(plan: Plan, number: int) -> VideoFrame:
    """Return the frame of this number: moving waves, or colour bars for the formats that have colours."""
    if plan.input == "NV12":
        return clips.smooth_frame(RESOLUTION, shift_px=2 * number)
    return clips.packed_frame(clips.bars(RESOLUTION), FORMATS[plan.input])


def clip(plan: Plan) -> Iterator[VideoFrame]:
    """Return the frames of the plan: noise where a rate is to be followed, which takes what it is given."""
    if plan.rates:
        return clips.textured_clip(RESOLUTION, plan.frames)
    return (picture(plan, number) for number in range(plan.frames))


def host_array(frame: VideoFrame) -> np.ndarray:
    """Return the frame as PyNvVideoCodec takes it: planes below each other."""
    width_px, height_px = frame.surface.resolution.width_px, frame.surface.resolution.height_px
    flat = np.concatenate([np.frombuffer(plane.buffer, np.uint8) for plane in frame.surface.planes])
    if frame.surface.format == PixelFormat.NV12:
        return flat.reshape(height_px * 3 // 2, width_px)
    return flat.reshape(height_px, width_px, 4)


class DevicePlane:
    """An array in device memory, as the CUDA array interface describes it."""

    def __init__(self, pointer: int, shape: tuple[int, int, int]) -> None:
        self.__cuda_array_interface__ = {
            "shape": shape,
            "typestr": "|u1",
            # May be left out where rows have no padding; PyNvVideoCodec wants it all the same.
            "strides": (shape[1] * shape[2], shape[2], 1),
            "data": (pointer, False),
            "version": 3,
        }


class DeviceFrame:
    """A frame on the device: its one packed plane, or luma and chroma."""

    def __init__(self, planes: list[DevicePlane]) -> None:
        self._planes = planes

    def cuda(self) -> Any:
        return self._planes if len(self._planes) > 1 else self._planes[0]


def to_device(cuda: ctypes.CDLL, array: np.ndarray) -> DeviceFrame:
    pointer = ctypes.c_uint64()
    assert cuda.cuMemAlloc_v2(ctypes.byref(pointer), ctypes.c_size_t(array.nbytes)) == 0
    assert getattr(cuda, _COPY_TO_DEVICE)(pointer, array.ctypes.data_as(ctypes.c_void_p), array.nbytes) == 0
    if array.ndim == 3:
        return DeviceFrame([DevicePlane(pointer.value, array.shape)])
    height_px, width_px = array.shape[0] * 2 // 3, array.shape[1]
    # PyNvVideoCodec reads chroma from behind luma, whatever pointer the second plane has.
    chroma = pointer.value + height_px * width_px
    return DeviceFrame(
        [DevicePlane(pointer.value, (height_px, width_px, 1)), DevicePlane(chroma, (height_px // 2, width_px // 2, 2))]
    )


def make_current_context() -> ctypes.CDLL:
    cuda = ctypes.CDLL("libcuda.so.1")
    context = ctypes.c_void_p()
    assert cuda.cuInit(0) == 0
    assert cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == 0
    assert cuda.cuCtxPushCurrent_v2(context) == 0
    return cuda


def rate_options(target_bps: int) -> dict[str, int]:
    frame_bits = target_bps // FPS
    return {"bitrate": target_bps, "maxbitrate": target_bps, "vbvbufsize": frame_bits, "vbvinit": frame_bits}


def encode_with_pynvvideocodec(plan: Plan, result: Result) -> None:
    import PyNvVideoCodec as nvc  # noqa: N813 - The name that its documents use.

    result.module = nvc.CreateEncoder.__module__
    options = {
        "codec": plan.codec,
        "preset": "P1",
        "tuning_info": "ultra_low_latency",
        "rc": "cbr",
        "fps": FPS,
        "bf": 0,
        "repeatspspps": 1,
        **rate_options(plan.target_bps),
        **plan.options,
    }

    def create() -> Any:
        return nvc.CreateEncoder(plan.width_px, plan.height_px, plan.input, not plan.on_device, **options)

    others = [create() for _ in range(plan.others)]
    encoder = create()
    cuda = make_current_context() if plan.on_device else None
    for number, frame in enumerate(clip(plan)):
        array = host_array(frame)
        if rate := plan.rates.get(str(number)):
            encoder.Reconfigure(_rate_parameters(encoder, rate))
        packets = encoder.Encode(
            to_device(cuda, array) if cuda else array, FORCE_IDR if number in plan.keyframes else 0
        )
        if plan.drains:
            packets += encoder.EndEncode()
        result.packets.append([_packet(packet) for packet in packets])
    del others


def _rate_parameters(encoder: Any, target_bps: int) -> Any:
    options = rate_options(target_bps)
    parameters = encoder.GetEncodeReconfigureParams()
    parameters.averageBitrate = options["bitrate"]
    parameters.maxBitRate = options["maxbitrate"]
    parameters.vbvBufferSize = options["vbvbufsize"]
    parameters.vbvInitialDelay = options["vbvinit"]
    return parameters


def _packet(packet: dict[str, Any]) -> Packet:
    return Packet(bytes(packet["data"]), packet["picture_type"] == IDR, packet["timestamp"])


def encode_with_pyav(plan: Plan, result: Result) -> None:
    import av

    encoder = av.CodecContext.create(f"{plan.codec}_nvenc", "w")
    encoder.width, encoder.height, encoder.pix_fmt = plan.width_px, plan.height_px, "nv12"
    encoder.bit_rate, encoder.framerate = plan.target_bps, FPS
    encoder.options = {"delay": "0", "zerolatency": "1", "tune": "ull", "rc": "cbr", "forced-idr": "1", **plan.options}
    encoder.flags |= GLOBAL_HEADER if plan.has_sets_out_of_band else 0
    for number, frame in enumerate(clip(plan)):
        if rate := plan.rates.get(str(number)):
            encoder.bit_rate = rate
        given = av.VideoFrame.from_ndarray(host_array(frame), "nv12")
        given.pts = number
        if number in plan.keyframes:
            given.pict_type = av.video.frame.PictureType.I
        packets = encoder.encode(given)
        result.packets.append([Packet(bytes(packet), packet.is_keyframe, packet.pts or 0) for packet in packets])
    result.out_of_band = encoder.extradata or b""


LIBRARIES: dict[str, Callable[[Plan, Result], None]] = {
    "pynvvideocodec": encode_with_pynvvideocodec,
    "pyav": encode_with_pyav,
}


def run(driver: NvidiaDriver, **plan: Any) -> Result:
    """Run a plan to its end in a child process, which must not die of it."""
    done = driver.run_python("-m", __name__, json.dumps(plan))
    assert done.returncode == 0, done.stderr
    result: Result = pickle.loads(bytes.fromhex(done.stdout.splitlines()[-1]))
    return result


def main(text: str) -> None:
    plan, result = Plan(**json.loads(text)), Result()
    try:
        LIBRARIES[plan.library](plan, result)
    except Exception as exc:  # noqa: BLE001 - Whatever the library raises is what the test asks about.
        result.error = f"{type(exc).__name__}: {exc}"
    sys.stdout.write(pickle.dumps(result).hex() + "\n")


if __name__ == "__main__":
    # As an import knows this module, so that the other side can unpickle what it is sent.
    from tests.unit.nvidia_driver import encode_clip

    encode_clip.main(*sys.argv[1:])
