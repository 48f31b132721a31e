"""The contract of a codec module: a bitstream format, its RTP payload format and its SDP parameters.

A codec is stateless: the payloads of a frame are planned once and shared by all viewers. A module in this folder keeps
this Protocol by having the constants and functions at its top level, so that `registry.load("codecs", name)` is one.
"""

from dataclasses import dataclass
from typing import Protocol

from streamer.media.frame import Resolution


@dataclass(frozen=True, slots=True)
class SdpFormat:
    """One payload format to offer: the parameters of its `a=fmtp` line, in order."""

    mime_type: str
    clock_rate_hz: int
    parameters: tuple[tuple[str, str], ...] = ()


class Codec(Protocol):
    """A module of this folder."""

    # The name in configuration, in `EncodedFrame.codec` and in statistics: "h264", "vp8".
    NAME: str
    MIME_TYPE: str

    def sdp_formats(self, largest: Resolution, fps: float) -> tuple[SdpFormat, ...]:
        """Return the formats to offer, best first, for a session whose pictures may grow to `largest`."""

    def is_keyframe(self, data: bytes) -> bool:
        """Return whether a decoder can start at this frame.

        Raises:
            LocalProtocolError: `data` is not a frame of this codec: an encoder of ours is broken.
        """

    def conform(self, data: bytes) -> bytes:
        """Return the frame as it shall be sent, with stream headers that let a decoder output at once."""

    def packetize(self, data: bytes, max_payload_bytes: int) -> tuple[bytes, ...]:
        """Split one frame into RTP payloads of at most `max_payload_bytes`; the last one carries the marker."""
