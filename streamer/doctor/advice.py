"""What to do about the reasons that drivers and backends give.

A reason comes from a process of its own as a sentence, alone or within another one. It is known by the words that its
own module builds it from.
"""

from streamer.child import CRASHED, HUNG
from streamer.encoders._checks import CANNOT, LARGEST, SMALLEST
from streamer.encoders._cuda import FAILED, NO_DRIVER, NO_GPU, NOT_THERE
from streamer.encoders._nvenc_library import NOT_INSTALLED
from streamer.encoders._nvenc_reasons import ENCODE_LIBRARY, LOST, NO_CODEC, NO_ENCODER, NO_SESSION, TOO_OLD

_REINSTALL = (
    "install the driver anew, so that its kernel module and libraries have one version; until then, use "
    "--encoder software"
)
_RESET = (
    "look for Xid messages in the kernel's log (dmesg), then reset the GPU (nvidia-smi --gpu-reset) or restart the "
    "machine"
)
_OTHER_CODEC = "name another --codec, or use --encoder auto, which takes an encoder that can"
_OTHER_SIZE = "use another --size, or --encoder auto, which takes an encoder that can"
# The first whose words a reason has: several may be told in one sentence.
_ADVICE = {
    NO_DRIVER: (
        "install NVIDIA's driver; a container needs --gpus all (Docker) or the nvidia runtime class (Kubernetes)"
    ),
    ENCODE_LIBRARY: (
        "start a container with -e NVIDIA_DRIVER_CAPABILITIES=compute,video,utility; on a machine, install the "
        "driver's encode package (libnvidia-encode1 in Debian, libnvidia-encode-VERSION in Ubuntu)"
    ),
    NO_GPU: (
        "check that nvidia-smi lists a GPU, and that CUDA_VISIBLE_DEVICES and NVIDIA_VISIBLE_DEVICES do not hide it"
    ),
    NOT_THERE: "name a GPU that is there with --gpu",
    NO_ENCODER: (
        "use a GPU with NVENC (T4, L4, L40S, A10, RTX and GeForce cards have it), or --encoder auto, which then takes "
        "software"
    ),
    NO_SESSION: "end the other programs that encode, or use --encoder software",
    # 13.0 is what FFmpeg's wrapper in PyAV 18 is built for.
    TOO_OLD: "install a newer NVIDIA driver: NVENC API 13.0 came with 570",
    NOT_INSTALLED: "install it; `streamer devices` shows what else is missing",
    CRASHED: _REINSTALL,
    HUNG: _REINSTALL,
    LOST: _RESET,
    FAILED: _RESET,
    NO_CODEC: _OTHER_CODEC,
    CANNOT: _OTHER_CODEC,
    LARGEST: _OTHER_SIZE,
    SMALLEST: _OTHER_SIZE,
}
_ELSE = "use --encoder software until it is found; attach the output of `streamer doctor --json` to a report of it"


def advise(reason: str) -> str:
    """Return what a user can do about a reason."""
    return next((advice for words, advice in _ADVICE.items() if words in reason), _ELSE)
