"""What any simulation must show before a figure of it is believed: a controller that does not react at all, or to the
wrong thing, would be seen here.
"""

from dataclasses import replace
from itertools import pairwise
from statistics import fmean

import pytest

from streamer.bench.network.capacity import Steps, constant
from streamer.bench.network.content import Content, Phase
from streamer.bench.network.link import Fate, LinkSettings
from streamer.bench.network.metrics import measure
from streamer.bench.network.rates import Arrivals
from streamer.bench.network.scenario import CrossTraffic, Scenario, Stream
from streamer.bench.network.simulation import simulate
from streamer.congestion.decision import RateLimits

_S = 1_000_000
_RATE_BPS = 10_000_000


def _scenario(capacity=constant(_RATE_BPS), duration_s=10, **changes):  # noqa: B008 - a frozen value
    link = {name: changes.pop(name) for name in list(changes) if name not in Scenario.__slots__}
    return Scenario("S0", "a test", duration_s * _S, LinkSettings(capacity, **link), **changes)


def _target_bps(recording, from_s, to_s):
    moments = recording.streams[0].moments
    return fmean(each.target_bps for each in moments if from_s * _S <= each.at_us < to_s * _S)


def test_same_seed_gives_the_same_run():
    scenario = _scenario(loss_ratio=0.02, jitter_us=3_000, cross=(CrossTraffic(starts_at_us=3 * _S),), duration_s=6)

    assert simulate(scenario, 1) == simulate(scenario, 1)


def test_another_seed_gives_another_run():
    scenario = _scenario(duration_s=2)

    assert simulate(scenario, 1) != simulate(scenario, 2)


def test_no_loss_never_cuts():
    limits = RateLimits(min_bps=300_000, start_bps=3_000_000, max_bps=5_000_000)

    recording = simulate(_scenario(streams=(Stream(limits=limits),)), 1)

    targets = [moment.target_bps for moment in recording.streams[0].moments]
    assert all(after >= 0.98 * before for before, after in pairwise(targets))


def test_loss_of_12_percent_cuts():
    without = simulate(_scenario(), 1)
    lossy = simulate(_scenario(loss_ratio=0.12), 1)

    assert _target_bps(lossy, 5, 10) < 0.8 * _target_bps(without, 5, 10)


def test_step_down_of_the_capacity_cuts():
    recording = simulate(_scenario(Steps(((0, _RATE_BPS), (5 * _S, 3_000_000)))), 1)

    assert _target_bps(recording, 4, 5) > 6_000_000
    assert _target_bps(recording, 6, 10) < 3_000_000


def test_probes_find_a_capacity_that_nothing_uses():
    content = Content((Phase(0, size_ratio=0.1), Phase(8 * _S)))

    recording = simulate(_scenario(constant(20_000_000), streams=(Stream(content=content),), duration_s=10), 1)

    assert recording.streams[0].padding_bytes > 10_000
    assert recording.streams[0].moments[-1].estimate_bps > 12_000_000


def test_target_stays_within_the_limits_of_the_user():
    limits = RateLimits(min_bps=2_000_000, start_bps=3_000_000, max_bps=4_000_000)
    scenario = _scenario(Steps(((0, _RATE_BPS), (5 * _S, 500_000))), streams=(Stream(limits=limits),))

    targets = [moment.target_bps for moment in simulate(scenario, 1).streams[0].moments]

    assert max(targets) <= 4_000_000


def test_lost_packets_are_sent_again_and_every_frame_is_decoded():
    recording = simulate(_scenario(loss_ratio=0.01), 1)

    (stream,) = recording.streams
    lost = sum(fate is Fate.LOST for _, fate in recording.forward.drops)
    assert stream.resent_packets >= 0.9 * lost
    frames = [frame for frame in stream.frames if frame.capture_us < 9 * _S]
    assert sum(frame.completed_at_us is not None for frame in frames) >= 0.98 * len(frames)


def test_stream_begins_with_a_keyframe_and_needs_no_other_one():
    (stream,) = simulate(_scenario(duration_s=3), 1).streams

    assert [frame.is_keyframe for frame in stream.frames] == [True] + [False] * (len(stream.frames) - 1)
    assert len(stream.frames) == 180


