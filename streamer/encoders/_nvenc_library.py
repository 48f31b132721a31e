"""Import PyNvVideoCodec: the only file that does. What is used of it is written down here as protocols.

Importing it raises where there is no driver, and a broken driver may end the process: it is imported only after a child
process has proven that it works. Two first encodes at once can wait for each other for ever inside the extension (one
thread holds the initialisation of its array support and waits for the interpreter, the other the other way round), so
`load` encodes one picture under a lock before anybody else may.
"""

import ctypes
import functools
import importlib.util
import logging
from importlib import metadata
from threading import Lock
from typing import Any, Protocol, TypedDict, cast

from streamer.encoders import _cuda

_PACKAGE = "PyNvVideoCodec"
# What the reason has in it, for whoever gives advice about it.
NOT_INSTALLED = "is not installed"
_LOCK = Lock()
# NVENC takes nothing smaller than 145x49.
_WARM_UP_WIDTH_PX, _WARM_UP_HEIGHT_PX = 320, 192

# NV_ENC_PIC_TYPE_IDR; NV_ENC_PIC_FLAG_FORCEIDR | NV_ENC_PIC_FLAG_OUTPUT_SPSPPS.
KEYFRAME_TYPE = 3
KEYFRAME_FLAGS = 2 | 4


class Packet(TypedDict):
    """One access unit. `timestamp` counts the frames that were given to the encoder."""

    data: bytes
    timestamp: int
    picture_type: int


class Reconfiguration(Protocol):
    """What can be changed on an open encoder."""

    averageBitrate: int  # noqa: N815 - the library's names
    maxBitRate: int  # noqa: N815
    vbvBufferSize: int  # noqa: N815
    vbvInitialDelay: int  # noqa: N815
    frameRateNum: int  # noqa: N815
    frameRateDen: int  # noqa: N815


class LibraryEncoder(Protocol):
    """One open session of the hardware encoder. It closes with the last reference to it."""

    def Encode(self, frame: Any, flags: int) -> list[Packet]: ...  # noqa: N802 - the library's name

    def EndEncode(self) -> list[Packet]: ...  # noqa: N802

    def GetEncodeReconfigureParams(self) -> Reconfiguration: ...  # noqa: N802

    def Reconfigure(self, parameters: Reconfiguration) -> bool: ...  # noqa: N802


class Library(Protocol):
    """The module's own functions."""

    def CreateEncoder(  # noqa: N802 - the library's name
        self,
        width: int,
        height: int,
        fmt: str,
        usecpuinputbuffer: bool,  # noqa: FBT001
        **options: int | str,
    ) -> LibraryEncoder: ...

    def GetEncoderCaps(self, *, gpuid: int, codec: str) -> dict[str, int]: ...  # noqa: N802


def why_missing() -> str | None:
    """Return None if the package is installed, else what to do. Nothing is imported."""
    if importlib.util.find_spec(_PACKAGE) is None:
        return f"{_PACKAGE} {NOT_INSTALLED}: pip install 'render-streamer[nvenc]'"
    return None


def version() -> str:
    """Return the version of the package that is installed."""
    return metadata.version(_PACKAGE)


def load(gpu: int) -> Library:
    """Return the module, fit for any thread.

    Raises whatever the extension raises; its exceptions share no base.
    """
    with _LOCK:
        return _load_warm(gpu)


def give_up(encoder: LibraryEncoder, gpu: int) -> None:
    """Let go of an encoder: its session closes, unless its GPU is lost.

    The extension ends the process when it cannot reach the GPU while it closes a session. An encoder on a lost GPU is
    therefore kept for ever.
    """
    if not _cuda.answers(gpu):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(encoder))


def import_cold() -> Library:
    """Return the module before it has encoded anything, for the process that finds out whether it can."""
    # At info it tells its driver's version as a number of its own, and sets its level itself.
    logging.getLogger(_PACKAGE).addFilter(_is_warning)
    import PyNvVideoCodec

    return cast("Library", PyNvVideoCodec)


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


@functools.cache
def _load_warm(gpu: int) -> Library:
    # Whoever only asks whether the package is there shall not wait for arrays.
    import numpy as np

    library = import_cold()
    encoder = library.CreateEncoder(
        _WARM_UP_WIDTH_PX, _WARM_UP_HEIGHT_PX, "NV12", True, gpu_id=gpu, codec="h264", preset="P1", bf=0
    )
    encoder.Encode(np.zeros((_WARM_UP_HEIGHT_PX * 3 // 2, _WARM_UP_WIDTH_PX), np.uint8), 0)
    encoder.EndEncode()
    return library
