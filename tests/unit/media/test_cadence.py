import random
from itertools import pairwise

import pytest

from streamer.media.cadence import (
    HEARTBEAT_INTERVAL_US,
    MAX_REFINEMENTS,
    REFINED_BYTES,
    REFINEMENT_DELAY_US,
    REFINEMENT_SPACING_FRAMES,
    SETTLED_RATIO,
    Action,
    Cadence,
    Decision,
    is_settled,
)
from streamer.media.frame import EncodedFrame, EncodeOrder, Resolution

_INTERVAL_US = 16_667
_START_US = 5_000_000
_WAIT_TO_BE_SURE = 10


class _Rendition:
    """The loop around a cadence, on a time of its own: what was encoded, when, and from which frame."""

    def __init__(self, fps: float = 60) -> None:
        self.cadence = Cadence()
        self.fps = fps
        self.now_us = _START_US
        self.encoded: list[tuple[int, int, Decision]] = []
        self.skipped: list[int] = []
        # Whether a refinement finds nothing more to improve.
        self.settles = True
        self.size_bytes = REFINED_BYTES // MAX_REFINEMENTS
        self.target_bps: int | None = None
        self._newest_us: int | None = None
        self._has_new = False

    def deliver(self, at_us: int) -> None:
        """Let time pass until a frame of that capture time is there."""
        self.run_until(at_us)
        self._newest_us, self._has_new = at_us, True
        self.turn()

    def run_until(self, at_us: int, **wishes) -> None:
        """Follow the waits until that time."""
        decision = self.turn(**wishes)
        while decision.until_us is not None and decision.until_us <= at_us:
            assert decision.until_us > self.now_us
            self.now_us = decision.until_us
            decision = self.turn(**wishes)
        self.now_us = at_us

    def turn(self, *, backlog_us: int = 0, wants_keyframe: bool = False) -> Decision:
        """Decide until there is nothing to do but wait."""
        if self._newest_us is None:
            return Decision(Action.WAIT)
        for _ in range(_WAIT_TO_BE_SURE):
            decision = self.cadence.decide(
                self.now_us,
                fps=self.fps,
                backlog_us=backlog_us,
                has_new_frame=self._has_new,
                wants_keyframe=wants_keyframe,
            )
            if decision.action is Action.WAIT:
                return decision
            self._has_new = False
            if decision.action is Action.SKIP:
                self.skipped.append(self._newest_us)
                continue
            self.encoded.append((self.now_us, self._newest_us, decision))
            self.cadence.encoded(
                self.now_us,
                is_new=decision.action is Action.ENCODE_NEW,
                is_refinement=decision.is_refinement,
                is_settled=self.settles,
                size_bytes=self.size_bytes,
                target_bps=self.target_bps,
            )
            wants_keyframe = False
        raise AssertionError("the cadence never waits")

    @property
    def actions(self) -> list[Action]:
        return [decision.action for _, _, decision in self.encoded]


@pytest.mark.parametrize("source_fps", [59.7, 60, 60.3, 65])
def test_cadence_encodes_every_frame_of_a_jittering_source_at_once(source_fps):
    rendition = _Rendition(fps=60)
    rng = random.Random(1)
    captures_us = [
        _START_US + round(number * 1_000_000 / source_fps) + rng.randrange(-2_500, 2_500) for number in range(1200)
    ]

    for capture_us in captures_us:
        rendition.deliver(capture_us)

    assert [(now_us, capture_us) for now_us, capture_us, _ in rendition.encoded] == [(at, at) for at in captures_us]


@pytest.mark.parametrize(("source_fps", "target_fps"), [(120, 60), (144, 60), (75, 60), (60, 30), (60, 5)])
def test_cadence_holds_the_ordered_rate_of_a_faster_source(source_fps, target_fps):
    rendition = _Rendition(fps=target_fps)

    for number in range(source_fps * 10):
        rendition.deliver(_START_US + round(number * 1_000_000 / source_fps))

    # A tenth of headroom, and the one frame that the bucket holds at the start.
    assert target_fps * 10 <= len(rendition.encoded) <= target_fps * 10 / 0.9 + 2


def test_cadence_takes_the_newest_frame_when_the_wait_is_over():
    rendition = _Rendition(fps=60)

    for number in range(1200):
        rendition.deliver(_START_US + number * 1_000)

    ages_us = [now_us - capture_us for now_us, capture_us, _ in rendition.encoded]
    assert max(ages_us) <= 1_000
    assert all(later > earlier for (earlier, *_), (later, *_) in pairwise(rendition.encoded))


