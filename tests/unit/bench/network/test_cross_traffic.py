import random

import pytest

from streamer.bench.network.capacity import constant
from streamer.bench.network.cross_traffic import PACKET_BYTES, CubicFlow, CubicReceiver, Transfers
from streamer.bench.network.events import Events
from streamer.bench.network.link import Link, LinkSettings
from streamer.bench.network.rates import Arrivals
from streamer.bench.network.recording import CrossRecord, LinkRecord
from streamer.bench.network.wire import Wire

_RATE_BPS = 10_000_000


def _run(duration_us, transfers=Transfers(), flows=1, **link):  # noqa: B008 - a frozen value
    """Let flows run alone; return what each received and what the link did."""
    events, record, rng = Events(), LinkRecord(), random.Random(1)
    settings = LinkSettings(constant(_RATE_BPS), **link)
    there = Wire(events, Link(settings, random.Random(2)), record)
    back = Wire(events, Link(LinkSettings(), random.Random(3)), LinkRecord())
    received = []

    def add():
        received.append(CrossRecord("cubic"))
        receiver = CubicReceiver(lambda number, size: back.send(size, flow.acknowledged, number), received[-1])
        flow = CubicFlow(events, transfers, lambda number, size: there.send(size, receiver.received, number), rng)
        flow.start()

    for _ in range(flows):
        add()
    events.run_until(duration_us)
    return [Arrivals(each.received_at_us, each.received_bytes) for each in received], record


def test_cubic_flow_fills_the_link_and_its_queue():
    (received,), record = _run(20_000_000)

    assert received.rate_bps(5_000_000, 20_000_000) == pytest.approx(_RATE_BPS, rel=0.03)
    queues_us = [left - came for came, left in zip(record.entered_at_us, record.departed_at_us, strict=True)]
    assert max(queues_us) == pytest.approx(200_000, rel=0.02)
    assert record.drops


def test_cubic_flow_starts_slowly():
    (received,), _ = _run(1_000_000)

    # Ten packets in the first round trip of 40 ms, about twenty in the second one.
    assert received.size_bytes(0, 40_000) == 10 * PACKET_BYTES
    assert 15 * PACKET_BYTES < received.size_bytes(40_000, 85_000) <= 21 * PACKET_BYTES


def test_cubic_flow_gives_way_to_loss():
    (received,), _ = _run(20_000_000, loss_ratio=0.02)

    assert received.rate_bps(5_000_000, 20_000_000) < 0.5 * _RATE_BPS


def test_cubic_flow_survives_silence():
    (received,), _ = _run(10_000_000, outages=((3_000_000, 4_000_000),))

    assert received.size_bytes(3_250_000, 4_000_000) == 0
    assert received.rate_bps(7_000_000, 10_000_000) > 0.8 * _RATE_BPS


def test_two_cubic_flows_share():
    (first, second), _ = _run(60_000_000, flows=2)

    rates = sorted(each.rate_bps(20_000_000, 60_000_000) for each in (first, second))
    assert rates[0] > 0.5 * rates[1]


def test_files_are_sent_with_pauses_between():
    (received,), _ = _run(20_000_000, Transfers(sizes_bytes=(150_000, 150_000), mean_pause_us=1_000_000))

    rates = [rate_bps for _, rate_bps in received.curve(20_000_000, 100_000)]
    assert received.size_bytes(0, 20_000_000) % 150_000 == 0
    assert 5 * 150_000 < received.size_bytes(0, 20_000_000) < 40 * 150_000
    assert rates.count(0) > 50
