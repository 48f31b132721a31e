"""Read a file of encoded video into access units, as they are sent: H.264 and H.265 as Annex B, others as stored."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import av
from av.bitstream import BitStreamFilterContext
from av.packet import Packet
from av.video.stream import VideoStream

from streamer.decoder import codec_of
from streamer.errors import ConfigError
from streamer.media.frame import Resolution

# Puts start codes in place of lengths and the parameter sets of a container before each keyframe.
_FILTERS = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
_START_CODE = b"\x00\x00\x01"
# H.264, table 7-1: the type of a sequence parameter set, in the low five bits after a start code.
_H264_PARAMETER_SET, _H264_TYPE_BITS = 7, 0x1F


class AccessUnit(NamedTuple):
    """One frame of a stream. A keyframe holds its parameter sets."""

    data: bytes
    is_keyframe: bool


@dataclass(frozen=True, slots=True)
class Recording:
    """All access units of a stream in the order in which they are sent."""

    codec: str
    resolution: Resolution
    units: tuple[AccessUnit, ...]


def read_recording(path: Path) -> Recording:
    """Read the first video stream of a file.

    Raises:
        ConfigError: the file cannot be read, holds no video, or stores frames in another order than they are shown.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ConfigError(f"file '{path}' holds no video stream")
            stream = container.streams.video[0]
            packets = _filtered(stream, [packet for packet in container.demux(stream) if packet.size])
            has_b_frames = stream.codec_context.has_b_frames
            name = stream.codec_context.name
            resolution = Resolution(stream.codec_context.width, stream.codec_context.height)
    except (av.FFmpegError, OSError) as exc:
        raise ConfigError(f"file '{path}' cannot be read as video: {exc}") from exc
    if has_b_frames:
        raise ConfigError(f"file '{path}' has frames that are shown in another order than they are stored (B-frames)")
    units = tuple(AccessUnit(bytes(packet), packet.is_keyframe and _can_start(name, packet)) for packet in packets)
    return Recording(codec_of(name), resolution, units)


def _filtered(stream: VideoStream, packets: "list[Packet[VideoStream]]") -> "list[Packet[VideoStream]]":
    name = _FILTERS.get(stream.codec_context.name)
    if name is None:
        return packets
    bitstream_filter = BitStreamFilterContext(name, stream)
    return [out for packet in [*packets, None] for out in bitstream_filter.filter(packet)]


def _can_start(codec: str, packet: "Packet[VideoStream]") -> bool:
    """Return whether a keyframe brings the parameter sets without which nobody can start at it."""
    if codec != "h264":
        return True
    return any(
        part and part[0] & _H264_TYPE_BITS == _H264_PARAMETER_SET for part in bytes(packet).split(_START_CODE)[1:]
    )
