"""Say in words a user can act on why NVENC does not work: what drivers and libraries report is numbers."""

import re

from streamer.encoders._cuda import NO_DRIVER

# The reasons that advice is given about, or what they have in them.
ENCODE_LIBRARY = "libnvidia-encode.so.1"
TOO_OLD = "the NVIDIA driver is too old"
NO_ENCODER = (
    "this GPU has no video encoder (datacenter GPUs such as A100, H100 and H200 have none; "
    "NVIDIA's Video Encode Support Matrix lists those that do)"
)
NO_SESSION = (
    "the driver gives no further encoding session: GeForce drivers allow only so many at a time for the whole machine; "
    "end another program that encodes (nvidia-smi shows them)"
)
NO_CODEC = "this GPU does not encode"
LOST = "the GPU was lost or its driver restarted: the kernel's log (Xid messages) says why"
# What another moment may answer otherwise: they tell nothing of what this GPU can do.
PASSING = (NO_SESSION, LOST)
_TOO_OLD_FOR_PACKAGE = (
    f"{TOO_OLD}: NVENC API 12.1 is needed, which came with driver 530.41 for Linux (nvidia-smi shows yours)"
)
_TOO_OLD_FOR_FFMPEG = (
    f"{TOO_OLD} for this FFmpeg: it offers API {{found}}, and {{needed}} is needed (driver {{driver}})"
)
_NO_LIBRARY = (
    f"the driver's video encoding library {ENCODE_LIBRARY} cannot be loaded (in a container, start it with "
    "NVIDIA_DRIVER_CAPABILITIES=compute,video,utility; else install the driver's encode package)"
)
# NVENCSTATUS, as in NVIDIA's nvEncodeAPI.h.
_SENTENCES = {
    1: NO_ENCODER,
    2: NO_ENCODER,
    4: LOST,
    5: LOST,
    15: _TOO_OLD_FOR_PACKAGE,
}
# "Out of memory" and "incompatible client key" are what drivers answer a session too many with.
_SESSION_STATUSES = (10, 21)
_SESSION_CALL = "OpenEncodeSession"
# What is looked for in messages, in this order, and what it means. FFmpeg's words are among it.
_MEANINGS = (
    (r"Driver version is too old|does not support this NvEncodeAPI version", _TOO_OLD_FOR_PACKAGE),
    (
        r"API version\. Required: (?P<needed>\S+) Found: (?P<found>\S+)\s.* driver for nvenc is (?P<driver>\S+)",
        _TOO_OLD_FOR_FFMPEG,
    ),
    (r"libnvidia-encode\.so|NVENC library file is not found", _NO_LIBRARY),
    (r"CUDA driver API error (?P<error>\w+)", "the CUDA driver failed with {error}; " + LOST),
    (r"libcuda\.so", NO_DRIVER),
)
# PyNvVideoCodec: "Error code : 5\\nError Type : nvEncEncodePicture API failed".
_STATUS = re.compile(r"Error code : (?P<status>\d+)\s+Error Type : .*?(?P<call>nvEnc\w+)")
# FFmpeg: "OpenEncodeSessionEx failed: out of memory (10): (no details)".
_FFMPEG_STATUS = re.compile(r"(?P<call>\w+) failed[^:]*: [^(]*\((?P<status>\d+)\)")
# FFmpeg says this of every device that lacks something; the cases before are told by other words.
_FFMPEG_LACKS = "No capable devices found"
# The library asks this first for a codec, and is refused for one that the GPU does not have.
_CAPS_QUERY = "nvEncGetEncodeCaps"


def explain(exc: BaseException, codec: str, said: str = "") -> str:
    """Return why the library raised this, from its message and what else it said."""
    text = f"{exc}\n{said}"
    for pattern, sentence in _MEANINGS:
        found = re.search(pattern, text)
        if found is not None:
            return sentence.format(**found.groupdict())
    status = _STATUS.search(text) or _FFMPEG_STATUS.search(text)
    if status is None:
        return f"{NO_CODEC} {codec}" if _FFMPEG_LACKS in text else _first_line(text)
    return _explain_status(int(status["status"]), status["call"], codec)


def _explain_status(status: int, call: str, codec: str) -> str:
    if status in _SESSION_STATUSES and _SESSION_CALL in call:
        return NO_SESSION
    if call == _CAPS_QUERY and status not in _SENTENCES:
        return f"{NO_CODEC} {codec}"
    return _SENTENCES.get(status, f"{call} failed with NVENC error {status}")


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "it failed without a word")
