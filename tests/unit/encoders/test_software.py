from dataclasses import replace

import pytest
from pydantic import ValidationError

from streamer import registry
from streamer.encoders import PREFERENCE, _vpx, software
from streamer.encoders.base import EncoderSettings
from streamer.errors import EncoderError, UnfitError
from streamer.media.frame import BT601_LIMITED, SRGB_FULL, EncodeOrder, PixelFormat, Resolution
from streamer.noise import moving
from tests.fakes import clips

SIZE = Resolution(320, 180)
SETTINGS = EncoderSettings("vp8", SIZE, PixelFormat.NV12, BT601_LIMITED, 60.0, 2_000_000, 8_000_000)


def test_preference_names_every_encoder_of_ours_that_auto_tries() -> None:
    assert set(PREFERENCE) <= set(registry.names("encoders"))


def test_software_encodes_every_codec_everywhere() -> None:
    assert software.why_unavailable() is None
    assert software.capabilities().codecs == ("h264", "vp8", "h265", "av1")


@pytest.mark.parametrize(("codec", "is_paid"), [("h264", False), ("vp8", False), ("h265", True), ("av1", True)])
def test_software_says_for_each_codec_whether_a_rate_change_costs_a_keyframe(codec: str, is_paid: bool) -> None:  # noqa: FBT001 - a column of the table
    encoder = software.create(replace(SETTINGS, codec=codec))

    assert encoder.capabilities.rate_change_needs_keyframe == is_paid
    assert ("keyframe" in encoder.description) == is_paid
    encoder.close()


def test_software_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "codecs_available", {"aac"})

    assert "libx264 and libvpx" in (software.why_unavailable() or "")


def test_software_refuses_pictures_that_are_described_as_rgb() -> None:
    with pytest.raises(EncoderError, match="matrix 0"):
        software.create(EncoderSettings("h264", SIZE, PixelFormat.NV12, SRGB_FULL, 60.0, 2_000_000, 8_000_000))


@pytest.mark.parametrize(("codec", "smallest_px"), [("h264", 4), ("vp8", 4), ("h265", 16), ("av1", 64)])
def test_software_takes_pictures_from_a_smallest_on(codec: str, smallest_px: int) -> None:
    smallest, smaller = Resolution(smallest_px, smallest_px), Resolution(smallest_px, smallest_px - 2)
    encoder = software.create(replace(SETTINGS, codec=codec, resolution=smallest))

    assert encoder.encode(moving(smallest, 0), EncodeOrder(2_000_000, 60.0)).is_keyframe

    encoder.close()
    with pytest.raises(UnfitError, match=f"pictures of {smaller}; the smallest are {smallest}"):
        software.create(replace(SETTINGS, codec=codec, resolution=smaller))


@pytest.mark.parametrize(
    "given", [{"preset": "placebo"}, {"threads": 0}, {"vp8_speed": 3}, {"presett": "fast"}, {"av1_preset": 7}], ids=str
)
def test_software_options_refuse(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        software.Options.model_validate(given)


def test_vp8_has_one_thread_whatever_is_asked_for() -> None:
    encoder = software.create(replace(SETTINGS, options=software.Options(threads=4)))
    assert "1 thread," in encoder.description
    encoder.close()


def test_vp8_takes_a_target_above_the_highest_that_was_announced() -> None:
    encoder = software.create(SETTINGS)
    clip = list(clips.textured_clip(SIZE, 60))

    sizes_bytes = [len(encoder.encode(frame, EncodeOrder(10_000_000, 60.0)).data) for frame in clip]

    assert sum(sizes_bytes[10:]) / 50 > 8_000_000 / 480


def test_vp8_takes_a_rise_in_two_steps() -> None:
    encoder = software.create(SETTINGS)
    clip = list(clips.textured_clip(SIZE, 40))
    low, high = EncodeOrder(1_000_000, 60.0), EncodeOrder(8_000_000, 60.0)
    for frame in clip[:30]:
        encoder.encode(frame, low)

    first = encoder.encode(clip[30], high)

    assert len(first.data) <= _vpx.DELTA_RATIO * high.target_bps / 480
