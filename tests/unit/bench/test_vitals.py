import pytest

from streamer.bench.vitals import Vitals, growth, read_vitals
from streamer.errors import SessionError


def samples(*pss_mb: float) -> list[Vitals]:
    return [Vitals(float(number), value + 10, value, 20, 5, 9) for number, value in enumerate(pss_mb)]


def test_growth_compares_the_last_tenth_with_the_first():
    assert growth(samples(*range(100, 140)), "pss_mb") == 36.0
    assert growth(samples(*range(100, 140)), "tasks") == 0


def test_growth_between_two_samples_is_their_difference():
    assert growth(samples(100.0, 103.5), "rss_mb") == 3.5


def test_growth_needs_two_samples():
    assert growth(samples(100.0), "pss_mb") is None


def test_server_that_is_gone_is_an_error():
    with pytest.raises(SessionError, match="cannot be looked at"):
        read_vitals(2**22 + 1, "http://127.0.0.1:9/", 0.0)
