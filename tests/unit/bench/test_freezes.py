import pytest

from streamer.bench.freezes import Pauses


@pytest.mark.parametrize(
    ("usual_us", "limit_us"),
    [
        pytest.param(16_000, 166_000, id="150 ms more than usual, of a fast stream"),
        pytest.param(100_000, 300_000, id="three times as long as usual, of a slow one"),
    ],
)
def test_freeze_is_a_pause_above_the_limit(usual_us, limit_us):
    for pause_us, is_freeze in ((limit_us, False), (limit_us + 1, True)):
        pauses = Pauses()
        assert not any(pauses.add(usual_us) for _ in range(5))
        assert pauses.add(pause_us) is is_freeze


def test_nothing_is_usual_after_four_pauses():
    pauses = Pauses()
    for _ in range(4):
        pauses.add(16_000)

    assert not pauses.add(5_000_000)


def test_what_is_usual_is_that_of_the_last_thirty():
    pauses = Pauses()
    for pause_us in [1_000_000] * 30 + [16_000] * 30:
        pauses.add(pause_us)

    assert pauses.add(167_000)