def test_frames_of_an_empty_path_take_its_delay():
    (stream,) = simulate(_scenario(constant(1_000_000_000), delay_us=30_000, duration_s=3), 1).streams

    delays_us = sorted(frame.completed_at_us - frame.capture_us for frame in stream.frames[:-5])
    assert delays_us[0] == pytest.approx(30_000, abs=1_000)
    assert delays_us[len(delays_us) // 2] < 42_000


def test_still_screen_sends_next_to_nothing():
    content = Content((Phase(0, every_frames=None),))

    (stream,) = simulate(_scenario(streams=(Stream(content=content),)), 1).streams

    # A picture, its refinements, and a sign of life each second.
    assert len(stream.frames) < 40
    assert all(frame.size_bytes < 1_000 for frame in stream.frames if frame.capture_us > 2 * _S)


def test_stream_that_pauses_sends_nothing_meanwhile():
    (stream,) = simulate(_scenario(streams=(Stream(pauses=((3 * _S, 6 * _S),)),)), 1).streams

    received = Arrivals(stream.received_at_us, stream.received_bytes)
    assert received.rate_bps(2 * _S, 3 * _S) > 1_000_000
    assert received.rate_bps(3_500_000, 6 * _S) < 20_000
    assert received.rate_bps(7 * _S, 8 * _S) > 1_000_000


def test_stream_with_a_longer_way_is_later():
    streams = (Stream("near"), Stream("far", extra_delay_us=50_000))

    near, far = simulate(_scenario(constant(100_000_000), streams=streams, duration_s=2), 1).streams

    assert near.frames[10].completed_at_us - near.frames[10].capture_us < 40_000
    assert far.frames[10].completed_at_us - far.frames[10].capture_us > 70_000


def test_stream_back_shares_the_way_of_the_feedback():
    streams = (Stream("there"), Stream("back", is_backward=True))
    scenario = replace(_scenario(streams=streams, duration_s=5), backward=LinkSettings(constant(2_000_000)))

    recording = simulate(scenario, 1)

    there, back = (Arrivals(each.received_at_us, each.received_bytes) for each in recording.streams)
    assert there.rate_bps(3 * _S, 5 * _S) > 5_000_000
    assert 1_000_000 < back.rate_bps(3 * _S, 5 * _S) < 2_000_000
    assert measure(scenario, recording)["mbps"] > 4


def test_outage_of_both_ways_ends():
    outages = ((4 * _S, 5 * _S),)
    scenario = replace(_scenario(outages=outages), backward=LinkSettings(outages=outages))

    (stream,) = simulate(scenario, 1).streams

    shown = [frame.completed_at_us for frame in stream.frames if frame.completed_at_us is not None]
    assert not any(4_100_000 < at_us < 5 * _S for at_us in shown)
    assert any(5 * _S < at_us < 6 * _S for at_us in shown)


def test_late_timers_cost_little():
    usual = _scenario(duration_s=5)
    late = replace(usual, streams=(Stream(timer_late_us=1_000),))

    one, other = (measure(scenario, simulate(scenario, 1)) for scenario in (usual, late))

    assert one["delay_p95_ms"] < other["delay_p95_ms"] + 3
    assert other["delay_p95_ms"] < one["delay_p95_ms"] + 6


def test_keyframe_that_is_asked_for_on_a_still_screen_is_made_when_it_is_due():
    content = Content((Phase(0, every_frames=None),))
    # All of the first picture is lost, and half of everything after it: only requests bring a picture.
    scenario = _scenario(streams=(Stream(content=content),), loss_ratio=0.5, duration_s=5)

    (stream,) = simulate(scenario, 1).streams

    assert any(frame.completed_at_us is not None for frame in stream.frames)


def test_step_of_the_resolution_is_one_keyframe():
    # 0.9 Mbit/s are 0.016 bits for each pixel of 720p at 60 fps, and 0.065 at half the width and height.
    limits = RateLimits(min_bps=300_000, start_bps=900_000, max_bps=900_000)

    (stream,) = simulate(_scenario(streams=(Stream(limits=limits),), duration_s=8), 1).streams

    assert [frame.is_keyframe for frame in stream.frames].count(True) == 3
    assert all(frame.completed_at_us is not None for frame in stream.frames[:-5])
