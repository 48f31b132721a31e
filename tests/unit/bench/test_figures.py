import pytest

from streamer.bench.figures import click_delays_ms, figures_of, why_too_easy
from streamer.bench.rtp_clock import RtpClock
from streamer.bench.sight import Sight
from streamer.media.frame import Resolution

BEFORE = {"bytesReceived": 1_000, "jitterBufferDelay": 1.0, "jitterBufferEmittedCount": 100}
AFTER = {"bytesReceived": 2_251_000, "jitterBufferDelay": 1.06, "jitterBufferEmittedCount": 220}


def decoded_rows(count: int, age_ms: float) -> list[list[float | None]]:
    """Frames every 16 ms, stamped with the server's time, seen on a clock 500 ms behind it."""
    return [[n, (1_000 + 16 * n) * 10, 0, 500 + 16 * n + age_ms, None, None, 1_440 * n] for n in range(count)]


def test_figures_say_rate_loss_age_and_bitrate():
    sight = Sight(2.0, 500.0, decoded_rows(120, 9.0), decoded_rows(60, 16.0), unreadable=2, before=BEFORE, after=AFTER)

    figures = figures_of(sight)

    assert figures.values["fps"] == 60.0
    assert figures.values["frames_dropped"] == 0
    assert figures.values["frames_unreadable"] == 2
    assert figures.values["mbps"] == 9.0
    assert figures.values["jitter_buffer_ms"] == 0.5
    assert figures.values["decoded_ms"] == {"p50": 9.0, "p95": 9.0, "p99": 9.0, "count": 120}
    assert figures.p50_ms == 16.0


def test_figures_without_a_screen_compare_by_decoded_age():
    figures = figures_of(Sight(1.0, 500.0, decoded_rows(60, 9.0)))

    assert figures.values["on_screen_ms"]["count"] == 0
    assert figures.values["jitter_buffer_ms"] is None
    assert figures.p50_ms == 9.0


def test_figures_of_a_prepared_stream_ignore_its_stamps():
    clock = RtpClock(anchor_ticks=0, anchor_ms=1_005.0)

    figures = figures_of(Sight(1.0, 500.0, decoded_rows(60, 9.0), rtp_clock=clock), loop_frames=600)

    assert figures.values["decoded_ms"]["p50"] == pytest.approx(4.0)


def test_clicks_of_a_window_are_matched_by_counting_presses():
    rows = [[n, 0, presses, at_ms] for n, (presses, at_ms) in enumerate([(0, 90.0), (1, 120.0), (2, 230.0)])]
    sight = Sight(1.0, 0.0, (), rows, buttons=[[77, 100.0], [80, 200.0]])

    assert click_delays_ms(sight, counts_presses=True) == [20.0, 30.0]


def test_clicks_of_a_source_that_knows_messages_are_matched_by_their_numbers():
    rows = [[n, 0, number, at_ms] for n, (number, at_ms) in enumerate([(76, 90.0), (77, 120.0), (81, 230.0)])]
    sight = Sight(1.0, 0.0, (), rows, buttons=[[77, 100.0], [80, 200.0]])

    assert click_delays_ms(sight, counts_presses=False) == [20.0, 30.0]


@pytest.mark.parametrize(
    ("mbps", "size", "target_bps", "is_easy"),
    [
        (5.9, Resolution(1280, 720), 9_000_000, True),
        (6.0, Resolution(1280, 720), 9_000_000, False),
        (7.0, Resolution(1920, 1080), 30_000_000, True),
        (2.1, Resolution(1280, 720), 3_000_000, False),
    ],
)
def test_stream_that_was_no_work_is_not_trusted(mbps, size, target_bps, is_easy):
    assert bool(why_too_easy({"mbps": mbps}, size, target_bps)) == is_easy
