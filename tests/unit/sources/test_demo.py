import numpy as np
import pytest

from streamer.media.frame import Resolution
from streamer.protocol.actions import (
    ButtonChange,
    KeyChange,
    PointerMove,
    PointerShift,
    TextEntry,
    WheelTurn,
)
from streamer.sources import demo
from streamer.sources._scene.font import Font
from streamer.sources._scene.glyphs import STROKES
from streamer.sources._scene.keyboard import KEYS
from streamer.sources._scene.layout import Layout
from streamer.sources._scene.painter import ImagePainter
from streamer.sources._scene.panels import Keyboard
from streamer.sources._scene.scene import Scene
from streamer.sources._scene.state import SceneState
from streamer.sources.base import SourceSettings
from tests.fakes.clock import ManualClock
from tests.fakes.sources import bytes_of

SIZE = Resolution(640, 360)
LONG_US = 30_000_000


def drawn(scene: Scene) -> np.ndarray:
    image = np.empty((SIZE.height_px, SIZE.width_px, 4), np.uint8)
    scene.draw(ImagePainter(image, scene.backdrop), 0, 0)
    return image.astype(int)


def difference(actions, before=()):
    """Where two equal scenes differ by more than a trace when one of them is given `actions`."""
    touched, untouched = Scene(SIZE, 60), Scene(SIZE, 60)
    for scene in (touched, untouched):
        for action in before:
            scene.apply(action)
        drawn(scene)
    for action in actions:
        touched.apply(action)
    return np.abs(drawn(touched) - drawn(untouched)).max(axis=-1) > 24


def state() -> SceneState:
    return SceneState(Layout(SIZE), 60)


@pytest.mark.parametrize(
    "action",
    [
        PointerMove(30_000, 20_000),
        PointerShift(15, -9),
        WheelTurn(0, 120),
        WheelTurn(-120, 0),
        *(ButtonChange(button, is_down=True) for button in range(5)),
        KeyChange("KeyA", is_down=True),
        KeyChange("F7", is_down=True),
        TextEntry("\u00e9"),
    ],
    ids=str,
)
def test_every_kind_of_input_is_seen_on_the_very_next_frame(action):
    assert difference([action]).sum() > 20


