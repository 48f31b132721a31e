from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import xcffib.xproto as xp

from streamer.clock import SystemClock
from streamer.errors import ConfigError, LocalProtocolError, SourceError
from streamer.media.frame import MemoryKind, PixelFormat, Resolution
from streamer.sources import screen
from streamer.sources.base import SourceSettings
from tests.fakes.xvfb import running_xvfb

pytestmark = pytest.mark.x11

LONG_US = 10_000_000
RED, GREEN, BLUE = 0xFF0000, 0x00FF00, 0x0000FF


def pixels(frame):
    size = frame.surface.resolution
    (plane,) = frame.surface.planes
    rows = np.frombuffer(plane.buffer, np.uint8).reshape(size.height_px, plane.pitch_bytes)
    return rows[:, : size.width_px * 4].reshape(size.height_px, size.width_px, 4)


def settle(source):
    """Take what is pending, so that the next frame is of what the test does."""
    while (frame := source.grab(50_000)) is not None:
        source.release(frame)


def bgr(colour):
    return [colour & 0xFF, colour >> 8 & 0xFF, colour >> 16]


def test_first_grab_gives_the_whole_screen(source, client):
    client.fill(RED, 0, 0, 640, 480)

    frame = source.grab(LONG_US)

    assert frame.surface.resolution == Resolution(640, 480)
    assert (frame.surface.memory, frame.surface.format) == (MemoryKind.HOST, PixelFormat.BGRA)
    assert (pixels(frame)[:, :, :3] == bgr(RED)).all()
    assert frame.input_number == 77


def test_still_screen_gives_none(source):
    settle(source)

    frame = source.grab(100_000)

    assert frame is None


def test_moving_the_pointer_gives_none(source, client):
    settle(source)
    client.core.WarpPointer(0, client.connection.root, 0, 0, 0, 0, 123, 234)
    client.sync()

    frame = source.grab(100_000)

    assert frame is None


def test_change_wakes_a_waiting_grab(source, client):
    settle(source)
    painter = Thread(target=client.fill, args=(GREEN, 100, 100, 50, 60))

    painter.start()
    frame = source.grab(LONG_US)
    painter.join()

    assert (pixels(frame)[100:160, 100:150, :3] == bgr(GREEN)).all()
    assert not (pixels(frame)[160:, :, :3] == bgr(GREEN)).all(axis=-1).any()


def test_buffers_catch_up_with_changes_that_others_took(source, client):
    """Each frame shall be the whole picture, although each buffer gets only the bands it lacks."""
    expected = np.zeros((480, 640, 3), np.uint8)
    client.fill(0, 0, 0, 640, 480)
    settle(source)
    held = []
    for number in range(24):
        x, y, width, height = 25 * number, 19 * number % 440, 40, 33
        colour = 0x030507 * (number + 1)
        client.fill(colour, x, y, width, height)
        expected[y : y + height, x : x + width] = bgr(colour)

        frame = source.grab(LONG_US)

        assert np.array_equal(pixels(frame)[:, :, :3], expected), f"frame {number} is not what was drawn"
        held.append(frame)
        if len(held) > number % 3:
            source.release(held.pop(0))


def test_frame_stays_as_it_is_while_it_is_held(source, client):
    client.fill(RED, 0, 0, 640, 480)
    held = source.grab(LONG_US)
    before = pixels(held).copy()

    for colour in (GREEN, BLUE, GREEN, BLUE, GREEN):
        client.fill(colour, 0, 0, 640, 480)
        source.release(source.grab(LONG_US))

    assert np.array_equal(pixels(held), before)


def test_grab_waits_for_a_release_when_all_buffers_are_held(source, client):
    held = []
    for colour in (RED, GREEN, BLUE, RED):
        client.fill(colour, 0, 0, 640, 480)
        held.append(source.grab(LONG_US))
    client.fill(GREEN, 0, 0, 640, 480)

    assert source.grab(50_000) is None

    releaser = Thread(target=source.release, args=(held[1],))
    releaser.start()
    frame = source.grab(LONG_US)
    releaser.join()
    assert (pixels(frame)[:, :, :3] == bgr(GREEN)).all()


def test_releasing_twice_is_refused(source):
    frame = source.grab(LONG_US)
    source.release(frame)

    with pytest.raises(LocalProtocolError, match="frame 1"):
        source.release(frame)


