"""Answer one question about this machine: the program that each examination runs in a process of its own.

`python -m streamer.doctor.answers QUESTION` reads what it is given as JSON and answers with an object that has an
`answer` or a `refusal` in words, and with `hangs`, what is known of a driver that hangs. What a question needs is
imported for that question: the quick ones shall be quick.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from streamer import child, registry
from streamer.config import Config
from streamer.encoders import _proof
from streamer.encoders._cuda import CudaError
from streamer.errors import DeviceError, StreamerError, Unavailable
from streamer.media.frame import Resolution

Given = Mapping[str, Any]


def main(question: str) -> None:
    """Print the answer."""
    child.end_with_parent()
    given = child.read_given()
    _proof.hangs.extend(given["hangs"])
    try:
        content = {"answer": _QUESTIONS[question](given)}
    except DeviceError as exc:
        content = {"refusal": exc.reason}
    except (StreamerError, CudaError) as exc:
        content = {"refusal": str(exc)}
    child.answer({**content, "hangs": _proof.hangs})


def _config(given: Given) -> Config:
    return Config.model_validate(given["config"])


def _why_unavailable(given: Given) -> str | None:
    return registry.why_unavailable(given["kind"], given["name"])


def _choose(given: Given) -> dict[str, str]:
    """Return what a session would take for one codec, and why: by the code that chooses for sessions."""
    from streamer.session.assembly import Assembly

    config = _config(given)
    alone = config.model_copy(update={"video": config.video.model_copy(update={"codecs": (given["codec"],)})})
    choice = Assembly(alone, config.session.size).choices[given["codec"]]
    return {"encoder": choice.encoder, "reason": choice.reason}


def _offer(given: Given) -> list[str]:
    """Return the codecs of an encoder that can run here."""
    why = registry.why_unavailable("encoders", given["backend"])
    if why is not None:
        raise Unavailable(given["backend"], why)
    return list(registry.load("encoders", given["backend"]).capabilities().codecs)


def _encode(given: Given) -> dict[str, Any]:
    from streamer.doctor import trial

    return trial.encode(_config(given), given["backend"], given["codec"])


def _pace(given: Given) -> dict[str, Any]:
    from streamer.doctor import trial

    size = Resolution(given["width_px"], given["height_px"])
    return trial.pace(_config(given), given["backend"], given["codec"], size, given["fps"], given["target_bps"])


def _sessions(given: Given) -> dict[str, Any]:
    from streamer.doctor import trial

    return trial.open_until_refused(_config(given), given["backend"])


def _cuda(given: Given) -> dict[str, Any]:  # noqa: ARG001 - the signature is that of all questions
    from streamer.doctor import nvidia

    return nvidia.describe_cuda()


def _nvenc_api(given: Given) -> tuple[int, int]:  # noqa: ARG001 - as above
    from streamer.doctor import nvidia

    return nvidia.nvenc_api()


def _engine(given: Given) -> dict[str, Any]:
    from streamer.doctor import nvidia

    return nvidia.describe_engine(given["gpu"])


_QUESTIONS: dict[str, Callable[[Given], Any]] = {
    "why_unavailable": _why_unavailable,
    "cuda": _cuda,
    "nvenc_api": _nvenc_api,
    "engine": _engine,
    "sessions": _sessions,
    "choice": _choose,
    "offer": _offer,
    "encode": _encode,
    "pace": _pace,
}


if __name__ == "__main__":
    main(sys.argv[1])
