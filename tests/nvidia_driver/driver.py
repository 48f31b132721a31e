"""The substitute NVIDIA driver as a child process meets it: a search path, and what the driver shall do."""

import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.nvidia_driver import build

_PREFIX = "NVIDIA_SUBSTITUTE_"
_REPOSITORY = Path(__file__).parents[2]
# Statuses of the encode library that tests order or expect.
UNSUPPORTED_DEVICE, DEVICE_NOT_EXIST, INVALID_PARAM, OUT_OF_MEMORY, UNSUPPORTED_PARAM = 2, 5, 8, 10, 12
ENCODER_BUSY, GENERIC, INCOMPATIBLE_CLIENT_KEY = 18, 20, 21
_RUN_LIMIT_S = 60


@dataclass(frozen=True, kw_only=True)
class Fault:
    """At its `nth` time in a process, a call fails with a status, or all do from there on, or it crashes or hangs.

    Counted since the library was loaded, which PyNvVideoCodec does anew when it had no encoder open. `call` is a name
    of the call log: "encode_picture" counts frames, "end_of_stream" the drains between them. "engine_lost": that call
    and every later one of the encode library fails. "device_lost": those of the CUDA library fail, too, upon which
    PyNvVideoCodec ends the process when it destroys an encoder. "hang": neither that call nor a later one of the
    encode library returns.
    """

    call: str
    nth: int = 1
    effect: int | Literal["engine_lost", "device_lost", "crash", "hang"] = GENERIC


@dataclass(frozen=True, kw_only=True)
class NvidiaDriver:
    """What a machine with this driver has, and how it misbehaves; without arguments, a good one."""

    # A file that gets a line for each call: see calls.py.
    log: Path | None = None
    # The same for each copy between host and device memory.
    copies: Path | None = None

    # The machine.
    devices: int = 1
    device_name: str | None = None
    device_uuid: uuid.UUID | None = None
    # As cuDriverGetVersion says it: 13000 is CUDA 13.0.
    cuda_version: int | None = None
    api: Literal["13.0", "12.1"] = "13.0"
    # False: a GPU without an encoder, as the large ones for computing.
    has_engine: bool = True
    # False: no libnvidia-encode.so.1, as in a container without the "video" capability.
    has_encode_library: bool = True
    sessions: int = 8
    session_error: int = OUT_OF_MEMORY

    # Misbehaviour.
    faults: tuple[Fault, ...] = ()
    # The frame after each drain (end of stream) is a keyframe.
    drain_makes_keyframe: bool = False
    # The packet of a frame comes out this many frames later, drained or not; until then packets are empty.
    held_packets: int = 0
    # A new rate is accepted and not followed.
    ignores_rate: bool = False
    # The frame after each change of rate is a keyframe.
    reconfigure_makes_keyframe: bool = False

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the whole environment of a child process, made of `base` or of that of this process."""
        inherited = os.environ if base is None else base
        built = build.libraries()
        folders = [str(built.cuda)]
        if self.has_encode_library:
            folders.insert(0, str(built.encode))
        if searched := inherited.get("LD_LIBRARY_PATH"):
            folders.append(searched)
        others = {name: value for name, value in inherited.items() if not name.startswith(_PREFIX)}
        return {**others, **self.modes(), "LD_LIBRARY_PATH": os.pathsep.join(folders)}

    def modes(self) -> dict[str, str]:
        """Return the variables alone, for a process that has the driver already (`build.preload`)."""
        modes = {
            "LOG": str(self.log or ""),
            "COPIES": str(self.copies or ""),
            "DEVICES": str(self.devices),
            "DEVICE_NAME": self.device_name or "",
            "DEVICE_UUID": self.device_uuid.hex if self.device_uuid else "",
            "CUDA_VERSION": str(self.cuda_version or ""),
            "API": self.api,
            "NO_ENGINE": str(int(not self.has_engine)),
            "SESSIONS": str(self.sessions),
            "SESSION_ERROR": str(self.session_error),
            "FAULTS": ",".join(f"{fault.call}:{fault.nth}:{fault.effect}" for fault in self.faults),
            "DRAIN_MAKES_KEYFRAME": str(int(self.drain_makes_keyframe)),
            "HELD_PACKETS": str(self.held_packets),
            "IGNORES_RATE": str(int(self.ignores_rate)),
            "RECONFIGURE_MAKES_KEYFRAME": str(int(self.reconfigure_makes_keyframe)),
        }
        return {_PREFIX + name: value for name, value in modes.items()}

    def run_python(
        self, *arguments: str, environment: Mapping[str, str] | None = None, limit_s: float = _RUN_LIMIT_S
    ) -> subprocess.CompletedProcess[str]:
        """Run this Python in the repository until it ends by itself, in `self.environment()` or another one."""
        return subprocess.run(
            [sys.executable, *arguments],
            env=self.environment() if environment is None else dict(environment),
            cwd=_REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_s,
        )
