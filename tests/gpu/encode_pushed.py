"""Push torch or plain CUDA pictures and encode them with PyNvVideoCodec, in a process of its own. Prints JSON."""

import json
import sys

import av
import numpy as np

from streamer.config import Config
from streamer.cuda.memory import host_copies
from streamer.media.frame import EncodeOrder, Resolution
from streamer.session.assembly import Assembly
from streamer.session.hub import RenditionKey
from streamer.sources import callback
from streamer.sources.base import SourceSettings
from tests.fakes.clock import ManualClock
from tests.fakes.cuda_arrays import DlpackArray

SIZE = Resolution(1920, 1080)
ORDER = EncodeOrder(20_000_000, 60)
VALUES = (40, 90, 140, 190)


def array_of(library: str, value: int) -> object:
    """Return a grey picture on the GPU."""
    if library == "torch":
        import torch

        return torch.full((SIZE.height_px, SIZE.width_px, 4), value, dtype=torch.uint8, device="cuda")
    return DlpackArray(np.full((SIZE.height_px, SIZE.width_px, 4), value, np.uint8))


def main(library: str) -> None:
    """Encode one picture for each value."""
    video = {"codecs": ["h264"], "encoder": "nvenc"}
    assembly = Assembly(Config.model_validate({"session": {"size": str(SIZE)}, "video": video}), SIZE)
    source = callback.create(SourceSettings(SIZE, 100, ManualClock()))
    decoder, machinery, packets = av.CodecContext.create("h264", "r"), None, []
    for value in VALUES:
        source.push(array_of(library, value))
        frame = source.grab(30_000_000)
        assert frame is not None
        machinery = machinery or assembly.assemble(assembly.choices["h264"], RenditionKey("h264", SIZE), frame, ORDER)
        assert machinery.converter is None
        packets.append(av.Packet(machinery.encoder.encode(frame, ORDER).data))
        source.release(frame)
    pictures = [picture for packet in packets for picture in decoder.decode(packet)] + decoder.decode(None)
    means = [float(picture.to_ndarray(format="rgb24").mean()) for picture in pictures]
    json.dump({"means": means, "host_copies": host_copies.count}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
