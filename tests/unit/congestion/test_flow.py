from dataclasses import replace

import pytest

from streamer.congestion.decision import Reason
from streamer.congestion.flow import (
    _KNOCK_US,
    Flow,
)
from streamer.congestion.ladder import DECODE_BACKLOG_US, DOWN_AFTER_US, SCALE_STEPS, SLOW_REPORTS, Decoding, Prefer
from streamer.congestion.pacer import BURST_PACKETS, Priority
from streamer.congestion.silence import MIN_US
from tests.fakes.flow import DECISION, FPS, LIMITS, SIZE_BYTES, FlowSender, arrived

_RTT_US = 40_000


def test_flow_begins_with_the_products_own_estimator():
    flow = Flow(LIMITS, fps=FPS, has_feedback=True, now_us=7)

    assert flow.decision.target_bps == LIMITS.start_bps
    assert flow.decision.reason is Reason.START
    assert flow.decision.at_us == 7


def test_flow_makes_another_estimator_in_its_place():
    sender = FlowSender()

    assert sender.estimator.made_with == (LIMITS, FPS, True, 0)
    assert sender.flow.decision.estimate_bps == DECISION.estimate_bps


def test_flow_paces_at_the_decided_rate():
    sender = FlowSender()
    sender.enqueue(2 * BURST_PACKETS)

    assert len(sender.send(0)) == BURST_PACKETS
    assert sender.flow.next_wake_us() == 2 * BURST_PACKETS * 1000
    assert sender.send(2 * BURST_PACKETS * 1000 - 1) == []


def test_flow_drops_what_waits_when_its_transport_is_closed():
    sender = FlowSender()
    sender.enqueue(3)

    sender.flow.clear()

    assert sender.send(0) == []
    assert sender.flow.next_wake_us() is None


def test_flow_tells_how_much_waits_besides_audio():
    sender = FlowSender()
    sender.enqueue(3)
    sender.enqueue(2, priority=Priority.AUDIO)

    assert sender.flow.waiting_bytes == 3 * SIZE_BYTES


def test_flow_holds_back_what_would_be_too_much_under_way():
    sender = FlowSender(replace(DECISION, in_flight_cap_bytes=2 * SIZE_BYTES))
    sender.enqueue(2)
    sender.send(0)
    sender.enqueue(2, 1000)

    assert sender.send(1000) == []

    sender.flow.feedback(arrived(0), 2000)

    assert sender.flow.next_wake_us() == 1000
    assert len(sender.send(2000)) == 2


def test_flow_asks_a_path_that_is_silent_with_one_packet_at_a_time():
    sender = FlowSender(replace(DECISION, in_flight_cap_bytes=2 * SIZE_BYTES))
    sender.enqueue(2)
    sender.send(0)
    sender.enqueue(BURST_PACKETS, 1000)

    for knocks in range(1, 4):
        assert sender.flow.next_wake_us() == knocks * _KNOCK_US
        assert sender.send(knocks * _KNOCK_US - 1) == []
        assert len(sender.send(knocks * _KNOCK_US)) == 1


def test_flow_does_not_wake_at_a_shut_gate_when_nothing_waits():
    sender = FlowSender(replace(DECISION, in_flight_cap_bytes=0))

    assert sender.flow.next_wake_us() is None


def test_flow_lets_audio_pass_a_shut_gate():
    sender = FlowSender(replace(DECISION, in_flight_cap_bytes=0))

    sender.enqueue(1, priority=Priority.AUDIO)

    assert len(sender.send(0)) == 1


def test_flow_tells_the_estimator_what_left_and_what_the_receiver_says():
    sender = FlowSender()
    sender.enqueue(3)
    sender.send(5000)

    sender.flow.feedback(arrived(0, 1), 50_000)

    assert [(packet.index, packet.size_bytes, packet.sent_at_us) for packet in sender.estimator.sent] == [
        (index, SIZE_BYTES, 5000) for index in range(3)
    ]
    ((report, in_flight_bytes, now_us),) = sender.estimator.reports
    assert [packet.index for packet in report.arrived] == [0, 1]
    assert (in_flight_bytes, now_us) == (SIZE_BYTES, 50_000)


def test_flow_keeps_no_record_of_packets_that_nobody_reports():
    sender = FlowSender(replace(DECISION, in_flight_cap_bytes=1), has_feedback=False)
    sender.enqueue(1)
    sender.send(0)

    # The estimator may count it, and nothing waits for word of it.
    assert len(sender.estimator.sent) == 1
    sender.enqueue(1, 1000)
    assert len(sender.send(1000)) == 1


def test_flow_heeds_a_receiver_report():
    sender = FlowSender()

    sender.flow.report(loss_ratio=0.3, rtt_us=_RTT_US, now_us=5)

    assert (sender.flow.decision.loss_ratio, sender.flow.decision.rtt_us) == (0.3, _RTT_US)


