from dataclasses import replace

from streamer.congestion.decision import ProbeCluster
from streamer.congestion.flow import (
    _PROBE_PATIENCE_US,
    _PROBE_STEP_US,
)
from streamer.congestion.pacer import BURST_PACKETS, Priority
from tests.fakes.flow import DECISION, PACING_BPS, SIZE_BYTES, FlowSender

_PROBE = ProbeCluster(1, 2 * PACING_BPS, 3 * SIZE_BYTES)


def test_flow_wants_no_padding_without_a_probe():
    assert FlowSender().flow.padding_due_bytes(60_000_000) == 0


def test_flow_lets_a_probe_travel_with_a_frame():
    sender = FlowSender(replace(DECISION, probe=_PROBE))
    sender.enqueue(2 * BURST_PACKETS, 1000)
    # While a frame waits there is no need of padding.
    assert sender.flow.padding_due_bytes(60_000) == 0

    sender.send(1000)

    # A probe is released at its own rate; it is over when its bytes have left.
    assert [packet.cluster for packet in sender.estimator.sent[:4]] == [1, 1, 1, None]
    assert sender.flow.padding_due_bytes(60_000) == 0


def test_flow_paces_a_probe_at_its_own_rate_and_what_follows_at_the_usual_one():
    sender = FlowSender(replace(DECISION, probe=replace(_PROBE, size_bytes=100 * SIZE_BYTES)))
    sender.enqueue(2 * BURST_PACKETS)
    sender.send(0)
    assert sender.flow.next_wake_us() == 2 * BURST_PACKETS * 500

    sender.decide(probe=None)

    assert sender.flow.next_wake_us() == 2 * BURST_PACKETS * 1000


def test_flow_does_not_slow_down_for_a_probe_of_less():
    sender = FlowSender(replace(DECISION, probe=replace(_PROBE, rate_bps=1000, size_bytes=100 * SIZE_BYTES)))
    sender.enqueue(2 * BURST_PACKETS)
    sender.send(0)

    assert sender.flow.next_wake_us() == 2 * BURST_PACKETS * 1000


def test_flow_pads_a_probe_that_finds_no_frame():
    probe = replace(_PROBE, size_bytes=30 * SIZE_BYTES)
    sender = FlowSender(replace(DECISION, probe=probe))
    assert sender.flow.next_wake_us() == _PROBE_PATIENCE_US
    assert sender.flow.padding_due_bytes(_PROBE_PATIENCE_US - 1) == 0

    now_us, sent_bytes = _PROBE_PATIENCE_US, 0
    while due_bytes := sender.flow.padding_due_bytes(now_us):
        # Never ahead of the probe's rate by more than a step.
        elapsed_us = now_us - _PROBE_PATIENCE_US + _PROBE_STEP_US
        assert sent_bytes + due_bytes <= probe.rate_bps * elapsed_us // 8_000_000
        sender.pad(due_bytes, now_us)
        sent_bytes += due_bytes
        now_us += _PROBE_STEP_US

    assert sent_bytes == probe.size_bytes
    assert {packet.cluster for packet in sender.estimator.sent} == {1}
    assert sender.flow.next_wake_us() is None


def test_flow_asks_for_padding_that_was_not_made_again_when_something_has_left():
    sender = FlowSender(replace(DECISION, probe=replace(_PROBE, size_bytes=30 * SIZE_BYTES)))
    assert sender.flow.padding_due_bytes(_PROBE_PATIENCE_US) > 0

    # Who has nothing to make it of, or no RTX to send it on, would be woken for nothing.
    assert sender.flow.next_wake_us() is None

    sender.enqueue(1, _PROBE_PATIENCE_US)
    sender.send(_PROBE_PATIENCE_US)

    assert sender.flow.next_wake_us() == _PROBE_PATIENCE_US + _PROBE_STEP_US
    assert sender.flow.padding_due_bytes(_PROBE_PATIENCE_US + _PROBE_STEP_US) > 0


def test_flow_wakes_for_padding_once_it_has_begun():
    sender = FlowSender(replace(DECISION, probe=_PROBE))
    due_bytes = sender.flow.padding_due_bytes(_PROBE_PATIENCE_US)
    sender.pad(min(due_bytes, SIZE_BYTES), _PROBE_PATIENCE_US)

    assert sender.flow.next_wake_us() == _PROBE_PATIENCE_US + _PROBE_STEP_US


def test_flow_does_not_count_audio_to_a_probe():
    sender = FlowSender(replace(DECISION, probe=_PROBE))
    sender.enqueue(1, priority=Priority.AUDIO)
    sender.send(0, Priority.AUDIO)

    assert [packet.cluster for packet in sender.estimator.sent] == [None]


def test_flow_begins_anew_with_each_probe():
    sender = FlowSender(replace(DECISION, probe=_PROBE))
    sender.pad(_PROBE.size_bytes, 0)
    assert sender.flow.padding_due_bytes(60_000) == 0

    sender.decide(100_000, probe=replace(_PROBE, number=2))

    assert sender.flow.next_wake_us() == 100_000 + _PROBE_PATIENCE_US
    assert sender.flow.padding_due_bytes(100_000 + _PROBE_PATIENCE_US) > 0
