from types import SimpleNamespace

import pytest

from streamer.encoders import _nvenc_library, _nvenc_trials, nvenc, software
from streamer.encoders._cuda import Gpu
from streamer.encoders._nvenc_reasons import LOST, NO_SESSION
from streamer.encoders._proof import Proof
from streamer.errors import EncoderError
from streamer.media.frame import PixelFormat, Resolution

LIMITS = {"width_min": 146, "height_min": 50, "width_max": 4096, "height_max": 4096}


@pytest.fixture
def asked(monkeypatch):
    """Return the trial of an NVENC that encodes in software, and refuses RGB for a reason and device memory."""

    def ask(reason):
        def create(settings, *_, **__):
            if settings.format != PixelFormat.NV12:
                raise EncoderError("nvenc", reason)
            return software.create(settings)

        monkeypatch.setattr(nvenc, "NvencEncoder", create)
        return _nvenc_trials.try_nvenc("h264", Gpu(0, "RTX 4000", "0000", "560.35"))

    library = SimpleNamespace(GetEncoderCaps=lambda **_: LIMITS)
    monkeypatch.setattr(_nvenc_library, "import_cold", lambda: library)
    memory = SimpleNamespace(pointer=1, close=lambda: None)
    monkeypatch.setattr(_nvenc_trials, "DeviceMemory", lambda *_: memory)
    return ask


@pytest.mark.parametrize("reason", [NO_SESSION, LOST], ids=["no-session", "lost"])
def test_nothing_is_proven_where_another_moment_may_answer_otherwise(asked, reason):
    assert asked(reason) == reason


def test_what_an_engine_does_not_do_is_left_out_of_its_proof(asked):
    smallest, largest = Resolution(146, 50), Resolution(4096, 4096)

    assert asked("nvEncRegisterResource failed with NVENC error 12") == Proof("RTX 4000", "560.35", smallest, largest)
