import asyncio
import shutil
import subprocess
from collections.abc import Iterator

import pytest
import xcffib.xproto as xp

from streamer.errors import ConfigError, InputError
from streamer.inputs import xtest
from streamer.inputs.base import InputSettings
from streamer.protocol.actions import (
    ButtonChange,
    KeyChange,
    PointerMove,
    PointerShift,
    TextEntry,
    WheelTurn,
)
from tests.fakes.x_client import XClient
from tests.fakes.xvfb import running_xvfb, wait_for

pytestmark = pytest.mark.x11

DOWN, UP = "KeyPress", "KeyRelease"
PRESS, RELEASE = "ButtonPress", "ButtonRelease"
SHIFT = 50


@pytest.fixture
def backend(xvfb: str, client: XClient) -> Iterator[xtest.XtestBackend]:
    client.listen()
    backend = xtest.create(InputSettings(options=xtest.Options(display=xvfb)))
    yield backend
    backend.close()


def keysym_table(client):
    setup = client.raw.setup
    count = setup.max_keycode - setup.min_keycode + 1
    reply = client.core.GetKeyboardMapping(setup.min_keycode, count).reply()
    return setup.min_keycode, reply.keysyms_per_keycode, tuple(reply.keysyms)


def typed(client, events):
    """What a program with the present layout makes of these key events."""
    first, width, keysyms = keysym_table(client)
    text, held = "", set()
    for kind, keycode in events:
        if kind == UP:
            held.discard(keycode)
            continue
        if kind == DOWN:
            held.add(keycode)
            row = keysyms[(keycode - first) * width : (keycode - first + 1) * width]
            if row[0] in (0xFFE1, 0xFE03):
                continue
            names = {keysyms[(code - first) * width] for code in held}
            keysym = row[(0xFFE1 in names) + 4 * (0xFE03 in names)]
            text += {0xFF0D: "\n", 0x20AC: "€"}.get(keysym) or chr(keysym & 0xFFFFFF)
    return text


def test_keys_go_by_their_place(backend, client):
    backend.apply([KeyChange("KeyA", True), KeyChange("KeyA", False), KeyChange("IntlBackslash", True)])

    assert client.hear(3) == [(DOWN, 38), (UP, 38), (DOWN, 94)]


def test_repeated_and_unmatched_key_changes_are_ignored(backend, client):
    keys = [("KeyB", False), ("KeyA", True), ("KeyA", True), ("NoSuchKey", True), ("KeyA", False), ("KeyA", False)]

    backend.apply([KeyChange(code, is_down) for code, is_down in keys] + [KeyChange("KeyZ", True)])

    assert client.hear(3) == [(DOWN, 38), (UP, 38), (DOWN, 52)]


@pytest.mark.parametrize(
    ("position", "place"),
    [((0, 0), (0, 0)), ((65535, 65535), (639, 479)), ((32768, 32768), (320, 240)), ((102, 136), (0, 0))],
)
def test_pointer_goes_to_the_pixel_that_the_position_lies_in(backend, client, position, place):
    backend.apply([PointerMove(*position)])

    wait_for(lambda: client.pointer() == place)


def test_pointer_follows_a_resize(backend, client):
    client.resize(500, 300)

    wait_for(lambda: (backend.apply([PointerMove(65535, 65535)]), client.pointer() == (499, 299))[1])


def test_shifts_are_exact(backend, client):
    backend.apply([PointerMove(32768, 32768), PointerShift(7, -3), PointerShift(-20, 11), PointerShift(0, 0)])

    wait_for(lambda: client.pointer() == (307, 248))


def test_shift_beyond_the_protocol_goes_to_the_edge(backend, client):
    backend.apply([PointerShift(2**31 - 1, -(2**31))])

    wait_for(lambda: client.pointer() == (639, 0))


@pytest.mark.parametrize(("button", "number"), [(0, 1), (1, 2), (2, 3), (3, 8), (4, 9)])
def test_button_arrives_under_its_number(backend, client, button, number):
    backend.apply([ButtonChange(button, True), ButtonChange(button, False)])

    assert client.hear(2) == [(PRESS, number), (RELEASE, number)]


def test_unknown_button_is_ignored(backend, client):
    backend.apply([ButtonChange(7, True), ButtonChange(0, True)])

    assert client.hear(1) == [(PRESS, 1)]


@pytest.mark.parametrize(
    ("turns", "clicks"),
    [
        ([(0, 120)], [5]),
        ([(0, -240)], [4, 4]),
        ([(120, 0)], [7]),
        ([(-120, 0)], [6]),
        ([(0, 50), (0, 50), (0, 50)], [5]),
        ([(0, 100), (0, -100), (0, -20)], [4]),
        ([(0, 2**31 - 1)], [5] * 64),
    ],
)
def test_wheel_clicks_once_for_each_whole_notch(backend, client, turns, clicks):
    backend.apply([WheelTurn(dx, dy) for dx, dy in turns] + [ButtonChange(0, True)])

    heard = client.hear(2 * len(clicks) + 1)
    assert [number for kind, number in heard if kind == PRESS] == [*clicks, 1]


def test_text_of_the_layout_is_typed(backend, client):
    backend.apply([TextEntry("aB {~\r\n")])

    # Six characters, three of which need Shift.
    assert typed(client, client.hear(2 * 6 + 2 * 3)) == "aB {~\n"


def test_text_beyond_the_layout_is_typed(backend, client):
    backend.apply([TextEntry("é漢😀Ω€")])

    assert typed(client, client.hear(10)) == "é漢😀Ω€"


