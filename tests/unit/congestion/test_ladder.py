import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.congestion.ladder import (
    BUSY_RATIO,
    DECODE_BACKLOG_US,
    DECODE_HEEDED_US,
    DECODE_UP_AFTER_US,
    DOWN_AFTER_US,
    FPS_STEPS,
    FULL_RATIO,
    LOW_BITS_PER_PIXEL,
    ROOM_RATIO,
    SCALE_STEPS,
    SLOW_REPORTS,
    UP_AFTER_US,
    Decoding,
    Ladder,
    Prefer,
    Rung,
)

_PIXELS = 1280 * 720
_FPS = 60
_INTERVAL_US = 16_667
_STEP_US = 50_000
_UP_BITS = ROOM_RATIO * LOW_BITS_PER_PIXEL
_ALL_BPS = round(_PIXELS * _FPS * _UP_BITS) + 1


class _Viewer:
    """A ladder on a time of its own."""

    def __init__(self, prefer=Prefer.FPS, *, describes=True):
        self.ladder = Ladder(prefer)
        self.now_us = self.frames_dropped = 0
        if describes:
            self.ladder.describe(_PIXELS, _FPS)

    def bits_per_pixel(self, bits, *, of=None):
        """Return the target that gives each pixel so many bits, on this rung or another one."""
        return round(_PIXELS * _FPS * (of or self.ladder.rung).load_ratio * bits)

    def run(self, target_bps, duration_us, *, is_tested=True):
        """Keep a target for a while; return how often the ladder moved."""
        moves = 0
        for _ in range(duration_us // _STEP_US):
            self.now_us += _STEP_US
            moves += self.ladder.update(target_bps, self.now_us, is_tested=is_tested)
        return moves

    def says(self, decode_ratio=1.0, wait_us=DECODE_BACKLOG_US + 1, *, dropped=0, reports=SLOW_REPORTS):
        """Let the viewer report so often how its decoder fares: what it needs of a frame's interval."""
        for _ in range(reports):
            self.frames_dropped += dropped
            decode_us = None if decode_ratio is None else round(decode_ratio * _INTERVAL_US)
            self.ladder.decodes(Decoding(decode_us, wait_us, self.frames_dropped), _INTERVAL_US, self.now_us)

    def sink(self, steps):
        """Take that many steps down."""
        for _ in range(steps):
            assert self.run(1000, DOWN_AFTER_US + _STEP_US) == 1


def test_ladder_begins_with_all_of_the_picture():
    assert Ladder(Prefer.FPS).rung == Rung(1.0, 1.0)


@pytest.mark.parametrize(
    ("bits", "is_tested", "moves"),
    [
        pytest.param(LOW_BITS_PER_PIXEL * 0.99, True, 1, id="too few bits for a pixel"),
        pytest.param(LOW_BITS_PER_PIXEL * 1.01, True, 0, id="just enough bits for a pixel"),
        pytest.param(LOW_BITS_PER_PIXEL * 0.5, False, 0, id="the path has not been tried yet"),
        pytest.param(_UP_BITS * 2, True, 0, id="there is nothing above all of the picture"),
    ],
)
def test_ladder_step_down(bits, is_tested, moves):
    viewer = _Viewer()

    assert viewer.run(viewer.bits_per_pixel(bits), DOWN_AFTER_US + _STEP_US, is_tested=is_tested) == moves


def test_ladder_waits_a_second_before_it_gives_way():
    viewer = _Viewer()

    assert viewer.run(1000, DOWN_AFTER_US) == 0
    assert viewer.run(_ALL_BPS, _STEP_US) == 0
    assert viewer.run(1000, DOWN_AFTER_US) == 0
    assert viewer.run(1000, _STEP_US) == 1


@pytest.mark.parametrize(
    ("prefer", "first", "then"),
    [
        pytest.param(Prefer.FPS, Rung(SCALE_STEPS[1], 1.0), Rung(SCALE_STEPS[-1], FPS_STEPS[1]), id="fps"),
        pytest.param(Prefer.SHARPNESS, Rung(1.0, FPS_STEPS[1]), Rung(SCALE_STEPS[1], FPS_STEPS[-1]), id="sharpness"),
    ],
)
def test_ladder_keeps_what_is_preferred_for_as_long_as_possible(prefer, first, then):
    viewer = _Viewer(prefer)
    viewer.sink(1)
    assert viewer.ladder.rung == first

    viewer.sink((len(SCALE_STEPS) if prefer is Prefer.FPS else len(FPS_STEPS)) - 1)

    assert viewer.ladder.rung == then


@pytest.mark.parametrize("prefer", Prefer)
def test_ladder_has_a_lowest_rung(prefer):
    viewer = _Viewer(prefer)
    viewer.sink(len(SCALE_STEPS) + len(FPS_STEPS) - 2)

    assert viewer.run(1000, 2 * DOWN_AFTER_US) == 0
    assert viewer.ladder.rung == Rung(SCALE_STEPS[-1], FPS_STEPS[-1])


def test_ladder_loads_never_grow_downwards():
    loads = []
    viewer = _Viewer()
    for _ in range(len(SCALE_STEPS) + len(FPS_STEPS) - 2):
        loads.append(viewer.ladder.rung.load_ratio)
        viewer.sink(1)

    assert loads == sorted(loads, reverse=True)
    assert len(set(loads)) == len(loads)


def test_ladder_steps_up_after_five_seconds_of_room():
    viewer = _Viewer()
    viewer.sink(2)
    target_bps = viewer.bits_per_pixel(_UP_BITS * 1.01, of=Rung(SCALE_STEPS[1], 1.0))

    assert viewer.run(target_bps, UP_AFTER_US) == 0
    assert viewer.run(target_bps, _STEP_US) == 1
    assert viewer.ladder.rung == Rung(SCALE_STEPS[1], 1.0)


def test_ladder_does_not_step_up_without_room():
    viewer = _Viewer()
    viewer.sink(1)

    assert viewer.run(viewer.bits_per_pixel(_UP_BITS * 0.99, of=Rung(1.0, 1.0)), 2 * UP_AFTER_US) == 0


def test_ladder_does_not_come_back_at_once_from_a_step_up():
    viewer = _Viewer()
    viewer.sink(1)
    target_bps = viewer.bits_per_pixel(_UP_BITS * 1.01, of=Rung(1.0, 1.0))
    viewer.run(target_bps, UP_AFTER_US + _STEP_US)

    assert viewer.run(target_bps, 10 * DOWN_AFTER_US) == 0
    assert viewer.ladder.rung == Rung(1.0, 1.0)


@given(prefer=st.sampled_from(Prefer), begin=st.integers(0, 6), bits=st.floats(0, 2 * LOW_BITS_PER_PIXEL))
def test_ladder_comes_to_rest_with_any_target_that_stays(prefer, begin, bits):
    viewer = _Viewer(prefer)
    viewer.sink(begin)
    target_bps = viewer.bits_per_pixel(bits, of=Rung(1.0, 1.0))

    for _ in range(7):
        if not viewer.run(target_bps, UP_AFTER_US + _STEP_US):
            break

    assert viewer.run(target_bps, 3 * UP_AFTER_US) == 0


def test_ladder_gives_way_to_a_decoder_that_is_too_slow():
    viewer = _Viewer(describes=False)
    viewer.says()

    assert viewer.run(_ALL_BPS, DOWN_AFTER_US + _STEP_US) == 1


@pytest.mark.parametrize(
    ("said", "moves"),
    [
        pytest.param({}, 1, id="busy all the time"),
        pytest.param({"decode_ratio": FULL_RATIO - 0.01}, 0, id="a little reserve, and no frame was lost"),
        pytest.param({"decode_ratio": FULL_RATIO - 0.01, "dropped": 1}, 1, id="a little reserve, and frames were lost"),
        pytest.param({"decode_ratio": BUSY_RATIO - 0.01, "dropped": 9}, 0, id="frames were lost elsewhere"),
        pytest.param({"wait_us": DECODE_BACKLOG_US}, 0, id="nothing waits"),
        pytest.param({"wait_us": None}, 0, id="nothing is known of what waits"),
        pytest.param({"decode_ratio": None}, 0, id="nothing was decoded"),
        pytest.param({"dropped": 9, "reports": SLOW_REPORTS - 1}, 0, id="the network stood still for a moment"),
    ],
)
def test_ladder_takes_no_stall_of_the_network_for_a_slow_decoder(said, moves):
    viewer = _Viewer(describes=False)
    viewer.says(**said)

    assert viewer.run(_ALL_BPS, DOWN_AFTER_US + _STEP_US) == moves


def test_ladder_has_nothing_more_for_a_decoder_on_the_lowest_rung():
    viewer = _Viewer()
    viewer.sink(len(SCALE_STEPS) + len(FPS_STEPS) - 2)
    viewer.says()

    assert viewer.run(_ALL_BPS, 2 * DOWN_AFTER_US) == 0


def test_ladder_tries_a_slow_decoder_again_seldom():
    viewer = _Viewer()
    viewer.says()
    viewer.run(_ALL_BPS, DOWN_AFTER_US + _STEP_US)
    viewer.says()
    viewer.says(wait_us=DECODE_BACKLOG_US, reports=1)

    assert viewer.run(_ALL_BPS, DECODE_UP_AFTER_US) == 0
    assert viewer.run(_ALL_BPS, UP_AFTER_US + _STEP_US) == 1


def test_ladder_does_not_hold_a_decoder_to_what_it_said_long_ago():
    viewer = _Viewer()
    viewer.says()

    # No more steps than are due before what it said is old.
    assert viewer.run(_ALL_BPS, 3 * DECODE_HEEDED_US) == DECODE_HEEDED_US // DOWN_AFTER_US - 1
    assert viewer.run(_ALL_BPS, DECODE_UP_AFTER_US + UP_AFTER_US) == 1
    assert viewer.ladder.rung == Rung(1.0, 1.0)


def test_ladder_does_nothing_about_a_picture_that_it_does_not_know():
    viewer = _Viewer(describes=False)

    assert viewer.run(1000, 2 * DOWN_AFTER_US) == 0
