"""The controls over the picture: names for those who do not see them, and what they do."""

import re

import numpy as np
import pytest

from tests.fakes.staged import Stage
from tests.fakes.tab import SIZE, OpenTab, Tab
from tests.fakes.xvfb import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.x11]

_BUTTONS = ("Lock the pointer", "Send Ctrl+Alt+Delete", "Statistics", "Full screen")
_PAGE_PX = 1280, 720
_WIDTH_WITH_LONG_REASON = """(overlay) => {
  const reason = [...overlay.querySelectorAll("small")].find((detail) => detail.textContent.startsWith("software: "));
  reason.textContent += " because of that".repeat(20);
  return overlay.offsetWidth;
}"""
_READ_LINES = """(overlay) => [...overlay.querySelectorAll("dt")].map(
    (name) => [name.innerText, name.nextElementSibling.innerText]
)"""
_HANDLE = np.s_[0:12, SIZE.width_px // 2 - 26 : SIZE.width_px // 2 + 26]


def open_bar(tab: Tab) -> None:
    tab.page.mouse.move(SIZE.width_px // 2, 3)
    tab.page.locator(".tools").hover()


def press(tab: Tab, name: str) -> None:
    open_bar(tab)
    tab.button(name).click()


def statistics(tab: Tab) -> dict[str, str]:
    """Return the lines of the overlay by their names, read at once: they are replaced each second."""
    overlay = tab.page.get_by_role("region", name="Statistics")
    return dict(overlay.evaluate(_READ_LINES))


def ages(tab: Tab, count: int) -> list[float]:
    """Return the age of the picture of the next so many seconds that have one."""
    tab.page.evaluate("() => { window.ages = []; }")
    tab.ask("player.on('statistics', ({ captureToPresentMs: age }) => age === null || window.ages.push(age)) && null")
    tab.page.wait_for_function("(count) => window.ages.length >= count", arg=count)
    return [float(age) for age in tab.page.evaluate("() => window.ages")]


def number(text: str) -> float:
    match = re.search(r"-?\d+(\.\d+)?", text)
    assert match is not None, text
    return float(match.group())


def test_everything_that_can_be_pressed_has_a_name(stage: Stage, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(stage.url)
    open_bar(tab)

    for name in _BUTTONS:
        assert tab.button(name).is_enabled()
    assert tab.page.get_by_role("button").count() == len(_BUTTONS)
    assert tab.page.get_by_role("toolbar", name="Stream controls").is_visible()
    assert tab.page.get_by_role("textbox", name="Keyboard input for the stream").count() == 1


def test_statistics_open_with_plausible_values(stage: Stage, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(stage.url)

    press(tab, "Statistics")
    # A still desktop shows a frame per second.
    wait_for(lambda: "Server: encode" in statistics(tab) and number(statistics(tab)["Frame rate"]) > 0)

    shown = statistics(tab)
    assert shown["Picture"].startswith(f"{SIZE.width_px} \u00d7 {SIZE.height_px}")
    assert shown["Codec"].lower().startswith("h264")
    assert "limit: " in shown["Estimate"]
    assert number(shown["Target"]) > 0
    for name in ("Received", "Queue", "Round trip", "Frame rate", "Loss", "Dropped", "Jitter buffer", "Decode"):
        assert number(shown[name]) >= 0, name
    assert tab.button("Statistics").get_attribute("aria-pressed") == "true"


def test_statistics_draw_what_happened_before_they_were_opened(stage: Stage, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(stage.url)
    ages(tab, 3)

    press(tab, "Statistics")

    for name in ("Rate", "Delay"):
        graph = tab.page.get_by_role("img", name=f"{name} over the last two minutes")
        assert graph.is_visible()
        for line in graph.locator("path.line").all():
            path = line.get_attribute("d")
            assert path is not None
            # A dot takes two points, each further second one more.
            assert path.count(",") > 2, (name, path)
    assert tab.violations() == []
    assert tab.errors == []


def test_age_of_a_still_picture_is_never_negative(stage: Stage, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(stage.url)

    assert min(ages(tab, 3)) > 0


def test_full_screen_can_be_entered_and_left(stage: Stage, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(stage.url)

    press(tab, "Full screen")
    tab.page.wait_for_function("() => document.fullscreenElement?.localName === 'render-stream'")
    press(tab, "Full screen")

    tab.page.wait_for_function("() => document.fullscreenElement === null")


def test_ctrl_alt_delete_is_pressed_and_released(stage: Stage, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(stage.url)

    press(tab, "Send Ctrl+Alt+Delete")

    wait_for(lambda: stage.keys == ["KeyPress"] * 3 + ["KeyRelease"] * 3)


def test_idle_bar_leaves_the_picture_as_it_is(stage: Stage, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(stage.url)
    tab.move(100, 300)

    def is_clear() -> bool:
        difference = np.abs(tab.shown().astype(int) - tab.pixels().astype(int))
        difference[_HANDLE] = 0
        return int(difference.max()) <= 3

    wait_for(is_clear)


def test_statistics_follow_the_keyboard_alone(stage: Stage, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(stage.url)
    overlay = tab.page.get_by_role("region", name="Statistics")

    tab.page.keyboard.press("Control+Alt+Shift+KeyS")
    overlay.wait_for(state="visible")
    tab.page.keyboard.press("Control+Alt+Shift+KeyS")

    overlay.wait_for(state="hidden")


def test_statistics_leave_most_of_the_picture_free_however_long_a_reason_is(stage: Stage, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.control(stage.url)
    tab.page.set_viewport_size({"width": _PAGE_PX[0], "height": _PAGE_PX[1]})
    overlay = tab.page.get_by_role("region", name="Statistics")

    tab.page.keyboard.press("Control+Alt+Shift+KeyS")
    overlay.get_by_text("software: ").wait_for()
    # At once: the lines are replaced each second.
    width_px = overlay.evaluate(_WIDTH_WITH_LONG_REASON)

    assert width_px < _PAGE_PX[0] / 2
