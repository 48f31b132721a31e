from fractions import Fraction

import av
import pytest

from streamer.decoder import open_decoder
from streamer.encoders import _live_rate, software
from streamer.encoders._x264 import plan_rate
from streamer.encoders.base import EncoderSettings
from streamer.media.frame import (
    BT601_LIMITED,
    BT709_LIMITED,
    ColourDescription,
    EncodeOrder,
    PixelFormat,
    Resolution,
)
from tests.fakes import clips

SIZE = Resolution(320, 180)
FPS = Fraction(60)


def settings(**more: object) -> EncoderSettings:
    values: dict[str, object] = {
        "codec": "h264",
        "resolution": SIZE,
        "format": PixelFormat.NV12,
        "colour": BT601_LIMITED,
        "max_fps": 60.0,
        "start_target_bps": 2_000_000,
        "max_target_bps": 8_000_000,
    }
    return EncoderSettings(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("target_bps", [100_000, 190_000, 250_000, 500_000, 1_000_000, 4_000_000, 80_000_000])
@pytest.mark.parametrize("fps", [60.0, 30.0, 7.5])
def test_rate_plan_holds_a_buffer_of_one_frame(target_bps: int, fps: float) -> None:
    plan = plan_rate(EncodeOrder(target_bps, fps), FPS)

    frame_bits = plan.rate_bps / FPS
    # 1.1 frames are where x264 gives up its bound on single frames; less than a whole kilobit is where it complains.
    assert plan.buffer_bits < 1.1 * frame_bits
    assert plan.buffer_bits >= frame_bits // 1000 * 1000
    assert plan.rate_bps % 1000 == plan.buffer_bits % 1000 == 0


def test_rate_plan_scales_with_the_time_between_frames() -> None:
    at_60 = plan_rate(EncodeOrder(4_000_000, 60.0), FPS)
    at_30 = plan_rate(EncodeOrder(4_000_000, 30.0), FPS)

    assert at_30.rate_bps == pytest.approx(2 * at_60.rate_bps, rel=0.01)
    assert at_30.buffer_bits == pytest.approx(2 * at_60.buffer_bits, rel=0.02)


def test_rate_plan_keeps_below_the_largest_frame() -> None:
    plan = plan_rate(EncodeOrder(4_000_000, 60.0, max_frame_bytes=2_000), FPS)

    assert plan.buffer_bits <= 2_000 * 8


@pytest.mark.parametrize(
    "colour", [BT601_LIMITED, BT709_LIMITED, ColourDescription(1, 13, 5, is_full_range=True)], ids=str
)
def test_h264_signals_the_colours_of_its_pictures(colour: ColourDescription) -> None:
    encoder = software.create(settings(colour=colour))
    decoder = open_decoder("h264")

    encoded = encoder.encode(clips.smooth_frame(SIZE), EncodeOrder(2_000_000, 60.0))

    (picture,) = decoder.decode(av.Packet(encoded.data))
    assert (picture.color_primaries, picture.color_trc, picture.colorspace) == (
        colour.primaries,
        colour.transfer,
        colour.matrix,
    )
    assert picture.color_range == (2 if colour.is_full_range else 1)


def nal_types(data: bytes) -> list[int]:
    return [part.lstrip(b"\0")[0] & 31 for part in data.split(b"\0\0\1")[1:] if part.lstrip(b"\0")]


def test_h264_repeats_its_headers_at_each_keyframe_in_baseline() -> None:
    encoder = software.create(settings())
    order = EncodeOrder(2_000_000, 60.0)

    first = encoder.encode(clips.smooth_frame(SIZE), order)
    encoder.encode(clips.smooth_frame(SIZE), order)
    later = encoder.encode(clips.smooth_frame(SIZE), EncodeOrder(2_000_000, 60.0, keyframe=True))

    for frame in (first, later):
        types = nal_types(frame.data)
        assert types[:2] == [7, 8]
        assert types[-1] == 5
        sps = frame.data.split(b"\0\0\1")[1]
        assert sps[1] == 66


def test_h264_has_one_slice_by_default_and_as_many_as_threads() -> None:
    order = EncodeOrder(2_000_000, 60.0)
    texture = next(clips.textured_clip(SIZE, 1))

    one = software.create(settings()).encode(texture, order)
    two = software.create(settings(options=software.Options(threads=2))).encode(texture, order)

    assert nal_types(one.data).count(5) == 1
    assert nal_types(two.data).count(5) == 2


def test_h264_uses_two_threads_from_720_lines_on() -> None:
    assert "2 threads" in software.create(settings(resolution=Resolution(1280, 720))).description
    assert "1 thread," in software.create(settings(resolution=Resolution(960, 540))).description


def test_h264_pays_with_a_keyframe_and_says_so_where_live_changes_are_not_proven(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_live_rate, "why_unproven", lambda: "of a test")
    encoder = software.create(settings())
    clip = list(clips.textured_clip(SIZE, 120))
    low, high = EncodeOrder(800_000, 60.0), EncodeOrder(1_500_000, 60.0)

    at_low = [encoder.encode(frame, low) for frame in clip]
    at_high = [encoder.encode(frame, high) for frame in clip]

    assert encoder.capabilities.rate_change_needs_keyframe
    assert software.capabilities().rate_change_needs_keyframe
    assert "of a test" in encoder.description
    for frames, order in ((at_low, low), (at_high, high)):
        assert [frame.is_keyframe for frame in frames] == [True] + [False] * 119
        assert sum(len(frame.data) for frame in frames) / 120 == pytest.approx(order.target_bps / 480, rel=0.15)


def test_h264_goes_far_above_and_below_the_rate_it_was_opened_with() -> None:
    encoder = software.create(settings(resolution=Resolution(640, 360)))
    clip = list(clips.textured_clip(Resolution(640, 360), 90))

    for target_bps in (8_000_000, 500_000, 4_000_000):
        frames = [encoder.encode(frame, EncodeOrder(target_bps, 60.0)) for frame in clip]
        sizes_bytes = [len(frame.data) for frame in frames]
        assert sum(sizes_bytes) / 90 == pytest.approx(target_bps / 480, rel=0.15)
        assert max(sizes_bytes) <= 1.5 * target_bps / 480