def test_flow_heeds_what_a_receiver_estimates():
    sender = FlowSender()

    sender.flow.remb(1_000_000, 5)

    assert sender.flow.decision.target_bps == 1_000_000


def test_flow_never_decides_a_target_above_the_highest_rate():
    sender = FlowSender()

    sender.flow.remb(5 * LIMITS.max_bps, 5)

    assert sender.flow.decision.target_bps == LIMITS.max_bps


@pytest.mark.parametrize("changes", [{"reason": Reason.SILENCE}, {"estimate_bps": 1_000_000}])
def test_flow_counts_on_no_word_of_old_packets_once_silence_has_changed_the_rate(changes):
    sender = FlowSender(replace(DECISION, in_flight_cap_bytes=2 * SIZE_BYTES))
    sender.enqueue(2)
    sender.send(0)
    sender.enqueue(3, MIN_US)
    knock_at_us = MIN_US + 1
    assert len(sender.send(knock_at_us)) == 1
    sender.flow.tick(knock_at_us)
    assert sender.send(knock_at_us) == []

    sender.decide(knock_at_us, **changes)

    assert len(sender.send(knock_at_us)) == 2


def test_flow_wakes_for_its_estimator():
    sender = FlowSender()
    assert sender.flow.next_wake_us() is None

    sender.estimator.tick_at_us = 4711

    assert sender.flow.next_wake_us() == 4711


def test_flow_backlog_is_that_of_the_pacer_where_nothing_is_capped():
    sender = FlowSender()
    sender.enqueue(BURST_PACKETS)

    assert sender.flow.backlog_us(0) == BURST_PACKETS * 1000


def test_flow_backlog_is_what_the_path_must_let_go_of_first():
    sender = FlowSender(replace(DECISION, in_flight_cap_bytes=10 * SIZE_BYTES))
    sender.enqueue(BURST_PACKETS)

    # Six packets are too many, and each takes two milliseconds at the estimate; the pacer needs longer than that.
    assert sender.flow.backlog_us(0) == max(6 * 2000, BURST_PACKETS * 1000)

    sender.decide(in_flight_cap_bytes=0)

    assert sender.flow.backlog_us(0) == BURST_PACKETS * 2000


def test_flow_asks_for_frames_that_the_path_carries():
    sender = FlowSender()

    allowance = sender.flow.wish_rate(0)

    assert (allowance.target_bps, allowance.fps, allowance.scale_ratio) == (DECISION.estimate_bps, FPS, 1.0)

    sender.enqueue(BURST_PACKETS)

    waiting_bytes = BURST_PACKETS * 1000 * DECISION.estimate_bps // 8_000_000
    assert sender.flow.wish_rate(0).max_frame_bytes == allowance.max_frame_bytes - waiting_bytes


def _pass_time(sender, duration_us, **changes):
    for now_us in range(0, duration_us + 1, 50_000):
        sender.decide(now_us, **changes)
    return sender.flow.wish_rate(duration_us)


@pytest.mark.parametrize(
    ("prefer", "scale_ratio", "fps"), [(Prefer.FPS, SCALE_STEPS[1], FPS), (Prefer.SHARPNESS, 1.0, 0.8 * FPS)]
)
def test_flow_gives_way_when_pixels_have_too_few_bits(prefer, scale_ratio, fps):
    sender = FlowSender(prefer=prefer)
    sender.flow.describe(1280, 720)

    allowance = _pass_time(sender, DOWN_AFTER_US, estimate_bps=LIMITS.min_bps)

    assert (allowance.scale_ratio, allowance.fps) == (scale_ratio, fps)


def test_flow_gives_way_to_a_viewer_that_decodes_too_slowly():
    sender = FlowSender()
    for _ in range(SLOW_REPORTS):
        sender.flow.decodes(Decoding(1_000_000 // FPS, DECODE_BACKLOG_US + 1, 0), 0)

    assert _pass_time(sender, DOWN_AFTER_US).scale_ratio == SCALE_STEPS[1]


# Three packets at 20 Mbit/s.
def test_decisions_do_not_depend_on_what_the_receivers_clock_shows():
    decisions = []
    for clock_us in (0, 3_600_000_000, -64_000):
        flow = Flow(LIMITS, fps=FPS, has_feedback=True, now_us=0)
        for index in range(200):
            now_us = index * 5000
            flow.sent(index, (SIZE_BYTES,), now_us, Priority.VIDEO)
            if index % 10 == 9:
                flow.feedback(
                    [(number, number * 5000 + clock_us) for number in range(index - 9, index + 1)], now_us + 40
                )
        decisions.append(flow.decision)

    # Somebody else read the first arrival as a delay since the zero of that clock.
    assert decisions[0] == decisions[1] == decisions[2]
