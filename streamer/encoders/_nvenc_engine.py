"""What is known of NVENC whichever library drives it: `nvenc` and `nvenc_av` are told and promise the same."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from streamer.errors import EncoderError

# NVENC is taken to keep single frames of H.264 within a one-frame buffer. Of other codecs nobody knows: the bound is
# that of libx265 in the substitute driver, where the first frame of a new scene took 3.1 budgets.
STEERED_CODECS = ("h264",)
DELTA_RATIOS = {"h264": 1.5, "h265": 3.5, "av1": 3.5}
# A frame may miss the size of the rate control buffer, which is what `max_frame_bytes` sets.
SHARE_OF_LIMIT = 0.8


class GpuOptions(BaseModel):
    """Which GPU encodes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gpu: int = Field(
        default=0,
        ge=0,
        le=63,
        description="GPU that encodes, from 0 on. The order is that of CUDA, fastest first; with "
        "CUDA_DEVICE_ORDER=PCI_BUS_ID in the environment it is that of nvidia-smi.",
    )


def check_nothing_held(name: str, number: int, came: Sequence[int | None]) -> None:
    """Hold the numbers of the frames that came out against that of the one that went in.

    Raises:
        EncoderError: it is not that frame alone.
    """
    if list(came) != [number]:
        told = ", ".join(map(str, came)) or "nothing"
        raise EncoderError(name, f"it holds frames back: frame {number} went in and {told} came out")
