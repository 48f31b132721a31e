import pytest

from streamer.bench.quantiles import percentile, summarize


@pytest.mark.parametrize(("percent", "rank"), [(0, 1), (1, 1), (50, 50), (95, 95), (99, 99), (100, 100)])
def test_percentile_is_the_value_of_its_nearest_rank(percent, rank):
    assert percentile([float(value) for value in range(1, 101)], percent) == rank


def test_percentile_of_few_values_is_one_that_was_measured():
    assert percentile([3.0, 9.0], 95) == 9.0
    assert percentile([3.0, 9.0], 50) == 3.0


def test_summarize_sorts_and_counts():
    assert summarize([5, 1, 3]) == {"p50": 3, "p95": 5, "p99": 5, "count": 3}


def test_summarize_of_nothing_has_no_percentiles():
    assert summarize([]) == {"p50": None, "p95": None, "p99": None, "count": 0}