def test_cadence_is_back_in_step_soon_after_a_frame_out_of_turn():
    rendition = _Rendition(fps=60)
    for number in range(60):
        rendition.deliver(_START_US + number * _INTERVAL_US)

    # A kept frame 4 ms before the next regular one, as a heartbeat or a late thread makes it.
    rendition.now_us += _INTERVAL_US - 4_000
    rendition.cadence.encoded(rendition.now_us, is_new=False)
    for number in range(60, 80):
        rendition.deliver(_START_US + number * _INTERVAL_US)

    waits_us = [now_us - capture_us for now_us, capture_us, _ in rendition.encoded[60:]]
    assert max(waits_us) <= _INTERVAL_US
    assert waits_us[-8:] == [0] * 8
    assert len(waits_us) == 20


def test_cadence_skips_three_frames_at_most_while_the_pacer_is_behind():
    cadence = Cadence()
    cadence.decide(_START_US, fps=60, backlog_us=0, has_new_frame=True, wants_keyframe=False)
    cadence.encoded(_START_US, is_new=True)

    actions = []
    for number in range(1, 9):
        now_us = _START_US + number * _INTERVAL_US
        decision = cadence.decide(now_us, fps=60, backlog_us=50_000, has_new_frame=True, wants_keyframe=False)
        actions.append(decision.action)
        if decision.action is Action.ENCODE_NEW:
            cadence.encoded(now_us, is_new=True)

    assert actions == [Action.SKIP, Action.SKIP, Action.SKIP, Action.ENCODE_NEW] * 2


@pytest.mark.parametrize(
    ("backlog_us", "wants_keyframe", "expected"),
    [
        (_INTERVAL_US, False, Action.ENCODE_NEW),
        (_INTERVAL_US + 1, False, Action.SKIP),
        (_INTERVAL_US + 1, True, Action.ENCODE_NEW),
    ],
)
def test_cadence_skips_only_beyond_one_interval_and_never_a_keyframe(backlog_us, wants_keyframe, expected):
    cadence = Cadence()
    cadence.decide(_START_US, fps=60, backlog_us=0, has_new_frame=True, wants_keyframe=False)
    cadence.encoded(_START_US, is_new=True)

    decision = cadence.decide(
        _START_US + 100_000, fps=60, backlog_us=backlog_us, has_new_frame=True, wants_keyframe=wants_keyframe
    )

    assert decision.action is expected


def _skipped_once() -> _Rendition:
    rendition = _Rendition()
    rendition.deliver(_START_US)
    rendition.run_until(_START_US + 500_000)
    rendition._newest_us, rendition._has_new = rendition.now_us, True
    rendition.turn(backlog_us=30_000)
    assert rendition.skipped == [_START_US + 500_000]
    return rendition


def test_cadence_encodes_a_skipped_last_frame_when_the_backlog_is_gone():
    rendition = _skipped_once()

    decision = rendition.turn(backlog_us=30_000)

    assert decision == Decision(Action.WAIT, rendition.now_us + 30_000 - _INTERVAL_US)
    rendition.run_until(rendition.now_us + 20_000)
    assert rendition.encoded[-1][1] == rendition.skipped[0]
    assert rendition.actions[-1] is Action.ENCODE_NEW


def test_cadence_encodes_a_skipped_last_frame_soon_whatever_the_backlog():
    rendition = _skipped_once()
    skipped_at_us = rendition.now_us

    rendition.run_until(skipped_at_us + 1_000_000, backlog_us=900_000)

    sent_at_us = next(now_us for now_us, capture_us, _ in rendition.encoded if capture_us == skipped_at_us)
    assert sent_at_us == skipped_at_us + 3 * _INTERVAL_US


def test_cadence_makes_a_keyframe_of_a_skipped_frame():
    rendition = _skipped_once()

    rendition.turn(backlog_us=900_000, wants_keyframe=True)

    assert rendition.actions[-1] is Action.ENCODE_NEW


def test_cadence_refines_once_and_then_shows_a_sign_of_life_each_second():
    rendition = _Rendition()
    rendition.deliver(_START_US)

    rendition.run_until(_START_US + 4_000_000)

    kept = [(now_us - _START_US, decision.is_refinement) for now_us, _, decision in rendition.encoded[1:]]
    refined_us = REFINEMENT_DELAY_US
    assert kept == [(refined_us, True)] + [(refined_us + n * HEARTBEAT_INTERVAL_US, False) for n in (1, 2, 3)]


def test_cadence_refines_a_bounded_number_of_times_while_the_picture_has_not_settled():
    rendition = _Rendition(fps=50)
    rendition.settles = False
    rendition.deliver(_START_US)

    rendition.run_until(_START_US + 1_500_000)

    refined_us = [now_us - _START_US for now_us, _, decision in rendition.encoded if decision.is_refinement]
    spacing_us = REFINEMENT_SPACING_FRAMES * 20_000
    assert refined_us == [REFINEMENT_DELAY_US + number * spacing_us for number in range(MAX_REFINEMENTS)]


