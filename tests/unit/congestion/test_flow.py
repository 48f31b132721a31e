from dataclasses import replace

import pytest

from streamer.congestion.decision import Decision, ProbeCluster, RateLimits, Reason
from streamer.congestion.flow import (
    _KNOCK_US,
    _MAX_SILENT_TAILS,
    _MIN_CONFIRMATION_US,
    _PROBE_PATIENCE_US,
    _PROBE_STEP_US,
    _REPORT_US,
    _TAIL_PACKETS,
    _UNKNOWN_RTT_US,
    Flow,
    Lost,
)
from streamer.congestion.ladder import DECODE_BACKLOG_US, DOWN_AFTER_US, SCALE_STEPS, Prefer
from streamer.congestion.pacer import BURST_PACKETS, Priority
from streamer.congestion.silence import MIN_US

_LIMITS = RateLimits(300_000, 3_000_000, 20_000_000)
_FPS = 50
_SIZE_BYTES = 1250
# A packet of 1250 bytes leaves in a millisecond.
_PACING_BPS = 10_000_000
_RTT_US = 40_000
_DECISION = Decision(
    at_us=0,
    estimate_bps=_PACING_BPS // 2,
    target_bps=_PACING_BPS // 2,
    pacing_bps=_PACING_BPS,
    in_flight_cap_bytes=None,
    reason=Reason.GROWTH,
)


class _Estimator:
    """An estimator that decides what it is told to, and remembers what it was asked."""

    def __init__(self, decision=_DECISION):
        self.decision = decision
        self.tick_at_us = None
        self.sent = []
        self.reports = []

    def __call__(self, limits, *, fps, has_feedback, now_us):
        self.made_with = limits, fps, has_feedback, now_us
        return self

    def packet_sent(self, packet):
        self.sent.append(packet)

    def feedback_received(self, report, in_flight_bytes, now_us):
        self.reports.append((report, in_flight_bytes, now_us))
        return self.decision

    def report_received(self, loss_ratio, rtt_us, now_us):
        self.decision = replace(self.decision, at_us=now_us, loss_ratio=loss_ratio, rtt_us=rtt_us)
        return self.decision

    def remb_received(self, estimate_bps, now_us):
        self.decision = replace(self.decision, at_us=now_us, estimate_bps=estimate_bps)
        return self.decision

    def tick(self, now_us):
        self.decision = replace(self.decision, at_us=now_us)
        return self.decision

    def next_tick_us(self):
        return self.tick_at_us


class _Packet:
    size_bytes = _SIZE_BYTES

    def __init__(self, name):
        self.name = name


class _Sender:
    """A flow, and the transport that sends what it releases."""

    def __init__(self, decision=_DECISION, *, has_feedback=True, prefer=Prefer.FPS):
        self.estimator = _Estimator(decision)
        self.flow = Flow(
            _LIMITS, fps=_FPS, has_feedback=has_feedback, now_us=0, prefer=prefer, estimator=self.estimator
        )
        self.index = 0

    def decide(self, now_us=0, **changes):
        """Let the estimator decide anew, and the flow hear of it."""
        self.estimator.decision = replace(self.estimator.decision, **changes)
        self.flow.tick(now_us)

    def enqueue(self, count, now_us=0, priority=Priority.VIDEO):
        packets = [_Packet(number) for number in range(count)]
        self.flow.enqueue(packets, priority, now_us)
        return packets

    def send(self, now_us, priority=Priority.VIDEO):
        """Send what may leave; return it."""
        packets = self.flow.release(now_us)
        for packet in packets:
            self.flow.sent(self.index, packet.size_bytes, now_us, priority, packet)
            self.index += 1
        return packets

    def pad(self, size_bytes, now_us):
        self.flow.sent(self.index, size_bytes, now_us, Priority.PADDING)
        self.index += 1


def _arrived(*indices):
    return [(index, 9_000_000 + index) for index in indices]


def test_flow_begins_with_the_products_own_estimator():
    flow = Flow(_LIMITS, fps=_FPS, has_feedback=True, now_us=7)

    assert flow.decision.target_bps == _LIMITS.start_bps
    assert flow.decision.reason is Reason.START
    assert flow.decision.at_us == 7


def test_flow_makes_another_estimator_in_its_place():
    sender = _Sender()

    assert sender.estimator.made_with == (_LIMITS, _FPS, True, 0)
    assert sender.flow.decision.estimate_bps == _DECISION.estimate_bps


def test_flow_paces_at_the_decided_rate():
    sender = _Sender()
    sender.enqueue(2 * BURST_PACKETS)

    assert len(sender.send(0)) == BURST_PACKETS
    assert sender.flow.next_wake_us() == 2 * BURST_PACKETS * 1000
    assert sender.send(2 * BURST_PACKETS * 1000 - 1) == []