@pytest.mark.skipif(shutil.which("setxkbmap") is None, reason="setxkbmap is not installed")
def test_text_follows_a_change_of_layout(backend, client, xvfb):
    backend.apply([TextEntry("a")])
    assert client.hear(2)[0] == (DOWN, 38)
    subprocess.run(["setxkbmap", "-display", xvfb, "fr"], check=True, timeout=20)
    client.heard.clear()

    backend.apply([TextEntry("a€")])

    # On a French keyboard the letter A is where Q is on ours, and the euro needs AltGr.
    heard = client.hear(2 + 4)
    assert heard[0] == (DOWN, 24)
    assert typed(client, heard) == "a€"


async def test_long_text_keeps_its_order_with_what_follows(backend, client):
    text = "The quick brown fox\r\n" * 8

    backend.apply([TextEntry(text), TextEntry("-"), KeyChange("F1", True)])
    while (DOWN, 67) not in client.heard:
        await asyncio.sleep(0)
        client.hear(1, timeout_ms=0)

    assert typed(client, client.heard[:-1]) == text.replace("\r\n", "\n") + "-"


async def test_release_all_forgets_text_that_waits(backend, client):
    backend.apply([TextEntry("a" * 100), KeyChange("KeyB", True)])

    backend.release_all()
    backend.apply([KeyChange("F1", True)])

    heard = client.hear(2 * 16 + 1)
    assert typed(client, heard[:-1]) == "a" * 16
    assert heard[-1] == (DOWN, 67)


async def hear_until(client, event):
    while event not in client.heard:
        await asyncio.sleep(0)
        client.hear(1, timeout_ms=0)


async def test_text_beyond_what_may_wait_is_refused_whole(backend, client, monkeypatch):
    monkeypatch.setattr(xtest, "MAX_WAITING_CHARACTERS", 200)
    refused = backend.apply([TextEntry("a" * 150), TextEntry("b" * 51), TextEntry("c" * 50)])
    more = backend.apply([TextEntry("d" * 100), KeyChange("F1", True)])

    await hear_until(client, (DOWN, 67))

    assert [*refused, *more] == [TextEntry("b" * 51), TextEntry("d" * 100)]
    assert typed(client, client.heard[:-1]) == "a" * 150 + "c" * 50


async def test_longest_text_is_taken_when_nothing_waits(backend, client, monkeypatch):
    monkeypatch.setattr(xtest, "MAX_WAITING_CHARACTERS", 200)
    first = backend.apply([TextEntry("a" * 200), KeyChange("F1", True)])
    await hear_until(client, (DOWN, 67))
    client.heard.clear()

    second = backend.apply([TextEntry("c" * 200), KeyChange("F1", False)])
    await hear_until(client, (UP, 67))

    assert [*first, *second] == []
    assert typed(client, client.heard[:-1]) == "c" * 200


async def test_text_with_more_characters_than_spare_keys_arrives_whole(backend, client):
    text = "".join(chr(0x4E00 + number) for number in range(60))
    bindings = {}
    heard = []

    backend.apply([TextEntry(text), KeyChange("KeyA", True)])
    while (DOWN, 38) not in heard:
        await asyncio.sleep(0)
        for event in client.connection.events():
            if isinstance(event, xp.MappingNotifyEvent) and event.count == 1:
                reply = client.core.GetKeyboardMapping(event.first_keycode, 1).reply()
                bindings[event.first_keycode] = reply.keysyms[0]
            if isinstance(event, xp.KeyPressEvent):
                heard.append((DOWN, event.detail))
                if event.detail != 38:
                    heard[-1] = (DOWN, bindings[event.detail])

    assert "".join(chr(keysym & 0xFFFFFF) for _, keysym in heard[:-1]) == text


def test_held_modifiers_do_not_change_text(backend, client):
    backend.apply([KeyChange("ShiftLeft", True), TextEntry("a")])

    assert client.hear(5) == [(DOWN, SHIFT), (UP, SHIFT), (DOWN, 38), (UP, 38), (DOWN, SHIFT)]


def test_caps_lock_does_not_change_text(backend, client):
    backend.apply([KeyChange("CapsLock", True), KeyChange("CapsLock", False)])
    client.hear(2)

    backend.apply([TextEntry("a1")])

    assert client.hear(8)[2:] == [(DOWN, SHIFT), (DOWN, 38), (UP, 38), (UP, SHIFT), (DOWN, 10), (UP, 10)]


def test_spare_keys_are_given_back(backend, client):
    before = keysym_table(client)
    backend.apply([TextEntry("漢字")])
    client.hear(4)
    assert keysym_table(client) != before

    backend.close()

    client.sync()
    assert keysym_table(client) == before


def test_release_all_lets_go_of_everything_once(backend, client):
    backend.apply([KeyChange("KeyA", True), KeyChange("ControlLeft", True), ButtonChange(2, True)])
    client.hear(3)

    backend.release_all()
    backend.release_all()
    backend.apply([KeyChange("KeyB", True)])

    assert client.hear(7)[3:] == [(RELEASE, 3), (UP, 37), (UP, 38), (DOWN, 56)]


def test_close_lets_go_and_is_harmless_twice(backend, client):
    backend.apply([KeyChange("KeyA", True)])

    backend.close()
    backend.close()

    assert client.hear(2) == [(DOWN, 38), (UP, 38)]


def test_death_of_the_display_is_an_input_error():
    with running_xvfb() as display:
        backend = xtest.create(InputSettings(options=xtest.Options(display=display)))
        backend.apply([KeyChange("KeyA", True)])
    with pytest.raises(InputError, match=f"display '{display}' is gone"):
        backend.apply([KeyChange("KeyA", False)])
    with pytest.raises(InputError):
        backend.apply([])
    backend.release_all()
    backend.close()


def test_display_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="display ':64321' cannot be opened"):
        xtest.create(InputSettings(options=xtest.Options(display=":64321")))
