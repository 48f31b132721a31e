"""Find out in a child process whether a hardware encoder keeps the contract on this machine.

Importing NVIDIA's library raises without a driver, and a broken driver may end or stop the process that calls it. So
the question is asked in a process of its own, which may take that end. What it answers holds for this process's life.
"""

import functools
import logging
from dataclasses import asdict, dataclass
from threading import Timer
from typing import Any

from streamer import child, registry
from streamer.errors import Unavailable
from streamer.media.frame import ColourDescription, Resolution

logger = logging.getLogger(__name__)

_CHILD = "streamer.encoders._nvenc_proof"
# A driver that nothing holds open takes seconds to start, more with many GPUs; the trial itself takes less than one.
_TIMEOUT_S = 30
# From here on, people wonder what the program is waiting for.
_SLOW_AFTER_S = 5
# Why the driver is asked nothing more in this process: every further question would wait as long as the one that hung.
# The doctor, whose questions have a process each, passes it on.
hangs: list[str] = []


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found out about one codec of one backend on one GPU.

    `rgb_colour` is what the engine's own conversion makes of RGB, None if that is nothing known. `takes_device_memory`
    tells whether surfaces in CUDA memory came out as they went in.
    """

    gpu: str
    driver: str
    smallest: Resolution
    largest: Resolution
    rgb_colour: ColourDescription | None = None
    takes_device_memory: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(content: dict[str, Any]) -> "Proof":
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError: it is something else.
        """
        colour = content["rgb_colour"]
        return Proof(
            gpu=str(content["gpu"]),
            driver=str(content["driver"]),
            smallest=Resolution(**content["smallest"]),
            largest=Resolution(**content["largest"]),
            rgb_colour=None if colour is None else ColourDescription(**colour),
            takes_device_memory=bool(content["takes_device_memory"]),
        )


def prove(backend: str, codec: str, gpu: int) -> Proof:
    """Return the proof, from this process, the user's cache, or a trial.

    Raises:
        Unavailable: the encoder does not keep the contract; says why.
    """
    answer = _ask(backend, codec, gpu)
    if isinstance(answer, str):
        raise Unavailable(backend, _name_gpu(answer, gpu, _run("count")))
    return answer


def proven(backend: str, codecs: tuple[str, ...]) -> dict[str, Proof]:
    """Return the codecs that the first GPU does, or the next one if it does none."""
    found: dict[str, Proof] = {}
    count = _run("count")
    for gpu in range(count if isinstance(count, int) else 0):
        for codec in _known(codecs):
            answer = _ask(backend, codec, gpu)
            if isinstance(answer, Proof):
                found[codec] = answer
        if found:
            break
    return found


def why_none(backend: str, codecs: tuple[str, ...]) -> str | None:
    """Return why no GPU does any codec, or None if one does."""
    count = _run("count")
    if not isinstance(count, int):
        return str(count)
    if proven(backend, codecs):
        return None
    reasons = [_ask(backend, _known(codecs)[0], gpu) for gpu in range(count)]
    return "; ".join(_name_gpu(str(reason), gpu, count) for gpu, reason in enumerate(reasons))


def _name_gpu(reason: str, gpu: int, count: Any) -> str:
    """Return the reason with the GPU in front of it where there are others to choose."""
    return f"GPU {gpu}: {reason}" if isinstance(count, int) and gpu < count > 1 else reason


def _known(codecs: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out what nobody could packetize."""
    return tuple(codec for codec in codecs if codec in registry.names("codecs"))


@functools.cache
def _ask(backend: str, codec: str, gpu: int) -> Proof | str:
    answer = _run(backend, codec, str(gpu))
    if isinstance(answer, str):
        return answer
    try:
        return Proof.from_json(answer)
    except (KeyError, TypeError):
        return "its proof was not understood"


@functools.cache
def _run(*question: str) -> Any:
    """Return what the child answers, or the reason why it did not."""
    if hangs:
        return hangs[0]
    slow = Timer(
        _SLOW_AFTER_S,
        logger.warning,
        ("the NVIDIA driver has not answered for %s s: it is given %s s", _SLOW_AFTER_S, _TIMEOUT_S),
    )
    slow.daemon = True
    slow.start()
    try:
        return child.ask(_CHILD, *question, what="its proof", limit_s=_TIMEOUT_S)
    except child.HangError as exc:
        hangs.append(str(exc))
        return str(exc)
    except child.ChildError as exc:
        return str(exc)
    finally:
        slow.cancel()