def test_flow_drops_what_waits_when_its_transport_is_closed():
    sender = _Sender()
    sender.enqueue(3)

    sender.flow.clear()

    assert sender.send(0) == []
    assert sender.flow.next_wake_us() is None


def test_flow_tells_how_much_waits_besides_audio():
    sender = _Sender()
    sender.enqueue(3)
    sender.enqueue(2, priority=Priority.AUDIO)

    assert sender.flow.waiting_bytes == 3 * _SIZE_BYTES


def test_flow_holds_back_what_would_be_too_much_under_way():
    sender = _Sender(replace(_DECISION, in_flight_cap_bytes=2 * _SIZE_BYTES))
    sender.enqueue(2)
    sender.send(0)
    sender.enqueue(2, 1000)

    assert sender.send(1000) == []

    sender.flow.feedback(_arrived(0), 2000)

    assert sender.flow.next_wake_us() == 1000
    assert len(sender.send(2000)) == 2


def test_flow_asks_a_path_that_is_silent_with_one_packet_at_a_time():
    sender = _Sender(replace(_DECISION, in_flight_cap_bytes=2 * _SIZE_BYTES))
    sender.enqueue(2)
    sender.send(0)
    sender.enqueue(BURST_PACKETS, 1000)

    for knocks in range(1, 4):
        assert sender.flow.next_wake_us() == knocks * _KNOCK_US
        assert sender.send(knocks * _KNOCK_US - 1) == []
        assert len(sender.send(knocks * _KNOCK_US)) == 1


def test_flow_does_not_wake_at_a_shut_gate_when_nothing_waits():
    sender = _Sender(replace(_DECISION, in_flight_cap_bytes=0))

    assert sender.flow.next_wake_us() is None


def test_flow_lets_audio_pass_a_shut_gate():
    sender = _Sender(replace(_DECISION, in_flight_cap_bytes=0))

    sender.enqueue(1, priority=Priority.AUDIO)

    assert len(sender.send(0)) == 1


def test_flow_tells_the_estimator_what_left_and_what_the_receiver_says():
    sender = _Sender()
    sender.enqueue(3)
    sender.send(5000)

    sender.flow.feedback(_arrived(0, 1), 50_000)

    assert [(packet.index, packet.size_bytes, packet.sent_at_us) for packet in sender.estimator.sent] == [
        (index, _SIZE_BYTES, 5000) for index in range(3)
    ]
    ((report, in_flight_bytes, now_us),) = sender.estimator.reports
    assert [packet.index for packet in report.arrived] == [0, 1]
    assert (in_flight_bytes, now_us) == (_SIZE_BYTES, 50_000)


def test_flow_keeps_no_record_of_packets_that_nobody_reports():
    sender = _Sender(replace(_DECISION, in_flight_cap_bytes=1), has_feedback=False)
    sender.enqueue(1)
    sender.send(0)

    # The estimator may count it, and nothing waits for word of it.
    assert len(sender.estimator.sent) == 1
    sender.enqueue(1, 1000)
    assert len(sender.send(1000)) == 1


def test_flow_names_the_copies_that_feedback_calls_missing():
    sender = _Sender()
    packets = sender.enqueue(3)
    sender.send(5000)
    sender.pad(_SIZE_BYTES, 5000)

    lost = sender.flow.feedback([*_arrived(0), (1, None), (2, None), (3, None)], 50_000)

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
    sender = _Sender(replace(_DECISION, rtt_us=rtt_us))
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


def test_flow_takes_no_more_tails_for_lost_where_nobody_reports():
    sender = _Sender()
    tails = []
    for _ in range(_MAX_SILENT_TAILS + 2):
        now_us = len(tails) * 1_000_000
        sender.enqueue(1, now_us)
        sender.send(now_us)
        sender.flow.tick(now_us + 500_000)
        tails.append(sender.flow.overdue())
    assert [len(tail) > 0 for tail in tails] == [True] * _MAX_SILENT_TAILS + [False] * 2
    assert sender.flow.next_wake_us() is None

    sender.flow.feedback(_arrived(sender.index - 1), 10_000_000)
    sender.enqueue(1, 10_000_000)
    sender.send(10_000_000)
    sender.flow.tick(10_500_000)

    assert len(sender.flow.overdue()) == 1


def test_flow_misses_nothing_that_has_been_confirmed():
    sender = _Sender()
    sender.enqueue(2)
    sender.send(0)
    sender.flow.feedback(_arrived(0, 1), 50_000)

    sender.flow.tick(sender.flow.next_wake_us())

    assert sender.flow.overdue() == []


