from itertools import pairwise

import pytest

from streamer.bench.network.made_traces import Cellular, MadeTrace, WirelessLan

_S = 1_000_000


@pytest.mark.parametrize("radio", [Cellular(10_000_000), WirelessLan(100_000_000)], ids=["cellular", "wireless LAN"])
def test_same_seed_makes_the_same_trace(radio):
    assert radio.trace(1, 5_000) == radio.trace(1, 5_000)
    assert radio.trace(1, 5_000) != radio.trace(2, 5_000)
    assert radio.trace(1, 5_000).period_us == 5 * _S


def test_cellular_rate_wanders_around_its_middle():
    trace = MadeTrace(Cellular(10_000_000), seed=1)

    mbps = sorted(trace.carried_bytes(at * _S, (at + 1) * _S) * 8 / 1e6 for at in range(60))

    assert 5 < mbps[30] < 20
    assert mbps[-1] > 4 * mbps[0]


def test_cellular_link_stops_now_and_then():
    trace = Cellular(10_000_000, gap_every_ms=2_000).trace(1, 60_000)

    pauses_ms = [after - before for before, after in pairwise(trace.opportunities_ms)]

    assert 10 <= sum(pause_ms >= 40 for pause_ms in pauses_ms) <= 50
    # Two may follow upon each other.
    assert max(pauses_ms) < 650


def test_wireless_lan_delivers_in_bunches():
    trace = WirelessLan(100_000_000).trace(1, 60_000)

    used_ms = len(set(trace.opportunities_ms))

    # 8 opportunities in each ms that is used, which is a third of all.
    assert len(trace.opportunities_ms) / used_ms == pytest.approx(8.3, rel=0.05)
    assert 15_000 < used_ms < 30_000
