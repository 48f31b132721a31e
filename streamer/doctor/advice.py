"""What to do about the reasons that drivers and backends give."""

import re

_ADVICE = (
    (
        r"no NVIDIA driver",
        "install NVIDIA's driver; a container needs --gpus all (Docker) or the nvidia runtime class (Kubernetes)",
    ),
    (
        r"libnvidia-encode",
        (
            "start a container with -e NVIDIA_DRIVER_CAPABILITIES=compute,video,utility; on a machine, install the "
            "driver's encode package (libnvidia-encode1 in Debian, libnvidia-encode-VERSION in Ubuntu)"
        ),
    ),
    (
        r"sees no GPU",
        "check that nvidia-smi lists a GPU, and that CUDA_VISIBLE_DEVICES and NVIDIA_VISIBLE_DEVICES do not hide it",
    ),
    (r"GPU \d+ is asked for", "name a GPU that is there with --gpu"),
    (
        r"no video encoder",
        (
            "use a GPU with NVENC (T4, L4, L40S, A10, RTX and GeForce cards have it), or --encoder auto, which then "
            "takes software"
        ),
    ),
    (r"no further encoding session", "end the other programs that encode, or use --encoder software"),
    # 13.0 is what FFmpeg's wrapper in PyAV 18 is built for.
    (r"too old", "install a newer NVIDIA driver: NVENC API 13.0 came with 570"),
    (r"is not installed", "install it; `streamer devices` shows what else is missing"),
    (
        r"crashed with signal|took longer than",
        (
            "install the driver anew, so that its kernel module and libraries have one version; until then, use "
            "--encoder software"
        ),
    ),
    (
        r"GPU was lost|CUDA error|CUDA driver failed",
        (
            "look for Xid messages in the kernel's log (dmesg), then reset the GPU (nvidia-smi --gpu-reset) or restart "
            "the machine"
        ),
    ),
)
_ELSE = "use --encoder software until it is found; attach the output of `streamer doctor --json` to a report of it"


def advise(reason: str) -> str:
    """Return what a user can do about a reason."""
    return next((advice for pattern, advice in _ADVICE if re.search(pattern, reason)), _ELSE)
