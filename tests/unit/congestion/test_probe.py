from streamer.congestion.in_flight import Sent
from streamer.congestion.pacer import Priority
from streamer.congestion.probe import MAX_BYTES, MIN_BYTES, TIMEOUT_US, Prober, ProbePlan

_RATE_BPS = 8_000_000


def _packets(prober, count, *, every_us=1000, size_bytes=1250, cluster=None):
    packets = []
    for number in range(count):
        packet = Sent(number, size_bytes, 0, Priority.PADDING, prober.cluster.number if cluster is None else cluster)
        packet.arrived_at_us = 50_000 + number * every_us
        packets.append(packet)
    return packets


def _probe(count, **options):
    prober = Prober()
    prober.start(_RATE_BPS, 0)
    packets = _packets(prober, count, **options)
    for packet in packets:
        prober.sent(packet)
    for packet in packets:
        prober.arrived(packet)
    return prober


def test_probe_is_fifteen_milliseconds_of_its_rate_within_bounds():
    for rate_bps, size_bytes in ((_RATE_BPS, 15_000), (300_000, MIN_BYTES), (10**9, MAX_BYTES)):
        prober = Prober()
        prober.start(rate_bps, 0)
        assert prober.cluster.size_bytes == size_bytes


def test_probe_finds_what_the_path_carries_and_no_more_than_was_tried():
    assert _probe(12, every_us=2000).result_bps(100_000) == round(0.95 * 5_000_000)
    assert _probe(12, every_us=100).result_bps(100_000) == _RATE_BPS


def test_probe_says_its_result_once():
    prober = _probe(12)
    prober.result_bps(100_000)

    assert prober.result_bps(100_000) is None
    assert not prober.is_out


def test_probe_has_no_result_before_most_has_arrived():
    prober = Prober()
    prober.start(_RATE_BPS, 0)
    for packet in _packets(prober, 12):
        prober.sent(packet)

    assert prober.cluster is None
    assert prober.result_bps(100_000) is None
    assert prober.is_out
    assert prober.result_bps(TIMEOUT_US + 1) is None
    assert not prober.is_out


def test_probe_makes_nothing_of_one_instant():
    assert _probe(12, every_us=0).result_bps(100_000) is None


def test_probe_minds_its_own_packets_only():
    prober = Prober()
    prober.start(_RATE_BPS, 0)
    for packet in _packets(prober, 12, cluster=7):
        prober.sent(packet)
        prober.arrived(packet)

    assert prober.cluster is not None


def test_probe_can_be_aborted():
    prober = _probe(12)
    prober.abort()
    stray = Sent(0, 1250, 0, Priority.PADDING, 1)
    prober.sent(stray)
    prober.arrived(stray)

    assert prober.result_bps(100_000) is None
    prober.expire(10**9)


def test_plan_begins_with_three_and_six_times_the_start():
    plan = ProbePlan(1_000_000, 0)

    assert plan.next_bps(1_000_000, 0, is_limited=False, is_known=False) == 3_000_000
    assert plan.next_bps(3_000_000, 0, is_limited=False, is_known=False) == 6_000_000
    assert plan.next_bps(6_000_000, 0, is_limited=False, is_known=False) is None


def test_plan_leaves_out_a_start_that_is_passed():
    plan = ProbePlan(1_000_000, 0)

    assert plan.next_bps(4_000_000, 0, is_limited=False, is_known=False) == 6_000_000


def test_plan_probes_every_five_seconds_while_little_is_sent():
    plan = ProbePlan(1_000_000, 0)
    asked = [
        now_us
        for now_us in range(0, 20_000_000, 100_000)
        if plan.next_bps(9_000_000, now_us, is_limited=now_us >= 1_000_000, is_known=False)
    ]

    assert asked == [6_100_000, 11_200_000, 16_300_000]


def test_plan_does_not_probe_for_what_is_known():
    plan = ProbePlan(1_000_000, 0)

    assert plan.next_bps(9_000_000, 0, is_limited=True, is_known=True) is None
    assert plan.next_bps(9_000_000, 9_000_000, is_limited=True, is_known=True) is None


def test_plan_looks_after_a_drop_whether_it_has_come_back():
    plan = ProbePlan(1_000_000, 0)
    plan.next_bps(9_000_000, 0, is_limited=False, is_known=False)
    plan.dropped(0)
    asked = [
        now_us
        for now_us in range(0, 8_000_000, 100_000)
        if plan.next_bps(9_000_000, now_us, is_limited=False, is_known=False) == 18_000_000
    ]

    assert asked == [1_000_000, 2_000_000, 4_000_000]
