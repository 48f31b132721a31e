from dataclasses import replace

import pytest

from streamer.congestion.decision import Reason
from streamer.congestion.flow import (
    _MAX_SILENT_TAILS,
    _MIN_CONFIRMATION_US,
    _REPORT_US,
    _TAIL_PACKETS,
    _UNKNOWN_RTT_US,
    Flow,
    Lost,
)
from streamer.congestion.pacer import Priority
from tests.fakes.flow import DECISION, FPS, LIMITS, SIZE_BYTES, FlowSender, arrived

_RTT_US = 40_000


def test_flow_names_the_copies_that_feedback_calls_missing():
    sender = FlowSender()
    packets = sender.enqueue(3)
    sender.send(5000)
    sender.pad(SIZE_BYTES, 5000)

    lost = sender.flow.feedback([*arrived(0), (1, None), (2, None), (3, None)], 50_000)

    # Padding is nobody's loss.
    assert lost == [Lost(packets[1], 5000), Lost(packets[2], 5000)]


@pytest.mark.parametrize(
    ("rtt_us", "waited_us"),
    [
        pytest.param(None, _UNKNOWN_RTT_US + _REPORT_US, id="nothing is known of the path"),
        pytest.param(_RTT_US, _RTT_US + _REPORT_US, id="a round trip and a report"),
        pytest.param(1000, _MIN_CONFIRMATION_US, id="a receiver next door takes its time"),
    ],
)
def test_flow_takes_the_last_packets_for_lost_when_no_word_of_them_comes(rtt_us, waited_us):
    sender = FlowSender(replace(DECISION, rtt_us=rtt_us))
    packets = sender.enqueue(2)
    sender.send(0)

    assert sender.flow.next_wake_us() == waited_us
    sender.flow.tick(waited_us - 1)
    assert sender.flow.overdue() == []
    sender.flow.tick(waited_us)
    assert sender.flow.overdue() == [Lost(packet, 0) for packet in packets]
    # Once: what became of the copies is another question.
    sender.flow.tick(2 * waited_us)
    assert sender.flow.overdue() == []


def test_flow_misses_the_last_packets_although_the_round_trip_has_grown_meanwhile():
    sender = FlowSender(replace(DECISION, rtt_us=_RTT_US))
    packets = sender.enqueue(1)
    sender.send(0)
    waited_us = sender.flow.next_wake_us()

    sender.decide(waited_us, rtt_us=_RTT_US + 1)

    assert sender.flow.overdue() == [Lost(packet, 0) for packet in packets]


def test_flow_takes_no_more_tails_for_lost_where_nobody_reports():
    sender = FlowSender()
    tails = []
    for _ in range(_MAX_SILENT_TAILS + 2):
        now_us = len(tails) * 1_000_000
        sender.enqueue(1, now_us)
        sender.send(now_us)
        sender.flow.tick(now_us + 500_000)
        tails.append(sender.flow.overdue())
    assert [len(tail) > 0 for tail in tails] == [True] * _MAX_SILENT_TAILS + [False] * 2
    assert sender.flow.next_wake_us() is None

    sender.flow.feedback(arrived(sender.index - 1), 10_000_000)
    sender.enqueue(1, 10_000_000)
    sender.send(10_000_000)
    sender.flow.tick(10_500_000)

    assert len(sender.flow.overdue()) == 1


def test_flow_misses_nothing_that_has_been_confirmed():
    sender = FlowSender()
    sender.enqueue(2)
    sender.send(0)
    sender.flow.feedback(arrived(0, 1), 50_000)

    sender.flow.tick(sender.flow.next_wake_us())

    assert sender.flow.overdue() == []


def test_flow_misses_the_end_of_a_long_frame_alone():
    sender = FlowSender(replace(DECISION, pacing_bps=1_000_000_000))
    packets = sender.enqueue(2 * _TAIL_PACKETS)
    sender.send(0)

    sender.flow.tick(sender.flow.next_wake_us())

    assert [copy.packet for copy in sender.flow.overdue()] == packets[_TAIL_PACKETS:]


def test_flow_backs_off_when_every_packet_is_reported_lost():
    flow = Flow(LIMITS, fps=FPS, has_feedback=True, now_us=0)
    before_bps = flow.decision.estimate_bps

    for index in range(200):
        now_us = index * 10_000
        flow.sent(index, (SIZE_BYTES,), now_us, Priority.VIDEO)
        # Somebody else looked at arrivals alone, and went on as before.
        flow.feedback([(index, None)], now_us + 1000)
        flow.tick(now_us + 2000)

    assert flow.decision.reason is Reason.SILENCE
    assert flow.decision.estimate_bps < before_bps / 4
