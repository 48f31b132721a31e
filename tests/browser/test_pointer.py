"""Clicks, wheel and movement on the page arrive at a real X client, also when a part of the messages is lost."""

from functools import partial

import pytest

from tests.fakes.refusals import LOSE_EVERY_THIRD_MOTION
from tests.fakes.staged import Stage
from tests.fakes.tab import OpenTab, Tab
from tests.fakes.xvfb import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.x11]

# X names the wheel by buttons.
_WHEEL_UP, _WHEEL_DOWN, _WHEEL_RIGHT = 4, 5, 7
_WIRES = pytest.mark.parametrize(
    "script", [pytest.param("", id="good-network"), pytest.param(LOSE_EVERY_THIRD_MOTION, id="every-third-lost")]
)


def check_loss(tab: Tab, script: str) -> None:
    """Make sure that what was to be lost was."""
    if script:
        assert tab.page.evaluate("() => window.lostMotion") > 0


@_WIRES
def test_every_button_arrives_at_its_place(stage: Stage, open_tab: OpenTab, script: str) -> None:
    tab = open_tab(script)
    tab.control(stage.url)

    for button in ("left", "middle", "right"):
        tab.page.mouse.click(50, 60, button=button)

    clicks = [(event, button) for button in (1, 2, 3) for event in ("ButtonPress", "ButtonRelease")]
    wait_for(lambda: stage.has_clicked(clicks))
    assert {(entry.x, entry.y) for entry in stage.entries if entry.event == "ButtonPress"} == {(50, 60)}


def test_pointer_arrives_at_the_very_pixel(stage: Stage, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(stage.url)

    for place in ((0, 1), (101, 203), (333, 111), (639, 359)):
        tab.move(*place)

        stage.wait_for_place(*place)


@_WIRES
def test_wheel_turns_by_as_many_notches(stage: Stage, open_tab: OpenTab, script: str) -> None:
    tab = open_tab(script)
    tab.control(stage.url)
    tab.move(100, 100)
    stage.wait_for_place(100, 100)

    for button, (x, y) in {_WHEEL_DOWN: (0, 120), _WHEEL_RIGHT: (120, 0), _WHEEL_UP: (0, -120)}.items():
        # Turns to and fro between two messages would be their sum: one direction after the other.
        stage.restart()
        for _ in range(4):
            tab.page.mouse.wheel(x, y)
        clicks = [("ButtonPress", button), ("ButtonRelease", button)] * 4
        wait_for(partial(stage.has_clicked, clicks))
    check_loss(tab, script)


@_WIRES
def test_end_of_a_movement_arrives(stage: Stage, open_tab: OpenTab, script: str) -> None:
    tab = open_tab(script)
    tab.control(stage.url)

    tab.page.mouse.move(10, 100)
    tab.page.mouse.move(411, 307, steps=25)

    stage.wait_for_place(411, 307)
    check_loss(tab, script)


@_WIRES
def test_locked_pointer_moves_by_as_many_pixels(stage: Stage, open_tab: OpenTab, script: str) -> None:
    tab = open_tab(script)
    tab.control(stage.url)
    # Far from the edges, where X would stop it.
    tab.move(100, 100)
    stage.wait_for_place(100, 100)
    tab.move(320, 2)
    tab.button("Lock the pointer").click()
    tab.page.wait_for_function("() => document.pointerLockElement !== null")
    # From here on only differences count. A button brings what was moved so far with it.
    tab.page.mouse.click(300, 150)
    wait_for(lambda: len(stage.buttons) == 2)
    x, y = stage.entries[-1].x, stage.entries[-1].y

    tab.page.mouse.move(380, 190, steps=20)
    tab.page.mouse.move(350, 200, steps=10)

    stage.wait_for_place(x + 50, y + 50)
    check_loss(tab, script)


def test_what_is_held_is_let_go_when_the_tab_closes(stage: Stage, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(stage.url)
    tab.move(200, 200)
    tab.page.mouse.down()
    tab.page.keyboard.down("KeyW")
    wait_for(lambda: stage.keys == ["KeyPress"] and stage.buttons == [("ButtonPress", 1)])

    tab.page.close()

    wait_for(lambda: stage.keys == ["KeyPress", "KeyRelease"])
    wait_for(lambda: stage.buttons == [("ButtonPress", 1), ("ButtonRelease", 1)])


def test_what_is_held_is_let_go_when_the_window_loses_the_focus(stage: Stage, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(stage.url)
    tab.page.keyboard.down("KeyW")
    wait_for(lambda: stage.keys == ["KeyPress"])

    tab.page.evaluate("() => window.dispatchEvent(new Event('blur'))")

    wait_for(lambda: stage.keys == ["KeyPress", "KeyRelease"])
