"""The driver encodes: what goes in comes out, at the rate and with the keyframes that were asked for."""

import av
import numpy as np
import pytest

from tests.fakes import clips
from tests.nvidia_driver.calls import read_calls
from tests.nvidia_driver.driver import NvidiaDriver
from tests.unit.nvidia_driver import encode_clip
from tests.unit.nvidia_driver.encode_clip import RESOLUTION, Plan, Result

CODECS = ["h264", "hevc"]
# Types of NAL units: SPS and PPS; VPS, SPS and PPS.
PARAMETER_SETS = {"h264": {7, 8}, "hevc": {32, 33, 34}}


def decode(result: Result, codec: str = "h264") -> list[av.VideoFrame]:
    decoder = av.CodecContext.create(codec, "r")
    packets = [av.Packet(packet.data) for packets in result.packets for packet in packets]
    return [frame for packet in [*packets, None] for frame in decoder.decode(packet)]


def luma(picture: av.VideoFrame) -> np.ndarray:
    plane = picture.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: picture.height, : picture.width].astype(int)


@pytest.mark.parametrize("api", ["13.0", "12.1"])
@pytest.mark.parametrize("codec", CODECS)
def test_driver_gives_one_packet_for_each_drained_frame(api, codec):
    result = encode_clip.run(NvidiaDriver(api=api), codec=codec, frames=20)

    assert result.error == ""
    assert result.numbers == [[number] for number in range(20)]
    assert result.keyframes == [0]
    pictures = decode(result, codec)
    assert len(pictures) == 20
    for number, shown in enumerate(pictures):
        wanted = clips.luma_of(clips.smooth_frame(RESOLUTION, shift_px=2 * number))
        assert np.abs(luma(shown) - wanted).mean() < 4


def test_pynvvideocodec_holds_three_frames_back_when_it_is_not_drained():
    result = encode_clip.run(NvidiaDriver(), drains=False, frames=6)

    assert result.numbers == [[], [], [], [0], [1], [2]]


@pytest.mark.parametrize("codec", CODECS)
def test_driver_makes_keyframes_exactly_where_asked(codec):
    result = encode_clip.run(NvidiaDriver(), codec=codec, frames=30, keyframes=[7, 8, 20])

    assert result.keyframes == [0, 7, 8, 20]
    tail = Result(packets=result.packets[20:])
    assert len(decode(tail, codec)) == 10


@pytest.mark.parametrize("codec", CODECS)
def test_driver_follows_a_new_rate_without_a_keyframe(codec):
    rates = {"60": 1_000_000, "120": 4_000_000}

    result = encode_clip.run(NvidiaDriver(), codec=codec, frames=180, target_bps=2_000_000, rates=rates)

    assert result.keyframes == [0]
    # The first frames after a change are on their way to the new rate. A picture this small leaves some of it unused.
    assert result.bps(slice(10, 60)) == pytest.approx(2_000_000, rel=0.25)
    assert result.bps(slice(70, 120)) == pytest.approx(1_000_000, rel=0.25)
    assert result.bps(slice(130, 180)) == pytest.approx(4_000_000, rel=0.25)


@pytest.mark.parametrize(("codec", "sets"), PARAMETER_SETS.items())
def test_driver_puts_parameter_sets_before_each_keyframe(codec, sets):
    result = encode_clip.run(NvidiaDriver(), codec=codec, frames=4, keyframes=[2])

    assert [sets <= unit_types(packet.data, codec) for (packet,) in result.packets] == [True, False, True, False]


@pytest.mark.parametrize(("codec", "sets"), PARAMETER_SETS.items())
def test_driver_keeps_parameter_sets_out_of_a_stream_when_told_to(codec, sets):
    plan = {"library": "pyav", "codec": codec, "frames": 4, "keyframes": [2], "has_sets_out_of_band": True}

    result = encode_clip.run(NvidiaDriver(), **plan)

    assert [sets & unit_types(packet.data, codec) for (packet,) in result.packets] == [set()] * 4
    assert unit_types(result.out_of_band, codec) == sets


def unit_types(data: bytes, codec: str) -> set[int]:
    starts = [unit[0] for unit in data.split(b"\0\0\1")[1:]]
    return {start & 0x1F if codec == "h264" else start >> 1 & 0x3F for start in starts}


@pytest.mark.parametrize("on_device", [False, True])
@pytest.mark.parametrize("pixels", ["NV12", "ARGB", "ABGR"])
def test_driver_shows_what_it_was_given(pixels, on_device):
    result = encode_clip.run(NvidiaDriver(), input=pixels, on_device=on_device, frames=4, target_bps=8_000_000)

    assert result.error == ""
    shown = decode(result)[-1]
    if pixels == "NV12":
        wanted = clips.luma_of(encode_clip.picture(Plan(), 3))
        assert np.abs(luma(shown) - wanted).mean() < 3
    else:
        # Away from the edges of the patches, where chroma is shared.
        centres = np.s_[22::45, 40::80]
        assert (
            np.abs(shown.to_ndarray(format="rgb24")[centres].astype(int) - clips.bars(RESOLUTION)[centres]).max() < 12
        )


@pytest.mark.parametrize("codec", CODECS)
def test_driver_serves_pyav(codec, tmp_path):
    log = tmp_path / "calls"

    result = encode_clip.run(NvidiaDriver(log=log), library="pyav", codec=codec, frames=12, keyframes=[5])

    assert result.error == ""
    assert result.numbers == [[number] for number in range(12)]
    assert result.keyframes == [0, 5]
    assert len(decode(result, codec)) == 12
    assert {call.status for call in read_calls(log)} == {0}


def test_pyav_makes_a_keyframe_of_each_new_rate(tmp_path):
    log = tmp_path / "calls"

    result = encode_clip.run(NvidiaDriver(log=log), library="pyav", frames=12, rates={"6": 1_000_000})

    (change,) = read_calls(log, "reconfigure_encoder")
    assert (change["reset_encoder"], change["force_keyframe"]) == (1, 1)
    assert result.keyframes == [0, 6]
