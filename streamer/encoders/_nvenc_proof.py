"""Prove in this process that NVENC keeps the contract, and say so as one line of JSON.

`python -m streamer.encoders._nvenc_proof BACKEND CODEC GPU` answers with a proof as an object or a reason as a string,
and `... count` with the number of GPUs or a reason. Whoever asks is in another process (`_proof`): a driver that
crashes or hangs here takes nothing with it.
"""

import sys
from importlib import metadata
from typing import Any

import streamer
from streamer import child
from streamer.encoders import _cuda, _nvenc_library, _proof_cache
from streamer.encoders._proof import Proof


def main(*question: str) -> None:
    """Print the answer."""
    child.end_with_parent()
    try:
        answer = _answer(*question)
    except _cuda.CudaError as exc:
        answer = str(exc)
    child.answer(answer)


def _answer(*question: str) -> Any:
    if question == ("count",):
        return _cuda.count_gpus()
    backend, codec, gpu = question
    return _prove(backend, codec, _cuda.find(int(gpu)))


def _prove(backend: str, codec: str, gpu: _cuda.Gpu) -> Any:
    # The library's version may change without the driver's and the other way round, and we learn to ask for more.
    key = f"{backend} {codec} on {gpu.uuid}, {gpu.driver}, {_library_version(backend)}, by {streamer.__version__}"
    known = _proof_cache.load(key)
    if known is not None and _is_proof(known):
        return known
    # Not before a GPU has been found: arrays and codecs take longer to import than that.
    from streamer.encoders import _nvenc_trials

    found = _nvenc_trials.TRIALS[backend](codec, gpu)
    if isinstance(found, str):
        return found
    _proof_cache.store(key, found.to_json())
    return found.to_json()


def _is_proof(content: dict[str, Any]) -> bool:
    try:
        Proof.from_json(content)
    except (KeyError, TypeError):
        return False
    return True


def _library_version(backend: str) -> str:
    return _nvenc_library.version() if backend == "nvenc" else f"av {metadata.version('av')}"


if __name__ == "__main__":
    main(*sys.argv[1:])
