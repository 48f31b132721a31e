"""Open FFmpeg's decoder of a codec of ours, for trials and measurements: nothing that streams decodes."""

from typing import cast

import av
from av.codec.context import Flags

# FFmpeg's names of decoders that differ from ours of codecs.
_NAMES = {"h265": "hevc", "av1": "libdav1d"}
_CODECS = {name: codec for codec, name in _NAMES.items()}


def open_decoder(codec: str) -> av.VideoCodecContext:
    """Return a decoder of one thread that does not wait for later frames: what goes in comes out."""
    context = cast("av.VideoCodecContext", av.CodecContext.create(_NAMES.get(codec, codec), "r"))
    context.thread_count = 1
    context.flags |= Flags.low_delay
    return context


def codec_of(decoder_name: str) -> str:
    """Return our name of the codec that a decoder of FFmpeg is for."""
    return _CODECS.get(decoder_name, decoder_name)
