from streamer.bench.network.rates import Arrivals, longest_run_us, merged


def test_span_holds_its_beginning_and_not_its_end():
    arrivals = Arrivals([10, 20, 30], [1, 2, 4])

    assert arrivals.size_bytes(10, 30) == 3
    assert arrivals.size_bytes(0, 10) == 0
    assert arrivals.size_bytes(30, 1_000) == 4


def test_rate_is_the_mean_of_its_span():
    assert Arrivals([500_000], [125_000]).rate_bps(0, 1_000_000) == 1_000_000


def test_streams_are_merged_in_the_order_of_time():
    arrivals = merged([([10, 30], [1, 4]), ([20], [2])])

    assert arrivals.size_bytes(15, 35) == 6


def test_curve_covers_all_spans():
    assert Arrivals([50_000], [12_500]).curve(200_000, 100_000) == [(0.1, 1_000_000), (0.2, 0)]


def test_longest_run_is_counted_in_steps():
    assert longest_run_us([True, False, True, True, False], 10) == 20
    assert longest_run_us([], 10) == 0
