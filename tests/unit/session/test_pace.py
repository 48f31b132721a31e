from pydantic import BaseModel

from streamer.media.frame import Resolution
from streamer.session.pace import keeps_up
from tests.fakes.failing_encoder import FailingEncoder


class Options(BaseModel):
    """Those of a package that does not freeze them."""

    speed: int = 1


def test_pace_of_an_encoder_is_measured_once_for_the_same_options():
    backend = FailingEncoder(needs_keyframe=False, is_hardware=False)

    for speed in (1, 1, 2):
        keeps_up(backend, "h264", Resolution(320, 192), 60.0, 1_000_000, Options(speed=speed))

    assert backend.opened == backend.closed == 2