def test_wake_ends_a_waiting_grab(source):
    settle(source)
    waker = Thread(target=source.wake)

    waker.start()
    frame = source.grab(LONG_US * 100)
    waker.join()

    assert frame is None


def test_wake_ends_the_next_grab_although_there_is_a_change(source):
    source.wake()

    assert source.grab(LONG_US) is None
    assert source.grab(LONG_US) is not None


def test_fps_bounds_the_rate(xvfb, client):
    options = screen.Options(display=xvfb)
    source = screen.create(SourceSettings(Resolution(1, 1), 20, SystemClock(), options))
    captured_us = []
    for number in range(6):
        client.fill(number * 1000, 0, 0, 9, 9)
        frame = source.grab(LONG_US)
        captured_us.append(frame.capture_us)
        source.release(frame)
    source.close()

    # Five intervals of 50 ms, one of which may be missing: there is room for one frame out of turn.
    assert captured_us[-1] - captured_us[0] >= 4 * 50_000 * 0.95


def test_resized_screen_gives_frames_of_the_new_size(source, client):
    client.fill(RED, 0, 0, 640, 480)
    old = source.grab(LONG_US)
    before = pixels(old).copy()

    client.resize(500, 300)
    client.fill(BLUE, 0, 0, 500, 300)
    frame = source.grab(LONG_US)
    while not (pixels(frame)[:, :, :3] == bgr(BLUE)).all():
        source.release(frame)
        frame = source.grab(LONG_US)

    assert frame.surface.resolution == source.resolution == Resolution(500, 300)
    assert np.array_equal(pixels(old), before)
    source.release(old)
    source.release(frame)


def test_picture_outlives_its_source(source, client):
    client.fill(GREEN, 0, 0, 640, 480)
    frame = source.grab(LONG_US)

    source.close()
    source.close()

    assert (pixels(frame)[:, :, :3] == bgr(GREEN)).all()
    source.release(frame)
    source.wake()
    with pytest.raises(SourceError, match="closed"):
        source.grab(0)


def test_death_of_the_display_is_a_source_error():
    with running_xvfb() as display:
        options = screen.Options(display=display)
        source = screen.create(SourceSettings(Resolution(1, 1), 60, SystemClock(), options))
        settle(source)
    with pytest.raises(SourceError, match=f"display '{display}' is gone"):
        source.grab(LONG_US)
    source.close()


def test_display_of_sixteen_bits_is_refused_with_its_depth():
    with running_xvfb(depth=16) as display, pytest.raises(SourceError, match="depth 16 at 16 bits"):
        screen.create(SourceSettings(Resolution(1, 1), 60, SystemClock(), screen.Options(display=display)))


@pytest.mark.parametrize(
    ("display", "message"),
    [(":64321", "display ':64321' cannot be opened"), ("nonsense", "'nonsense' is no display name")],
)
def test_display_that_is_not_there_is_named(display, message):
    settings = SourceSettings(Resolution(1, 1), 60, SystemClock(), screen.Options(display=display))

    with pytest.raises(ConfigError, match=message):
        screen.create(settings)


def test_missing_display_is_named(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)

    with pytest.raises(ConfigError, match="DISPLAY is not set"):
        screen.create(SourceSettings(Resolution(1, 1), 60, SystemClock()))


def test_opening_and_closing_leaks_no_descriptor(xvfb):
    options = screen.Options(display=xvfb)
    before = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(5):
        source = screen.create(SourceSettings(Resolution(1, 1), 60, SystemClock(), options))
        source.release(source.grab(LONG_US))
        source.close()
        with pytest.raises(ConfigError):
            screen.create(SourceSettings(Resolution(1, 1), 60, SystemClock(), screen.Options(display=":64321")))

    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_change_of_many_small_places_is_seen_whole(source, client):
    client.fill(0, 0, 0, 640, 480)
    settle(source)
    expected = np.zeros((480, 640, 3), np.uint8)

    client.core.ChangeGC(client._gc, xp.GC.Foreground, [GREEN])
    places = [(x, y) for y in range(0, 480, 16) for x in range(0, 640, 32)]
    for x, y in places:
        # One request each: of a list the server notes only the extents.
        client.core.PolyFillRectangle(client.connection.root, client._gc, 1, [xp.RECTANGLE.synthetic(x, y, 3, 3)])
    client.sync()
    for x, y in places:
        expected[y : y + 3, x : x + 3] = bgr(GREEN)
    frame = source.grab(LONG_US)

    assert np.array_equal(pixels(frame)[:, :, :3], expected)
