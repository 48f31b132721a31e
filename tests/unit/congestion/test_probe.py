import pytest

from streamer.congestion.in_flight import Sent
from streamer.congestion.pacer import Priority
from streamer.congestion.probe import (
    _MIN_ARRIVED_RATIO,
    _MIN_US,
    _PERIOD_US,
    _RATIO,
    _RECOVERY_DELAYS_US,
    _SAFE_RATIO,
    _START_RATIOS,
    MAX_BYTES,
    MIN_BYTES,
    TIMEOUT_US,
    ProbePlan,
    Prober,
)

_RATE_BPS = 8_000_000
_SIZE_BYTES = 1000
_PACKETS = _RATE_BPS * _MIN_US // 8_000_000 // _SIZE_BYTES


def _prober():
    prober = Prober()
    prober.start(_RATE_BPS, 0)
    return prober


def _send(prober, count, *, number=1, interval_us=1000):
    """Send packets of a cluster; return those that pass the path at one per interval."""
    packets = [Sent(index, _SIZE_BYTES, index * 500, Priority.PADDING, number) for index in range(count)]
    for index, packet in enumerate(packets):
        packet.arrived_at_us = 9_000_000 + index * interval_us
        prober.sent(packet)
    return packets


def _result_bps(packets, prober, now_us=100_000):
    for packet in packets:
        prober.arrived(packet)
    return prober.result_bps(now_us)


