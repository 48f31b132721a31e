import json

import pytest

from streamer.congestion.decision import RateLimits, Reason
from streamer.congestion.fixed_rate import FixedRate
from streamer.congestion.pacer import Priority
from streamer.congestion.replay import RecordedFlow, replay
from streamer.errors import LocalProtocolError

_LIMITS = RateLimits(300_000, 3_000_000, 20_000_000)
_FPS = 60.0
_SIZE_BYTES = 1200
_FRAME_PACKETS = 12
_INTERVAL_US = 16_667
_WAY_US = 20_000
# A packet of 1200 bytes takes as long at 12 Mbit/s.
_PASSING_US = 800


class _Recorded:
    """A flow whose every telling is noted."""

    def __init__(self, **settings):
        self.entries = []
        settings = {"fps": _FPS, "has_feedback": True, "now_us": 0} | settings
        self.flow = RecordedFlow(_LIMITS, **settings, note=self.entries.append)
        self.decisions = [self.flow.decision]

    def tell(self, name, *args, **facts):
        getattr(self.flow, name)(*args, **facts)
        if self.flow.decision != self.decisions[-1]:
            self.decisions.append(self.flow.decision)

    def replayed(self, estimator=None):
        """Return the decisions of a fresh flow that is told what was noted, after its way through a file."""
        return replay(json.loads(json.dumps(self.entries)), estimator)


@pytest.fixture(scope="module")
def evening():
    """Return a viewer of frames over a path that loses packets, stands still for a while, and is then half as wide."""
    viewer = _Recorded()
    free_at_us = 0
    index = 0
    for frame in range(240):
        now_us = frame * _INTERVAL_US
        passing_us = _PASSING_US * (2 if frame > 160 else 1)
        arrivals = []
        for _ in range(_FRAME_PACKETS):
            viewer.tell("sent", index, (_SIZE_BYTES,), now_us, Priority.VIDEO)
            free_at_us = max(free_at_us, now_us) + passing_us
            arrivals.append((index, None if index % 41 == 7 else free_at_us + _WAY_US))
            index += 1
        if not 60 < frame < 120:
            viewer.tell("feedback", arrivals, max(now_us, free_at_us) + 2 * _WAY_US)
        wake_us = viewer.flow.next_wake_us()
        if wake_us is not None:
            viewer.tell("tick", max(wake_us, now_us + 2 * _WAY_US))
    return viewer


def test_replay_of_a_log_gives_the_same_decisions_bit_for_bit(evening):
    replayed = evening.replayed()

    assert replayed.decisions == evening.decisions
    assert replayed.is_same
    # It would prove little if nothing had happened.
    assert {Reason.SILENCE, Reason.QUEUE} <= {decision.reason for decision in evening.decisions}


def test_replay_gives_the_decisions_of_a_viewer_without_feedback():
    viewer = _Recorded(has_feedback=False)
    viewer.tell("remb", 5_000_000, 1_000_000)
    viewer.tell("report", loss_ratio=0.2, rtt_us=40_000, now_us=2_000_000)
    viewer.tell("report", loss_ratio=0.0, rtt_us=None, now_us=4_000_000)

    replayed = viewer.replayed()
    assert replayed.decisions == viewer.decisions
    assert replayed.is_same
    assert len(viewer.decisions) == 4


def test_replay_of_nothing_is_the_first_decision():
    viewer = _Recorded()

    assert viewer.replayed().decisions == viewer.decisions == [viewer.flow.decision]


def test_replay_makes_the_estimator_that_the_log_was_made_with():
    viewer = _Recorded(estimator=FixedRate)
    viewer.tell("tick", 5)

    replayed = viewer.replayed()

    assert replayed.is_same
    assert {decision.reason for decision in replayed.decisions} == {Reason.FIXED}


def test_replay_tells_what_another_estimator_would_have_decided(evening):
    replayed = evening.replayed(FixedRate)

    assert not replayed.is_same
    assert {decision.reason for decision in replayed.decisions} == {Reason.FIXED}


@pytest.mark.parametrize("entry", [["sent", "yesterday"], ["decided", 5]])
def test_replay_refuses_what_no_log_says(entry):
    entries = [*_Recorded().entries, entry]

    with pytest.raises(LocalProtocolError, match=entry[0]):
        replay(entries)


@pytest.mark.parametrize("entries", [[], [["tick", 5]]])
def test_replay_refuses_a_log_without_a_beginning(entries):
    with pytest.raises(LocalProtocolError, match="begins"):
        replay(entries)


def test_log_says_nothing_of_a_decision_that_stays():
    viewer = _Recorded()

    viewer.tell("report", loss_ratio=0.0, rtt_us=None, now_us=5)

    assert [entry[0] for entry in viewer.entries] == ["begin", "decision", "report"]
