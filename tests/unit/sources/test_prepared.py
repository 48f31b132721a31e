from fractions import Fraction

import av
import numpy as np
import pytest
from av.codec.context import Flags

from streamer import registry
from streamer.decoder import open_decoder
from streamer.errors import ConfigError
from streamer.media.frame import EncodeOrder, Resolution
from streamer.media.trace import Stage
from streamer.sources import prepared
from streamer.sources._reading import AccessUnit
from streamer.sources.base import SourceSettings
from tests.fakes.clock import ManualClock

SIZE = Resolution(128, 96)
LONG_US = 30_000_000
PLAIN = EncodeOrder(target_bps=1_000_000, fps=100)
KEYFRAME = EncodeOrder(target_bps=1_000_000, fps=100, keyframe=True)
FRAMES = 12
INTERVAL = 4


def units(pattern: str) -> tuple[AccessUnit, ...]:
    """Return a unit for each letter, a keyframe for each K."""
    return tuple(AccessUnit(f"{index}{letter}".encode(), letter == "K") for index, letter in enumerate(pattern))


def play(pattern: str, clock: ManualClock | None = None, codec: str = "h264") -> prepared.PreparedSource:
    options = prepared.Options(units=units(pattern), codec=codec)
    return prepared.create(SourceSettings(SIZE, 100, clock or ManualClock(), options, lambda: 300))


def record(path, codec: str, file_format: str, **options: str) -> None:
    """Write a short grey film with a keyframe every fourth frame."""
    with av.open(str(path), "w", format=file_format) as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = SIZE.width_px, SIZE.height_px, "yuv420p"
        stream.options = {"g": str(INTERVAL), **options}
        if file_format in ("mp4", "matroska"):
            stream.codec_context.flags |= Flags.global_header
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(np.full((144, 128), 16 + 9 * number, np.uint8), "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_loop_starts_at_a_keyframe_and_skips_what_came_before_it_in_every_round():
    source = play("ddKdd")

    frames = [source.next(PLAIN, LONG_US) for _ in range(7)]

    assert [frame.data for frame in frames] == [b"2K", b"3d", b"4d", b"2K", b"3d", b"4d", b"2K"]


def test_number_says_which_unit_a_frame_is():
    source = play("ddKdd")

    frames = [source.next(PLAIN, LONG_US) for _ in range(7)]

    assert [units("ddKdd")[frame.number % 5].data for frame in frames] == [frame.data for frame in frames]
    assert [frame.number for frame in frames] == [2, 3, 4, 7, 8, 9, 12]


@pytest.mark.parametrize(
    ("before", "arrives"), [(1, b"4K"), (4, b"4K"), (5, b"0K")], ids=["ahead", "due anyway", "in the next round"]
)
def test_ordered_keyframe_is_the_next_frame(before, arrives):
    source = play("KdddKd")
    numbers = [source.next(PLAIN, LONG_US).number for _ in range(before)]

    frame = source.next(KEYFRAME, LONG_US)

    assert (frame.data, frame.is_keyframe) == (arrives, True)
    assert frame.number > numbers[-1]


def test_frame_says_when_it_was_handed_out_and_what_it_answers():
    clock = ManualClock()
    source = play("Kd", clock)

    frame = source.next(PLAIN, LONG_US)

    assert frame.capture_us == clock.now_us() == frame.trace.at_us(Stage.CAPTURE)
    assert (frame.codec, frame.resolution, frame.input_number) == ("h264", SIZE, 300 - 256)


def test_frames_are_paced_and_wake_interrupts():
    clock = ManualClock(at_us=0)
    source = play("Kd", clock)
    source.next(PLAIN, LONG_US)

    source.wake()

    assert source.next(PLAIN, LONG_US) is None
    assert source.next(PLAIN, 5_000) is None
    assert source.next(PLAIN, LONG_US).capture_us == 10_000
    source.close()
    source.close()


@pytest.mark.parametrize(
    ("name", "codec", "file_format", "options"),
    [
        ("film.h264", "libx264", "h264", {"tune": "zerolatency"}),
        ("film.mp4", "libx264", "mp4", {"tune": "zerolatency"}),
        ("film.mkv", "libx264", "matroska", {"tune": "zerolatency"}),
        ("film.ivf", "libvpx", "ivf", {"deadline": "realtime"}),
        ("film.h265", "libx265", "hevc", {"tune": "zerolatency", "x265-params": "open-gop=0:log-level=error"}),
        ("hevc.mp4", "libx265", "mp4", {"tune": "zerolatency", "x265-params": "open-gop=0:log-level=error"}),
        ("av1.ivf", "libsvtav1", "ivf", {"svtav1-params": "pred-struct=1:rc=2:rtc=1"}),
        ("av1.webm", "libsvtav1", "webm", {"svtav1-params": "pred-struct=1:rc=2:rtc=1"}),
    ],
)
def test_file_is_played_as_frames_that_its_codec_can_send(tmp_path, name, codec, file_format, options):
    record(tmp_path / name, codec, file_format, **options)

    source = prepared.create(
        SourceSettings(Resolution(2, 2), 100, ManualClock(), prepared.Options(path=tmp_path / name))
    )

    module = registry.load("codecs", source.codec)
    frames = [source.next(PLAIN, LONG_US) for _ in range(FRAMES)]
    assert source.resolution == SIZE
    assert [frame.is_keyframe for frame in frames] == [number % INTERVAL == 0 for number in range(FRAMES)]
    assert [module.is_keyframe(frame.data) for frame in frames] == [frame.is_keyframe for frame in frames]
    decoder = open_decoder(source.codec)
    pictures = [picture for frame in frames[INTERVAL:] for picture in decoder.decode(av.Packet(frame.data))]
    pictures += decoder.decode(None)
    assert len(pictures) == FRAMES - INTERVAL, "whoever starts at a later keyframe sees every picture from there"


def test_file_with_reordered_frames_is_refused(tmp_path):
    record(tmp_path / "film.h264", "libx264", "h264", bf="2", g="12")

    with pytest.raises(ConfigError, match="another order"):
        prepared.create(SourceSettings(SIZE, 100, ManualClock(), prepared.Options(path=tmp_path / "film.h264")))


def test_what_is_no_video_is_refused_by_its_name(tmp_path):
    (tmp_path / "notes.txt").write_text("no video", encoding="utf-8")

    for path in (tmp_path / "notes.txt", tmp_path / "absent.h264"):
        with pytest.raises(ConfigError, match=path.name):
            prepared.create(SourceSettings(SIZE, 100, ManualClock(), prepared.Options(path=path)))


@pytest.mark.parametrize(("pattern", "codec", "said"), [("ddd", "h264", "keyframe"), ("K", "h26", "'h26'.*h264")])
def test_units_that_nobody_could_watch_are_refused(pattern, codec, said):
    with pytest.raises(ConfigError, match=said):
        play(pattern, codec=codec)


@pytest.mark.parametrize("options", [None, {"path": "film.h264", "units": [(b"0", True)]}], ids=["none", "both"])
def test_exactly_one_of_path_and_units_is_needed(options):
    options = None if options is None else prepared.Options.model_validate(options)

    with pytest.raises(ConfigError, match=r"sources\.prepared\.path"):
        prepared.create(SourceSettings(SIZE, 100, ManualClock(), options))