def test_pointer_is_drawn_where_it_is():
    seen = difference([PointerMove(65_535 // 2, 65_535 // 4)])

    rows, columns = np.nonzero(seen)
    above_the_panels = rows < Layout(SIZE).keyboard.top
    assert rows[above_the_panels].mean() == pytest.approx(SIZE.height_px / 4, abs=3)
    assert columns[above_the_panels].mean() == pytest.approx(SIZE.width_px / 2, abs=3)


@pytest.mark.parametrize("place", [(0, 0), (1, 1), (400, 100), (638, 358), (639, 359)])
def test_pointer_is_at_the_very_pixel(place):
    scene_state = state()

    # The least positions that stand for the pixel: those that the page sends.
    x, y = (-(-at * 65536 // whole) for at, whole in zip(place, (SIZE.width_px, SIZE.height_px), strict=True))
    scene_state.apply(PointerMove(x, y))

    assert scene_state.pointer == place


def test_held_key_lights_up_in_its_place_and_nowhere_else():
    layout, scene_state = Layout(SIZE), state()
    keyboard = Keyboard(layout)
    for key in KEYS:
        image = np.zeros((SIZE.height_px, SIZE.width_px, 4), np.uint8)
        scene_state.apply(KeyChange(key.code, is_down=True))

        keyboard.draw(ImagePainter(image, np.zeros_like(image)), scene_state)

        scene_state.held.clear()
        lit = image.max(axis=-1) > 150
        place = layout.key(key.left, key.row, key.width)
        assert lit[place.top + 2 : place.bottom - 2, place.left + 2 : place.right - 2].all(), key.code
        assert lit.sum() <= place.width * place.height, key.code


def test_released_key_and_button_fade_away():
    down = [KeyChange("KeyA", is_down=True), KeyChange("Enter", is_down=True), ButtonChange(0, is_down=True)]
    up = [KeyChange("KeyA", is_down=False), KeyChange("Enter", is_down=False), ButtonChange(0, is_down=False)]
    scene = Scene(SIZE, 60)
    for action in (*down, *up):
        scene.apply(action)
    for _ in range(60):
        drawn(scene)

    layout = Layout(SIZE)
    quiet = Scene(SIZE, 60)
    keys = np.s_[layout.keys_top : layout.keyboard.bottom, layout.keyboard.left : layout.keyboard.right]
    assert np.array_equal(drawn(scene)[keys], drawn(quiet)[keys])


@pytest.mark.parametrize(
    ("actions", "text"),
    [
        ([KeyChange("KeyH", is_down=True), KeyChange("Digit1", is_down=True)], "h1"),
        ([KeyChange(code, is_down=True) for code in ("ShiftLeft", "KeyH", "Digit1")], "H!"),
        ([KeyChange("KeyH", is_down=True), KeyChange("KeyH", is_down=True)], "h"),
        ([TextEntry("abc"), KeyChange("Backspace", is_down=True)], "ab"),
        ([TextEntry("abc"), KeyChange("Enter", is_down=True)], ""),
        ([TextEntry("a\nb"), KeyChange("Space", is_down=True), KeyChange("Escape", is_down=True)], "a b "),
        ([TextEntry("x" * 1000 + "end")], "x" * 31 + "end"),
    ],
)
def test_typing_appears_as_text(actions, text):
    scene_state = state()

    for action in actions:
        scene_state.apply(action)

    assert scene_state.text == text


def test_pointer_stays_in_the_picture():
    scene_state = state()

    for action in (PointerMove(65_535, 65_535), PointerShift(100, 100)):
        scene_state.apply(action)
    assert scene_state.pointer == (639, 359)
    scene_state.apply(PointerShift(-5_000, -5_000))
    assert scene_state.pointer == (0, 0)


def test_keys_that_a_viewer_invents_are_not_remembered():
    scene_state = state()

    for number in range(1000):
        scene_state.apply(KeyChange(f"Key{number}", is_down=True))
        scene_state.apply(KeyChange(f"Key{number}", is_down=number % 2 == 0))

    assert not scene_state.held
    assert not scene_state.fading


def test_ball_moves_by_one_step_per_frame_and_stays_in_its_court():
    scene_state = state()
    steps = set()
    for _ in range(2_000):
        x, y = scene_state.ball.x, scene_state.ball.y
        scene_state.step()
        court = scene_state.layout.court
        assert court.left <= scene_state.ball.x <= court.right
        assert court.top <= scene_state.ball.y <= court.bottom
        steps.add((abs(scene_state.ball.x - x), abs(scene_state.ball.y - y)))

    assert (4.0, 2.0) in steps
    assert max(steps) == (4.0, 2.0), "only a bounce may be shorter"


@pytest.mark.parametrize(
    "size",
    [Resolution(1920, 1080), Resolution(360, 640), Resolution(1720, 180), Resolution(64, 48), Resolution(2, 2)],
    ids=str,
)
def test_scene_is_drawn_at_every_size_with_everything_happening(size):
    scene, image = Scene(size, 60), np.empty((size.height_px, size.width_px, 4), np.uint8)
    for corner in (0, 65_535):
        scene.apply(PointerMove(corner, corner))
        for button in range(5):
            scene.apply(ButtonChange(button, is_down=True))
        scene.apply(KeyChange("Space", is_down=True))
        for number in range(40):
            scene.draw(ImagePainter(image, scene.backdrop), number, 0)

    assert image[..., :3].max() > 100
    assert (image[..., 3] == 255).all()


def test_clock_and_frame_number_run():
    image, other = (np.empty((SIZE.height_px, SIZE.width_px, 4), np.uint8) for _ in range(2))

    for picture, elapsed_us in ((image, 0), (other, 7_000)):
        scene = Scene(SIZE, 60)
        scene.draw(ImagePainter(picture, scene.backdrop), 0, elapsed_us)

    layout = Layout(SIZE)
    rows, columns = np.nonzero((image != other).any(axis=-1))
    assert rows.size
    assert np.hypot(rows - layout.dial_y, columns - layout.dial_x).max() < layout.dial_radius


def test_stamp_is_drawn_only_when_it_is_asked_for():
    plain, stamped = (
        demo.create(SourceSettings(SIZE, 60, ManualClock(), demo.Options(has_stamp=is_stamped)))
        for is_stamped in (False, True)
    )

    pixels, stamped_pixels = (
        np.frombuffer(bytes_of(source.grab(LONG_US)), np.uint8).reshape(360, 640, 4) for source in (plain, stamped)
    )

    assert (pixels[:8] != stamped_pixels[:8]).any()
    assert np.array_equal(pixels[8:], stamped_pixels[8:])


def test_input_number_is_never_ahead_of_what_the_frame_shows():
    """Input that comes in while the number is asked for is drawn at once: early is fine, late would be a lie."""
    applied = 0

    def last_input() -> int:
        nonlocal applied
        source.apply(PointerMove(65_535 * applied // 10, 20_000))
        applied += 1
        return applied

    source = demo.create(SourceSettings(SIZE, 60, ManualClock(), None, last_input))
    lit = []
    for _ in range(2):
        frame = source.grab(LONG_US)
        lit.append(np.frombuffer(bytes_of(frame), np.uint8).reshape(360, 640, 4)[110, 0, :3].sum())
        source.release(frame)

    assert lit[0] > 300, "the first frame already shows the pointer at the left edge"


@pytest.mark.parametrize("capital_px", [4.0, 12.0, 30.0])
def test_every_glyph_has_ink_inside_its_cell_and_no_two_look_alike(capital_px):
    font = Font(capital_px, max(1.0, capital_px / 9))
    seen = {}
    for character in STROKES:
        glyph = font.glyph(character)
        assert glyph.shape == (font.height_px, font.advance_px)
        assert glyph.max() > 100, f"{character!r} is hardly to be seen"
        if capital_px > 4:
            seen.setdefault(glyph.tobytes(), []).append(character)

    assert [twins for twins in seen.values() if len(twins) > 1] in ([], [["O", "0"]])


def test_unknown_characters_are_drawn_as_a_box_and_spaces_as_nothing():
    font = Font(12, 1.5)

    assert np.array_equal(font.glyph("\u6f22"), font.glyph("\u00e9"))
    assert font.glyph("\u6f22").max() > 150
    assert font.glyph(" ").max() == 0
