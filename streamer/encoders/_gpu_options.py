"""What the backends on NVIDIA GPUs are told alike."""

from pydantic import BaseModel, ConfigDict, Field


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
