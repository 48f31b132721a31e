import pytest

from streamer.congestion.silence import _HALVING_US, MAX_US, MIN_US, Silence

_START_US = 1_000_000
_RTT_US, _INTERVAL_US = 40_000, 50_000


def test_silence_does_not_begin_while_nothing_is_under_way():
    silence = Silence()

    assert silence.next_us() is None
    assert not silence.tick(_START_US + 60_000_000)
    assert silence.halvings == 0


def test_silence_counts_from_the_first_packet_without_word():
    silence = Silence()
    silence.sent(_START_US)
    silence.sent(_START_US + 16_000)

    assert silence.next_us() == _START_US + MAX_US
    assert not silence.tick(_START_US + MAX_US - 1)
    assert silence.tick(_START_US + MAX_US)
    assert silence.halvings == 1


@pytest.mark.parametrize(
    ("rtt_us", "interval_us", "limit_us"),
    [
        pytest.param(_RTT_US, _INTERVAL_US, MIN_US, id="a short path"),
        pytest.param(250_000, 100_000, 450_000, id="a long path: a round trip and two reports"),
        pytest.param(900_000, _INTERVAL_US, MAX_US, id="a path of seconds"),
    ],
)
def test_silence_is_what_exceeds_a_round_trip_and_two_reports(rtt_us, interval_us, limit_us):
    silence = Silence()
    silence.sent(_START_US)

    silence.heard(rtt_us, interval_us, is_waiting=True, now_us=_START_US + 50_000)

    assert silence.next_us() == _START_US + 50_000 + limit_us


def test_silence_halves_again_and_again():
    silence = Silence()
    silence.sent(_START_US)

    for halvings in range(1, 6):
        due_at_us = silence.next_us()
        assert due_at_us == _START_US + MAX_US + (halvings - 1) * _HALVING_US
        assert silence.tick(due_at_us)
        assert silence.halvings == halvings


def test_silence_ends_with_a_report():
    silence = Silence()
    silence.sent(_START_US)
    silence.tick(_START_US + MAX_US)

    assert silence.heard(_RTT_US, _INTERVAL_US, is_waiting=True, now_us=_START_US + MAX_US + 1)
    assert silence.halvings == 0
    assert not silence.heard(_RTT_US, _INTERVAL_US, is_waiting=True, now_us=_START_US + MAX_US + 2)


def test_silence_is_not_awaited_when_every_packet_has_been_spoken_of():
    silence = Silence()
    silence.sent(_START_US)

    silence.heard(_RTT_US, _INTERVAL_US, is_waiting=False, now_us=_START_US + 50_000)

    assert silence.next_us() is None
