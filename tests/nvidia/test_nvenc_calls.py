"""What PyNvVideoCodec asks of the driver on our behalf."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import cycle, islice

import pytest

from streamer.codecs import h264
from streamer.encoders import nvenc
from streamer.errors import EncoderError, LocalProtocolError
from tests.fakes import clips
from tests.nvidia.machine import ORDER, SMALL, calls, decode, opened, settings

CBR, ULTRA_LOW_LATENCY, ENDLESS = 2, 3, 0xFFFFFFFF


def test_nvenc_opens_with_a_constant_rate_and_a_buffer_of_one_frame():
    with opened(start_target_bps=3_000_000, max_fps=50.0) as encoder:
        encoder.encode(clips.smooth_frame(SMALL), replace(ORDER, target_bps=3_000_000, fps=50.0))

    opening = calls("initialize_encoder")[-1]
    expected = {
        "preset": 1,
        "tuning": ULTRA_LOW_LATENCY,
        "rate_control_mode": CBR,
        "average_bps": 3_000_000,
        "max_bps": 3_000_000,
        "vbv_bits": 60_000,
        "vbv_initial_bits": 60_000,
        "p_interval_frames": 1,
        "gop_frames": ENDLESS,
        "idr_period_frames": ENDLESS,
        "repeats_parameter_sets": 1,
    }
    assert {name: opening[name] for name in expected} == expected
    assert opening["fps_numerator"] == 50 * opening["fps_denominator"]


def test_nvenc_hands_its_options_on():
    with opened(options=nvenc.Options(preset="P4", multipass="quarter")):
        pass

    opening = calls("initialize_encoder")[-1]
    assert opening["preset"] == 4
    assert opening["multi_pass"] == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"target_bps": 600_000}, (600_000, 10_000, 60, 1)),
        ({"fps": 30.0}, (1_000_000, 33_333, 30, 1)),
        ({"fps": 59.94}, (1_000_000, 16_683, 59_94, 100)),
        # Frames may miss the size of the buffer by a fifth.
        ({"max_frame_bytes": 1_000}, (384_000, 6_400, 60, 1)),
    ],
    ids=str,
)
def test_nvenc_changes_all_rates_at_once_and_without_a_keyframe(change, expected):
    with opened() as encoder:
        clip = list(clips.textured_clip(SMALL, 3))
        encoder.encode(clip[0], ORDER)
        before = len(calls("reconfigure_encoder"))
        encoder.encode(clip[1], replace(ORDER, **change))
        frame = encoder.encode(clip[2], replace(ORDER, **change))

    (asked,) = calls("reconfigure_encoder")[before:]
    bitrate_bps, buffer_bits, numerator, denominator = expected
    assert (asked["average_bps"], asked["max_bps"]) == (bitrate_bps, bitrate_bps)
    assert (asked["vbv_bits"], asked["vbv_initial_bits"]) == (buffer_bits, buffer_bits)
    assert asked["fps_numerator"] / asked["fps_denominator"] == pytest.approx(numerator / denominator, abs=1e-4)
    assert (asked["reset_encoder"], asked["force_keyframe"]) == (0, 0)
    assert not frame.is_keyframe


def test_nvenc_leaves_the_driver_alone_while_orders_stay():
    with opened() as encoder:
        before = len(calls("reconfigure_encoder"))
        for frame in clips.textured_clip(SMALL, 10):
            encoder.encode(frame, ORDER)

    assert len(calls("reconfigure_encoder")) == before


@pytest.mark.slow
def test_nvenc_makes_no_keyframe_in_ten_thousand_frames_and_two_hundred_changes():
    clip = list(clips.textured_clip(SMALL, 60))
    frames, changes = 10_000, 200

    with opened() as encoder:
        keyframes, before = [], len(calls("reconfigure_encoder"))
        for number, frame in enumerate(islice(cycle(clip + clip[::-1]), frames)):
            change = number * changes // frames
            encoded = encoder.encode(frame, replace(ORDER, target_bps=1_500_000 - 300_000 * (change % 3)))
            if encoded.is_keyframe:
                keyframes.append(number)

    assert keyframes == [0]
    # The first order asks for another rate than the opening.
    assert len(calls("reconfigure_encoder")) - before == changes


def test_nvenc_gives_back_all_that_it_takes():
    before = {name: len(calls(name)) for name in ("open_encode_session_ex", "destroy_encoder")}
    for number in range(40):
        with opened() as encoder:
            encoder.encode(clips.smooth_frame(SMALL), ORDER)
            if number % 2:
                encoder.encode(clips.smooth_frame(SMALL, shift_px=8), replace(ORDER, target_bps=700_000))

    sessions = [
        call for call in calls("open_encode_session_ex")[before["open_encode_session_ex"] :] if call.status == 0
    ]
    ended = calls("destroy_encoder")[before["destroy_encoder"] :]
    # One session asks what the GPU can do, and one encodes.
    assert len(sessions) == len(ended) == 80
    assert all(call["left_surfaces"] == call["left_bitstreams"] == 0 for call in ended)


def test_nvenc_encodes_in_several_threads_from_the_first_frame_on():
    def encode(_: int) -> int:
        with opened() as encoder:
            return len(decode(*(encoder.encode(frame, ORDER) for frame in clips.textured_clip(SMALL, 10))))

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(encode, range(4)))

    assert counts == [10] * 4


def test_nvenc_refuses_another_gpu_than_there_is():
    with pytest.raises(nvenc.Unavailable, match="GPU 5 is asked for, but there is 1 GPU, number 0"):
        nvenc.create(settings(options=nvenc.Options(gpu=5)))


def test_keyframe_whose_parameter_sets_cannot_be_read_is_a_failure_of_the_encoder(monkeypatch):
    def refuse(_data, _colour):
        raise LocalProtocolError("a parameter set ends in the middle of a field")

    monkeypatch.setattr(h264, "describe", refuse)
    with opened() as encoder, pytest.raises(EncoderError, match="cannot be read: a parameter set ends"):
        encoder.encode(clips.smooth_frame(SMALL), ORDER)
