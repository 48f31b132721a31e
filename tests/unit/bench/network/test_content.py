from streamer.bench.network.content import MOVING, Content, Phase

_DESKTOP = Content((Phase(0, every_frames=None), Phase(8_000_000), Phase(12_000_000, size_ratio=0.15)), 20_000_000)


def test_content_has_the_phase_of_the_time():
    assert _DESKTOP.phase(7_999_999).every_frames is None
    assert _DESKTOP.phase(8_000_000).size_ratio == 1
    assert _DESKTOP.phase(19_999_999).size_ratio == 0.15


def test_content_begins_again():
    assert _DESKTOP.phase(20_000_000).every_frames is None


def test_moving_content_never_ends():
    assert MOVING.phase(3_600_000_000).every_frames == 1
