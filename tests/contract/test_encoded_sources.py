"""What every source of ready-made access units promises."""

from collections.abc import Iterator
from threading import Thread

import pytest

from streamer import registry
from streamer.clock import SystemClock
from streamer.media.frame import EncodeOrder
from streamer.sources.base import EncodedSource, SourceSettings
from tests.fakes.availability import available
from tests.fakes.sources import SIZE, encoded_sources

LONG_US = 30_000_000
PLAIN = EncodeOrder(target_bps=1_000_000, fps=200)
KEYFRAME = EncodeOrder(target_bps=1_000_000, fps=200, keyframe=True)
# A keyframe, then nine deltas.
UNITS = tuple((b"unit %d" % number, number == 0) for number in range(10))
OPTIONS = {"prepared": {"units": UNITS, "codec": "vp8"}}


def open_source(name: str, fps: float) -> EncodedSource:
    module = registry.load("sources", name)
    options = module.Options.model_validate(OPTIONS[name])
    source: EncodedSource = module.create(SourceSettings(SIZE, fps, SystemClock(), options, lambda: 177))
    return source


@pytest.fixture(params=encoded_sources())
def name(request: pytest.FixtureRequest) -> str:
    return available("sources", request.param)


@pytest.fixture
def source(name: str) -> Iterator[EncodedSource]:
    source = open_source(name, fps=200)
    yield source
    source.close()


def test_first_frame_is_a_keyframe(source):
    assert source.next(PLAIN, LONG_US).is_keyframe


def test_frames_say_what_they_are(source):
    frame = source.next(PLAIN, LONG_US)

    assert frame.codec == source.codec
    assert frame.codec in registry.names("codecs")
    assert frame.resolution == source.resolution
    assert frame.input_number == 177
    assert frame.payloads == ()
    assert frame.data


def test_frames_have_growing_numbers_and_times(source):
    frames = [source.next(PLAIN, LONG_US) for _ in range(25)]

    numbers, times = [frame.number for frame in frames], [frame.capture_us for frame in frames]
    assert numbers == sorted(set(numbers))
    assert times == sorted(set(times))


def test_keyframe_comes_when_it_is_ordered(source):
    for _ in range(4):
        source.next(PLAIN, LONG_US)

    assert source.next(KEYFRAME, LONG_US).is_keyframe


def test_wake_ends_a_blocked_next(name):
    source = open_source(name, fps=0.001)
    source.next(PLAIN, LONG_US)
    given = []
    thread = Thread(target=lambda: given.append(source.next(PLAIN, LONG_US)))
    thread.start()

    source.wake()
    thread.join(LONG_US / 3_000_000)

    assert given == [None]
    source.close()


def test_next_gives_up_after_its_timeout(name):
    source = open_source(name, fps=0.001)
    source.next(PLAIN, LONG_US)

    assert source.next(PLAIN, 1_000) is None
    source.close()


def test_source_is_closed_twice(source):
    source.close()
    source.close()
