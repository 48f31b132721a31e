"""Two viewers of one session: who is in control, who watches, and how the seat passes on."""

import pytest

from tests.fakes.staged import Stage
from tests.fakes.tab import OpenTab, Tab
from tests.fakes.xvfb import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.x11]


def enter(stage: Stage, open_tab: OpenTab) -> tuple[Tab, Tab]:
    """Return the first viewer, who holds the seat, and the second one, who does not."""
    first, second = open_tab(), open_tab()
    first.control(stage.url)
    second.watch(stage.url)
    second.wait_for_seat(is_holder=False)
    return first, second


def click(tab: Tab, button: str) -> None:
    tab.page.mouse.click(100, 100, button=button)


def test_both_viewers_see_the_picture_and_how_many_watch(stage: Stage, open_tab: OpenTab) -> None:
    first, second = enter(stage, open_tab)

    first.wait_until("player.seat.viewers === 2")
    assert "In control · 2 viewers" in first.page.locator(".seat").inner_text()
    assert "Watching · 2 viewers" in second.page.locator(".seat").inner_text()
    assert second.pixels().shape == first.pixels().shape


@pytest.mark.parametrize("is_page_honest", [True, False], ids=["by-the-page", "by-the-server"])
def test_input_of_a_second_viewer_changes_nothing(stage: Stage, open_tab: OpenTab, *, is_page_honest: bool) -> None:
    first, second = enter(stage, open_tab)
    if not is_page_honest:
        second.ask("player.input.setEnabled(true)")

    click(second, "right")
    second.page.keyboard.press("KeyX")
    # Each of these comes with a ping of the same connection: by then the server has dealt with what was sent before.
    second.wait_for_statistics(2)
    click(first, "left")

    wait_for(lambda: len(stage.buttons) >= 2)
    assert stage.buttons == [("ButtonPress", 1), ("ButtonRelease", 1)]
    assert stage.keys == []


def test_seat_passes_on_when_its_holder_leaves(stage: Stage, open_tab: OpenTab) -> None:
    first, second = enter(stage, open_tab)
    first.page.mouse.move(50, 50)
    first.page.mouse.down()
    wait_for(lambda: stage.buttons == [("ButtonPress", 1)])

    first.page.goto("about:blank")

    second.wait_for_seat(is_holder=True)
    # What the first one held does not stay down for the second.
    wait_for(lambda: stage.buttons == [("ButtonPress", 1), ("ButtonRelease", 1)])
    click(second, "right")
    wait_for(lambda: stage.buttons[2:] == [("ButtonPress", 3), ("ButtonRelease", 3)])
    assert "In control" in second.page.locator(".seat").inner_text()


def test_viewer_who_comes_back_by_the_address_waits_behind_the_others(stage: Stage, open_tab: OpenTab) -> None:
    first, second = enter(stage, open_tab)
    first.page.goto("about:blank")
    second.wait_for_seat(is_holder=True)

    first.watch(stage.url)

    first.wait_for_seat(is_holder=False)
    assert second.ask("player.seat.is_holder")
