from fractions import Fraction

import av
import numpy as np
import pytest

from streamer.encoders import _live_rate


def open_encoder(library: str = "libx264") -> av.VideoCodecContext:
    context = av.CodecContext.create(library, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = 64, 64
    context.pix_fmt = "yuv420p"
    context.framerate, context.time_base = Fraction(60), Fraction(1, 60)
    context.bit_rate = 1_234_000
    return context


def test_live_rate_is_proven_with_the_libraries_that_are_installed() -> None:
    assert _live_rate.why_unproven() is None


def test_live_rate_reaches_the_encoder_that_it_was_given() -> None:
    first, second = open_encoder(), open_encoder()
    live = _live_rate.LiveRate(first)

    live.set(777_000, 13_000)

    assert first.bit_rate == 777_000
    assert first.max_bit_rate == 777_000
    assert second.bit_rate == 1_234_000


def test_live_rate_refuses_an_object_without_a_codec_context() -> None:
    frame = av.VideoFrame(64, 64, "nv12")

    with pytest.raises(_live_rate.LiveRateError, match="elsewhere"):
        _live_rate._find_context(frame)  # type: ignore[arg-type]


def test_live_rate_says_so_when_memory_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_live_rate, "_MEMORY", "/nowhere/mem")

    with pytest.raises(_live_rate.LiveRateError, match="/nowhere/mem"):
        _live_rate.LiveRate(open_encoder())


def test_live_rate_reading_of_an_unmapped_address_is_no_fault() -> None:
    with open("/proc/self/mem", "rb") as memory:  # noqa: PTH123 - a device of the kernel's
        for address in (0, 8, 2**47, 2**63, 2**64 - 8):
            assert _live_rate._read(memory.fileno(), address, 8) == b""


PROOFS = {
    "keyframe at a change": (
        [3000] * 3 + [700] * 3 + [6000] * 4,
        [True] + [False] * 2 + [True] + [False] * 6,
        "keyframe",
    ),
    "does not shrink": ([3000] * 10, [True] + [False] * 9, "did not shrink"),
    "does not grow": ([3000] * 3 + [700] * 3 + [3000] * 4, [True] + [False] * 9, "did not grow"),
}


@pytest.mark.parametrize("case", PROOFS)
def test_live_rate_proof_fails_when_the_encoder(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes_bytes, keyframes, reason = PROOFS[case]
    monkeypatch.setattr(_live_rate, "_run_proof", lambda: (sizes_bytes, keyframes))

    assert reason in (_live_rate.why_unproven.__wrapped__() or "")


def test_live_rate_proof_fails_when_ffmpeg_ignores_the_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_live_rate.LiveRate, "set", lambda *_: None)

    assert "did not shrink" in (_live_rate.why_unproven.__wrapped__() or "")


def test_live_rate_keeps_its_encoder_alive() -> None:
    live = _live_rate.LiveRate(open_encoder())
    noise = np.random.default_rng(1).integers(0, 256, 1 << 20, dtype=np.uint8)

    live.set(2_000_000, 40_000)

    assert live._context.bit_rate == 2_000_000
    assert noise.size