def test_flow_misses_the_end_of_a_long_frame_alone():
    sender = _Sender(replace(_DECISION, pacing_bps=1_000_000_000))
    packets = sender.enqueue(2 * _TAIL_PACKETS)
    sender.send(0)

    sender.flow.tick(sender.flow.next_wake_us())

    assert [copy.packet for copy in sender.flow.overdue()] == packets[_TAIL_PACKETS:]


def test_flow_heeds_a_receiver_report():
    sender = _Sender()

    sender.flow.report(loss_ratio=0.3, rtt_us=_RTT_US, now_us=5)

    assert (sender.flow.decision.loss_ratio, sender.flow.decision.rtt_us) == (0.3, _RTT_US)


def test_flow_heeds_what_a_receiver_estimates():
    sender = _Sender()

    sender.flow.remb(1_000_000, 5)

    assert sender.flow.decision.target_bps == 1_000_000


def test_flow_never_decides_a_target_above_the_highest_rate():
    sender = _Sender()

    sender.flow.remb(5 * _LIMITS.max_bps, 5)

    assert sender.flow.decision.target_bps == _LIMITS.max_bps


@pytest.mark.parametrize("changes", [{"reason": Reason.SILENCE}, {"estimate_bps": 1_000_000}])
def test_flow_counts_on_no_word_of_old_packets_once_silence_has_changed_the_rate(changes):
    sender = _Sender(replace(_DECISION, in_flight_cap_bytes=2 * _SIZE_BYTES))
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
    sender = _Sender()
    assert sender.flow.next_wake_us() is None

    sender.estimator.tick_at_us = 4711

    assert sender.flow.next_wake_us() == 4711


def test_flow_backlog_is_that_of_the_pacer_where_nothing_is_capped():
    sender = _Sender()
    sender.enqueue(BURST_PACKETS)

    assert sender.flow.backlog_us(0) == BURST_PACKETS * 1000


def test_flow_backlog_is_what_the_path_must_let_go_of_first():
    sender = _Sender(replace(_DECISION, in_flight_cap_bytes=10 * _SIZE_BYTES))
    sender.enqueue(BURST_PACKETS)

    # Six packets are too many, and each takes two milliseconds at the estimate; the pacer needs longer than that.
    assert sender.flow.backlog_us(0) == max(6 * 2000, BURST_PACKETS * 1000)

    sender.decide(in_flight_cap_bytes=0)

    assert sender.flow.backlog_us(0) == BURST_PACKETS * 2000


def test_flow_asks_for_frames_that_the_path_carries():
    sender = _Sender()

    allowance = sender.flow.wish_rate(0)

    assert (allowance.target_bps, allowance.fps, allowance.scale_ratio) == (_DECISION.estimate_bps, _FPS, 1.0)

    sender.enqueue(BURST_PACKETS)

    waiting_bytes = BURST_PACKETS * 1000 * _DECISION.estimate_bps // 8_000_000
    assert sender.flow.wish_rate(0).max_frame_bytes == allowance.max_frame_bytes - waiting_bytes


def _pass_time(sender, duration_us, **changes):
    for now_us in range(0, duration_us + 1, 50_000):
        sender.decide(now_us, **changes)
    return sender.flow.wish_rate(duration_us)


@pytest.mark.parametrize(
    ("prefer", "scale_ratio", "fps"), [(Prefer.FPS, SCALE_STEPS[1], _FPS), (Prefer.SHARPNESS, 1.0, 0.8 * _FPS)]
)
def test_flow_gives_way_when_pixels_have_too_few_bits(prefer, scale_ratio, fps):
    sender = _Sender(prefer=prefer)
    sender.flow.describe(1280, 720)

    allowance = _pass_time(sender, DOWN_AFTER_US, estimate_bps=_LIMITS.min_bps)

    assert (allowance.scale_ratio, allowance.fps) == (scale_ratio, fps)


def test_flow_gives_way_to_a_viewer_that_decodes_too_slowly():
    sender = _Sender()
    sender.flow.decode_backlog(DECODE_BACKLOG_US + 1, 0)

    assert _pass_time(sender, DOWN_AFTER_US).scale_ratio == SCALE_STEPS[1]


# Three packets at 20 Mbit/s.
_PROBE = ProbeCluster(1, 2 * _PACING_BPS, 3 * _SIZE_BYTES)


def test_flow_wants_no_padding_without_a_probe():
    assert _Sender().flow.padding_due_bytes(60_000_000) == 0


def test_flow_lets_a_probe_travel_with_a_frame():
    sender = _Sender(replace(_DECISION, probe=_PROBE))
    sender.enqueue(2 * BURST_PACKETS, 1000)
    # While a frame waits there is no need of padding.
    assert sender.flow.padding_due_bytes(60_000) == 0

    sender.send(1000)

    # A probe is released at its own rate; it is over when its bytes have left.
    assert [packet.cluster for packet in sender.estimator.sent[:4]] == [1, 1, 1, None]
    assert sender.flow.padding_due_bytes(60_000) == 0


