"""What holds on any path, of the flow as a whole, of its pacer and of what is under way."""

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streamer.congestion.decision import OVERHEAD_RATIO, RateLimits, Reason
from streamer.congestion.flow import Flow
from streamer.congestion.in_flight import InFlight, Sent
from streamer.congestion.pacer import Pacer, Priority
from streamer.congestion.probe import MAX_BYTES, TIMEOUT_US
from tests.fakes.path import FEEDBACK_US, PACKET_BYTES, FakePath

_MBPS = 1_000_000
_LIMITS = RateLimits(min_bps=400_000, start_bps=2 * _MBPS, max_bps=8 * _MBPS)
_CEILING_BPS = round(_LIMITS.max_bps * OVERHEAD_RATIO)
# A simulated second takes 10 ms and more, so few paths must do, the same each time; a failing one is not made simpler.
_few = settings(max_examples=12, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
_many = settings(max_examples=100, deadline=None, derandomize=True)

_capacities_bps = st.integers(3 * _MBPS, 12 * _MBPS)
_delays_us = st.integers(2_000, 60_000)
_seeds = st.integers(0, 1000)


@st.composite
def _events(draw):
    """What may happen to a path for half a second."""
    return {
        "capacity_bps": draw(st.integers(_MBPS // 5, 30 * _MBPS)),
        "delay_us": draw(_delays_us),
        "loss_ratio": draw(st.sampled_from([0.0, 0.0, 0.02, 0.12, 0.4])),
        "jitter_us": draw(st.sampled_from([0, 0, 5_000, 30_000])),
        "share": draw(st.sampled_from([1.0, 1.0, 0.3, 0.02, None])),
    }


@_few
@given(events=st.lists(_events(), min_size=6, max_size=10), seed=_seeds)
def test_rate_stays_between_floor_and_ceiling_while_feedback_flows(events, seed):
    path = FakePath(6 * _MBPS, limits=_LIMITS, seed=seed)
    for event in events:
        for name, value in event.items():
            setattr(path, name, value)
        path.run(0.5)

    for decision in path.decisions:
        assert _LIMITS.min_bps <= decision.target_bps <= _LIMITS.max_bps
        assert _LIMITS.min_bps <= decision.estimate_bps <= _CEILING_BPS


@_few
@given(capacity_bps=_capacities_bps, delay_us=_delays_us, jitter_us=st.integers(0, 8_000), seed=_seeds)
def test_rate_is_not_cut_where_nothing_is_lost(capacity_bps, delay_us, jitter_us, seed):
    path = FakePath(capacity_bps, delay_us=delay_us, limits=_LIMITS, seed=seed)
    path.jitter_us = jitter_us
    path.run(2)

    assert {decision.loss_ratio for decision in path.decisions} == {0}
    assert Reason.LOSS not in {decision.reason for decision in path.decisions}
    assert path.estimate_bps > 0.7 * min(capacity_bps, _CEILING_BPS)


@_few
@given(capacity_bps=_capacities_bps, delay_us=_delays_us, seed=_seeds)
def test_rate_is_cut_where_far_too_much_is_lost(capacity_bps, delay_us, seed):
    path = FakePath(capacity_bps, delay_us=delay_us, limits=_LIMITS, seed=seed).run(2)
    before_bps = path.estimate_bps

    # Of an eighth, one path in twenty looks by chance as if it were less.
    path.loss_ratio = 0.15
    path.run(3)

    assert path.estimate_bps < 0.85 * before_bps


@_few
@given(capacity_bps=_capacities_bps, ratio=st.floats(0.2, 0.6), delay_us=_delays_us, seed=_seeds)
def test_rate_is_cut_when_the_path_becomes_narrow(capacity_bps, ratio, delay_us, seed):
    path = FakePath(capacity_bps, delay_us=delay_us, limits=_LIMITS, seed=seed).run(2)

    path.capacity_bps = round(ratio * min(capacity_bps, _CEILING_BPS))
    path.run(2)

    assert path.estimate_bps <= 1.05 * path.capacity_bps


@_few
@given(
    capacity_bps=st.integers(_MBPS, 30 * _MBPS),
    delay_us=_delays_us,
    share=st.sampled_from([0.01, 0.1, 0.4]),
    has_padding=st.booleans(),
    seed=_seeds,
)
def test_probe_is_honoured_or_given_up(capacity_bps, delay_us, share, has_padding, seed):
    path = FakePath(capacity_bps, delay_us=delay_us, limits=_LIMITS, seed=seed)
    path.share, path.has_padding = share, has_padding
    path.run(3)

    seen = {}
    for decision in path.decisions:
        if decision.probe is not None:
            seen.setdefault(decision.probe.number, []).append(decision.at_us)
    assert seen
    # Never wanted for longer than it is worth, never more padding than clusters need.
    assert max(at_us[-1] - at_us[0] for at_us in seen.values()) <= TIMEOUT_US + 2 * FEEDBACK_US
    assert path.padding_bytes <= len(seen) * (MAX_BYTES + PACKET_BYTES)
    if has_padding and capacity_bps > 4 * _LIMITS.start_bps:
        assert path.estimate_bps > 1.5 * _LIMITS.start_bps
    # What has not been tested is not believed in for long.
    assert path.estimate_bps <= 3 * max(capacity_bps, _LIMITS.start_bps)


_clock_us = st.sampled_from([0, 0, 250, -250, 64_000, -8_000_000, 8_000_000, 3_600_000_000, -(10**12)])
# Per report: the pause before it, which index it begins with, and by how much each arrival is off, None for none.
_claims = st.lists(
    st.tuples(
        st.integers(0, 700_000),
        st.integers(-50, 250),
        st.lists(st.none() | _clock_us | st.integers(-(10**7), 10**7), max_size=25),
    ),
    max_size=25,
)


@_many
@given(claims=_claims, has_truth=st.booleans())
def test_flow_decides_within_its_limits_whatever_a_receiver_claims(claims, has_truth):
    flow = Flow(_LIMITS, fps=60, has_feedback=True, now_us=0)
    now_us = sent = 0
    for pause_us, first, offsets_us in claims:
        for number in range(12):
            flow.sent(sent + number, (PACKET_BYTES,), now_us + number // 6 * 2000, Priority.VIDEO)
        now_us += pause_us
        flow.tick(now_us)
        truth = [(index, now_us + index * 500) for index in range(sent, sent + 12)] if has_truth else []
        claimed = [
            (first + at, None if offset_us is None else now_us + offset_us) for at, offset_us in enumerate(offsets_us)
        ]
        sent += 12
        for arrivals in (claimed, truth):
            flow.feedback(arrivals, now_us)
            decision = flow.decision
            assert _LIMITS.min_bps <= decision.target_bps <= _LIMITS.max_bps
            assert _LIMITS.min_bps <= decision.estimate_bps <= _CEILING_BPS
            assert decision.pacing_bps > 0
            assert decision.queue_us >= 0


class _Packet:
    def __init__(self, priority, size_bytes):
        self.priority = priority
        self.size_bytes = size_bytes


_size_bytes = st.integers(1, 1500)
# Long frames leave in several bursts, and are drawn at once rather than packet by packet.
_sizes_bytes = st.lists(_size_bytes, max_size=6) | st.builds(
    lambda size, count: [size] * count, _size_bytes, st.integers(0, 60)
)
_priorities = st.sampled_from([Priority.AUDIO, Priority.RETRANSMISSION, Priority.VIDEO, Priority.VIDEO])
_pacer_steps = st.lists(
    st.one_of(
        st.tuples(st.just("enqueue"), _priorities, _sizes_bytes),
        st.tuples(st.just("wait"), st.integers(0, 30_000)),
        st.tuples(st.just("release"), st.none() | st.integers(-1000, 20_000)),
        st.tuples(st.just("release one")),
        st.tuples(st.just("pace"), st.integers(100_000, 200 * _MBPS)),
    ),
    max_size=30,
)


@_many
@given(steps=_pacer_steps)
def test_pacer_conserves_packets_and_their_order(steps):
    pacer, now_us = Pacer(5 * _MBPS), 0
    given_packets = {priority: [] for priority in Priority}
    released = []
    for step in steps:
        match step:
            case ["enqueue", priority, sizes_bytes]:
                packets = [_Packet(priority, size_bytes) for size_bytes in sizes_bytes]
                given_packets[priority] += packets
                pacer.enqueue(packets, priority, now_us)
            case ["wait", duration_us]:
                now_us += duration_us
            case ["release", budget_bytes]:
                released += pacer.release(now_us, budget_bytes)
            case ["release one"]:
                released += pacer.release_one(now_us)
            case ["pace", pacing_bps]:
                pacer.set_pacing(pacing_bps, now_us)
        waiting = sum(map(len, given_packets.values())) - len(released) - len(pacer._audio)
        assert pacer.backlog_packets == waiting
    while (wake_us := pacer.next_wake_us()) is not None:
        now_us = max(now_us, wake_us)
        released += pacer.release(now_us)

    for priority, packets in given_packets.items():
        assert [packet for packet in released if packet.priority is priority] == packets
    assert len(released) == sum(map(len, given_packets.values()))
    assert (pacer.backlog_packets, pacer.backlog_bytes, pacer.frame_bytes, pacer.backlog_us(now_us)) == (0, 0, 0, 0)


_reports = st.lists(
    st.tuples(st.integers(0, 110), st.lists(st.booleans(), max_size=30)),
    max_size=15,
)


@_many
@given(reports=_reports, expire_us=st.integers(0, 120_000))
def test_in_flight_counts_each_packet_once_whatever_reports_say(reports, expire_us):
    in_flight = InFlight()
    for index in range(100):
        in_flight.add([Sent(index, PACKET_BYTES, index * 1000, Priority.VIDEO)])

    arrived, lost = [], []
    for number, (first, statuses) in enumerate(reports):
        if number == len(reports) // 2:
            in_flight.expire(expire_us)
        report = in_flight.report(
            [(first + at, 5_000_000 + at if has_arrived else None) for at, has_arrived in enumerate(statuses)]
        )
        arrived += [packet.index for packet in report.arrived]
        lost += [packet.index for packet in report.lost]
        assert 0 <= in_flight.size_bytes <= (100 - len(set(arrived) | set(lost))) * PACKET_BYTES

    assert len(arrived) == len(set(arrived))
    assert len(lost) == len(set(lost))