@pytest.mark.parametrize(
    ("rate_bps", "size_bytes"),
    [
        pytest.param(_RATE_BPS, _RATE_BPS * _MIN_US // 8_000_000, id="as long as a clock of 250 us needs"),
        pytest.param(100_000, MIN_BYTES, id="as many packets as make distances"),
        pytest.param(500_000_000, MAX_BYTES, id="no more than a slow path bears"),
    ],
)
def test_probe_size(rate_bps, size_bytes):
    prober = Prober()

    prober.start(rate_bps, 0)

    assert (prober.cluster.rate_bps, prober.cluster.size_bytes) == (rate_bps, size_bytes)
    assert prober.is_out


def test_probes_are_numbered():
    prober = _prober()

    prober.start(_RATE_BPS, 1)

    assert prober.cluster.number == 2


def test_probe_is_not_to_be_sent_any_more_once_all_of_it_has_left():
    prober = _prober()

    _send(prober, _PACKETS - 1)
    assert prober.cluster is not None

    _send(prober, 1)
    assert prober.cluster is None
    assert prober.is_out


def test_probe_shows_how_fast_the_path_let_it_pass():
    prober = _prober()
    # Half as fast as it was sent.
    packets = _send(prober, _PACKETS, interval_us=2000)

    assert _result_bps(packets, prober) == round(_SAFE_RATIO * _RATE_BPS / 2)
    assert not prober.is_out
    assert prober.result_bps(100_000) is None


def test_probe_never_shows_more_than_it_tried():
    prober = _prober()
    packets = _send(prober, _PACKETS, interval_us=10)

    assert _result_bps(packets, prober) == _RATE_BPS


def test_probe_shows_nothing_before_most_of_it_has_arrived():
    prober = _prober()
    packets = _send(prober, _PACKETS)
    enough = round(_MIN_ARRIVED_RATIO * _PACKETS)

    assert _result_bps(packets[: enough - 1], prober) is None
    assert _result_bps(packets[enough - 1 : enough], prober) is not None


def test_probe_shows_nothing_before_all_of_it_has_left():
    prober = _prober()
    packets = _send(prober, _PACKETS - 1)

    assert _result_bps(packets, prober) is None
    assert prober.is_out


def test_probe_that_arrives_at_one_instant_shows_nothing():
    prober = _prober()
    packets = _send(prober, _PACKETS, interval_us=0)

    assert _result_bps(packets, prober) is None
    assert not prober.is_out


def test_probe_takes_packets_out_of_order():
    prober = _prober()
    packets = _send(prober, _PACKETS)
    packets[-1].arrived_at_us, packets[-2].arrived_at_us = packets[-2].arrived_at_us, packets[-1].arrived_at_us

    assert _result_bps(packets, prober) == round(_SAFE_RATIO * _RATE_BPS)


def test_probe_that_is_given_up_is_not_sent_or_heeded():
    prober = _prober()
    packets = _send(prober, _PACKETS)

    prober.abort()

    assert prober.cluster is None
    assert not prober.is_out
    assert _result_bps(packets, prober) is None


def test_probe_does_not_heed_packets_of_another_one():
    prober = _prober()
    old = _send(prober, _PACKETS)
    prober.start(_RATE_BPS, 1)

    assert _result_bps(old, prober) is None
    _send(prober, _PACKETS, number=1)
    assert prober.cluster.number == 2


@pytest.mark.parametrize("look", [Prober.expire, Prober.result_bps])
def test_probe_without_an_answer_is_given_up(look):
    prober = _prober()

    look(prober, TIMEOUT_US)
    assert prober.is_out
    look(prober, TIMEOUT_US + 1)
    assert not prober.is_out
    look(prober, 2 * TIMEOUT_US)
    assert not prober.is_out


class _Plan:
    """A plan, asked at every 50 ms."""

    def __init__(self, start_bps=0):
        self.plan = ProbePlan(start_bps, 0)
        self.now_us = 0

    def run(self, duration_us, *, rate_bps=_RATE_BPS, is_limited=False, is_known=False):
        """Return (how long after the beginning, rate) of each probe."""
        began_at_us, probes = self.now_us, []
        while self.now_us < began_at_us + duration_us:
            self.now_us += 50_000
            wanted_bps = self.plan.next_bps(rate_bps, self.now_us, is_limited=is_limited, is_known=is_known)
            if wanted_bps is not None:
                probes.append((self.now_us - began_at_us, wanted_bps))
        return probes


def test_plan_tries_multiples_of_the_start_rate_first():
    plan = _Plan(_RATE_BPS)

    assert [rate_bps for _, rate_bps in plan.run(10_000_000)] == [ratio * _RATE_BPS for ratio in _START_RATIOS]


def test_plan_does_not_try_what_has_been_reached():
    plan = _Plan(_RATE_BPS)
    reached_bps = round(_START_RATIOS[0] * _RATE_BPS)

    assert plan.run(10_000_000, rate_bps=reached_bps) == [(50_000, _START_RATIOS[1] * _RATE_BPS)]


def test_plan_does_not_try_more_than_a_narrow_path_has_shown_already():
    plan = _Plan(_RATE_BPS)

    assert plan.run(1_000_000, is_known=True) == []
    assert plan.run(1_000_000) == []


def test_plan_does_not_probe_while_frames_tell():
    assert _Plan().run(60_000_000) == []


def test_plan_probes_periodically_while_the_application_sends_little():
    probes = _Plan().run(3 * (_PERIOD_US + 50_000), is_limited=True)

    assert [rate_bps for _, rate_bps in probes] == [_RATIO * _RATE_BPS] * 2
    assert probes[1][0] - probes[0][0] == _PERIOD_US + 50_000


def test_plan_counts_the_period_from_when_the_application_began_to_send_little():
    plan = _Plan()
    plan.run(_PERIOD_US, is_limited=True)
    plan.run(50_000)

    assert plan.run(_PERIOD_US, is_limited=True) == []


def test_plan_looks_after_a_drop_whether_the_path_has_come_back():
    plan = _Plan()

    plan.plan.dropped(0)

    assert plan.run(20_000_000) == [(delay_us, _RATIO * _RATE_BPS) for delay_us in _RECOVERY_DELAYS_US]


def test_plan_makes_one_probe_of_several_that_are_due():
    plan = _Plan()
    plan.plan.dropped(0)

    plan.now_us = 60_000_000

    assert len(plan.run(1_000_000)) == 1


def test_plan_does_not_ask_for_what_trains_say_already():
    plan = _Plan()
    plan.plan.dropped(0)

    assert plan.run(20_000_000, is_known=True) == []
    assert plan.run(60_000_000, is_limited=True, is_known=True) == []