def test_flow_paces_a_probe_at_its_own_rate_and_what_follows_at_the_usual_one():
    sender = _Sender(replace(_DECISION, probe=replace(_PROBE, size_bytes=100 * _SIZE_BYTES)))
    sender.enqueue(2 * BURST_PACKETS)
    sender.send(0)
    assert sender.flow.next_wake_us() == 2 * BURST_PACKETS * 500

    sender.decide(probe=None)
    sender.enqueue(2 * BURST_PACKETS)
    sender.send(2 * BURST_PACKETS * 500)

    # The frame behind it makes no queue for the next one.
    assert sender.flow.next_wake_us() == 2 * BURST_PACKETS * 500 + 2 * BURST_PACKETS * 1000


def test_flow_does_not_slow_down_for_a_probe_of_less():
    sender = _Sender(replace(_DECISION, probe=replace(_PROBE, rate_bps=1000, size_bytes=100 * _SIZE_BYTES)))
    sender.enqueue(2 * BURST_PACKETS)
    sender.send(0)

    assert sender.flow.next_wake_us() == 2 * BURST_PACKETS * 1000


def test_flow_pads_a_probe_that_finds_no_frame():
    probe = replace(_PROBE, size_bytes=30 * _SIZE_BYTES)
    sender = _Sender(replace(_DECISION, probe=probe))
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


def test_flow_asks_again_for_padding_that_was_not_made_but_not_at_once():
    sender = _Sender(replace(_DECISION, probe=_PROBE))
    due_bytes = sender.flow.padding_due_bytes(_PROBE_PATIENCE_US)

    again_at_us = sender.flow.next_wake_us()

    assert again_at_us >= _PROBE_PATIENCE_US + _PROBE_STEP_US
    assert sender.flow.padding_due_bytes(again_at_us) >= due_bytes


def test_flow_wakes_for_padding_once_it_has_begun():
    sender = _Sender(replace(_DECISION, probe=_PROBE))
    due_bytes = sender.flow.padding_due_bytes(_PROBE_PATIENCE_US)
    sender.pad(min(due_bytes, _SIZE_BYTES), _PROBE_PATIENCE_US)

    assert sender.flow.next_wake_us() == _PROBE_PATIENCE_US + _PROBE_STEP_US


def test_flow_does_not_count_audio_to_a_probe():
    sender = _Sender(replace(_DECISION, probe=_PROBE))
    sender.enqueue(1, priority=Priority.AUDIO)
    sender.send(0, Priority.AUDIO)

    assert [packet.cluster for packet in sender.estimator.sent] == [None]


def test_flow_begins_anew_with_each_probe():
    sender = _Sender(replace(_DECISION, probe=_PROBE))
    sender.pad(_PROBE.size_bytes, 0)
    assert sender.flow.padding_due_bytes(60_000) == 0

    sender.decide(100_000, probe=replace(_PROBE, number=2))

    assert sender.flow.next_wake_us() == 100_000 + _PROBE_PATIENCE_US
    assert sender.flow.padding_due_bytes(100_000 + _PROBE_PATIENCE_US) > 0


def test_decisions_do_not_depend_on_what_the_receivers_clock_shows():
    decisions = []
    for clock_us in (0, 3_600_000_000, -64_000):
        flow = Flow(_LIMITS, fps=_FPS, has_feedback=True, now_us=0)
        for index in range(200):
            now_us = index * 5000
            flow.sent(index, _SIZE_BYTES, now_us, Priority.VIDEO)
            if index % 10 == 9:
                flow.feedback(
                    [(number, number * 5000 + clock_us) for number in range(index - 9, index + 1)], now_us + 40
                )
        decisions.append(flow.decision)

    # Somebody else read the first arrival as a delay since the zero of that clock.
    assert decisions[0] == decisions[1] == decisions[2]


def test_flow_backs_off_when_every_packet_is_reported_lost():
    flow = Flow(_LIMITS, fps=_FPS, has_feedback=True, now_us=0)
    before_bps = flow.decision.estimate_bps

    for index in range(200):
        now_us = index * 10_000
        flow.sent(index, _SIZE_BYTES, now_us, Priority.VIDEO)
        # Somebody else looked at arrivals alone, and went on as before.
        flow.feedback([(index, None)], now_us + 1000)
        flow.tick(now_us + 2000)

    assert flow.decision.reason is Reason.SILENCE
    assert flow.decision.estimate_bps < before_bps / 4
