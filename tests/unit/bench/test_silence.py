from streamer.bench.silence import Recovery, recoveries
from streamer.bench.stamps import Seen


def seen(*pairs: tuple[int, float]) -> list[Seen]:
    return [Seen(number, 0, at_ms - 10, at_ms) for number, at_ms in pairs]


def test_recovery_is_counted_from_the_end_of_the_silence_to_the_first_new_picture():
    frames = seen((1, 80.0), (2, 97.0), (2, 805.0), (9, 840.0), (10, 857.0))

    assert recoveries([(100.0, 800.0)], frames) == [Recovery(first_picture_ms=40.0, freeze_ms=840.0 - 97.0)]


def test_picture_shown_during_the_silence_was_on_its_way_and_shortens_the_freeze():
    frames = seen((1, 97.0), (2, 110.0), (9, 830.0))

    assert recoveries([(100.0, 800.0)], frames) == [Recovery(30.0, 720.0)]


def test_silence_that_the_picture_does_not_survive_is_left_out():
    frames = seen((1, 97.0), (9, 3_020.0))

    assert recoveries([(100.0, 800.0), (2_000.0, 3_000.0)], frames) == [Recovery(20.0, 3_020.0 - 97.0)]


def test_nothing_is_concluded_without_a_picture_before():
    assert recoveries([(100.0, 800.0)], seen((9, 840.0))) == []
