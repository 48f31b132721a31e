from PIL import Image

from streamer.bench.plot import draw
from streamer.bench.stamps import Seen

RESULT = {
    "fps": 60,
    "mbps": 9.0,
    "trusted": False,
    "distrust": ["other processes took 40% of the machine"],
    "stages_ms": {"encode": 5.0, "present": 8.0},
    "conditions": {"source": "pattern", "size": "1280x720"},
}


def test_plot_is_a_picture_with_frames_and_clicks(tmp_path):
    frames = [Seen(number, 0, 16.0 * number, 16.0 * number + 12) for number in range(50)]

    draw(tmp_path / "plot.png", RESULT, frames, frames, [25.0, 30.0])

    with Image.open(tmp_path / "plot.png") as picture:
        assert picture.width > 1000
        assert len(picture.convert("RGB").getcolors(1 << 24) or ()) > 20


def test_plot_of_nothing_is_still_a_picture(tmp_path):
    draw(tmp_path / "plot.png", {**RESULT, "stages_ms": {}}, [], [], [])

    assert (tmp_path / "plot.png").stat().st_size > 1000