def test_cadence_goes_on_while_its_refinements_are_small_each_when_the_last_one_has_left():
    rendition = _Rendition(fps=50)
    rendition.settles, rendition.size_bytes, rendition.target_bps = False, 6_000, 300_000
    rendition.deliver(_START_US)

    rendition.run_until(_START_US + 10_000_000)

    refined_us = [now_us - _START_US for now_us, _, decision in rendition.encoded if decision.is_refinement]
    sending_us = 6_000 * 8 * 1_000_000 // 300_000
    assert len(refined_us) == -(-REFINED_BYTES // 6_000)
    assert refined_us == [REFINEMENT_DELAY_US + number * sending_us for number in range(len(refined_us))]


def test_cadence_does_not_refine_while_the_source_delivers():
    rendition = _Rendition(fps=60)

    for number in range(300):
        rendition.deliver(_START_US + number * (REFINEMENT_DELAY_US - 1_000))

    assert set(rendition.actions) == {Action.ENCODE_NEW}


def test_cadence_refines_again_after_the_next_change():
    rendition = _Rendition()
    rendition.deliver(_START_US)
    rendition.deliver(_START_US + 700_000)

    rendition.run_until(_START_US + 1_500_000)

    refined_us = [now_us for now_us, _, decision in rendition.encoded if decision.is_refinement]
    assert refined_us == [_START_US + REFINEMENT_DELAY_US, _START_US + 700_000 + REFINEMENT_DELAY_US]


def test_cadence_makes_a_keyframe_of_the_kept_frame_at_once_when_nothing_moves():
    rendition = _Rendition()
    rendition.deliver(_START_US)
    rendition.run_until(_START_US + 700_000)

    rendition.turn(wants_keyframe=True)

    now_us, _, decision = rendition.encoded[-1]
    assert (now_us, decision) == (_START_US + 700_000, Decision(Action.ENCODE_KEPT))


def test_cadence_refines_the_picture_again_after_a_keyframe():
    rendition = _Rendition()
    rendition.deliver(_START_US)
    rendition.run_until(_START_US + 700_000)
    rendition.turn(wants_keyframe=True)

    rendition.run_until(_START_US + 1_000_000)

    now_us, _, decision = rendition.encoded[-1]
    assert (now_us, decision.is_refinement) == (_START_US + 700_000 + REFINEMENT_DELAY_US, True)


def test_cadence_lets_a_moving_source_deliver_the_picture_of_a_keyframe():
    rendition = _Rendition()
    for number in range(10):
        rendition.deliver(_START_US + number * _INTERVAL_US)

    rendition.now_us += 10_000
    decision = rendition.turn(wants_keyframe=True)

    assert decision.action is Action.WAIT
    assert decision.until_us == _START_US + 9 * _INTERVAL_US + 25_000
    rendition.run_until(decision.until_us, wants_keyframe=True)
    assert rendition.actions[9:] == [Action.ENCODE_NEW, Action.ENCODE_KEPT]


def test_cadence_keeps_a_lasting_keyframe_request_below_the_ordered_rate():
    cadence = Cadence()
    now_us, encoded_frames = _START_US, 0

    while now_us < _START_US + 1_000_000:
        decision = cadence.decide(now_us, fps=60, backlog_us=0, has_new_frame=False, wants_keyframe=True)
        if decision.until_us is None:
            cadence.encoded(now_us, is_new=False)
            encoded_frames += 1
        now_us = decision.until_us or now_us

    assert 30 <= encoded_frames <= 60


def test_cadence_starts_with_the_kept_frame_when_there_is_no_new_one():
    cadence = Cadence()

    decision = cadence.decide(_START_US, fps=60, backlog_us=0, has_new_frame=False, wants_keyframe=False)
    cadence.encoded(_START_US, is_new=False)

    assert decision.action is Action.ENCODE_KEPT
    following = cadence.decide(_START_US, fps=60, backlog_us=0, has_new_frame=False, wants_keyframe=False)
    assert following == Decision(Action.WAIT, _START_US + REFINEMENT_DELAY_US)


@pytest.mark.parametrize(("share", "expected"), [(0, True), (0.9, True), (1.1, False), (50, False)])
def test_refinement_has_settled_when_it_took_next_to_nothing_of_its_budget(share, expected):
    order = EncodeOrder(9_600_000, 60, is_refinement=True)
    size_bytes = round(share * SETTLED_RATIO * 9_600_000 / 60 / 8)
    refinement = EncodedFrame("h264", bytes(size_bytes), is_keyframe=False, capture_us=0, resolution=Resolution(2, 2))

    assert is_settled(refinement, order) == expected
